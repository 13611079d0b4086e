//! The mail's code as it stands, beside the rule that it means: exhibits, never used for a table.
//!
//! [`Draft`] is `ib_umem_add_page_sg()`, *"off the cuff untested"*. It differs from [the intended
//! rule](crate::tiling) in five ways, each a switch here, so that one can be mended at a time.
//! [`cut_before_mapping`] is the mail's first idea, to which its second thought is the answer.

use super::Tally;
use crate::{
    address::{DmaAddr, Joined, PhysAddr},
    memory::FrameRun,
    scatter::SgEntry,
    size::{PageSize, PageSizes},
    tiling::{BlockRun, Tiling},
};
use core::fmt;

/// The mail's loop, literally, with each of its five slips mended or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The mask is the reply's `(1 << (num_zeros + 1)) - 1`, not `(num_zeros << 1) - 1`, which leaves no size at all.
    pub reply_mask: bool,
    /// `npages -= len_pages` is there, which the reply notices is missing.
    pub counts_down: bool,
    /// A tail shorter than the block takes a smaller supported size; `min_t(npages, …)` cuts the block to a length that is none.
    pub whole_blocks: bool,
    /// Frame 0 is aligned to everything; `ffs(0)` is 0, which makes it the least aligned of all.
    pub frame_zero: bool,
    /// The mask is 64 bits wide; `1 <<` is an int, which overflows at an alignment of 2G.
    pub wide_shift: bool,
}

impl Draft {
    /// As the mail has it.
    pub const AS_WRITTEN: Self = Self {
        reply_mask: false,
        counts_down: false,
        whole_blocks: false,
        frame_zero: false,
        wide_shift: false,
    };
    /// With what the reply mends.
    pub const WITH_THE_REPLY: Self = Self {
        reply_mask: true,
        counts_down: true,
        ..Self::AS_WRITTEN
    };
    /// With everything mended: the intended rule.
    pub const MENDED: Self = Self {
        reply_mask: true,
        counts_down: true,
        whole_blocks: true,
        frame_zero: true,
        wide_shift: true,
    };

    /// Runs the loop on `pages` pages from `start`, a multiple of `page`.
    pub fn run(self, start: u64, pages: u64, page: PageSize, sizes: PageSizes) -> DraftRun {
        DraftRun {
            draft: self,
            at: start,
            left: pages,
            walked: 0,
            pages,
            page,
            sizes,
            stopped: None,
        }
    }

    /// `num_zeros` of the page at `address`.
    fn zeros(self, address: u64, page: PageSize) -> u32 {
        let frame = address >> page.log2();
        match frame {
            0 if self.frame_zero => 63,
            // `ffs(pfn) + PAGE_SHIFT - 1`, and ffs(0) is 0.
            0 => page.log2() - 1,
            _ => frame.trailing_zeros() + page.log2(),
        }
    }

    /// The mask of sizes for an address that ends in `zeros` zero bits.
    pub fn mask(self, zeros: u32) -> u64 {
        match (self.reply_mask, self.wide_shift) {
            (false, _) => u64::from(zeros << 1).wrapping_sub(1),
            (true, true) => u64::MAX >> (63 - zeros.min(63)),
            // An int shifted by 32 or more is undefined; x86 takes the count modulo 32. The sum is then
            // sign-extended to the bitmap's unsigned long, and `fls()` looks at its low half.
            (true, false) => u64::from(1i32.wrapping_shl(zeros + 1).wrapping_sub(1) as u32),
        }
    }
}

/// Where the loop ends that should not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// The mask leaves no size: `WARN_ON`, and NULL is returned.
    NoSize {
        /// The address of the page.
        address: u64,
        /// How many zero bits the loop thinks it ends in.
        zeros: u32,
        /// The mask that these make.
        mask: u64,
    },
    /// `npages` never falls, so the loop runs on past the end of the region.
    RunsOn {
        /// The address after the region.
        address: u64,
    },
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSize {
                address,
                zeros,
                mask,
            } => {
                write!(
                    f,
                    "at {address:#x} num_zeros is {zeros}, and the mask {mask:#x} leaves no size: WARN_ON, NULL"
                )
            }
            Self::RunsOn { address } => {
                write!(
                    f,
                    "npages never falls, so the loop runs on past the end of the region at {address:#x}"
                )
            }
        }
    }
}

