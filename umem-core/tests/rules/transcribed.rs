//! Transcribed from the C, statement by statement: `ib_umem_find_best_pgsz()` and `rdma_umem_for_each_dma_block()` of each release.

use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    iommu::DmaSegment,
    kernel::{BlockIterator, Interior, KernelRules, NoneFits, SmallPages, UpperBound},
    size::PageSize,
    table::Mr,
};

pub(crate) const PAGE_SHIFT: u32 = 12;
pub(crate) const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;

/// `struct ib_umem`, its list being (DMA address, DMA length).
#[derive(Clone, Debug)]
pub(crate) struct Umem {
    pub(crate) address: u64,
    pub(crate) length: u64,
    pub(crate) iova: u64,
    pub(crate) sgl: Vec<(u64, u64)>,
}

impl Umem {
    pub(crate) fn mr(&self) -> Mr {
        Mr {
            address: VirtAddr::new(self.address),
            length: self.length,
            hca_address: VirtAddr::new(self.iova),
            page: PageSize::K4,
            offset: self.address % PAGE_SIZE,
        }
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = DmaSegment> + '_ {
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

pub(crate) fn genmask(high: u32, low: u32) -> u64 {
    (low..=high).fold(0, |mask, bit| mask | 1 << bit)
}

pub(crate) fn bits_per(n: u64) -> u32 {
    (1..64).find(|bits| n >> bits == 0).unwrap_or(64)
}

pub(crate) fn fls(n: u64) -> u64 {
    (0..64)
        .rev()
        .map(|bit| 1 << bit)
        .find(|bit| n & bit != 0)
        .unwrap()
}

/// `ib_umem_find_best_pgsz()` [linux 5.2], with its `rdma_find_pg_bit()`.
pub(crate) fn best_5_2(umem: &Umem, pgsz_bitmap: u64) -> u64 {
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
        va = va.wrapping_add(length.wrapping_sub(pgoff));
        pgoff = 0;
    }
    find_pg_bit(pgsz_bitmap, mask)
}

/// The same of 5.6 and 5.4.22: every end of an entry counts, its length does not.
pub(crate) fn best_5_6(umem: &Umem, pgsz_bitmap: u64) -> u64 {
    if pgsz_bitmap & genmask(PAGE_SHIFT, 0) == 0 {
        return 0;
    }
    let mask = mask_of_ends(umem, umem.length.next_power_of_two());
    find_pg_bit(pgsz_bitmap, mask)
}

/// `rdma_find_pg_bit()`.
pub(crate) fn find_pg_bit(pgsz_bitmap: u64, mask: u64) -> u64 {
    let align = mask & mask.wrapping_neg();
    match pgsz_bitmap & !(align.wrapping_neg() << 1) {
        0 => pgsz_bitmap & pgsz_bitmap.wrapping_neg(),
        pgsz => fls(pgsz),
    }
}

/// The walk over the list [5.6 to 6.14].
pub(crate) fn mask_of_ends(umem: &Umem, mut mask: u64) -> u64 {
    let mut va = umem.iova;
    let mut pgoff = umem.address % PAGE_SIZE;
    for (i, &(address, length)) in umem.sgl.iter().enumerate() {
        mask |= (address + pgoff) ^ va;
        va = va.wrapping_add(length.wrapping_sub(pgoff));
        if i != umem.sgl.len() - 1 {
            mask |= va;
        }
        pgoff = 0;
    }
    mask
}

/// What becomes of small pages, before the search; `None` refuses.
pub(crate) fn allowed(rules: &KernelRules, pgsz_bitmap: u64) -> Option<u64> {
    let large = pgsz_bitmap & genmask(63, PAGE_SHIFT);
    match rules.small_pages {
        SmallPages::Any => Some(pgsz_bitmap),
        SmallPages::SmallerIgnored => Some(large),
        _ => (large & genmask(PAGE_SHIFT, 0) != 0).then_some(large),
    }
}

/// The same of 5.10 to 6.14, and of 5.9.2, which takes the smallest size when none fits.
pub(crate) fn best_5_10(umem: &Umem, mut pgsz_bitmap: u64, smallest: bool) -> u64 {
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
pub(crate) fn best_6_15(umem: &Umem, mut pgsz_bitmap: u64) -> u64 {
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
        va = va.wrapping_add(length.wrapping_sub(pgoff));
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

pub(crate) fn best(rules: &KernelRules, umem: &Umem, pgsz_bitmap: u64) -> u64 {
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
pub(crate) struct Biter<'a> {
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
pub(crate) fn walk(rules: &KernelRules, umem: &Umem, pgsz: u64, most: usize) -> (Vec<u64>, bool) {
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
pub(crate) fn walk_as(
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
