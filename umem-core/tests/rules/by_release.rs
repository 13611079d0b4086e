//! One region, one driver, many releases: what the program would have seen.

use umem_core::{
    registration::{Registration, Table},
    scenario::{DeviceObject, DeviceSpec, Scenario},
    size::Bytes,
    table::Refusal,
};

/// A region of contiguous 2M pages whose addresses agree in all bits but high ones, on `release`.
fn scenario(device: &str, release: &str, length: &str) -> Scenario {
    let text = format!(
        r#"{{"version":1,"region":{{"va":"0x7f0040000000","length":"{length}"}},"memory":{{"page_size":"2M","layout":"contiguous",
        "start":"0x40000000"}},"kernel":{{"release":"{release}"}},"device":"{device}"}}"#
    );
    Scenario::from_json(text.as_bytes()).unwrap()
}

/// The same of 4K pages of which no two are adjacent.
fn scattered(device: &str, release: &str, length: &str) -> Scenario {
    let mut scenario = scenario(device, release, length);
    scenario.memory.page_size = Some(Bytes(4096));
    scenario.memory.layout = Some(umem_core::scenario::LayoutName::Scattered);
    scenario
}

fn table(scenario: &Scenario) -> Table {
    Registration::new(scenario)
        .unwrap()
        .table()
        .unwrap()
        .clone()
}

fn refusal(scenario: &Scenario) -> Refusal {
    Registration::new(scenario)
        .unwrap()
        .table()
        .unwrap_err()
        .clone()
}

fn tally(scenario: &Scenario) -> String {
    let tally = table(scenario).tally.to_string();
    tally.split_once(": ").unwrap().1.into()
}

fn stops(scenario: &Scenario) -> (&'static str, &'static str, &'static str) {
    let refusal = refusal(scenario);
    (
        refusal.code(),
        refusal.gate().unwrap().name(),
        refusal.errno().unwrap().name(),
    )
}

#[test]
fn a_release_without_the_driver_says_when_it_came() {
    for (device, before, since) in [
        ("ionic", "6.17.5", "6.18"),
        ("mana_ib", "6.1.140", "6.2"),
        ("irdma", "5.10.262", "5.14"),
        ("erdma", "5.15.185", "6.0"),
    ] {
        let refusal = refusal(&scenario(device, before, "2M"));
        assert_eq!(refusal.code(), "not-in-this-kernel", "{device}");
        assert_eq!(
            refusal.cause(),
            format!("Linux {before} has no {device}: it came with Linux {since}")
        );
        assert_eq!(refusal.gate().unwrap().name(), "driver");
        assert!(
            refusal
                .way_out()
                .contains("run a kernel that has the driver")
        );
        table(&scenario(device, since, "2M"));
    }
    // A vendor may have taken the driver up.
    table(&scenario("ionic", "6.8.0-84-generic", "2M"));
    // Rules without a release mean the newest driver.
    let mut any = scenario("ionic", "7.3", "2M");
    any.kernel.set_rules("5.10");
    table(&any);
}

#[test]
fn mlx5_once_looked_at_the_programs_address_alone() {
    // 4M at a program's address that is aligned to 2M: one page of 4M would do, but only 2M were taken.
    let mut old = scenario("mlx5", "5.10.262", "4M");
    old.region.va = "0x7f0040200000".parse().unwrap();
    old.memory.start = Some("0x40200000".parse().unwrap());
    assert_eq!(tally(&old), "2 × 2M");
    // The device address is aligned to 4M, the program's to 2M: pages of 2M either way.
    old.memory.start = Some("0x40400000".parse().unwrap());
    assert_eq!(tally(&old), "2 × 2M");
    // The NIC's address begins 4K later in a page: the old driver does not notice.
    old.region.hca_address = Some("0x1000".parse().unwrap());
    let wrong = table(&old);
    assert_eq!(wrong.total, 2);
    assert!(
        wrong
            .driver_bug
            .unwrap()
            .to_string()
            .contains("mended in Linux 5.11")
    );
    assert_eq!(wrong.kernel_bug, None);
    old.kernel.set_release("5.11");
    let right = table(&old);
    assert_eq!(
        (right.tally.to_string().as_str(), right.driver_bug),
        ("1024 entries: 1024 × 4K", None)
    );
}

