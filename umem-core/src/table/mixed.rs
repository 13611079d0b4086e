//! Devices whose entries may each have a size of its own: the greedy split of the mail.
//!
//! *"it always selects the largest aligned block it can, and consumes those pages."* The mail
//! cuts pages before they are mapped (`ib_umem_add_page_sg()`); after its second thought the
//! cut comes last, on device addresses, which is what this module does. Mainline never merged it
//! ("no user").
//!
//! Segments that are adjacent in device addresses are joined first. Let *s* be the smallest size.
//! Of each joined run the bytes `[ALIGN_DOWN(first, s), ALIGN(last + 1, s))` are tiled exactly: each entry
//! aligned to its size, and no exact tiling has fewer.

use super::{
    EntryRun, JoinedEntries, Mr, Refusal, Tally,
    tiling::{BlockCounts, BlockRun, Tiling},
};
use crate::{
    address::{DmaAddr, Joined},
    iommu::DmaSegment,
    size::{Bytes, PageSize, PageSizes},
};

/// How far an end block may reach beyond the pinned pages: [`Edges::Overhang`](super::Edges::Overhang).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overhang {
    /// Bytes of backing memory that are contiguous with the first pinned page, before it.
    pub before: u64,
    /// Bytes of backing memory that are contiguous with the last pinned page, after it.
    pub after: u64,
}

/// The table as runs of equal entries.
#[derive(Clone, Debug)]
pub struct Mixed<I>(JoinedEntries<Cuts<I>>);

impl<I: Iterator<Item = DmaSegment> + Clone> Mixed<I> {
    /// The entries of `sizes` for the segments of `mr`.
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
            return Err(Refusal::new(
                "no-page-size",
                "the device offers no page size: give it at least one",
            ));
        };
        let runs = Runs {
            joined: Joined::new(segments),
            mr: *mr,
            overhang,
        };
        if smallest > mr.page {
            runs.clone()
                .try_for_each(|run| run.bounds(sizes).map(drop))?;
        }
        Ok(Self(JoinedEntries::new(Cuts::new(runs, sizes))))
    }

    /// How many entries of each size there are. Costs the same for each joined run, whatever its length.
    pub fn tally(self) -> Tally {
        let Cuts { runs, sizes, .. } = self.0.runs;
        let Runs {
            joined,
            mr,
            overhang,
        } = runs;
        let region_end = mr.offset + mr.length;
        let smallest = sizes.smallest().unwrap_or(mr.page);
        let mut counts = BlockCounts::new(sizes);
        let mut tally = Tally::default();
        joined.for_each(|run| {
            let (start, end) = (run.start.get(), run.end());
            // All but the first and the last are registered as they are.
            if mr.offset < run.offset
                && run.end_offset() < region_end
                && smallest.divides(start | end)
            {
                counts.add(start, end);
            } else {
                Run::registered(run, &mr, overhang).count(sizes, &mut counts, &mut tally);
            }
        });
        for (size, count) in counts.counts() {
            tally.add(size.bytes(), count);
        }
        tally
    }
}

impl<I: Iterator<Item = DmaSegment>> Iterator for Mixed<I> {
    type Item = EntryRun;

    #[inline]
    fn next(&mut self) -> Option<EntryRun> {
        let cuts = &mut self.0;
        match cuts.runs.runs.overhang {
            // Of an exact tiling no two runs are alike and adjacent.
            None => cuts.runs.next(),
            Some(_) => next_joined(cuts),
        }
    }
}

/// Out of the way of exact tilings, into which the cut is compiled.
#[inline(never)]
fn next_joined(runs: &mut impl Iterator<Item = EntryRun>) -> Option<EntryRun> {
    runs.next()
}

/// A joined run of device addresses, and what of it is registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The run's offset in the region and its first address.
    offset: u64,
    start: u64,
    /// The bytes of the region in it: from address `first` to before address `end`.
    pub(crate) first: u64,
    pub(crate) end: u64,
    /// The pinned pages, or with an overhang the backing memory, that blocks must not leave.
    room: (u64, u64),
    overhang: bool,
}

impl Run {
    /// What of a joined `run` is registered.
    #[inline]
    fn registered(run: DmaSegment, mr: &Mr, overhang: Option<Overhang>) -> Self {
        let region_end = mr.offset + mr.length;
        let start = run.start.get();
        let (mut first, mut end, mut room) = (start, run.end(), (start, run.end()));
        if run.offset <= mr.offset {
            first += mr.offset - run.offset;
            room.0 -= overhang.map_or(0, |overhang| overhang.before);
        }
        if run.end_offset() >= region_end {
            end = start + (region_end - run.offset);
            room.1 += overhang.map_or(0, |overhang| overhang.after);
        }
        Self {
            offset: run.offset,
            start,
            first,
            end,
            room,
            overhang: overhang.is_some(),
        }
    }

    /// From where to where its blocks reach when they tile it exactly; `None` where they would leave the room.
    #[inline]
    fn exact(&self, sizes: PageSizes) -> Option<(u64, u64)> {
        let smallest = sizes.smallest()?;
        let (start, end) = (
            smallest.align_down(self.first),
            smallest.align_up(self.end)?,
        );
        (!self.overhang && self.room.0 <= start && end <= self.room.1).then_some((start, end))
    }

