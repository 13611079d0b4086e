//! Mainline's one size, against each release's own functions: the best page size, and the walk over its blocks.

use proptest::prelude::*;
use umem_core::{
    kernel::{BlockIterator, GENERATIONS, Interior, KernelRules},
    size::{PageSize, PageSizes},
    table::{EntryRun, single},
};

use crate::transcribed::*;

/// Regions whose addresses agree up to bit `k`, more or less: of few segments, each of any length.
fn umem() -> impl Strategy<Value = Umem> {
    let segment = (0u8..4, 0u64..1 << 12, 0u64..1 << 20, 0u8..4);
    let list = prop::collection::vec(segment, 1..6);
    let ends = (
        0u64..1 << 20,
        prop::option::of(0u64..PAGE_SIZE),
        0u64..PAGE_SIZE,
    );
    (list, 12u32..36, ends, 0u64..1 << 20, any::<bool>()).prop_map(
        |(list, k, (start, head, tail), hca, same)| {
            let address = 0x7f00_0000_0000 + start * PAGE_SIZE + head.unwrap_or(0);
            let iova = if same {
                address
            } else {
                (hca << 16) + address % PAGE_SIZE
            };
            // The NIC's address where the next segment begins, and the end of the last one.
            let (mut va, mut end, mut sgl, mut total) = (iova - iova % PAGE_SIZE, 0, Vec::new(), 0);
            for (how, place, pages, long) in list {
                let at = match how {
                    0 if end != 0 => end,
                    0..=2 => ((place + 1) << k) + va % (1 << k),
                    _ => (place + 1) * PAGE_SIZE,
                };
                // To the end of a block of 2^k, of so many pages, or as long as an entry can be.
                let length = match long {
                    0 | 1 => (1 << k) - va % (1 << k),
                    2 => (pages % 600 + 1) * PAGE_SIZE,
                    _ => (pages + 1) * PAGE_SIZE,
                };
                let length = length.clamp(PAGE_SIZE, (4 << 30) - PAGE_SIZE);
                sgl.push((at, length));
                (end, va, total) = (at + length, va + length, total + length);
            }
            let length = (total - address % PAGE_SIZE).saturating_sub(tail).max(1);
            Umem {
                address,
                length,
                iova,
                sgl,
            }
        },
    )
}

/// Bitmaps of a few sizes, most of them with the kernel's page.
fn bitmap() -> impl Strategy<Value = u64> {
    let sizes = prop::collection::vec(8u32..37, 1..8);
    (sizes, prop::bool::weighted(0.7)).prop_map(|(sizes, page)| {
        let page = if page { PAGE_SIZE } else { 0 };
        sizes.into_iter().fold(page, |bits, log2| bits | 1 << log2)
    })
}

