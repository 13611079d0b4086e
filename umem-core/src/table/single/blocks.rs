use super::block_count;
use crate::{
    address::DmaAddr,
    iommu::DmaSegment,
    kernel::{BlockIterator, KernelRules},
    size::PageSize,
    table::{EntryRun, Mr},
};

/// The blocks of one size, as runs: `rdma_umem_for_each_dma_block()`.
///
/// A block is reported by its start, rounded down to its size. The walk crosses the ends of segments without checking that they are
/// contiguous: [`best_page_size`](super::best_page_size) must have chosen the size.
#[derive(Clone, Debug)]
pub struct Single<I> {
    segments: I,
    segment: Option<DmaSegment>,
    /// Where the walk stands in `segment`, in bytes from its start.
    advance: u64,
    size: PageSize,
    /// The blocks left; `None` if only the list's end ends the walk.
    left: Option<u64>,
    /// The offset of the next block from `region.va`.
    offset: i64,
    rule: BlockIterator,
    endless: bool,
}

impl<I: Iterator<Item = DmaSegment>> Single<I> {
    /// The blocks of `size` for `mr`, as the kernel of `rules` walks them.
    pub fn new(mut segments: I, mr: &Mr, size: PageSize, rules: &KernelRules) -> Self {
        let counted = !matches!(
            rules.iterator,
            BlockIterator::EachEntry32 | BlockIterator::EachEntryStep32
        );
        let first = segments.next();
        Self {
            segments,
            segment: first,
            // Not 0 only where the size is smaller than the kernel's page.
            advance: if counted {
                size.align_down(mr.page_offset())
            } else {
                0
            },
            size,
            left: counted.then(|| block_count(mr, size)),
            offset: (mr.offset as i64).wrapping_sub_unsigned(if counted || size > mr.page {
                mr.hca_address.offset_in(size)
            } else {
                mr.page_offset()
            }),
            rule: rules.iterator,
            endless: false,
        }
    }

    /// Whether the 32-bit position never reaches the end of a segment: a kernel before 6.2 hangs there; this iterator ends.
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    fn run(&mut self, address: DmaAddr, count: u64) -> EntryRun {
        let count = self.left.map_or(count, |left| count.min(left));
        self.left = self.left.map(|left| left - count);
        let run = EntryRun {
            offset: self.offset,
            address: address.align_down(self.size),
            size: self.size.bytes(),
            count,
        };
        self.offset = run.end_offset();
        run
    }

    /// Steps over `step` bytes, into the segments that follow.
    fn step_across(&mut self, mut step: u64) {
        while let Some(segment) = &self.segment {
            let remaining = segment.length - self.advance;
            if remaining > step {
                self.advance += step;
                return;
            }
            step -= remaining;
            self.advance = 0;
            self.segment = self.segments.next();
        }
    }

    fn next_segment(&mut self) {
        self.advance = 0;
        self.segment = self.segments.next();
    }
}

impl<I: Iterator<Item = DmaSegment>> Iterator for Single<I> {
    type Item = EntryRun;

    #[inline]
    fn next(&mut self) -> Option<EntryRun> {
        let segment = self.segment.filter(|_| self.left != Some(0))?;
        let address = segment.start.wrapping_add(self.advance);
        let mut within = address.offset_in(self.size);
        let left = segment.length - self.advance;
        // A 32-bit step is too short for blocks of 4G and more, so there they are walked one by one. Otherwise: the blocks that
        // begin in this segment, the first at or before `address`.
        let truncated = self.size.log2() >= 32 && self.rule != BlockIterator::AcrossEntries64;
        let count = if truncated {
            1
        } else {
            (within + left).div_ceil(self.size.bytes())
        };
        let run = self.run(address, count);
        if truncated {
            within &= u64::from(u32::MAX);
        }
        let mut step = (run.count << self.size.log2()) - within;
        if truncated {
            step &= u64::from(u32::MAX);
        }
        match self.rule {
            BlockIterator::AcrossEntries32 | BlockIterator::AcrossEntries64 => {
                self.step_across(step)
            }
            BlockIterator::EachEntryStep32 | BlockIterator::EachEntryCounted32 if left > step => {
                self.advance += step
            }
            BlockIterator::EachEntryStep32 | BlockIterator::EachEntryCounted32 => {
                self.next_segment()
            }
            BlockIterator::EachEntry32 => {
                let (before, end) = (self.advance, self.advance + step);
                self.advance = end & u64::from(u32::MAX);
                if self.advance >= segment.length {
                    self.next_segment();
                } else if self.advance != end || end == before {
                    // It wrapped, or did not move: from here on the same blocks repeat.
                    self.endless = true;
                    self.segment = None;
                }
            }
        }
        Some(run)
    }
}