#[test]
fn mlx5_refused_its_own_pages_of_4g() {
    // 2G that cross a boundary of 2G, in one SG entry: one page of 4G covers them.
    for (release, refused) in [
        ("6.12.22", true),
        ("6.14.11", true),
        ("6.11.11", false),
        ("6.17", false),
    ] {
        let scenario = scenario("mlx5", release, "2G");
        if refused {
            assert_eq!(
                stops(&scenario),
                ("driver-bug", "page-size", "EINVAL"),
                "{release}"
            );
            let bug = refusal(&scenario).driver_bug().unwrap().to_string();
            let mended = if release.starts_with("6.12") {
                "6.12.23"
            } else {
                "6.15"
            };
            assert!(bug.ends_with(&format!("mended in Linux {mended}")), "{bug}");
        } else {
            assert_eq!(table(&scenario).driver_bug, None, "{release}");
        }
    }
    // From 6.12.31 on contiguous entries count as one, and the page is taken; its key may keep the sixth bit of another size.
    let large = table(&scenario("mlx5", "6.12.31", "2G"));
    assert!(large.page_size.unwrap().log2() >= 32);
    assert!(
        large
            .driver_bug
            .unwrap()
            .to_string()
            .ends_with("mended in Linux 6.12.42")
    );
    assert_eq!(table(&scenario("mlx5", "6.12.42", "2G")).driver_bug, None);
}

#[test]
fn mlx4_chooses_for_the_programs_address_so_zero_based_is_wrong() {
    for release in ["6.12.117", "6.14", "7.3.4"] {
        let mut zero_based = scenario("mlx4", release, "4M");
        assert_eq!(table(&zero_based).driver_bug, None, "{release}");
        zero_based.region.offset = Bytes(4096);
        zero_based.region.length = Bytes((4 << 20) - 4096);
        let as_it_is = table(&zero_based);
        assert_eq!(as_it_is.driver_bug, None, "{release}");
        zero_based.region.hca_address = Some("0x0".parse().unwrap());
        let wrong = table(&zero_based);
        assert_eq!(wrong.page_size, as_it_is.page_size, "{release}");
        assert!(
            wrong
                .driver_bug
                .unwrap()
                .to_string()
                .ends_with("not mended up to Linux 7.3"),
            "{release}"
        );
    }
    // What would help another NIC is never advised here.
    let mut behind = scenario("mlx4", "7.3.4", "4M");
    behind.region.offset = Bytes(4096);
    behind.region.length = Bytes((4 << 20) - 4096);
    behind.iommu = umem_core::scenario::IommuSpec::Name("vt-d".into());
    let advice = |scenario: &Scenario| -> Vec<String> {
        let registration = Registration::new(scenario).unwrap();
        umem_core::advice::advice(&registration)
            .into_iter()
            .map(|advice| advice.change)
            .collect()
    };
    let zero_based = |list: &[String]| list.iter().any(|change| change.contains("zero-based"));
    let addressed = |list: &[String]| {
        list.iter()
            .any(|change| change.contains("give the NIC an address"))
    };
    let list = advice(&behind);
    assert!(!zero_based(&list) && !addressed(&list), "{list:?}");
    behind.device = DeviceSpec::Name("irdma".into());
    assert!(zero_based(&advice(&behind)));
}

/// Before 6.14 a small aligned region took one page of 2G: nothing bounds the size by the length.
#[test]
fn mlx4_once_took_pages_larger_than_the_region() {
    let mut small = scenario("mlx4", "6.13.12", "8K");
    small.region.va = "0x40000000".parse().unwrap();
    assert_eq!(tally(&small), "1 × 2G");
    small.kernel.set_release("6.14");
    assert_eq!(tally(&small), "1 × 8K");
}

#[test]
fn hns_took_the_kernels_page_up_to_6_8() {
    for (release, tallied) in [
        ("5.10.262", "1024 × 4K"),
        ("6.8.12", "1024 × 4K"),
        ("6.9", "1 × 4M"),
    ] {
        assert_eq!(tally(&scenario("hns", release, "4M")), tallied, "{release}");
    }
    // A region that begins within a page and touches one page more than its length takes.
    for (release, total, wrong) in [("5.10.262", 1, true), ("6.1.192", 2, false)] {
        let mut unaligned = scenario("hns", release, "4K");
        unaligned.region.offset = Bytes(2048);
        let table = table(&unaligned);
        assert_eq!(
            (table.total, table.driver_bug.is_some()),
            (total, wrong),
            "{release}"
        );
    }
    let why = Registration::new(&scenario("hns", "6.1.192", "4M")).unwrap();
    let why = umem_core::explain::limits(&why);
    assert_eq!(
        why[0].text,
        "In this kernel hns takes the kernel's page, 4K, whatever the memory."
    );
}