    /// The addresses that the blocks of this run cover: where the first begins and the last ends.
    pub(crate) fn bounds(&self, sizes: PageSizes) -> Result<Bounds, Refusal> {
        let refused = || {
            let (smallest, start) = (sizes.smallest().unwrap_or(PageSize::K4), self.start);
            Refusal::new(
                "no-exact-tiling",
                format_args!(
                    "no exact tiling: the device's smallest page is {smallest}, and a {smallest} block at offset {} (DMA \
                     {:#x}) would leave the pinned pages {start:#x} to {:#x}; align the region to {smallest}, or let the \
                     device use smaller pages",
                    Bytes(self.offset),
                    smallest.align_down(self.first),
                    self.room.1,
                ),
            )
        };
        match self.overhang {
            false => self.exact(sizes).map(|(start, end)| Bounds {
                start,
                end,
                head: None,
                tail: None,
            }),
            true => self.overhanging(sizes),
        }
        .ok_or_else(refused)
    }

    /// Counts its blocks. Called for two runs of a list, so it stays out of the loop over all.
    #[cold]
    #[inline(never)]
    fn count(&self, sizes: PageSizes, counts: &mut BlockCounts, tally: &mut Tally) {
        if let Some((start, end)) = self.exact(sizes) {
            counts.add(start, end);
        } else if let Ok(bounds) = self.bounds(sizes) {
            counts.add(bounds.start, bounds.end);
            for end in [bounds.head, bounds.tail].into_iter().flatten() {
                tally.add(end.size.bytes(), end.count);
            }
        }
    }

    /// The fewest blocks of which only the first and the last may leave the registered bytes.
    ///
    /// Blocks nest or are disjoint, so the fewest are the maximal ones within the room that hold a
    /// registered byte. Of those the two at the ends shrink to what they need.
    fn overhanging(&self, sizes: PageSizes) -> Option<Bounds> {
        let maximal = |address: u64| {
            sizes
                .iter()
                .rev()
                .map(|size| block_around(address, size))
                .find(|block| {
                    block.address >= self.room.0
                        && block
                            .address
                            .checked_add(block.size.bytes())
                            .is_some_and(|end| end <= self.room.1)
                })
        };
        // The smallest block that holds both the first and the last byte.
        let shrunk = |first: u64, last: u64| {
            sizes
                .iter()
                .map(|size| block_around(first, size))
                .find(|block| *block == block_around(last, block.size))
        };
        let last = self.end - 1;
        let (head, tail) = (maximal(self.first)?, maximal(last)?);
        Some(if head == tail {
            Bounds {
                start: 0,
                end: 0,
                head: shrunk(self.first, last),
                tail: None,
            }
        } else {
            Bounds {
                start: head.end(),
                end: tail.address,
                head: shrunk(self.first, head.end() - 1),
                tail: shrunk(tail.address, last),
            }
        })
    }
}

/// The block of `size` that holds `address`.
fn block_around(address: u64, size: PageSize) -> BlockRun {
    BlockRun {
        address: size.align_down(address),
        size,
        count: 1,
    }
}

/// What the blocks of a run cover: a block at each end where it overhangs, and the range between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) start: u64,
    pub(crate) end: u64,
    head: Option<BlockRun>,
    tail: Option<BlockRun>,
}

/// The joined runs of a region.
#[derive(Clone, Debug)]
struct Runs<I> {
    joined: Joined<I, DmaAddr>,
    mr: Mr,
    overhang: Option<Overhang>,
}

impl<I: Iterator<Item = DmaSegment>> Iterator for Runs<I> {
    type Item = Run;

    #[inline]
    fn next(&mut self) -> Option<Run> {
        let run = self.joined.next()?;
        Some(Run::registered(run, &self.mr, self.overhang))
    }
}

/// The cut of one joined run after the other.
#[derive(Clone, Debug)]
struct Cuts<I> {
    runs: Runs<I>,
    sizes: PageSizes,
    /// From an address of the present run to its offset in the region.
    offset: i64,
    middle: Tiling,
    tail: Option<BlockRun>,
}

impl<I: Iterator<Item = DmaSegment>> Cuts<I> {
    fn new(runs: Runs<I>, sizes: PageSizes) -> Self {
        Self {
            runs,
            sizes,
            offset: 0,
            middle: Tiling::new(0, 0, sizes),
            tail: None,
        }
    }

    #[inline]
    fn entries(&self, block: BlockRun) -> EntryRun {
        EntryRun {
            offset: self.offset.wrapping_add_unsigned(block.address),
            address: DmaAddr::new(block.address),
            size: block.size.bytes(),
            count: block.count,
        }
    }
}

impl<I: Iterator<Item = DmaSegment>> Iterator for Cuts<I> {
    type Item = EntryRun;

    // Handed over in registers. Through memory, a run's two words are read as one before they have arrived there, and the processor
    // waits for as long as several blocks take.
    #[inline(always)]
    fn next(&mut self) -> Option<EntryRun> {
        loop {
            if let Some(block) = self.middle.next() {
                return Some(self.entries(block));
            }
            if let Some(block) = self.tail.take() {
                return Some(self.entries(block));
            }
            let run = self.runs.next()?;
            self.offset = (run.offset as i64).wrapping_sub_unsigned(run.start);
            if let Some((start, end)) = run.exact(self.sizes) {
                self.middle = Tiling::new(start, end, self.sizes);
            } else {
                // `Mixed::new` has proven that every run has its bounds.
                let bounds = run.bounds(self.sizes).ok()?;
                self.middle = Tiling::new(bounds.start, bounds.end, self.sizes);
                self.tail = bounds.tail;
                if let Some(block) = bounds.head {
                    return Some(self.entries(block));
                }
            }
        }
    }
}
