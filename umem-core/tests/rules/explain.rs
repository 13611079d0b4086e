//! Reasons are true: what an explanation says of an entry is what the table did, and why.

use crate::common::{SOUND, all_rules, scenario};
use proptest::prelude::*;
use umem_core::{
    address::DmaAddr,
    explain::{self, CutLimit, Verdict, cut_at, limits},
    registration::Registration,
    scenario::{Scenario, presets},
    size::{PageSize, PageSizes},
    table::{Edges, EntryRun, Policy, single::ConstraintCode},
};

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_cut_is_explained_by_what_was_cut(mut scenario in scenario(SOUND)) {
        let device = scenario.device.customize();
        (device.policy, device.edges) = (Some(Policy::Mixed), Edges::Exact);
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let (sizes, page) = (question.device().page_sizes, question.mr().page);
        // Sub-page tables begin and end inside pages, of which `cut_at` knows nothing.
        if registration.table().is_err() || sizes.smallest().unwrap() < page {
            return Ok(());
        }
        let index = registration.clone().index();
        let (_, end) = registration.pinned();
        for entry in registration.entries().flat_map(EntryRun::entries) {
            let offset = entry.offset as u64;
            let cut = cut_at(&index, offset);
            prop_assert_eq!(cut.taken.map(PageSize::bytes), Some(entry.size));
            prop_assert_eq!(cut.address, entry.address);
            prop_assert_eq!(cut.zeros, entry.address.get().trailing_zeros());
            // The run goes on as long as the addresses do, by asking page after page.
            let mut left = page.bytes();
            while offset + left < end && index.dma_address(offset + left) == cut.address + left {
                left += page.bytes();
            }
            prop_assert_eq!(cut.left, left);
            for (size, verdict) in &cut.verdicts {
                let aligned = cut.address.is_aligned(*size);
                prop_assert_eq!(*verdict, match () {
                    () if size.bytes() == entry.size => Verdict::Taken,
                    () if !aligned => Verdict::NotAligned { bit: cut.zeros },
                    () if size.bytes() > left => Verdict::TooLong,
                    () => Verdict::Smaller,
                });
            }
            let larger = sizes.iter().find(|size| size.bytes() > entry.size);
            prop_assert_eq!(cut.limit, match larger {
                None => CutLimit::LargestSize,
                Some(larger) if !cut.address.is_aligned(larger) => CutLimit::Alignment { bit: cut.zeros },
                Some(_) if offset + left == end => CutLimit::BytesLeft,
                Some(_) => CutLimit::RunEnd,
            });
            prop_assert!(cut.text(sizes).contains(&entry.address.to_string()));
        }
        // Together the table's reasons name what some entry's reason is, and no other.
        let of_entries: Vec<_> = registration
            .entries()
            .flat_map(EntryRun::entries)
            .map(|entry| cut_at(&index, entry.offset as u64).limit)
            .collect();
        for limit in limits(&registration) {
            prop_assert!(of_entries.iter().any(|cut| cut.code() == limit.code && cut.bit() == limit.bit), "{limit:?}");
        }
    }

    #[test]
    fn every_constraint_cost_a_size(mut scenario in scenario(SOUND)) {
        scenario.device.customize().policy = Some(Policy::Single);
        let registration = Registration::new(&scenario).unwrap();
        let sizes = registration.question().device().page_sizes;
        let mut allowed = sizes;
        for limit in limits(&registration) {
            let bit = limit.bit.unwrap();
            let after = sizes.up_to(PageSize::from_log2(bit).unwrap());
            if limit.code == "covers" {
                // One page of it would do, and no smaller size has so few bits that it could.
                let mr = registration.question().mr();
                let hca = mr.hca_address.get();
                let differing = hca ^ (hca + (mr.length - 1));
                prop_assert!(differing < 1 << bit && sizes.contains(PageSize::from_log2(bit).unwrap()));
            }
            if limit.code != "largest-size" {
                prop_assert!(after.len() < allowed.len(), "{limit:?} costs nothing");
                prop_assert!(limit.segment.is_some_and(|n| n < registration.dma_count().unwrap()));
            }
            allowed = allowed.up_to(PageSize::from_log2(bit).unwrap());
        }
        prop_assert_eq!(registration.table().ok().and_then(|table| table.page_size), allowed.largest());
    }

    #[test]
    fn every_constraint_lies_where_it_says(scenario in scenario(all_rules())) {
        let registration = Registration::new(&scenario).unwrap();
        let mr = registration.question().mr();
        let segments: Vec<_> = registration.dma().collect();
        let mut constraints = Vec::new();
        registration.single_size(|constraint| constraints.push(constraint));
        for constraint in &constraints {
            // The segment's first byte that is registered.
            let segment = segments[constraint.segment as usize];
            let offset = segment.offset.max(mr.offset);
            prop_assert_eq!(constraint.offset, offset);
            prop_assert_eq!(constraint.hca_address, mr.hca_address + (offset - mr.offset));
            prop_assert_eq!(constraint.dma_address, segment.start + (offset - segment.offset));
            match constraint.code {
                ConstraintCode::Congruence => {
                    let differing = constraint.hca_address.get() ^ constraint.dma_address.get();
                    prop_assert_eq!(constraint.bit, differing.trailing_zeros());
                }
                ConstraintCode::Discontinuity => {
                    prop_assert_eq!(constraint.bit, constraint.hca_address.trailing_zeros());
                    prop_assert!(constraint.segment > 0 && segments[constraint.segment as usize - 1].end() != segment.start);
                }
                ConstraintCode::StartAlignment => prop_assert!(false, "no old driver is in these scenarios"),
                ConstraintCode::Covers => prop_assert_eq!(constraint.segment, 0),
                ConstraintCode::EntryEnd => prop_assert!(constraint.segment > 0),
            }
        }
        // Each forbids more than those before it.
        prop_assert!(constraints.is_sorted_by(|one, next| one.bit > next.bit));
    }
}

