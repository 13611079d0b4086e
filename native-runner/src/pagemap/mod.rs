//! `/proc/self/pagemap`: which physical frame is behind each page of this process.
//!
//! The file holds a word a page; [`Backing`] says what the word says.

mod backing;

use std::{fs::File, io, iter::FusedIterator, ops::Range, os::unix::fs::FileExt};

use umem_core::address::VirtAddr;

pub use backing::Backing;

const WORD: usize = size_of::<u64>();

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
        let page = rustix::param::page_size() as u64;
        Ok(Self {
            source: File::open("/proc/self/pagemap")?,
            page,
        })
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
            bytes: Vec::new(),
            used: 0,
            pending: None,
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
}

/// The runs of a range: see [`Pagemap::runs`].
#[derive(Debug)]
pub struct Runs<'p, S = File> {
    pagemap: &'p Pagemap<S>,
    next_page: u64,
    end_page: u64,
    bytes: Vec<u8>,
    used: usize,
    pending: Option<Run>,
}

impl<S: FileExt> Runs<'_, S> {
    /// What is behind the next page; `None` at the end of the range.
    fn page(&mut self) -> io::Result<Option<(VirtAddr, Backing)>> {
        if self.next_page == self.end_page {
            return Ok(None);
        }
        if self.used == self.bytes.len() {
            let pages = PAGES_A_READ.min((self.end_page - self.next_page) as usize);
            self.bytes.resize(pages * WORD, 0);
            self.used = 0;
            self.pagemap
                .source
                .read_exact_at(&mut self.bytes, self.next_page * WORD as u64)?;
        }
        let word = &self.bytes[self.used..self.used + WORD];
        let word = u64::from_ne_bytes(word.try_into().expect("a word has 8 bytes"));
        let start = VirtAddr::new(self.next_page * self.pagemap.page);
        self.used += WORD;
        self.next_page += 1;
        Ok(Some((start, Backing::of(word, self.pagemap.page))))
    }
}

impl<S: FileExt> Iterator for Runs<'_, S> {
    type Item = io::Result<Run>;

    fn next(&mut self) -> Option<io::Result<Run>> {
        loop {
            match self.page() {
                Err(error) => {
                    // Half a run would be a lie: the error stands for it, and comes but once.
                    self.end_page = self.next_page;
                    self.bytes.clear();
                    self.used = 0;
                    self.pending = None;
                    return Some(Err(error));
                }
                Ok(None) => return self.pending.take().map(Ok),
                Ok(Some((start, backing))) => match &mut self.pending {
                    Some(run) if run.backing.continues(run.length, backing) => {
                        run.length += self.pagemap.page
                    }
                    pending => {
                        let new = Run {
                            start,
                            length: self.pagemap.page,
                            backing,
                        };
                        if let Some(done) = pending.replace(new) {
                            return Some(Ok(done));
                        }
                    }
                },
            }
        }
    }
}

impl<S: FileExt> FusedIterator for Runs<'_, S> {}

#[cfg(test)]
mod tests {
    use super::{
        backing::{PRESENT, SWAPPED},
        *,
    };
    use crate::mapping::Mapping;
    use std::{cell::Cell, sync::atomic::Ordering::Relaxed};
    use umem_core::address::PhysAddr;

    const PAGE: u64 = 4096;

    /// A pagemap whose page `n` has the word `words[n]`, and that counts the reads.
    struct Fake {
        words: Vec<u64>,
        reads: Cell<usize>,
    }

    impl FileExt for Fake {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            self.reads.set(self.reads.get() + 1);
            let bytes: Vec<u8> = self
                .words
                .iter()
                .flat_map(|word| word.to_ne_bytes())
                .collect();
            let bytes = &bytes[(offset as usize).min(bytes.len())..];
            let len = bytes.len().min(buf.len());
            buf[..len].copy_from_slice(&bytes[..len]);
            Ok(len)
        }

        fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
            unreachable!("a pagemap is read")
        }
    }

    fn fake(words: &[u64]) -> Pagemap<Fake> {
        Pagemap {
            source: Fake {
                words: words.to_vec(),
                reads: Cell::new(0),
            },
            page: PAGE,
        }
    }

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
            SWAPPED | 0x9999,
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
        assert_eq!(pagemap.source.reads.get(), 3, "large reads, not one a page");
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
