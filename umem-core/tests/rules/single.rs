//! Mainline's one size, against each generation's own functions, transcribed statement by statement from the C: the best
//! page size, and the walk over its blocks.

use proptest::prelude::*;
use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    iommu::DmaSegment,
    kernel::{BlockIterator, GENERATIONS, Interior, KernelRules, NoneFits, SmallPages, UpperBound},
    size::{PageSize, PageSizes},
    table::{EntryRun, Mr, single},
};

const PAGE_SHIFT: u32 = 12;
const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;

/// `struct ib_umem`, its list being (DMA address, DMA length).
#[derive(Clone, Debug)]
struct Umem {
    address: u64,
    length: u64,
    iova: u64,
    sgl: Vec<(u64, u64)>,
}

impl Umem {
    fn mr(&self) -> Mr {
        Mr {
            address: VirtAddr::new(self.address),
            length: self.length,
            hca_address: VirtAddr::new(self.iova),
            page: PageSize::K4,
            offset: self.address % PAGE_SIZE,
        }
    }

    fn segments(&self) -> impl Iterator<Item = DmaSegment> + '_ {
        self.sgl.iter().scan(0, |offset, &(start, length)| {
            let (at, start) = (*offset, DmaAddr::new(start));
            *offset += length;
            Some(Extent {
                offset: at,
                start,
                length,
            })
        })
    }
}

fn genmask(high: u32, low: u32) -> u64 {
    (low..=high).fold(0, |mask, bit| mask | 1 << bit)
}

fn bits_per(n: u64) -> u32 {
    (1..64).find(|bits| n >> bits == 0).unwrap_or(64)
}

fn fls(n: u64) -> u64 {
    (0..64)
        .rev()
        .map(|bit| 1 << bit)
        .find(|bit| n & bit != 0)
        .unwrap()
}

/// `ib_umem_find_best_pgsz()` [linux 5.2], with its `rdma_find_pg_bit()`.
fn best_5_2(umem: &Umem, pgsz_bitmap: u64) -> u64 {
    if pgsz_bitmap & genmask(PAGE_SHIFT, 0) == 0 {
        return 0;
    }
    let mut va = umem.iova;
    let mut mask = umem.length.next_power_of_two();
    let mut pgoff = umem.address % PAGE_SIZE;
    for (i, &(address, length)) in umem.sgl.iter().enumerate() {
        mask |= (address + pgoff) ^ va;
        if i != 0 && i != umem.sgl.len() - 1 {
            mask |= length;
        }
        va += length - pgoff;
        pgoff = 0;
    }
    find_pg_bit(pgsz_bitmap, mask)
}

/// The same of 5.6 and 5.4.22: every end of an entry counts, its length does not.
fn best_5_6(umem: &Umem, pgsz_bitmap: u64) -> u64 {
    if pgsz_bitmap & genmask(PAGE_SHIFT, 0) == 0 {
        return 0;
    }
    let mask = mask_of_ends(umem, umem.length.next_power_of_two());
    find_pg_bit(pgsz_bitmap, mask)
}

/// `rdma_find_pg_bit()`.
fn find_pg_bit(pgsz_bitmap: u64, mask: u64) -> u64 {
    let align = mask & mask.wrapping_neg();
    match pgsz_bitmap & !(align.wrapping_neg() << 1) {
        0 => pgsz_bitmap & pgsz_bitmap.wrapping_neg(),
        pgsz => fls(pgsz),
    }
}

/// The walk over the list [5.6 to 6.14].
fn mask_of_ends(umem: &Umem, mut mask: u64) -> u64 {
    let mut va = umem.iova;
    let mut pgoff = umem.address % PAGE_SIZE;
    for (i, &(address, length)) in umem.sgl.iter().enumerate() {
        mask |= (address + pgoff) ^ va;
        va += length - pgoff;
        if i != umem.sgl.len() - 1 {
            mask |= va;
        }
        pgoff = 0;
    }
    mask
}

/// What becomes of small pages, before the search; `None` refuses.
fn allowed(rules: &KernelRules, pgsz_bitmap: u64) -> Option<u64> {
    let large = pgsz_bitmap & genmask(63, PAGE_SHIFT);
    match rules.small_pages {
        SmallPages::Any => Some(pgsz_bitmap),
        SmallPages::SmallerIgnored => Some(large),
        _ => (large & genmask(PAGE_SHIFT, 0) != 0).then_some(large),
    }
}

/// The same of 5.10 to 6.14, and of 5.9.2, which takes the smallest size when none fits.
fn best_5_10(umem: &Umem, mut pgsz_bitmap: u64, smallest: bool) -> u64 {
    let bits = bits_per((umem.length - 1 + umem.iova) ^ umem.iova);
    let mask = mask_of_ends(umem, pgsz_bitmap & genmask(63, bits));
    if smallest {
        return find_pg_bit(pgsz_bitmap, mask);
    }
    if mask != 0 {
        pgsz_bitmap &= genmask(mask.trailing_zeros(), 0);
    }
    if pgsz_bitmap == 0 {
        0
    } else {
        fls(pgsz_bitmap)
    }
}