#[test]
fn bnxt_re_once_took_4k_and_2m_and_little_of_4k() {
    assert_eq!(tally(&scenario("bnxt_re", "5.15.210", "1G")), "512 × 2M");
    assert_eq!(tally(&scenario("bnxt_re", "5.16", "1G")), "1 × 1G");
    let little = scattered("bnxt_re", "5.15.210", "1G");
    assert_eq!(tally(&little), "262144 × 4K");
    assert_eq!(
        stops(&scattered("bnxt_re", "5.15.210", "1025M")),
        ("too-long", "page-size", "EINVAL")
    );
    assert_eq!(tally(&scattered("bnxt_re", "5.16", "1025M")), "262400 × 4K");
    assert_eq!(
        stops(&scenario("bnxt_re", "7.3", "513G")),
        ("too-long", "driver", "ENOMEM")
    );
}

#[test]
fn the_x722_was_said_to_have_pages_of_1g() {
    for (release, tallied, wrong) in [
        ("5.13.19", "512 × 2M", false),
        ("5.14", "1 × 1G", true),
        ("5.18.14", "1 × 1G", true),
        ("5.18.15", "512 × 2M", false),
        ("5.19", "512 × 2M", false),
    ] {
        let scenario = scenario("irdma-x722", release, "1G");
        assert_eq!(tally(&scenario), tallied, "{release}");
        assert_eq!(table(&scenario).driver_bug.is_some(), wrong, "{release}");
    }
}

/// 8K that are contiguous but lie 4K off an 8K boundary for the NIC, in one page of 8K.
#[test]
fn mana_once_chose_as_if_addresses_began_at_0() {
    let mut scenario = scenario("mana_ib", "6.8.12", "8K");
    scenario.region.va = "0x7f0000001000".parse().unwrap();
    let wrong = table(&scenario);
    assert_eq!(wrong.tally.to_string(), "1 entry: 1 × 8K");
    assert!(
        wrong
            .driver_bug
            .unwrap()
            .to_string()
            .ends_with("mended in Linux 6.9")
    );
    scenario.kernel.set_release("6.9");
    let right = table(&scenario);
    assert_eq!(right.tally.to_string(), "2 entries: 2 × 4K");
    assert_eq!(right.driver_bug, None);
    // And what begins within a page had no page size at all.
    scenario.kernel.set_release("6.8.12");
    scenario.region.offset = Bytes(16);
    scenario.region.length = Bytes(4096);
    assert_eq!(stops(&scenario), ("no-page-size", "page-size", "EINVAL"));
}

#[test]
fn irdma_adds_one_chunk_an_attempt_since_6_4() {
    for release in ["6.3.13", "6.1.192"] {
        assert_eq!(tally(&scattered("irdma", release, "2G")), "524288 × 4K");
    }
    for release in ["6.4", "7.3.4"] {
        let limit = scattered("irdma", release, "2G");
        assert_eq!(stops(&limit), ("too-many-entries", "table", "ENOMEM"));
        assert!(refusal(&limit).to_string().contains("try again"));
        let fits = scattered("irdma", release, "2044M");
        assert_eq!(tally(&fits), "523264 × 4K");
        let memory = table(&fits).memory;
        // A root of 1022 addresses in 64-byte units, and 1022 leaves: both chunks, to the last byte but 0.
        assert_eq!((memory.levels, memory.bytes), (2, 2 * (2 << 20)));
    }
}

#[test]
fn table_memory_limits_are_of_the_release() {
    for (device, release, length, expected) in [
        ("erdma", "6.5.13", "2G", Ok("524288 × 4K")),
        (
            "erdma",
            "6.5.13",
            "2049M",
            Err(("too-many-entries", "table", "ENOMEM")),
        ),
        ("erdma", "6.6", "2049M", Ok("524544 × 4K")),
        ("erdma", "6.6", "65G", Err(("too-long", "driver", "EINVAL"))),
        ("ionic", "7.3", "2G", Ok("524288 × 4K")),
        (
            "ionic",
            "7.3",
            "2049M",
            Err(("too-many-entries", "table", "ENOMEM")),
        ),
        ("vmw_pvrdma", "7.3", "1G", Ok("262144 × 4K")),
        (
            "vmw_pvrdma",
            "7.3",
            "1025M",
            Err(("too-many-entries", "table", "EINVAL")),
        ),
        ("cxgb4", "7.3", "8G", Err(("too-long", "driver", "EINVAL"))),
        ("hns", "5.10.262", "16G", Ok("4194304 × 4K")),
        (
            "hns",
            "5.10.262",
            "16385M",
            Err(("too-many-entries", "table", "ENOBUFS")),
        ),
        ("hns", "6.1.192", "16385M", Ok("4194560 × 4K")),
        (
            "efa",
            "7.3",
            "97G",
            Err(("too-many-entries", "firmware", "ENOMEM")),
        ),
    ] {
        let scenario = scattered(device, release, length);
        match expected {
            Ok(tallied) => assert_eq!(tally(&scenario), tallied, "{device} {release} {length}"),
            Err(stop) => assert_eq!(stops(&scenario), stop, "{device} {release} {length}"),
        }
    }
}

