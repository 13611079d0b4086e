//! `/proc/PID/pagemap`: which physical frame is behind each page of a process.
//!
//! The file holds a word a page; [`Backing`] says what the word says. It is read in large pieces, and the
//! words of a run are compared in a tight loop: the kernel's walk of the page table is what takes the time.

mod backing;
#[cfg(test)]
pub mod fake;
mod settled;

use std::{fs::File, io, iter::FusedIterator, ops::Range, os::unix::fs::FileExt};

use umem_core::{address::VirtAddr, size::PageSize};

use backing::Successors;
pub use backing::{Backing, Sharing};
pub use settled::Patience;

const WORD: usize = size_of::<u64>();

/// `PAGE_SIZE` of the running kernel.
pub fn kernel_page() -> PageSize {
    PageSize::new(rustix::param::page_size() as u64).expect("a kernel's page is a power of two")
}

/// How many pages one read asks about: 512 KiB of answers, 256 MiB of 4K pages.
const PAGES_A_READ: usize = 64 << 10;

/// An open pagemap. `S` is the file, or in tests a stand-in for it.
#[derive(Debug)]
pub struct Pagemap<S = File> {
    source: S,
    page: u64,
}

impl Pagemap {
    /// The pagemap of this process.
    pub fn open() -> io::Result<Self> {
        File::open("/proc/self/pagemap").map(Self::of)
    }

    /// The pagemap that `file` is: of any process.
    pub fn of(file: File) -> Self {
        Self {
            source: file,
            page: rustix::param::page_size() as u64,
        }
    }
}

impl<S: FileExt> Pagemap<S> {
    /// The kernel's page size, in bytes.
    pub fn page_size(&self) -> u64 {
        self.page
    }

    /// What is behind the pages of `range`, as runs in the order of virtual addresses. Both ends
    /// must be page-aligned. Reads as it goes, so a range may be as long as it likes.
    pub fn runs(&self, range: Range<VirtAddr>) -> Runs<'_, S> {
        let (start, end) = (range.start.get(), range.end.get());
        assert!(
            start.is_multiple_of(self.page) && end.is_multiple_of(self.page),
            "whole pages: {range:?}"
        );
        Runs {
            pagemap: self,
            next_page: start / self.page,
            end_page: end / self.page,
            words: Vec::new(),
            used: 0,
            failed: None,
        }
    }
}

/// A run of pages that are alike, and physically contiguous if they have frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Where the run begins.
    pub start: VirtAddr,
    /// Its length in bytes, whole pages.
    pub length: u64,
    /// What is behind it.
    pub backing: Backing,
    /// Who else has it; meaningless without frames.
    pub sharing: Sharing,
}

impl Run {
    /// Its addresses.
    pub fn range(&self) -> Range<VirtAddr> {
        self.start..VirtAddr::new(self.start.get() + self.length)
    }
}

/// The runs of a range: see [`Pagemap::runs`].
#[derive(Debug)]
pub struct Runs<'p, S = File> {
    pagemap: &'p Pagemap<S>,
    next_page: u64,
    end_page: u64,
    /// The words of the pages before `next_page`, of which the first `used` are in runs already.
    words: Vec<u64>,
    used: usize,
    /// An error that is to be told after the run before it.
    failed: Option<io::Error>,
}

impl<S: FileExt> Runs<'_, S> {
    /// The words that are known and not used yet, more being read when there are none; empty at the end.
    fn known(&mut self) -> io::Result<&[u64]> {
        if self.used == self.words.len() {
            let pages = PAGES_A_READ.min((self.end_page - self.next_page) as usize);
            self.words.resize(pages, 0);
            let offset = self.next_page * WORD as u64;
            let bytes = as_bytes(&mut self.words);
            if let Err(error) = self.pagemap.source.read_exact_at(bytes, offset) {
                // An error comes but once, and nothing after it.
                self.end_page = self.next_page;
                self.words.clear();
                self.used = 0;
                return Err(error);
            }
            self.used = 0;
            self.next_page += pages as u64;
        }
        Ok(&self.words[self.used..])
    }

    /// The number of the page after the last one used.
    fn here(&self) -> u64 {
        self.next_page - (self.words.len() - self.used) as u64
    }
}

/// The memory of `words`, to read a file into.
fn as_bytes(words: &mut [u64]) -> &mut [u8] {
    let length = size_of_val(words);
    // SAFETY: the same memory, borrowed for as long; bytes need no alignment, and every pattern of them is a word.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), length) }
}