fn codes(preset: &str) -> Vec<(&'static str, Option<u32>)> {
    let registration = Registration::new(&presets::find(preset).unwrap().scenario()).unwrap();
    limits(&registration)
        .into_iter()
        .map(|limit| (limit.code, limit.bit))
        .collect()
}

#[test]
fn the_presets_have_their_reasons() {
    assert_eq!(
        codes("mail"),
        [
            ("alignment", Some(12)),
            ("alignment", Some(20)),
            ("largest-size", None)
        ]
    );
    assert_eq!(codes("scattered")[0].0, "alignment");
    assert_eq!(codes("one-size-iommu"), [("congruence", Some(12))]);
    assert_eq!(codes("one-size"), [("largest-size", Some(21))]);
    assert_eq!(codes("unaligned"), [("segments", None)]);
}

/// The sentence for each thing that can decide a block.
#[test]
fn every_cut_has_its_sentence() {
    let mail = PageSizes::from_bits(0x30_1000);
    let text = |sizes, address, left, last_run| {
        explain::cut(sizes, DmaAddr::new(address), left, last_run).text(sizes)
    };
    for (address, left, last_run, expected) in [
        (
            0x4000_1000,
            4 << 20,
            true,
            "The address 0x40001000 ends in 12 zero bits, so the largest block that may start here is 4K; 1M would need 20.",
        ),
        (
            0x4000_0000,
            0x10_1000,
            true,
            "2M would be aligned at 0x40000000, but only 1028K of the region are left, so 1M is taken.",
        ),
        (
            0x4000_0000,
            0x10_1000,
            false,
            "2M would be aligned at 0x40000000, but the device addresses are contiguous for only 1028K more, so 1M is taken.",
        ),
        (
            0x4000_0000,
            4 << 20,
            true,
            "2M is the largest size that the device supports, and it is aligned and fits at 0x40000000.",
        ),
        (
            0x4000_0800,
            4 << 20,
            true,
            "No size of the device divides 0x40000800 and fits the 4M left.",
        ),
    ] {
        assert_eq!(text(mail, address, left, last_run), expected);
    }
}

/// Of each size it is said what became of it, also where none is taken.
#[test]
fn every_size_has_its_verdict() {
    let sizes = PageSizes::from_bits(0x4030_1000);
    let verdicts = |address, left| explain::cut(sizes, DmaAddr::new(address), left, true).verdicts;
    let [k4, m1, m2, g1] = [12, 20, 21, 30].map(|log2| PageSize::from_log2(log2).unwrap());
    assert_eq!(
        verdicts(0x20_0000, 2 << 20),
        [
            (g1, Verdict::NotAligned { bit: 21 }),
            (m2, Verdict::Taken),
            (m1, Verdict::Smaller),
            (k4, Verdict::Smaller)
        ]
    );
    assert_eq!(
        verdicts(0x4000_0000, 2048),
        [g1, m2, m1, k4].map(|size| (size, Verdict::TooLong))
    );
}