#[test]
fn usnic_says_that_it_has_no_table() {
    let refusal = refusal(&scenario("usnic", "7.3", "2M"));
    assert_eq!((refusal.code(), refusal.errno()), ("no-table", None));
    assert!(
        refusal.to_string().starts_with("usnic has no table"),
        "{}",
        refusal.to_string()
    );
}

#[test]
fn a_scenarios_limits_take_the_place_of_the_drivers() {
    let with = |change: fn(&mut DeviceObject)| {
        let mut scenario = scattered("ionic", "7.3", "3G");
        change(scenario.device.customize());
        scenario
    };
    assert_eq!(
        tally(&with(|device| device.max_entries = Some(1 << 30))),
        "786432 × 4K"
    );
    assert_eq!(
        stops(&with(|device| {
            device.max_entries = Some(1 << 30);
            device.max_total_entries = Some(1000);
        })),
        ("too-many-entries", "firmware", "EINVAL")
    );
    assert_eq!(
        stops(&with(|device| device.max_length = Some(Bytes(1 << 30)))),
        ("too-long", "driver", "EINVAL")
    );
    assert_eq!(
        tally(&with(|device| {
            device.max_length = Some(Bytes(4 << 30));
            device.max_entries = Some(786_432);
        })),
        "786432 × 4K"
    );
}

/// Reasons are those of the function that chose.
#[test]
fn old_drivers_give_their_own_reasons() {
    let why = |device, release| -> Vec<(&'static str, String)> {
        let mut scenario = scenario(device, release, "4M");
        scenario.region.va = "0x7f0000200000".parse().unwrap();
        let limits = umem_core::explain::limits(&Registration::new(&scenario).unwrap());
        limits
            .into_iter()
            .map(|limit| (limit.code, limit.text))
            .collect()
    };
    let mlx5 = why("mlx5", "5.10.262");
    assert_eq!(mlx5.len(), 1, "{mlx5:?}");
    assert_eq!(mlx5[0].0, "start-alignment");
    // What the program does comes first, the kernel's function last.
    assert_eq!(
        mlx5[0].1,
        "The program's address 0x7f0000200000 is aligned to 2M only, and mlx5 takes no page larger than that, so 2G falls to 2M: \
         2 entries instead of 1 (mlx5_ib_cont_pages())."
    );
    let mlx4 = why("mlx4", "6.13");
    assert_eq!((mlx4.len(), mlx4[0].0), (1, "congruence"), "{mlx4:?}");
    assert!(
        mlx4[0].1.contains("the program's address") || mlx4[0].1.contains("The program's address")
    );
    assert_eq!(why("mlx5", "5.11")[0].0, "covers");
}

#[test]
fn errors_of_umem_are_what_the_driver_makes_of_them() {
    for (device, release, errno) in [
        ("mlx5", "7.2.12", "EINVAL"),
        ("hns", "7.2.12", "ENOMEM"),
        ("cxgb4", "7.2.12", "ENOMEM"),
        ("ocrdma", "7.2.12", "EFAULT"),
        ("bnxt_re", "6.1.192", "EFAULT"),
        ("bnxt_re", "7.2.12", "EINVAL"),
    ] {
        // An entry that begins on the boundary of 4G and is padded to 2^32: the mapping fails with EINVAL.
        let text = format!(
            r#"{{"version":1,"region":{{"length":"6G"}},"memory":{{"page_size":"2M","layout":"contiguous","start":"0x100000000"}},
            "kernel":{{"release":"{release}"}},"iommu":"vt-d","device":{{"name":"{device}","max_segment":4294967295}}}}"#
        );
        let scenario = Scenario::from_json(text.as_bytes()).unwrap();
        assert_eq!(
            stops(&scenario),
            ("iommu-map-failed", "map", errno),
            "{device} {release}"
        );
    }
}
