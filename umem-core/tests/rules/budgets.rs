//! What devices keep of all regions together, held against what users reported.

use crate::sets::{ends, set, small};
use umem_core::gate::{Errno, Gate};

/// AMD's ionic, as reported: each of the six outcomes by the catalogue's device, on a kernel of Ubuntu with AMD's driver.
#[test]
fn ionic_answers_all_that_was_reported_of_it() {
    let ionic = |registrations: &str| {
        let mut set = set(r#""ionic""#, registrations, "");
        set.kernel.set_release("6.18.36");
        set.plan().unwrap()
    };
    let huge = |length: &str| {
        format!(
            r#"{{"region":{{"length":"{length}"}},"memory":{{"page_size":"2M","layout":"scattered","start":"0x100000000"}}}}"#
        )
    };
    let no_memory = Some((1, Gate::Table, Some(Errno::Enomem)));
    // One region after the other of 1G: three register, the fourth does not.
    assert_eq!(
        ends(&ionic(&small("1G", 4))),
        Some((4, Gate::Firmware, Some(Errno::Einval)))
    );
    // 3968M together register, and no page more.
    let ceiling = small("1G", 3) + "," + &small("896M", 1);
    assert_eq!(ends(&ionic(&ceiling)), None);
    assert_eq!(
        ends(&ionic(&(ceiling + "," + &small("4K", 1)))),
        Some((5, Gate::Firmware, Some(Errno::Einval)))
    );
    // One region alone: 1G and 2G register, 3G does not.
    assert_eq!(ends(&ionic(&small("1G", 1))), None);
    assert_eq!(ends(&ionic(&small("2G", 1))), None);
    assert_eq!(ends(&ionic(&small("3G", 1))), no_memory);
    // 32G of huge pages register; 6G with one hole of small pages do not.
    let thp = ionic(&huge("32G"));
    assert_eq!((ends(&thp), thp.total().entries), (None, 16_384));
    let hole = r#"{"region":{"length":"6G"},"memory":{"extents":[["0x100000000","3G"],["0x200001000","2M"],["0x300000000","3070M"]]}}"#;
    assert_eq!(ends(&ionic(hole)), no_memory);
    // A second device has a budget of its own: the same set again registers.
    assert_eq!(ends(&ionic(&small("1G", 3))), None);
}

/// rccl's 548 regions, before and with huge pages: the numbers of the report.
#[test]
fn rccl_needs_a_twelfth_with_huge_pages() {
    let huge = |length: &str, count: u64| {
        format!(
            r#"{{"region":{{"length":"{length}"}},"memory":{{"page_size":"2M","layout":"scattered"}},"count":{count}}}"#
        )
    };
    // 53,052 pages of 4K, 51 × 4M among them, and 314 of 2M in 157 regions.
    let before = set(
        r#""mlx5""#,
        &[small("4M", 51), small("4K", 828), huge("4M", 157)].join(","),
        "",
    );
    let plan = before.plan().unwrap();
    assert_eq!(plan.total().entries, 53_052 + 314);
    let advice = plan.advice();
    let pages = advice
        .iter()
        .find(|advice| advice.change.contains("51 regions of 2M or more"))
        .unwrap_or_else(|| panic!("{advice:?}"));
    assert_eq!(pages.after.entries, 828 + 51 * 2 + 314);
    assert_eq!(
        pages.set.plan().unwrap().total().entries,
        pages.after.entries
    );
}

/// erdma: 64G and 31G register, 64G and 32G do not, nor do 48G and 48G.
#[test]
fn erdma_keeps_less_than_24_times_2_to_the_20() {
    let erdma = |lengths: [&str; 2]| {
        // Of 4K pages: long runs are sooner walked, and the device is to have no larger page.
        let regions = lengths.map(|length| {
            format!(r#"{{"region":{{"length":"{length}"}},"memory":{{"layout":"contiguous"}}}}"#)
        });
        let device = r#"{"name":"erdma","page_sizes":["4K"]}"#;
        ends(&set(device, &regions.join(","), "").plan().unwrap())
    };
    let full = Some((2, Gate::Firmware, Some(Errno::Eio)));
    assert_eq!(erdma(["64G", "31G"]), None);
    assert_eq!(erdma(["64G", "32G"]), full);
    assert_eq!(erdma(["48G", "48G"]), full);
    assert_eq!(
        erdma(["65G", "1G"]),
        Some((1, Gate::Driver, Some(Errno::Einval)))
    );
}

/// Fewer than 24 × 2^20 entries of an EFA: 95G of 4K pages register, and 96G do not, as was reported.
#[test]
fn efa_keeps_fewer_than_24_times_2_to_the_20() {
    let efa = |registrations: &str| ends(&set(r#""efa""#, registrations, "").plan().unwrap());
    assert_eq!(efa(&small("1G", 95)), None);
    assert_eq!(
        efa(&small("1G", 97)),
        Some((96, Gate::Firmware, Some(Errno::Enomem)))
    );
}
