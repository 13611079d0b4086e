//! What each kernel generation does differently, by the cases that its patches were written for.

use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    kernel::KernelRules,
    registration::Registration,
    scenario::{Scenario, presets},
    size::{PageSize, PageSizes},
    table::{Mr, single},
};

fn best(
    rules: &str,
    dma: &[(u64, u64)],
    address: u64,
    length: u64,
    virt: u64,
    sizes: u64,
) -> Option<u64> {
    let mut offset = 0;
    let segments: Vec<_> = dma
        .iter()
        .map(|&(start, length)| {
            let segment = Extent {
                offset,
                start: DmaAddr::new(start),
                length,
            };
            offset += length;
            segment
        })
        .collect();
    let mr = Mr {
        address: VirtAddr::new(address),
        length,
        hca_address: VirtAddr::new(virt),
        page: PageSize::K4,
        offset: address & 0xfff,
    };
    let rules = KernelRules::find(rules).unwrap();
    single::best_page_size(
        segments.into_iter(),
        &mr,
        PageSizes::from_bits(sizes),
        rules,
    )
    .map(PageSize::bytes)
}

const B4: u64 = 0x4020_1000;
const ALL: u64 = 0xffff_f000;

/// The reference vectors of the fact sheet (A8), under the rules of 7.2.
#[test]
fn the_reference_vectors_hold() {
    assert_eq!(
        best("7.2", &[(0xf000, 0x7000)], 0xf000, 0x7000, 0xf000, ALL),
        Some(128 << 10)
    );
    let va = 0x7f00_0000_0000;
    assert_eq!(
        best("7.2", &[(0x1_0000_0000, 4 << 20)], va, 4 << 20, va, B4),
        Some(1 << 30)
    );
    assert_eq!(
        best(
            "7.2",
            &[(0xffc0_0000, 4 << 20)],
            va + 4096,
            4 << 20,
            va + 4096,
            ALL
        ),
        Some(4096)
    );
    assert_eq!(
        best(
            "7.2",
            &[(0xffc0_0000, 4 << 20)],
            va + 4096,
            4 << 20,
            0xffc0_0000,
            ALL
        ),
        Some(4 << 20)
    );
    let apart = [
        (0x401f_f000, 4096),
        (0x8000_0000, 2 << 20),
        (0xc000_0000, 2 << 20),
    ];
    assert_eq!(
        best("7.2", &apart, va + 0x1f_f000, 0x40_1000, va + 0x1f_f000, B4),
        Some(2 << 20)
    );
    assert_eq!(
        best("7.2", &[(0x8000_0000, 3 << 30)], 0, 3 << 30, 0, ALL),
        Some(2 << 30)
    );
}

/// "Fix best page size finding when it can cross SG entries" [6.15].
#[test]
fn entries_cut_at_the_maximum_segment_fell_to_4k_before_6_15() {
    let cut = (4u64 << 30) - 4096;
    let start = 0x344_0140_0000;
    let dma: Vec<_> = (0..5)
        .map(|i| {
            (
                start + i * cut,
                if i < 4 { cut } else { (16 << 30) - 4 * cut },
            )
        })
        .collect();
    for (rules, expected) in [
        ("5.10", 4096),
        ("6.7", 4096),
        ("6.15", 2 << 30),
        ("7.2", 2 << 30),
    ] {
        assert_eq!(
            best(rules, &dma, 0x4_0140_0000, 16 << 30, 0x4_0140_0000, ALL),
            Some(expected),
            "{rules}"
        );
    }
}

/// The same by a whole scenario: identity-mapped, with segments of 64K.
#[test]
fn segments_of_64k_cost_ionic_its_large_pages_before_6_15() {
    let total = |rules: &str| {
        let mut scenario = presets::find("one-size").unwrap().scenario();
        scenario.device = umem_core::scenario::DeviceSpec::Name("ionic".into());
        scenario.kernel.rules = rules.into();
        let registration = Registration::new(&scenario).unwrap();
        assert_eq!(registration.scatter_count(), 64);
        registration.table().unwrap().total
    };
    assert_eq!(
        ["5.10", "6.7", "6.15", "7.2"].map(total),
        [1023, 1023, 1, 1]
    );
}

/// "Fix ib_umem_find_best_pgsz() for mappings that cross a page boundary" [5.10].
#[test]
fn the_length_bounded_the_page_size_before_5_10() {
    // 8K across a 2M boundary, congruent: two pages of 2M or one of 1G cover it; the old bound took 8K pages for enough.
    let (dma, va) = ([(0x401f_f000u64, 8192u64)], 0x7f00_001f_f000);
    assert_eq!(best("5.2", &dma, va, 8192, va, B4 | 0x2000), Some(8192));
    assert_eq!(best("5.10", &dma, va, 8192, va, B4 | 0x2000), Some(1 << 30));
}