impl<S: FileExt> Iterator for Runs<'_, S> {
    type Item = io::Result<Run>;

    fn next(&mut self) -> Option<io::Result<Run>> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        let word = match self.known() {
            Err(error) => return Some(Err(error)),
            Ok(words) => *words.first()?,
        };
        let first = self.here();
        let mut successors = Successors::of(word);
        self.used += 1;
        loop {
            match self.known() {
                // What was read before the error is true, and comes first.
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
                Ok(words) => {
                    let (there, more) = (words.len(), successors.count(words));
                    self.used += more;
                    if there == 0 || more < there {
                        break;
                    }
                }
            }
        }
        let page = self.pagemap.page;
        Some(Ok(Run {
            start: VirtAddr::new(first * page),
            length: (self.here() - first) * page,
            backing: Backing::of(word, page),
            sharing: Sharing::of(word),
        }))
    }
}

impl<S: FileExt> FusedIterator for Runs<'_, S> {}

#[cfg(test)]
mod tests {
    use super::{
        backing::{PRESENT, SWAPPED},
        fake::{PAGE, fake},
        *,
    };
    use crate::mapping::Mapping;
    use std::sync::atomic::Ordering::Relaxed;
    use umem_core::address::PhysAddr;

    fn runs(words: &[u64]) -> Vec<(u64, u64, Backing)> {
        let pagemap = fake(words);
        let all = VirtAddr::new(0)..VirtAddr::new(words.len() as u64 * PAGE);
        let runs = pagemap
            .runs(all)
            .map(|run| run.expect("a readable pagemap"));
        runs.map(|run| (run.start.get() / PAGE, run.length / PAGE, run.backing))
            .collect()
    }

    fn frame(number: u64) -> Backing {
        Backing::Frames(PhysAddr::new(number * PAGE))
    }

    #[test]
    fn neighbours_join_only_when_their_frames_are_neighbours() {
        let words = [7, 8, 9, 11, 10, 9, 10].map(|number| PRESENT | number);
        let expected = [
            (0, 3, frame(7)),
            (3, 1, frame(11)),
            (4, 1, frame(10)),
            (5, 2, frame(9)),
        ];
        assert_eq!(runs(&words), expected);
    }

    #[test]
    fn hidden_absent_and_swapped_are_told_apart() {
        // Present without a number; nothing; swapped (type and offset in the low bits); present.
        let words = [
            PRESENT,
            PRESENT,
            0,
            0,
            SWAPPED | 0x123,
            SWAPPED | 0x9993,
            PRESENT | 5,
        ];
        let expected = [
            (0, 2, Backing::Hidden),
            (2, 2, Backing::Absent),
            (4, 2, Backing::Swapped),
            (6, 1, frame(5)),
        ];
        assert_eq!(runs(&words), expected);
    }

    #[test]
    fn a_run_goes_on_across_reads() {
        let pages = 2 * PAGES_A_READ + 5;
        let words: Vec<u64> = (0..pages as u64)
            .map(|page| PRESENT | (100 + page))
            .collect();
        let pagemap = fake(&words);
        let all = VirtAddr::new(0)..VirtAddr::new(pages as u64 * PAGE);
        let runs: Vec<Run> = pagemap.runs(all).map(Result::unwrap).collect();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].length, pages as u64 * PAGE);
        assert_eq!(pagemap.source.reads(), 3, "large reads, not one a page");
    }

    #[test]
    fn a_range_beyond_the_file_is_an_error_and_then_the_end() {
        let pagemap = fake(&[PRESENT | 1]);
        let mut runs = pagemap.runs(VirtAddr::new(0)..VirtAddr::new(3 * PAGE));
        assert_eq!(
            runs.next().unwrap().unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert!(runs.next().is_none());
    }

    #[test]
    fn what_was_read_before_an_error_is_told_before_it() {
        let words: Vec<u64> = (1..=PAGES_A_READ as u64).map(|n| PRESENT | n).collect();
        let pagemap = fake(&words);
        let end = VirtAddr::new((PAGES_A_READ as u64 + 1) * PAGE);
        let mut runs = pagemap.runs(VirtAddr::new(0)..end);
        let first = runs.next().unwrap().unwrap();
        assert_eq!(first.length, PAGES_A_READ as u64 * PAGE);
        assert!(runs.next().unwrap().is_err());
        assert!(runs.next().is_none());
    }

    #[test]
    fn the_kernel_knows_which_pages_of_ours_were_touched() {
        let mapping = Mapping::anonymous(4 * PAGE as usize, PAGE as usize).unwrap();
        for page in [0, 1, 3] {
            mapping.words()[page * PAGE as usize / WORD].store(1, Relaxed);
        }
        let pagemap = Pagemap::open().unwrap();
        let start = mapping.start();
        let end = start.checked_add(4 * PAGE).unwrap();
        let mut absent = [false; 4];
        for run in pagemap.runs(start..end) {
            let run = run.unwrap();
            let first = (run.start.get() - start.get()) / PAGE;
            for page in first..first + run.length / PAGE {
                absent[page as usize] = run.backing == Backing::Absent;
            }
        }
        assert_eq!(absent, [false, false, true, false]);
    }
}