/// The entries that a [`Draft`] emits: address and length in bytes.
#[derive(Clone, Debug)]
pub struct DraftRun {
    draft: Draft,
    at: u64,
    left: u64,
    walked: u64,
    pages: u64,
    page: PageSize,
    sizes: PageSizes,
    stopped: Option<Stopped>,
}

impl DraftRun {
    /// Why the loop ended before its time, once the iterator has ended.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }
}

impl Iterator for DraftRun {
    type Item = (PhysAddr, u64);

    fn next(&mut self) -> Option<(PhysAddr, u64)> {
        if self.left == 0 || self.stopped.is_some() {
            return None;
        }
        let address = self.at;
        if self.walked >= self.pages {
            self.stopped = Some(Stopped::RunsOn { address });
            return None;
        }
        let zeros = self.draft.zeros(address, self.page);
        let mask = self.draft.mask(zeros);
        let mut allowed = PageSizes::from_bits(self.sizes.bits() & mask);
        if self.draft.whole_blocks {
            allowed = allowed.within(self.left << self.page.log2());
        }
        let Some(size) = allowed.largest().filter(|size| *size >= self.page) else {
            self.stopped = Some(Stopped::NoSize {
                address,
                zeros,
                mask,
            });
            return None;
        };
        let pages = (size.bytes() >> self.page.log2()).min(self.left);
        self.at += pages << self.page.log2();
        self.walked += pages;
        if self.draft.counts_down {
            self.left -= pages;
        }
        Some((PhysAddr::new(address), pages << self.page.log2()))
    }
}