/// "Fix ib_umem_find_best_pgsz()" [5.6]: where the first entry ends was never looked at.
#[test]
fn a_page_reached_across_the_end_of_the_first_entry_in_5_2() {
    let table = |rules: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"va":"0x7f0000001000","length":"8196K"}},"kernel":{{"rules":"{rules}"}},
                "memory":{{"extents":[["0x40001000","4K"],["0x80002000","8M"]]}},
                "device":{{"page_sizes":["4K","2M"],"policy":"single"}}}}"#
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        Registration::new(&scenario)
            .unwrap()
            .table()
            .unwrap()
            .clone()
    };
    assert_eq!(table("5.2").page_size, Some(PageSize::M2));
    assert!(
        table("5.2")
            .kernel_bug
            .unwrap()
            .to_string()
            .ends_with("pages of 2M translate some of the region's addresses falsely")
    );
    for rules in ["5.10", "7.2"] {
        let table = table(rules);
        assert_eq!(
            (table.page_size, table.kernel_bug),
            (Some(PageSize::K4), None),
            "{rules}"
        );
    }
}

/// 5.2 returned the smallest size when none fits, 5.10 is undefined, later kernels return 0.
#[test]
fn when_nothing_fits() {
    let (dma, va) = ([(0x4000_1000u64, 8192u64)], 0x7f00_0000_0000);
    for (rules, expected) in [("5.2", None), ("5.10", None), ("6.7", None), ("7.2", None)] {
        assert_eq!(
            best(rules, &dma, va, 8192, va, 0x20_0000),
            expected,
            "{rules}"
        );
    }
    // With a size below the page, the demand of 5.2 is met, and what does not fit is returned all the same.
    assert_eq!(
        best("5.2", &dma, va + 0x400, 4096, va + 0x800, 0x1000),
        Some(4096)
    );
    assert_eq!(
        best("7.2", &dma, va + 0x400, 4096, va + 0x800, 0x1000),
        None
    );
}

/// "Prevent small pages from being returned" [5.10], taken back by 6.7.
#[test]
fn pages_smaller_than_the_kernels() {
    let (dma, va) = ([(0x4000_0000u64, 65536u64)], 0x7f00_0000_0400);
    let sizes = 0x400;
    for (rules, expected) in [
        ("5.2", Some(1024)),
        ("5.10", None),
        ("6.7", Some(1024)),
        ("7.2", Some(1024)),
    ] {
        assert_eq!(best(rules, &dma, va, 4096, va, sizes), expected, "{rules}");
    }
}

fn huge_pages(rules: &str, sizes: &str, length: &str) -> Registration {
    let json = format!(
        r#"{{"version":1,"region":{{"va":"0x0","length":"{length}"}},"kernel":{{"rules":"{rules}"}},
            "memory":{{"page_size":"1G","layout":"contiguous","start":"0x0"}},
            "device":{{"page_sizes":{sizes},"policy":"single"}}}}"#
    );
    Registration::new(&Scenario::from_json(json.as_bytes()).unwrap()).unwrap()
}

/// "Fix truncation for block sizes >= 4G" [7.1]: wrong DMA addresses before.
#[test]
fn blocks_of_4g_are_walked_wrongly_before_7_1() {
    let table = |rules| {
        huge_pages(rules, r#"["8G"]"#, "32G")
            .table()
            .unwrap()
            .clone()
    };
    assert_eq!(table("7.2").kernel_bug, None);
    assert!(
        table("6.15")
            .kernel_bug
            .unwrap()
            .to_string()
            .contains("walks the 8G blocks of this list wrongly")
    );
}

/// "Fix ib block iterator counter overflow" [6.2]: 3G and pages of 2G never ended.
#[test]
fn three_gigabytes_of_2g_pages_hung_before_6_2() {
    let table = |rules| {
        huge_pages(rules, r#"["4K","2G"]"#, "3G")
            .table()
            .unwrap()
            .clone()
    };
    assert!(
        table("5.10")
            .kernel_bug
            .unwrap()
            .to_string()
            .contains("hangs here")
    );
    assert_eq!(table("6.7").kernel_bug, None);
    assert_eq!(
        (table("7.2").page_size, table("7.2").total),
        (PageSize::new(2 << 30), 2)
    );
}
