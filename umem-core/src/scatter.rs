//! Frames → the scatter-gather list: the largest physically contiguous runs up to the device's maximum segment,
//! whatever their alignment, virtual address or page size.
//!
//! This is the mail's second thought: *"Have the sg table contain the largest contiguous
//! regions possible, and ignore alignment or driver capability."*

use crate::{
    address::{Extent, Joined, PhysAddr},
    memory::FrameRun,
    size::PageSize,
};

mod cost;

pub use cost::{ListCost, SCATTERLIST_BYTES};

/// An entry of the CPU side of the scatter-gather list: whole kernel pages.
///
/// Head and tail of the region are not trimmed off here; only `ib_umem.address` knows the start's offset in its page.
pub type SgEntry = Extent<PhysAddr>;

/// How a kernel appends pinned pages to the scatter-gather list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coalescing {
    /// `sg_alloc_append_table_from_pages()` [linux 7.2; the same rule since 5.10]: a page joins the last entry
    /// while it is the next frame and the entry stays within the limit, whatever the batches.
    AnyPage,
    /// `ib_umem_add_sg_table()` [linux 5.2 to 5.9, from the source]: each batch of pinned
    /// pages is cut into runs first, and only the first run of a batch may join the last
    /// entry, and only as a whole.
    WholeBatchRun,
}

/// The longest entry that a maximum segment allows: whole pages, `ALIGN_DOWN(max_segment, PAGE_SIZE)`.
///
/// `None` where not even one page fits, which the kernel refuses (`-EINVAL`).
/// For 0xffffffff and 4K pages it is 4G-4K, which is not a power of two.
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
    AnyPage(CutRuns<Joined<I, PhysAddr>>),
    WholeBatchRun(WholeBatchRun<I>),
    Listed(Listed<I>),
}

impl<I: Iterator<Item = FrameRun>> ScatterList<I> {
    /// The list of the pages in `frames`, each entry at most `longest` bytes long (see [`longest_entry`]). Pinned pages have no
    /// gaps: each run's offset is where the one before it ends.
    pub fn new(frames: I, longest: u64, coalescing: Coalescing, page: PageSize) -> Self {
        Self(match coalescing {
            Coalescing::AnyPage => Rule::AnyPage(CutRuns::new(Joined::new(frames), longest)),
            Coalescing::WholeBatchRun => {
                let batch = batch_pages(page) * page.bytes();
                let mut runs = BatchRuns {
                    pages: Pages::new(frames),
                    batch,
                    left: batch,
                    longest,
                };
                let next = runs.next();
                Rule::WholeBatchRun(WholeBatchRun { runs, next })
            }
        })
    }
}

impl<I: Iterator<Item = FrameRun>> ScatterList<I> {
    /// The list that an exporter of a dma-buf gives: each run is an entry, cut only where its length does not fit the 32 bits of
    /// `scatterlist.length`, at multiples of 4G less a page of `page`.
    pub fn listed(runs: I, page: PageSize) -> Self {
        Self(Rule::Listed(Listed {
            runs,
            rest: None,
            longest: page.align_down(u32::MAX.into()),
        }))
    }
}

/// Runs as entries: [`ScatterList::listed`].
#[derive(Clone, Debug)]
struct Listed<I> {
    runs: I,
    rest: Option<FrameRun>,
    longest: u64,
}

impl<I: Iterator<Item = FrameRun>> Iterator for Listed<I> {
    type Item = SgEntry;

    fn next(&mut self) -> Option<SgEntry> {
        let run = self.rest.take().or_else(|| self.runs.next())?;
        if u32::try_from(run.length).is_ok() {
            return Some(run);
        }
        // Where it is cut depends on the buffer, not on the part of it that is looked at.
        let (entry, rest) = run.split(self.longest - run.offset % self.longest);
        self.rest = rest;
        Some(entry)
    }
}

/// Runs, cut into entries of at most a longest length: [`Coalescing::AnyPage`] if no two neighbouring runs are adjacent, as those of
/// [`FrameNumbers`] and [`PagemapFrames`] are.
///
/// ```
/// use umem_core::{memory::FrameNumbers, scatter::CutRuns, size::PageSize};
/// let frames = FrameNumbers::new(&[7, 8, 9, 4], PageSize::K4);
/// let list: Vec<_> = CutRuns::new(frames, 0x2000).map(|entry| (entry.start.get(), entry.length)).collect();
/// assert_eq!(list, [(0x7000, 0x2000), (0x9000, 0x1000), (0x4000, 0x1000)]);
/// ```
///
/// [`FrameNumbers`]: crate::memory::FrameNumbers
/// [`PagemapFrames`]: crate::memory::PagemapFrames
#[derive(Clone, Debug)]
pub struct CutRuns<I> {
    runs: I,
    longest: u64,
    rest: Option<FrameRun>,
}