/// The first idea: cut the frames into aligned blocks before they are mapped, and afterwards only make blocks smaller,
/// *"not bigger"*.
///
/// Mapping *"will preserve the sizes, but not necessarily the alignment"*: a block that lands misaligned falls apart, and the pieces
/// of two blocks never join. `mapped` tells where a page of the region lies for the device.
pub fn cut_before_mapping(
    frames: impl Iterator<Item = FrameRun>,
    sizes: PageSizes,
    mapped: impl Fn(&SgEntry) -> DmaAddr,
) -> Tally {
    let mut tally = Tally::default();
    for run in Joined::new(frames) {
        for BlockRun {
            address,
            size,
            count,
        } in Tiling::new(run.start.get(), run.end(), sizes)
        {
            for i in 0..count {
                let start = address + (i << size.log2());
                let offset = run.offset + (start - run.start.get());
                let dma = mapped(&SgEntry {
                    offset,
                    start: PhysAddr::new(start),
                    length: size.bytes(),
                })
                .get();
                for piece in Tiling::new(dma, dma + size.bytes(), sizes) {
                    tally.add(piece.size.bytes(), piece.count);
                }
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec::Vec};
    use proptest::prelude::*;

    const MAIL: PageSizes = PageSizes::from_bits(0x30_1000);
    const START: u64 = 0x4000_1000;
    const PAGES: u64 = 1023;

    fn lengths(draft: Draft, start: u64, pages: u64) -> (Vec<(u64, usize)>, Option<Stopped>) {
        let mut run = draft.run(start, pages, PageSize::K4, MAIL);
        let mut list: Vec<(u64, usize)> = Vec::new();
        for (_, length) in run.by_ref() {
            match list.last_mut() {
                Some((last, count)) if *last == length => *count += 1,
                _ => list.push((length, 1)),
            }
        }
        (list, run.stopped())
    }

    #[test]
    fn the_mask_as_first_written_leaves_no_size() {
        let (list, stopped) = lengths(Draft::AS_WRITTEN, START, PAGES);
        assert!(list.is_empty());
        assert_eq!(
            stopped,
            Some(Stopped::NoSize {
                address: START,
                zeros: 12,
                mask: 23
            })
        );
        // Whatever the alignment: the mask is below 128, and no page is that small.
        assert!((0..64).all(|zeros| Draft::AS_WRITTEN.mask(zeros.max(1)) < 128));
    }

    #[test]
    fn with_the_reply_the_example_comes_out() {
        let (list, stopped) = lengths(Draft::WITH_THE_REPLY, START, PAGES);
        assert_eq!(
            (list, stopped),
            (alloc::vec![(4096, 255), (1 << 20, 1), (2 << 20, 1)], None)
        );
    }

    #[test]
    fn without_the_countdown_it_runs_on() {
        let draft = Draft {
            counts_down: false,
            ..Draft::MENDED
        };
        let (_, stopped) = lengths(draft, START, PAGES);
        assert_eq!(
            stopped,
            Some(Stopped::RunsOn {
                address: START + PAGES * 4096
            })
        );
    }

    #[test]
    fn a_short_tail_gets_a_length_that_is_no_size() {
        // The region behind the IOMMU: an aligned start, 4M-4K long.
        let (list, _) = lengths(Draft::WITH_THE_REPLY, 0xffc0_0000, PAGES);
        assert_eq!(list, [(2 << 20, 1), ((2 << 20) - 4096, 1)]);
        let (list, _) = lengths(Draft::MENDED, 0xffc0_0000, PAGES);
        assert_eq!(list, [(2 << 20, 1), (1 << 20, 1), (4096, 255)]);
    }

    #[test]
    fn frame_zero_is_the_least_aligned() {
        let (list, stopped) = lengths(Draft::WITH_THE_REPLY, 0, 1024);
        assert!(list.is_empty());
        assert_eq!(
            stopped,
            Some(Stopped::NoSize {
                address: 0,
                zeros: 11,
                mask: 0xfff
            })
        );
        assert_eq!(
            lengths(Draft::MENDED, 0, 1024),
            (alloc::vec![(2 << 20, 2)], None)
        );
    }

    #[test]
    fn an_alignment_of_2g_overflows_the_int() {
        let (_, stopped) = lengths(Draft::WITH_THE_REPLY, 0x8000_0000, 1024);
        assert_eq!(
            stopped.unwrap().to_string(),
            "at 0x80000000 num_zeros is 31, and the mask 0x0 leaves no size: WARN_ON, NULL"
        );
        assert_eq!(
            lengths(Draft::MENDED, 0x8000_0000, 1024),
            (alloc::vec![(2 << 20, 2)], None)
        );
        // 1G still works, though `1 << 31` is negative.
        assert_eq!(
            lengths(Draft::WITH_THE_REPLY, 0x4000_0000, 1024).0,
            [(2 << 20, 2)]
        );
    }

    #[test]
    fn cut_before_mapping_each_block_falls_apart_where_it_lands() {
        // Two blocks of 2M, 1M into the region; the second one lands 4K off its alignment.
        let frames = [FrameRun {
            offset: 1 << 20,
            start: PhysAddr::new(0x4000_0000),
            length: 4 << 20,
        }];
        let tally = cut_before_mapping(frames.into_iter(), MAIL, |entry| {
            let slip = if entry.offset == 3 << 20 { 4096 } else { 0 };
            DmaAddr::new(0x8000_0000 - (1 << 20) + entry.offset + slip)
        });
        assert_eq!(tally.to_string(), "258 entries: 256 × 4K + 1 × 1M + 1 × 2M");
    }

    proptest! {
        #![proptest_config(ProptestConfig::default())]

        #[test]
        fn mended_it_is_the_intended_rule(frame in prop_oneof![Just(0u64), 0u64..1 << 20, any::<u64>().prop_map(|n| n >> 14)], pages in 1u64..5000, sizes in crate::testing::page_sizes(12..34)) {
            let sizes = sizes.with(PageSize::K4);
            let (start, end) = (frame << 12, (frame + pages) << 12);
            let mut run = Draft::MENDED.run(start, pages, PageSize::K4, sizes);
            let drafted: Vec<_> = run.by_ref().map(|(at, length)| (at.get(), length)).collect();
            prop_assert_eq!(run.stopped(), None);
            let tiled: Vec<_> = Tiling::new(start, end, sizes)
                .flat_map(|run| (0..run.count).map(move |i| (run.address + i * run.size.bytes(), run.size.bytes())))
                .collect();
            prop_assert_eq!(drafted, tiled);
        }
    }
}
