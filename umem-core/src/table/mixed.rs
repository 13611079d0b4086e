//! Devices with entries of any of their sizes: the greedy split of the mail.
//!
//! *"it always selects the largest aligned block it can, and consumes those pages."* The mail
//! cuts pages before they are mapped (`ib_umem_add_page_sg()`); after its second thought the
//! cut comes last, on device addresses, which is what this module does. Mainline never merged it
//! ("no user").
//!
//! Segments that are adjacent in device addresses are joined first. Let *s* be the smallest size.
//! Of each joined run the bytes `[ALIGN_DOWN(first, s), ALIGN(last + 1, s))` are tiled exactly: each entry
//! aligned to its size, and no exact tiling has fewer.

use super::{EntryRun, Mr, Refusal, Tally};
use crate::{
    address::{DmaAddr, Extent, Joined},
    iommu::DmaSegment,
    size::{PageSize, PageSizes},
    tiling::{BlockCounts, BlockRun, Tiling},
};

/// How far an end block may reach beyond the pinned pages: [`Edges::Overhang`](super::Edges::Overhang).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overhang {
    /// Bytes of backing memory that are contiguous with the first pinned page, before it.
    pub before: u64,
    /// Bytes of backing memory that are contiguous with the last pinned page, after it.
    pub after: u64,
}

/// The table as runs of equal entries: the tiling of one joined run after the other.
#[derive(Clone, Debug)]
pub struct Mixed<I> {
    runs: Joined<I, DmaAddr>,
    rule: Rule,
    current: RunTiling,
}

impl<I: Iterator<Item = DmaSegment> + Clone> Mixed<I> {
    /// The entries of `sizes` for the segments of `mr`, which are whole pages of the kernel.
    ///
    /// # Errors
    /// `no-page-size` when `sizes` is empty; `no-exact-tiling` when the smallest size is larger than the kernel's page, and a
    /// block would leave the pinned pages (with an overhang: the contiguous backing memory).
    pub fn new(
        segments: I,
        mr: &Mr,
        sizes: PageSizes,
        overhang: Option<Overhang>,
    ) -> Result<Self, Refusal> {
        let Some(smallest) = sizes.smallest() else {
            return Err(Refusal::NoSizes);
        };
        let rule = Rule {
            mr: *mr,
            sizes,
            smallest,
            overhang,
        };
        let runs = Joined::new(segments);
        if smallest > mr.page {
            runs.clone()
                .try_for_each(|run| match rule.registered(run).bounds(&rule) {
                    Some(_) => Ok(()),
                    None => Err(rule.refusal(run)),
                })?;
        }
        Ok(Self {
            runs,
            rule,
            current: RunTiling::EMPTY,
        })
    }

    /// How many entries of each size there are. Costs the same for each joined run, whatever its length.
    pub fn tally(self) -> Tally {
        let Self { runs, rule, .. } = self;
        let mut counts = BlockCounts::new(rule.sizes);
        runs.for_each(|run| {
            let (start, end) = rule.bounds(run);
            counts.add(start, end);
        });
        let mut tally = Tally::default();
        for (size, count) in counts.counts() {
            tally.add(size.bytes(), count);
        }
        tally
    }
}

impl<I: Iterator<Item = DmaSegment>> Iterator for Mixed<I> {
    type Item = EntryRun;

    fn next(&mut self) -> Option<EntryRun> {
        loop {
            if let Some(entries) = self.current.next() {
                return Some(entries);
            }
            self.current = self.rule.tiling(self.runs.next()?);
        }
    }

    // `next` as a loop in a loop: the inner one keeps its state in registers. Without it a table of 1,000,000 segments, by pieces,
    // takes 20 % longer.
    #[inline]
    fn fold<B, F: FnMut(B, EntryRun) -> B>(self, start: B, mut each: F) -> B {
        let Self {
            mut runs,
            rule,
            mut current,
        } = self;
        let mut so_far = start;
        loop {
            so_far = current.fold(so_far, &mut each);
            let Some(run) = runs.next() else {
                return so_far;
            };
            current = rule.tiling(run);
        }
    }
}

/// The tiling of one joined run.
#[derive(Clone, Debug)]
struct RunTiling {
    /// From an address of the run to its offset in the region.
    offset: i64,
    blocks: Tiling<DmaAddr>,
}

impl RunTiling {
    const EMPTY: Self = Self {
        offset: 0,
        blocks: Tiling::EMPTY,
    };
}

impl Iterator for RunTiling {
    type Item = EntryRun;

    #[inline]
    fn next(&mut self) -> Option<EntryRun> {
        let BlockRun {
            address,
            size,
            count,
        } = self.blocks.next()?;
        Some(EntryRun {
            offset: self.offset.wrapping_add_unsigned(address.get()),
            address,
            size: size.bytes(),
            count,
        })
    }
}

/// The sizes that blocks may have, and what they must cover.
#[derive(Clone, Copy, Debug)]
struct Rule {
    mr: Mr,
    sizes: PageSizes,
    smallest: PageSize,
    overhang: Option<Overhang>,
}

impl Rule {
    #[inline]
    fn tiling(&self, run: DmaSegment) -> RunTiling {
        let (start, end) = self.bounds(run);
        RunTiling {
            offset: (run.offset as i64).wrapping_sub_unsigned(run.start.get()),
            blocks: Tiling::new(start, end, self.sizes),
        }
    }

