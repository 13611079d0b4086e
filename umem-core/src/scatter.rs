//! Frames → the scatter-gather list: the largest physically contiguous runs, blind to
//! alignment, virtual address and huge pages, up to the device's maximum segment.
//!
//! This is the mail's second thought: *"Have the sg table contain the largest contiguous
//! regions possible, and ignore alignment or driver capability."*

use crate::{
    address::{Extent, PhysAddr},
    memory::FrameRun,
    size::PageSize,
};

/// An entry of the CPU side of the scatter-gather list: whole kernel pages.
///
/// The head and tail of the region are never trimmed off here; the start's offset in its
/// page lives on in `ib_umem.address` alone.
pub type SgEntry = Extent<PhysAddr>;

/// How a kernel appends pinned pages to the scatter-gather list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coalescing {
    /// `sg_alloc_append_table_from_pages()` [linux 7.2; the same rule since 5.10]: a page joins the last entry
    /// while it is the next frame and the entry stays within the limit. Batches leave no trace.
    AnyPage,
    /// `ib_umem_add_sg_table()` [linux 5.2 to 5.9, from source, not verified]: each batch of pinned
    /// pages is cut into runs first, and only the first run of a batch may join the last
    /// entry, and only as a whole.
    WholeBatchRun,
}

/// The longest entry that a maximum segment allows: whole pages, `ALIGN_DOWN(max_segment, PAGE_SIZE)`.
///
/// `None` where not even one page fits, which the kernel refuses (`-EINVAL`).
/// For 0xffffffff and 4K pages it is 4G-4K, which is no power of two.
pub const fn longest_entry(max_segment: u32, page: PageSize) -> Option<u64> {
    match page.align_down(max_segment as u64) {
        0 => None,
        longest => Some(longest),
    }
}

/// How many pages are pinned at a time: as many pointers as fill one page (512 on 4K, 8192 on 64K).
///
/// `ib_umem_get()`'s `min_t(unsigned long, npages, PAGE_SIZE / sizeof(struct page *))`.
pub const fn batch_pages(page: PageSize) -> u64 {
    page.bytes() / 8
}

/// The scatter-gather list as an iterator, made from runs of frames.
#[derive(Clone, Debug)]
pub struct ScatterList<I>(Rule<I>);

#[derive(Clone, Debug)]
enum Rule<I> {
    AnyPage {
        pages: Pages<I>,
        longest: u64,
    },
    WholeBatchRun {
        runs: BatchRuns<I>,
        next: Option<BatchRun>,
        longest: u64,
    },
}

impl<I: Iterator<Item = FrameRun>> ScatterList<I> {
    /// The list of the pages in `frames`, each entry at most `longest` bytes long (see [`longest_entry`]).
    pub fn new(frames: I, longest: u64, coalescing: Coalescing, page: PageSize) -> Self {
        let pages = Pages { frames, rest: None };
        Self(match coalescing {
            Coalescing::AnyPage => Rule::AnyPage { pages, longest },
            Coalescing::WholeBatchRun => {
                let batch = batch_pages(page) * page.bytes();
                let mut runs = BatchRuns {
                    pages,
                    batch,
                    left: batch,
                    longest,
                };
                let next = runs.next();
                Rule::WholeBatchRun {
                    runs,
                    next,
                    longest,
                }
            }
        })
    }
}

impl<I: Iterator<Item = FrameRun>> Iterator for ScatterList<I> {
    type Item = SgEntry;

    #[inline]
    fn next(&mut self) -> Option<SgEntry> {
        match &mut self.0 {
            Rule::AnyPage { pages, longest } => pages.contiguous(*longest),
            Rule::WholeBatchRun {
                runs,
                next,
                longest,
            } => {
                let mut entry = next.take()?.run;
                for other in runs {
                    let joins = other.first && other.run.start.get() == entry.end();
                    if !joins || other.run.length > *longest - entry.length {
                        *next = Some(other);
                        break;
                    }
                    entry.length += other.run.length;
                }
                Some(entry)
            }
        }
    }
}

/// The pinned pages, to be taken from the front in contiguous pieces.
#[derive(Clone, Debug)]
struct Pages<I> {
    frames: I,
    /// What is left of the run that was last taken.
    rest: Option<FrameRun>,
}

impl<I: Iterator<Item = FrameRun>> Pages<I> {
    /// The pages that follow, as far as each is the next frame, up to `limit` bytes.
    #[inline]
    fn contiguous(&mut self, limit: u64) -> Option<FrameRun> {
        let (mut piece, rest) = self
            .rest
            .take()
            .or_else(|| self.frames.next())?
            .split(limit);
        self.rest = rest;
        while piece.length < limit {
            let Some(run) = self.frames.next() else { break };
            if run.start.get() != piece.end() {
                self.rest = Some(run);
                break;
            }
            let (front, rest) = run.split(limit - piece.length);
            piece.length += front.length;
            self.rest = rest;
        }
        Some(piece)
    }
}

/// The contiguous runs within each batch of pinned pages.
#[derive(Clone, Debug)]
struct BatchRuns<I> {
    pages: Pages<I>,
    /// The bytes of a batch, and how many of the present one are left.
    batch: u64,
    left: u64,
    longest: u64,
}

#[derive(Clone, Debug)]
struct BatchRun {
    run: FrameRun,
    /// Whether it is the first run of its batch.
    first: bool,
}

impl<I: Iterator<Item = FrameRun>> Iterator for BatchRuns<I> {
    type Item = BatchRun;

    fn next(&mut self) -> Option<BatchRun> {
        let first = self.left == self.batch;
        let run = self.pages.contiguous(self.left.min(self.longest))?;
        self.left -= run.length;
        if self.left == 0 {
            self.left = self.batch;
        }
        Some(BatchRun { run, first })
    }
}