impl<I: Iterator<Item = FrameRun>> CutRuns<I> {
    /// The pages of `runs`, in entries of at most `longest` bytes (see [`longest_entry`]).
    pub fn new(runs: I, longest: u64) -> Self {
        Self {
            runs,
            longest,
            rest: None,
        }
    }
}

impl<I: Iterator<Item = FrameRun>> Iterator for CutRuns<I> {
    type Item = SgEntry;

    #[inline]
    fn next(&mut self) -> Option<SgEntry> {
        let run = match self.rest.take() {
            Some(rest) => rest,
            None => self.runs.next()?,
        };
        let (entry, rest) = run.split(self.longest);
        self.rest = rest;
        Some(entry)
    }

    // `next` without what is left of a run in memory: scattered frames take a quarter of the instructions.
    #[inline]
    fn fold<B, F: FnMut(B, SgEntry) -> B>(self, start: B, mut each: F) -> B {
        let longest = self.longest;
        let mut cut = |mut so_far, mut run: FrameRun| {
            while run.length > longest {
                let (entry, rest) = run.split_at(longest);
                so_far = each(so_far, entry);
                run = rest;
            }
            each(so_far, run)
        };
        let mut so_far = start;
        if let Some(rest) = self.rest {
            so_far = cut(so_far, rest);
        }
        self.runs.fold(so_far, cut)
    }
}

/// [`Coalescing::WholeBatchRun`].
#[derive(Clone, Debug)]
struct WholeBatchRun<I> {
    runs: BatchRuns<I>,
    next: Option<BatchRun>,
}

impl<I: Iterator<Item = FrameRun>> Iterator for WholeBatchRun<I> {
    type Item = SgEntry;

    fn next(&mut self) -> Option<SgEntry> {
        let mut entry = self.next.take()?.run;
        let longest = self.runs.longest;
        for other in self.runs.by_ref() {
            let joins = other.first && other.run.start == entry.end();
            if !joins || other.run.length > longest - entry.length {
                self.next = Some(other);
                break;
            }
            entry.length += other.run.length;
        }
        Some(entry)
    }
}

impl<I: Iterator<Item = FrameRun>> Iterator for ScatterList<I> {
    type Item = SgEntry;

    #[inline]
    fn next(&mut self) -> Option<SgEntry> {
        match &mut self.0 {
            Rule::AnyPage(pages) => pages.next(),
            Rule::WholeBatchRun(runs) => runs.next(),
            Rule::Listed(runs) => runs.next(),
        }
    }

    // `next` with the match outside the loop: a registration of scattered pages takes a third fewer instructions.
    #[inline]
    fn fold<B, F: FnMut(B, SgEntry) -> B>(self, start: B, each: F) -> B {
        match self.0 {
            Rule::AnyPage(pages) => pages.fold(start, each),
            Rule::WholeBatchRun(runs) => runs.fold(start, each),
            Rule::Listed(runs) => runs.fold(start, each),
        }
    }
}

/// The pinned pages, consumed from the front in contiguous pieces.
#[derive(Clone, Debug)]
struct Pages<I> {
    frames: I,
    /// The next run, or the rest of it.
    next: Option<FrameRun>,
}

impl<I: Iterator<Item = FrameRun>> Pages<I> {
    fn new(mut frames: I) -> Self {
        let next = frames.next();
        Self { frames, next }
    }

    /// The next pages while each is the next frame, up to `limit` bytes.
    #[inline]
    fn contiguous(&mut self, limit: u64) -> Option<FrameRun> {
        let first = self.next?;
        let mut length = 0;
        while let Some(run) = self.next
            && run.start == first.start + length
            && length < limit
        {
            if run.length > limit - length {
                self.next = run.split(limit - length).1;
                length = limit;
                break;
            }
            length += run.length;
            self.next = self.frames.next();
        }
        Some(Extent { length, ..first })
    }
}

/// The contiguous runs within each batch of pinned pages.
#[derive(Clone, Debug)]
struct BatchRuns<I> {
    pages: Pages<I>,
    /// The bytes of a batch, and those left of the present one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_page_of_pointers() {
        let pages = [12, 14, 16].map(|log2| batch_pages(PageSize::from_log2(log2).unwrap()));
        assert_eq!(pages, [512, 2048, 8192]);
    }

    #[test]
    fn segments_shorter_than_a_page_are_refused() {
        assert_eq!(longest_entry(4095, PageSize::K4), None);
        assert_eq!(longest_entry(4096, PageSize::K4), Some(4096));
        assert_eq!(
            longest_entry(u32::MAX, PageSize::K4),
            Some((4 << 30) - 4096)
        );
        assert_eq!(
            longest_entry(u32::MAX, PageSize::K64),
            Some((4 << 30) - 65536)
        );
    }
}