    /// The addresses from which and up to which blocks cover a joined `run`.
    #[inline]
    fn bounds(&self, run: DmaSegment) -> (DmaAddr, DmaAddr) {
        // All but the first and the last are registered as they are, and multiples of the smallest size.
        if self.mr.offset < run.offset && run.end_offset() < self.mr.offset + self.mr.length {
            return (run.start, run.end());
        }
        self.bounds_at_the_ends(run.offset, run.start, run.length)
    }

    /// The same for any run. Called for two runs of a list, so it stays out of the loop over all.
    #[cold]
    #[inline(never)]
    fn bounds_at_the_ends(&self, offset: u64, start: DmaAddr, length: u64) -> (DmaAddr, DmaAddr) {
        let run = Extent {
            offset,
            start,
            length,
        };
        // Sizes up to the kernel's page divide every run; of larger ones `Mixed::new` has proven that there are bounds.
        self.registered(run).bounds(self).unwrap_or_default()
    }

    /// The registered part of a joined `run`.
    fn registered(&self, run: DmaSegment) -> Registered {
        let Self { mr, overhang, .. } = self;
        let region_end = mr.offset + mr.length;
        let (start, end) = (run.start, run.end());
        let mut registered = Registered {
            first: start,
            end,
            room: (start, end),
        };
        if run.offset <= mr.offset {
            registered.first = start + (mr.offset - run.offset);
            registered.room.0 = start - overhang.map_or(0, |overhang| overhang.before);
        }
        if run.end_offset() >= region_end {
            registered.end = start + (region_end - run.offset);
            registered.room.1 = end + overhang.map_or(0, |overhang| overhang.after);
        }
        registered
    }

    /// Why a joined `run` has no bounds.
    fn refusal(&self, run: DmaSegment) -> Refusal {
        let smallest = self.smallest;
        let Registered { first, end, room } = self.registered(run);
        let begin = first.align_down(smallest);
        // If blocks reach out at both ends, the first is named.
        let reaches_before = begin < room.0;
        let (holds, reach, pinned) = if reaches_before {
            (first, begin, room.0)
        } else {
            let end_of_block = end.align_up(smallest).unwrap_or(end);
            (end.wrapping_sub(1), end_of_block, room.1)
        };
        Refusal::NoExactTiling {
            smallest,
            holds,
            reach,
            pinned,
            reaches_before,
        }
    }
}

/// The registered part of a joined run, as device addresses.
#[derive(Clone, Copy, Debug)]
struct Registered {
    /// Its bytes: from address `first` to before address `end`.
    first: DmaAddr,
    end: DmaAddr,
    /// The pinned pages, or with an overhang the backing memory, that blocks must not leave.
    room: (DmaAddr, DmaAddr),
}

impl Registered {
    /// The range that blocks cover; `None` if they would leave the room.
    fn bounds(&self, rule: &Rule) -> Option<(DmaAddr, DmaAddr)> {
        let (start, end) = match rule.overhang {
            None => (
                self.first.align_down(rule.smallest),
                self.end.align_up(rule.smallest)?,
            ),
            Some(_) => return self.overhanging(rule.sizes),
        };
        (self.room.0 <= start && end <= self.room.1).then_some((start, end))
    }

    /// The range that the fewest blocks cover if the first and the last may leave the registered bytes.
    ///
    /// Blocks nest or are disjoint, so the fewest are the maximal ones within the room that hold a registered byte. Of those
    /// the two at the ends shrink to what they need. All of them together are the greedy tiling of what they cover: were there a
    /// larger block in it, one of them would not be maximal.
    fn overhanging(&self, sizes: PageSizes) -> Option<(DmaAddr, DmaAddr)> {
        let maximal = |address: DmaAddr| {
            sizes
                .iter()
                .rev()
                .filter_map(|size| block_around(address, size))
                .find(|(start, end)| *start >= self.room.0 && *end <= self.room.1)
        };
        // The smallest block that holds both the first and the last byte.
        let shrunk = |first: DmaAddr, last: DmaAddr| {
            sizes
                .iter()
                .filter_map(|size| block_around(first, size))
                .find(|(_, end)| last < *end)
        };
        let last = self.end - 1;
        let (head, tail) = (maximal(self.first)?, maximal(last)?);
        if head == tail {
            return shrunk(self.first, last);
        }
        let (start, _) = shrunk(self.first, head.1 - 1)?;
        let (_, end) = shrunk(tail.0, last)?;
        Some((start, end))
    }
}

/// The range of the block of `size` that contains `address`; `None` if it ends beyond 2^64 - 1.
fn block_around(address: DmaAddr, size: PageSize) -> Option<(DmaAddr, DmaAddr)> {
    let start = address.align_down(size);
    Some((start, start.checked_add(size.bytes())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::VirtAddr;
    use alloc::vec::Vec;

    #[test]
    fn the_last_block_holds_the_last_byte() {
        let segment = Extent {
            offset: 0,
            start: DmaAddr::new(0x10_0000),
            length: 0x6000,
        };
        let overhang = Overhang {
            before: 0,
            after: 0xa000,
        };
        // The last byte is the last of a page, or the first of the next.
        for (length, expected) in [
            (0x5000, &[(0x4000, 1), (0x1000, 1)][..]),
            (0x5001, &[(0x4000, 2)]),
        ] {
            let mr = Mr {
                address: VirtAddr::new(0),
                length,
                hca_address: VirtAddr::new(0),
                page: PageSize::K4,
                offset: 0,
            };
            let sizes = PageSizes::from_bits(0x5000);
            let table = Mixed::new([segment].into_iter(), &mr, sizes, Some(overhang)).unwrap();
            let runs: Vec<_> = table.map(|run| (run.size, run.count)).collect();
            assert_eq!(runs, expected, "{length:#x}");
        }
    }
}