/// Every generation, and a release of each other combination of rules.
fn kernels() -> Vec<KernelRules> {
    let releases = [
        "5.4.22", "5.4.231", "5.9.2", "5.10.11", "5.10.166", "5.10.262", "5.13", "5.15.91",
        "5.15.185", "5.15.210", "6.1.9",
    ];
    let of = |release: &&str| KernelRules::of(release.parse().unwrap());
    GENERATIONS
        .iter()
        .copied()
        .chain(releases.iter().map(of))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// Kernels before 6.7 count no blocks, and those that look at every end of an entry may walk entry by entry or across. It makes no
    /// difference to the sizes that they choose from the kernel's page to 2G.
    #[test]
    fn the_walks_agree_on_sizes_below_4g(umem in umem(), bitmap in bitmap()) {
        for release in ["5.10.166", "5.10.262", "5.15.91", "5.15.185", "6.1.9", "6.1.68", "6.1.141", "7.2"] {
            let rules = KernelRules::of(release.parse().unwrap());
            let size = best(&rules, &umem, bitmap & genmask(31, PAGE_SHIFT));
            if size == 0 {
                continue;
            }
            let expected = walk_as(&rules, &umem, size, 1000, true);
            prop_assert_eq!(&walk_as(&rules, &umem, size, 1000, false), &expected, "{}", release);
            let others: &[_] = match rules.interior {
                Interior::Discontinuities => &[BlockIterator::AcrossEntries32, BlockIterator::AcrossEntries64],
                _ => &[
                    BlockIterator::EachEntryStep32,
                    BlockIterator::EachEntryCounted32,
                    BlockIterator::AcrossEntries32,
                    BlockIterator::AcrossEntries64,
                ],
            };
            for &iterator in others {
                let other = KernelRules { iterator, ..rules };
                prop_assert_eq!(&walk_as(&other, &umem, size, 1000, true), &expected, "{} {:?}", release, iterator);
            }
        }
    }

    #[test]
    fn the_best_size_is_each_kernels(umem in umem(), bitmap in bitmap()) {
        for rules in &kernels() {
            let ours = single::best_page_size(umem.segments(), &umem.mr(), PageSizes::from_bits(bitmap), rules);
            prop_assert_eq!(ours.map_or(0, PageSize::bytes), best(rules, &umem, bitmap), "{}", rules.name);
        }
    }

    // Of any size, whether it fits or not: what the walk does with a wrong one is a rule as well.
    #[test]
    fn the_blocks_are_each_kernels(umem in umem(), log2 in prop_oneof![8u32..32, 32u32..37]) {
        let size = PageSize::from_log2(log2).unwrap();
        for rules in &kernels() {
            const MOST: usize = 1000;
            let (blocks, hangs) = walk(rules, &umem, size.bytes(), MOST);
            let mut ours = single::Single::new(umem.segments(), &umem.mr(), size, rules);
            let addresses: Vec<_> = ours.by_ref().flat_map(EntryRun::entries).map(|entry| entry.address.get()).take(MOST).collect();
            prop_assert_eq!(&addresses, &blocks, "{}", rules.name);
            if blocks.len() < MOST {
                prop_assert_eq!(ours.is_endless(), hangs, "{}", rules.name);
            }
        }
    }
}

/// "Be careful about boundary conditions" [7.2]: a region that passes the end of the NIC's address space has no page size.
#[test]
fn only_7_2_notices_that_the_address_wraps() {
    let umem = Umem {
        address: 0x7f00_0000_0000,
        length: 3 * PAGE_SIZE,
        iova: u64::MAX - 0x1fff,
        sgl: vec![(0x1_0000_2000, 3 * PAGE_SIZE)],
    };
    let best = |rules: &str| {
        let rules = KernelRules::find(rules).unwrap();
        single::best_page_size(
            umem.segments(),
            &umem.mr(),
            PageSizes::from_bits(0x1000),
            rules,
        )
    };
    assert_eq!(best("6.15"), Some(PageSize::K4));
    assert_eq!(best("7.2"), None);
}

/// "Fix truncation for block sizes >= 4G" [7.1]: of a step of 4G, 32 bits are 0, and the first block came again.
#[test]
fn a_step_of_4g_went_nowhere_before_7_1() {
    const G4: u64 = 4 << 30;
    let umem = Umem {
        address: 0x7f00_0000_0000,
        length: 2 * (G4 - PAGE_SIZE),
        iova: 0,
        sgl: vec![(G4, G4 - PAGE_SIZE), (16 * G4, G4 - PAGE_SIZE)],
    };
    for (rules, expected) in [
        ("6.7", [G4, G4]),
        ("6.15", [G4, G4]),
        ("7.2", [G4, 16 * G4]),
    ] {
        let rules = KernelRules::find(rules).unwrap();
        let blocks = single::Single::new(
            umem.segments(),
            &umem.mr(),
            PageSize::new(G4).unwrap(),
            rules,
        );
        let addresses: Vec<_> = blocks
            .flat_map(EntryRun::entries)
            .map(|entry| entry.address.get())
            .collect();
        assert_eq!(addresses, expected, "{}", rules.name);
    }
}