/// The same of 6.15 and 7.2, which differ only where sums pass 2^64.
fn best_6_15(umem: &Umem, mut pgsz_bitmap: u64) -> u64 {
    let (mut curr_base, mut curr_len) = (u64::MAX, 0);
    let mut va = umem.iova;
    let mut mask = pgsz_bitmap & genmask(63, bits_per((umem.length - 1 + umem.iova) ^ umem.iova));
    let mut pgoff = umem.address % PAGE_SIZE;
    for (i, &(address, length)) in umem.sgl.iter().enumerate() {
        if curr_base.checked_add(curr_len) != Some(address) {
            (curr_base, curr_len) = (address, 0);
            mask |= (curr_base + pgoff) ^ va;
            if i != 0 {
                mask |= va;
            }
        }
        curr_len += length;
        va += length - pgoff;
        pgoff = 0;
    }
    if mask != 0 {
        pgsz_bitmap &= genmask(mask.trailing_zeros(), 0);
    }
    if pgsz_bitmap == 0 {
        0
    } else {
        fls(pgsz_bitmap)
    }
}

fn best(rules: &KernelRules, umem: &Umem, pgsz_bitmap: u64) -> u64 {
    match (rules.upper_bound, rules.interior) {
        (UpperBound::RoundedLength, Interior::Lengths) => best_5_2(umem, pgsz_bitmap),
        (UpperBound::RoundedLength, _) => best_5_6(umem, pgsz_bitmap),
        (UpperBound::CoveringBits, Interior::EveryEnd) => {
            let smallest = rules.none_fits == NoneFits::Smallest;
            allowed(rules, pgsz_bitmap).map_or(0, |bitmap| best_5_10(umem, bitmap, smallest))
        }
        (UpperBound::CoveringBits, _) => {
            allowed(rules, pgsz_bitmap).map_or(0, |bitmap| best_6_15(umem, bitmap))
        }
    }
}

/// `struct ib_block_iter`.
struct Biter<'a> {
    sgl: &'a [(u64, u64)],
    sg_advance: u64,
    pgsz: u64,
    numblocks: u64,
    hangs: bool,
}

impl Biter<'_> {
    /// `__rdma_block_iter_next()`: the address of the next block. What C keeps in an unsigned int is cut to 32 bits.
    fn next(&mut self, rules: &KernelRules) -> Option<u64> {
        let &(address, length) = self.sgl.first()?;
        let dma_addr = address + self.sg_advance;
        let block_offset = dma_addr & (self.pgsz - 1);
        let u32 = |n: u64| n & 0xffff_ffff;
        match rules.iterator {
            BlockIterator::EachEntry32 => {
                let before = self.sg_advance;
                self.sg_advance = u32(before + self.pgsz - u32(block_offset));
                if self.sg_advance >= length {
                    (self.sg_advance, self.sgl) = (0, &self.sgl[1..]);
                } else if self.sg_advance <= before {
                    self.hangs = true;
                    self.sgl = &[];
                }
            }
            BlockIterator::EachEntryStep32 | BlockIterator::EachEntryCounted32 => {
                let delta = u32(self.pgsz - u32(block_offset));
                if length - self.sg_advance > delta {
                    self.sg_advance += delta;
                } else {
                    (self.sg_advance, self.sgl) = (0, &self.sgl[1..]);
                }
            }
            BlockIterator::AcrossEntries32 | BlockIterator::AcrossEntries64 => {
                let mut delta = match rules.iterator {
                    BlockIterator::AcrossEntries32 => u32(self.pgsz - u32(block_offset)),
                    _ => self.pgsz - block_offset,
                };
                while let [(_, length), rest @ ..] = self.sgl
                    && length - self.sg_advance <= delta
                {
                    delta -= length - self.sg_advance;
                    (self.sg_advance, self.sgl) = (0, rest);
                }
                self.sg_advance += delta;
            }
        }
        Some(dma_addr - dma_addr % self.pgsz)
    }
}

/// `rdma_umem_for_each_dma_block()`: the addresses of the first `most` blocks, and whether the walk hangs among them.
fn walk(rules: &KernelRules, umem: &Umem, pgsz: u64, most: usize) -> (Vec<u64>, bool) {
    let uncounted = [BlockIterator::EachEntry32, BlockIterator::EachEntryStep32];
    walk_as(
        rules,
        umem,
        pgsz,
        most,
        !uncounted.contains(&rules.iterator),
    )
}

/// The same, `counted` or to the end of the list.
fn walk_as(
    rules: &KernelRules,
    umem: &Umem,
    pgsz: u64,
    most: usize,
    counted: bool,
) -> (Vec<u64>, bool) {
    let mut biter = Biter {
        sgl: &umem.sgl,
        sg_advance: if counted {
            (umem.address % PAGE_SIZE) & !(pgsz - 1)
        } else {
            0
        },
        pgsz,
        numblocks: if counted {
            // ib_umem_num_dma_blocks()
            (umem.iova + umem.length).div_ceil(pgsz) - umem.iova / pgsz
        } else {
            u64::MAX
        },
        hangs: false,
    };
    let mut blocks = Vec::new();
    while blocks.len() < most && biter.numblocks > 0 {
        let Some(block) = biter.next(rules) else {
            break;
        };
        blocks.push(block);
        biter.numblocks -= 1;
    }
    (blocks, biter.hangs)
}

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
