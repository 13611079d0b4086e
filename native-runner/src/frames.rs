//! The frames behind a mapping, all known: what the rules, and the check of the rules, start from.

use std::{fmt, io, ops::Range};

use umem_core::address::{Extent, Joined, PhysAddr};

use crate::{
    mapping::Mapping,
    pagemap::{Backing, Pagemap, Patience},
};

/// Where every page of a mapping lies in physical memory, as runs in the order of virtual addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frames {
    page: u64,
    runs: Vec<Extent<PhysAddr>>,
}

impl Frames {
    /// Reads the frames behind `mapping`, as they lie now. Only pinned memory stays where it is.
    pub fn read(mapping: &Mapping) -> Result<Self, FramesError> {
        let pagemap = Pagemap::open().map_err(|error| match error.kind() {
            // Linux 4.0 and 4.1 refused to open the file; every other kernel hides the numbers.
            io::ErrorKind::PermissionDenied => FramesError::Hidden,
            _ => FramesError::Unreadable(error),
        })?;
        let start = mapping.start();
        let end = start
            .checked_add(mapping.len() as u64)
            .expect("a mapping ends in the address space");
        let patience = Patience::new();
        let mut runs = Vec::new();
        for run in pagemap.settled_runs(start..end, &patience) {
            let run = run.map_err(FramesError::Unreadable)?;
            let offset = run.start.get() - start.get();
            match run.backing {
                Backing::Frames(start) => runs.push(Extent {
                    offset,
                    start,
                    length: run.length,
                }),
                Backing::Hidden => return Err(FramesError::Hidden),
                Backing::Absent | Backing::Swapped | Backing::Moving => {
                    return Err(FramesError::Missing {
                        offset,
                        swapped: run.backing != Backing::Absent,
                    });
                }
            }
        }
        Ok(Self {
            page: pagemap.page_size(),
            runs: Joined::new(runs.into_iter()).collect(),
        })
    }

    /// The kernel's page size, in bytes.
    pub fn page_size(&self) -> u64 {
        self.page
    }

    /// The runs, in the order of virtual addresses. No two neighbours could be one.
    pub fn runs(&self) -> &[Extent<PhysAddr>] {
        &self.runs
    }

    /// Where the byte at `offset` lies; `None` outside the mapping.
    pub fn at(&self, offset: u64) -> Option<PhysAddr> {
        let index = self
            .runs
            .partition_point(|run| run.offset <= offset)
            .checked_sub(1)?;
        let run = self.runs[index];
        let into = offset - run.offset;
        (into < run.length).then(|| PhysAddr::new(run.start.get() + into))
    }

    /// The runs behind the bytes of `range`, cut at its ends.
    pub fn runs_in(&self, range: Range<u64>) -> impl Iterator<Item = Extent<PhysAddr>> + '_ {
        self.runs.iter().filter_map(move |run| {
            let from = run.offset.max(range.start);
            let to = (run.offset + run.length).min(range.end);
            (from < to).then(|| Extent {
                offset: from,
                start: PhysAddr::new(run.start.get() + (from - run.offset)),
                length: to - from,
            })
        })
    }
}

/// Why the frames of a mapping are not known.
#[derive(Debug)]
pub enum FramesError {
    /// The kernel hides them from this process.
    Hidden,
    /// A page has none.
    Missing {
        /// Where the page lies in the mapping, in bytes.
        offset: u64,
        /// Whether it is in swap.
        swapped: bool,
    },
    /// Reading the pagemap failed.
    Unreadable(io::Error),
}

impl fmt::Display for FramesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden => f.write_str("the kernel hides frame numbers from this process"),
            Self::Missing {
                offset,
                swapped: true,
            } => write!(f, "the page at +{offset:#x} is in swap"),
            Self::Missing {
                offset,
                swapped: false,
            } => write!(f, "no frame is behind the page at +{offset:#x}"),
            Self::Unreadable(error) => write!(f, "/proc/self/pagemap could not be read: {error}"),
        }
    }
}

impl std::error::Error for FramesError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl Frames {
        /// Frames made by hand: `(physical address, length)` in the order of virtual addresses.
        pub(crate) fn of_pages(page: u64, runs: &[(u64, u64)]) -> Self {
            let mut offset = 0;
            let runs = runs.iter().map(|&(start, length)| {
                let run = Extent {
                    offset,
                    start: PhysAddr::new(start),
                    length,
                };
                offset += length;
                run
            });
            Self {
                page,
                runs: runs.collect(),
            }
        }
    }

    /// The same, of 4K pages.
    pub(crate) fn frames(runs: &[(u64, u64)]) -> Frames {
        Frames::of_pages(4096, runs)
    }

    #[test]
    fn every_byte_is_found_in_its_run() {
        let frames = frames(&[(0x10_000, 0x2000), (0x8000, 0x1000)]);
        let at = |offset| frames.at(offset).map(PhysAddr::get);
        assert_eq!(at(0), Some(0x10_000));
        assert_eq!(at(0x1fff), Some(0x11_fff));
        assert_eq!(at(0x2000), Some(0x8000));
        assert_eq!(at(0x2fff), Some(0x8fff));
        assert_eq!(at(0x3000), None);
    }

    #[test]
    fn a_range_cuts_the_runs_at_its_ends() {
        let frames = frames(&[(0x10_000, 0x2000), (0x8000, 0x1000), (0x40_000, 0x1000)]);
        let cut: Vec<_> = frames
            .runs_in(0x1800..0x2800)
            .map(|run| (run.offset, run.start.get(), run.length))
            .collect();
        assert_eq!(cut, [(0x1800, 0x11_800, 0x800), (0x2000, 0x8000, 0x800)]);
        assert_eq!(frames.runs_in(0x3000..0x3000).count(), 0);
    }
}
