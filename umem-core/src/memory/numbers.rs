//! Frames by number, a word a page → runs of frames.
//!
//! `slowly` is the rule, and the slow twin that the tests compare with. [`runs`] does the same faster; a reader of the rules can skip
//! it.

use super::FrameRun;
use crate::size::PageSize;
use mask::{NUMBERS, PAGEMAP};

mod ahead;
mod mask;
mod runs;

#[cfg(test)]
mod tests;

/// The runs of frames in a slice of frame numbers, one for each page in the order of virtual addresses.
///
/// Neighbouring runs are never physically adjacent.
///
/// ```
/// use umem_core::{memory::FrameNumbers, size::PageSize};
/// let runs = FrameNumbers::new(&[7, 8, 9, 4], PageSize::K4);
/// let runs: Vec<_> = runs.map(|run| (run.offset, run.start.get(), run.length)).collect();
/// assert_eq!(runs, [(0, 0x7000, 0x3000), (0x3000, 0x4000, 0x1000)]);
/// ```
pub type FrameNumbers<'a> = FrameWords<'a, NUMBERS>;

/// The runs of the frames that words of `/proc/PID/pagemap` describe.
///
/// Pages that are absent, in swap or hidden (as they all are without CAP_SYS_ADMIN) are in no run: offsets skip them.
///
/// ```
/// use umem_core::{memory::PagemapFrames, size::PageSize};
/// const PRESENT: u64 = 1 << 63;
/// let runs = PagemapFrames::new(&[PRESENT | 7, 0, PRESENT | 8, PRESENT | 9], PageSize::K4);
/// let runs: Vec<_> = runs.map(|run| (run.offset, run.start.get(), run.length)).collect();
/// assert_eq!(runs, [(0, 0x7000, 0x1000), (0x2000, 0x8000, 0x2000)]);
/// ```
pub type PagemapFrames<'a> = FrameWords<'a, PAGEMAP>;

/// The runs of frames in a slice of words, by the bits in `MASK`: [`FrameNumbers`] or [`PagemapFrames`].
#[derive(Clone, Debug)]
pub struct FrameWords<'a, const MASK: u64> {
    runs: runs::Runs<'a, MASK>,
    page: PageSize,
}

impl<'a, const MASK: u64> FrameWords<'a, MASK> {
    /// The frames that `words` describe, for pages of size `page`. All their bytes have addresses below 2^64.
    pub fn new(words: &'a [u64], page: PageSize) -> Self {
        Self {
            runs: runs::Runs::new(words),
            page,
        }
    }
}

impl<const MASK: u64> Iterator for FrameWords<'_, MASK> {
    type Item = FrameRun;

    #[inline]
    fn next(&mut self) -> Option<FrameRun> {
        Some(self.runs.next()?.frames::<MASK>(self.page))
    }

    #[inline]
    fn fold<B, F: FnMut(B, FrameRun) -> B>(self, start: B, mut each: F) -> B {
        let page = self.page;
        self.runs
            .fold(start, |so_far, run| each(so_far, run.frames::<MASK>(page)))
    }
}

/// The rule, page by page: a page joins the last run if it is the next page and the next frame.
#[cfg(test)]
fn slowly<const MASK: u64>(words: &[u64], page: PageSize) -> alloc::vec::Vec<FrameRun> {
    use crate::address::PhysAddr;
    use mask::{FRAME_NUMBER, PRESENT};
    let mut runs: alloc::vec::Vec<FrameRun> = alloc::vec::Vec::new();
    for (number, word) in (0..).zip(words) {
        let frame = if MASK == NUMBERS {
            *word
        } else {
            word & FRAME_NUMBER
        };
        if MASK == PAGEMAP && (word & PRESENT == 0 || frame == 0) {
            continue;
        }
        let (offset, start) = (number << page.log2(), PhysAddr::new(frame << page.log2()));
        match runs.last_mut() {
            Some(last) if last.end() == start && last.end_offset() == offset => {
                last.length += page.bytes();
            }
            _ => runs.push(FrameRun {
                offset,
                start,
                length: page.bytes(),
            }),
        }
    }
    runs
}
