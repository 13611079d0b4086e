//! mlx5 Data Direct, a device of its own: dma-bufs through another PCI function, by keys of KSMs (mlx5/mr.c:
//! `reg_user_mr_dmabuf_by_data_direct()` [linux 6.12.95, 7.2.13]).

use super::transcribed::{Umem, best};
use proptest::prelude::*;
use umem_core::{kernel::KernelRules, registration::Registration, scenario::Scenario};

fn of(region: &str, memory: &str, release: &str, process: &str) -> Registration {
    let json = format!(
        r#"{{"version":1,"region":{{{region}}},"memory":{{{memory}}},"kernel":{{"release":"{release}"}},
           "device":"mlx5-data-direct","process":{{{process}}}}}"#
    );
    let scenario =
        Scenario::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
    Registration::new(&scenario).unwrap_or_else(|error| panic!("{error}: {json}"))
}

const GPU: &str =
    r#""kind":"dma-buf","page_size":"2M","layout":"contiguous","start":"0x34400000000""#;

/// The code and errno of the gate that refuses.
fn refusal(registration: &Registration) -> (&'static str, Option<String>) {
    let gates = registration.gates();
    let gate = gates
        .iter()
        .find(|gate| gate.refuses())
        .expect("it is refused");
    (
        gate.code.unwrap(),
        gate.errno.map(|errno| errno.to_string()),
    )
}

#[test]
fn each_release_has_its_page_rule() {
    let status = |region, release| of(region, GPU, release, "").status();
    let aligned = r#""length":"1G""#;
    let page_in = r#""offset":"4K","length":"1020K""#;
    // The kernel's page up to 6.16, as all of mlx5's dma-bufs.
    assert_eq!(status(aligned, "6.12.95"), "262144 entries: 262144 × 4K");
    assert_eq!(status(aligned, "6.17"), "1 entry: 1 × 1G");
    assert_eq!(status(aligned, "6.18"), "1 entry: 1 × 1G");
    // A region that begins one page in: since 6.18 the page is no larger than the address is aligned.
    assert_eq!(status(page_in, "6.17"), "1 entry: 1 × 1M");
    assert_eq!(status(page_in, "6.18"), "255 entries: 255 × 4K");
    // Zero-based: no bit of the address forbids anything.
    let zero = r#""length":"1G","hca_address":0"#;
    assert_eq!(status(zero, "6.18"), "1 entry: 1 × 1G");
}

#[test]
fn entries_are_ksms_of_16_bytes_and_segments_are_2g() {
    let bytes = |release| {
        let registration = of(r#""length":"1G""#, GPU, release, "");
        registration.table().unwrap().memory.bytes
    };
    assert_eq!(bytes("6.12.95"), 262_144 * 16);
    assert_eq!(bytes("7.2"), 16);
    let driver = umem_core::device::find("mlx5-data-direct").unwrap();
    assert_eq!(driver.traits(None).max_segment, 1 << 31);
}

#[test]
fn what_it_does_not_take_is_refused_by_name() {
    let inside = r#""offset":"0x600","length":"1M""#;
    let unaligned = of(inside, GPU, "6.12.95", "");
    assert_eq!(
        refusal(&unaligned),
        ("unaligned-iova", Some("EOPNOTSUPP".into()))
    );
    let on_demand = of(
        r#""length":"1M""#,
        r#""kind":"odp","layout":"scattered""#,
        "6.12.95",
        "",
    );
    assert_eq!(refusal(&on_demand).1, Some("EOPNOTSUPP".into()));
    let pages = of(
        r#""length":"1M""#,
        r#""layout":"scattered""#,
        "7.2",
        r#""access":["local-write"]"#,
    );
    assert_eq!(refusal(&pages), ("kind-not-taken", None));
    let older = of(r#""length":"1M""#, GPU, "6.11", "");
    assert_eq!(refusal(&older).0, "not-in-this-kernel");
    // mlx5 itself takes the same region: KSMs want what MTTs do not.
    let json = format!(
        r#"{{"version":1,"region":{{{inside}}},"memory":{{{GPU}}},"kernel":{{"release":"6.12.95"}},"device":"mlx5"}}"#
    );
    let mlx5 = Registration::new(&Scenario::from_json(json.as_bytes()).unwrap()).unwrap();
    assert!(!mlx5.gates().iter().any(|gate| gate.refuses()));
}

proptest! {
    /// `mlx5_umem_mkc_find_best_pgsz()` with KSMs, written out: the sizes up to the lowest bit of the address, then the kernel's best.
    #[test]
    fn since_6_18_the_size_is_the_kernels_best_of_those_that_divide_the_address(
        hca_page in 0u64..1 << 22, offset_page in 0u64..512, pages in 1u64..2048,
    ) {
        let (offset, length, hca) = (offset_page << 12, pages << 12, hca_page << 12);
        let region = format!(r#""offset":{offset},"length":{length},"hca_address":{hca}"#);
        let registration = of(&region, GPU, "7.2", "");
        let size = registration.table().map_or(0, |table| table.page_size.unwrap().bytes());
        let mut bitmap: u64 = (1u64 << 32) - (1 << 12);
        if hca != 0 {
            bitmap &= (1u64 << hca.trailing_zeros() << 1) - 1;
        }
        let umem = Umem {
            address: offset,
            length,
            iova: hca,
            sgl: vec![(0x344_0000_0000 + offset, length)],
        };
        prop_assert_eq!(size, best(KernelRules::newest(), &umem, bitmap));
    }
}