/// What is said of whole tables, word for word: the page, the runner and the book print it.
#[test]
fn every_limit_has_its_sentence() {
    let cases = [
        (
            r#""7.2","region":{"offset":"4K","length":"4092K"},"memory":{"page_size":"2M","layout":"contiguous"},
               "device":{"page_sizes":["4K","1M","2M"],"policy":"mixed"}"#,
            &[
                "The address 0x40001000 ends in 12 zero bits, so the largest block that may start here is 4K; 1M would need 20. (255 entries)",
                "The address 0x40100000 ends in 20 zero bits, so the largest block that may start here is 1M; 2M would need 21. (1 entry)",
                "2M is the largest size that the device supports, and it is aligned and fits at 0x40200000. (1 entry)",
            ][..],
        ),
        (
            r#""7.2","region":{"length":"2052K"},"memory":{"extents":[["0x40000000","1M"],["0x80000000","1M"],["0x90000000","4K"]]},
               "device":{"page_sizes":["4K","1M","2M"],"policy":"mixed"}"#,
            &[
                "2M would be aligned at 0x40000000, but the device addresses are contiguous for only 1M more, so 1M is taken. (2 entries)",
                "1M would be aligned at 0x90000000, but only 4K of the region are left, so 4K is taken. (1 entry)",
            ],
        ),
        (
            r#""7.2","region":{"length":"4K"},"memory":{"page_size":"2M","layout":"contiguous"},
               "device":{"page_sizes":["4K","2M","1G"],"policy":"single"}"#,
            &["One page of 4K already covers the region, so larger ones would gain nothing."],
        ),
        (
            r#""7.2","region":{"length":"4M"},"memory":{"extents":[["0x40000000","1M"],["0x80100000","2M"],["0xc0001000","1M"]]},
               "device":{"page_sizes":["4K","1M","2M"],"policy":"single"}"#,
            &[
                "At the NIC's address 0x7f0000100000, aligned to 1M only, the device addresses jump, so 2M falls to 1M: 4 entries instead of 2.",
                "The NIC's address 0x7f0000300000 and the device address 0xc0001000 differ in bit 12, so 1M falls to 4K: 1024 entries instead of 4.",
            ],
        ),
        (
            r#""7.2","region":{"length":"4M"},"memory":{"extents":[["0x40000000","1M"],["0x80001000","3M"]]},
               "device":{"page_sizes":["1M","2M"],"policy":"single"}"#,
            &[
                "The NIC's address 0x7f0000100000 and the device address 0x80001000 differ in bit 12, so 2M falls, and no size is left.",
            ],
        ),
        (
            r#""5.10","region":{"length":"4M"},"memory":{"page_size":"2M","layout":"contiguous"},
               "device":{"page_sizes":["4K","1M","2M"],"policy":"single","max_segment":"1M"}"#,
            &[
                "An SG entry ends at the NIC's address 0x7f0000100000, which these rules do not let a page reach across, so 2M falls to 1M: 4 entries instead of 2.",
            ],
        ),
        (
            r#""5.2","region":{"offset":"2044K","length":"8K"},"memory":{"page_size":"2M","layout":"contiguous"},
               "device":{"page_sizes":["4K","2M"],"policy":"single"}"#,
            &[
                "These rules take no page longer than the region, rounded up to 8K, so 2M falls to 4K, which costs no entry.",
            ],
        ),
        // Old kernels cut whole pages of theirs into smaller ones.
        (
            r#""5.2","region":{"va":"0x7f0000001000","offset":1803,"length":284917},"memory":{"page_size":"4K","layout":"contiguous","start":"0x40000000"},
               "device":{"page_sizes":[256,"32K"],"policy":"single"}"#,
            &[
                "The NIC's address 0x7f000000170b and the device address 0x4000070b differ in bit 12, so 32K falls to 256: 1120 entries instead of 9.",
            ],
        ),
        // A kernel's bug: the table has more entries than its region would need.
        (
            r#""5.2","region":{"length":"32K"},"memory":{"extents":[["0x103dcb2000","12K"],["0x103dd5d000","20K"]]},
               "device":{"page_sizes":["4K","8K","32K"],"policy":"single"}"#,
            &[
                "The NIC's address 0x7f0000000000 and the device address 0x103dcb2000 differ in bit 13, so 32K falls to 8K: 5 entries instead of 1.",
            ],
        ),
        (
            r#""7.2","region":{"length":"4M"},"memory":{"page_size":"2M","layout":"contiguous"},
               "device":{"page_sizes":["4K","2M"],"policy":"single"}"#,
            &["2M is the largest size that the device supports, and it fits everywhere."],
        ),
        (
            r#""7.2","region":{"length":"4M"},"memory":{"page_size":"2M","layout":"descending"},"device":{"page_sizes":["4K"],"policy":"unaligned"}"#,
            &[
                "An unaligned device takes one entry for each DMA segment, and there are 2 segments.",
            ],
        ),
        (
            r#""7.2","region":{"length":"4M"},"memory":{"page_size":"2M","layout":"contiguous"},"device":{"page_sizes":["4K"],"policy":"unaligned"}"#,
            &["An unaligned device takes one entry for each DMA segment, and there is 1 segment."],
        ),
    ];
    for (scenario, expected) in cases {
        let json = format!(r#"{{"version":1,"kernel":{{"rules":{scenario}}}"#).replacen(
            r#"","region"#,
            r#""},"region"#,
            1,
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        let registration = Registration::new(&scenario).unwrap();
        let texts: Vec<_> = limits(&registration)
            .into_iter()
            .map(|limit| limit.text)
            .collect();
        assert_eq!(texts, expected, "{json}");
    }
}
