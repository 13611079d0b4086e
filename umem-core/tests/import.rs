//! What people have, read: logs of libraries, smaps, what rdma prints; and that no text makes the reader panic or guess.
#![cfg(feature = "import")]

use proptest::prelude::*;
use umem_core::{
    gate::Errno,
    import::{Given, ImportError, Imported, import},
    registration::Registration,
    scenario::{Asked, Backing, Memlock, Protection, Scenario},
    size::Bytes,
};

/// What no log says.
fn given() -> Given {
    Given {
        device: Some("mlx5".into()),
        iommu: Some("off".into()),
        release: Some("6.12.95".into()),
        page_size: Some(Bytes(4096)),
        ..Given::default()
    }
}

fn one(imported: Imported) -> Scenario {
    match imported.asked {
        Asked::Scenario(scenario) => *scenario,
        Asked::Set(set) => panic!("{set:?}"),
    }
}

fn missing(text: &str, given: &Given) -> Vec<&'static str> {
    match import(text, given) {
        Err(ImportError::Missing(missing)) => {
            missing.into_iter().map(|missing| missing.option).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Lines as libraries print them: where the region begins, its length, and what the program saw.
#[test]
fn logs_are_read_as_libraries_print_them() {
    for (line, address, length, errno) in [
        (
            "[1765653660.705652] [magi175:640743:0] ib_md.c:287 UCX ERROR ibv_reg_mr(address=0x15213b956010, length=65536, access=0xf) \
             failed: Cannot allocate memory : Please set max locked memory (ulimit -l) to 'unlimited' (current: 524288 kbytes)",
            Some(0x1521_3b95_6010),
            65536,
            Some(Errno::Enomem),
        ),
        (
            "[1643394930.913056] [cirrus3:1292923:0] ib_md.c:816 UCX DEBUG registered memory 0x7f56f0f20ba0..0x7f56f12750e0 on mlx5_0 lkey \
             0xc0563 rkey 0xc0563 access 0xf flags 0x368",
            Some(0x7f56_f0f2_0ba0),
            0x354540,
            None,
        ),
        (
            "W1212 12:06:27.218729   205 rdma_transport.cpp:166] RdmaTransport: Failed to register memory: addr 0x7fd3e6368000 length 294912",
            Some(0x7fd3_e636_8000),
            294_912,
            None,
        ),
        (
            "libfabric::efa:mr:efa_mr_reg_impl():893<warn> Unable to register MR of 11279546368 bytes: Bad address, flags 0",
            None,
            11_279_546_368,
            Some(Errno::Efault),
        ),
        (
            "ibv_reg_mr failed with error Invalid argument addr=0x2aaaab200000 size=372800063",
            Some(0x2aaa_ab20_0000),
            372_800_063,
            Some(Errno::Einval),
        ),
    ] {
        let imported = import(line, &given()).unwrap();
        assert_eq!(imported.errno, errno, "{line}");
        let scenario = one(imported);
        let region = &scenario.region;
        assert_eq!(region.length.0, length, "{line}");
        if let Some(address) = address {
            assert_eq!(region.va.get() + region.offset.0, address, "{line}");
        }
        Registration::new(&scenario).unwrap();
    }
}

#[test]
fn flags_limit_and_device_come_from_the_line() {
    let line = "UCX ERROR ibv_reg_mr(address=0x15213b956010, length=65536, access=0x10000f) on mlx5_bond_2 failed: Cannot allocate memory : \
                Please set max locked memory (ulimit -l) to 'unlimited' (current: 8192 kbytes)";
    let imported = import(
        line,
        &Given {
            device: None,
            ..given()
        },
    )
    .unwrap();
    assert!(
        imported
            .notes
            .iter()
            .any(|note| note.contains("mlx5_bond_2")),
        "{:?}",
        imported.notes
    );
    let scenario = one(imported);
    assert_eq!(
        scenario.process.memlock,
        Some(Memlock::Bytes(Bytes(8 << 20)))
    );
    // So far as nobody says that it is privileged, and that is said.
    assert_eq!(scenario.process.privileged, Some(false));
    let access: Vec<&str> = scenario
        .process
        .access
        .iter()
        .flatten()
        .map(|access| access.name())
        .collect();
    assert_eq!(
        access,
        [
            "local-write",
            "remote-write",
            "remote-read",
            "remote-atomic",
            "relaxed-ordering"
        ]
    );
    // What the reader says counts for more.
    let unlimited = Given {
        memlock: Some(Memlock::Unlimited),
        ..given()
    };
    assert_eq!(
        one(import(line, &unlimited).unwrap()).process.memlock,
        Some(Memlock::Unlimited)
    );
}

#[test]
fn what_is_missing_is_asked_for_by_name() {
    let nccl = "misc/ibvwrap.cc:278 NCCL WARN Call to ibv_reg_mr_iova2 failed with error Cannot allocate memory";
    assert_eq!(
        missing(nccl, &Given::default()),
        [
            "--length SIZE",
            "--page-size SIZE",
            "--device NAME",
            "--release NAME",
            "--iommu NAME"
        ]
    );
    let mooncake = "E0605 10:48:27.885119 10136 rdma_context.cpp:203] Failed to register memory 0x7b375b400000: Invalid argument [22]";
    assert_eq!(missing(mooncake, &given()), ["--length SIZE"]);
    let scenario = one(import(
        mooncake,
        &Given {
            length: Some(Bytes(4096)),
            ..given()
        },
    )
    .unwrap());
    assert_eq!(scenario.region.va.get(), 0x7b37_5b40_0000);
    // The pages of such a kernel are not known.
    let arm = Given {
        release: Some("6.14.0-64k.aarch64".into()),
        ..given()
    };
    assert_eq!(
        missing(mooncake, &arm),
        ["--length SIZE", "--kernel-page SIZE"]
    );
    for nothing in ["", "hello\n", "the size is 5"] {
        assert_eq!(
            import(nothing, &given()).unwrap_err(),
            ImportError::Nothing,
            "{nothing}"
        );
    }
}

const SMAPS: &str = "\
7f00a0000000-7f00a0800000 rw-s 00000000 00:0f 4711                       /dev/hugepages/pool (deleted)
Size:               8192 kB
KernelPageSize:     2048 kB
MMUPageSize:        2048 kB
Rss:                   0 kB
AnonHugePages:         0 kB
THPeligible:           0
VmFlags: rd wr sh mr mw me ms de ht
7f00b0000000-7f00b4000000 rw-p 00000000 00:00 0
Size:              65536 kB
KernelPageSize:        4 kB
AnonHugePages:     65536 kB
VmFlags: rd wr mr mw me ac hg
7f00c0000000-7f00c0100000 r--s 00000000 08:01 99                         /data/model.bin
KernelPageSize:        4 kB
7f00d0000000-7f00d1000000 rw-s 00000000 00:05 12                         /dev/nvidia0
KernelPageSize:        4 kB
VmFlags: rd wr sh mr mw me ms pf io de dd
";

#[test]
fn smaps_tell_pages_and_mappings() {
    let of = |va: u64| Given {
        va: Some(umem_core::address::VirtAddr::new(va)),
        page_size: None,
        ..given()
    };
    for (va, page, backing, protection, length) in [
        (
            0x7f00_a000_0000,
            2 << 20,
            Backing::Hugetlb,
            Protection::ReadWrite,
            8 << 20,
        ),
        (
            0x7f00_b000_0000,
            2 << 20,
            Backing::Anonymous,
            Protection::ReadWrite,
            64 << 20,
        ),
        (
            0x7f00_c000_0000,
            4096,
            Backing::File,
            Protection::Read,
            1 << 20,
        ),
        (
            0x7f00_d000_0000,
            4096,
            Backing::Pfnmap,
            Protection::ReadWrite,
            16 << 20,
        ),
    ] {
        let scenario = one(import(SMAPS, &of(va)).unwrap());
        let memory = &scenario.memory;
        assert_eq!(memory.page_size, Some(Bytes(page)), "{va:#x}");
        assert_eq!(
            (memory.areas[0].backing, memory.areas[0].protection),
            (backing, protection),
            "{va:#x}"
        );
        assert_eq!(scenario.region.length, Bytes(length), "{va:#x}");
        Registration::new(&scenario).unwrap();
    }
    let Err(ImportError::WhichMapping(text)) = import(SMAPS, &given()) else {
        panic!("one of four was chosen");
    };
    assert!(
        text.contains("4 mappings") && text.contains("--va 0x7f00b0000000"),
        "{text}"
    );
}

/// A line of a log and smaps in one text: the region lies in the mapping that has its address.
#[test]
fn a_log_and_smaps_go_together() {
    let text = format!(
        "{SMAPS}ERROR ibv_reg_mr(address=0x7f00a0001000, length=1048576, access=0xf) failed: Invalid argument\n"
    );
    let fork = Given {
        page_size: None,
        fork_support: Some(umem_core::scenario::ForkSupport::Libibverbs),
        ..given()
    };
    let scenario = one(import(&text, &fork).unwrap());
    let registration = Registration::new(&scenario).unwrap();
    let status = registration.status();
    assert!(
        status.starts_with("refused at fork-support (EINVAL)"),
        "{status}"
    );
}

#[test]
fn what_rdma_prints_is_a_set() {
    let json = r#"[{"ifindex":1,"ifname":"mlx5_0","mrn":3,"mrlen":4194304,"pdn":4,"pid":99,"comm":"srv"},
                  {"ifindex":1,"ifname":"mlx5_0","mrn":4,"iova":"0x7f0000200000","mrlen":2097152,"pdn":4,"pid":99},
                  {"ifindex":1,"ifname":"mlx5_0","mrn":5,"iova":"0x7f0000400000","mrlen":2097152,"pdn":4,"pid":99}]"#;
    let Asked::Set(set) = import(
        json,
        &Given {
            device: None,
            ..given()
        },
    )
    .unwrap()
    .asked
    else {
        panic!("three regions are a set");
    };
    let counts: Vec<_> = set
        .registrations
        .iter()
        .map(|member| (member.region.length.0, member.count))
        .collect();
    assert_eq!(counts, [(4 << 20, 1), (2 << 20, 2)]);
    assert_eq!(set.plan().unwrap().total().regions, 3);
    for (wrong, words) in [
        (r#"[{"ifname":"mlx5_0"}]"#, "mrlen"),
        ("[{", "JSON"),
        ("[]", "no registration"),
        (r#"{"version":1}"#, "umem plan"),
    ] {
        let error = import(wrong, &given()).unwrap_err().to_string();
        assert!(error.contains(words), "{wrong}: {error}");
    }
}

#[test]
fn what_cannot_be_is_said_with_its_line() {
    for (text, words) in [
        ("x\nregistered memory 0x2000..0x1000 on mlx5_0", "line 2"),
        (
            "ibv_reg_mr(address=0xfffffffffffff000, length=8192) failed",
            "end of the address space",
        ),
        (
            "7f00a0000000-7f0000000000 rw-p 0 00:00 0",
            "before it begins",
        ),
    ] {
        let error = import(text, &given()).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

proptest! {
    /// Whatever the text is: an answer or an error, and a scenario that is read back as it is.
    #[test]
    fn no_text_breaks_it(text in ".{0,300}", va in any::<Option<u64>>(), page in prop::option::of(any::<u64>())) {
        let given = Given { va: va.map(umem_core::address::VirtAddr::new), page_size: page.map(Bytes), ..given() };
        let _ = import(&text, &given);
    }

    /// Texts that are nearly right.
    #[test]
    fn no_log_breaks_it(
        address in any::<u64>(),
        length in any::<u64>(),
        words in prop::sample::select(vec![
            "ibv_reg_mr(address=0xA, length=L, access=0xA) failed", "registered memory 0xA..0xL on mlx5_0", "register addr 0xA length L",
            "A-L rw-s 0 00:00 1 /dev/hugepages/x\nKernelPageSize: L kB", "[{\"mrlen\":L,\"iova\":\"0xA\"}]", "register MR of L bytes (current: L kbytes)",
        ]),
        page in prop::option::of(0u32..64),
    ) {
        let text = words.replace('A', &format!("{address:x}")).replace('L', &length.to_string());
        let given = Given { page_size: page.map(|log2| Bytes(1 << log2)), ..given() };
        match import(&text, &given).map(|imported| imported.asked) {
            Ok(Asked::Scenario(scenario)) => {
                prop_assert_eq!(&Scenario::from_json(scenario.to_json().as_bytes()).unwrap(), &*scenario);
                let _ = scenario.gates_before_gathering();
            }
            Ok(Asked::Set(_)) | Err(_) => {}
        }
    }
}
