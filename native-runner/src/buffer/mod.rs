//! The buffers of a check: memory made so that its frames lie in a way that is known beforehand.
//!
//! A buffer is a [`Recipe`] in the [`CATALOGUE`]; one module a kind of memory. A recipe keeps
//! its promise or says why it cannot: it reads the frames it got, and never hands out memory that
//! lies otherwise.

mod hugetlb;
mod shared;
mod small;
mod transparent;

use std::{io, ops::Range};

use rustix::io::Errno;

use crate::{
    frames::{Frames, FramesError},
    mapping::Mapping,
    missing::Missing,
};

/// How much of a buffer a check works in, in bytes: two of the 2M pages that many of them are made of.
pub const LENGTH: usize = 2 * TWO_MIB;

const TWO_MIB: usize = 2 << 20;
const ONE_GIB: usize = 1 << 30;

/// The huge pages that a check needs free: their size in bytes, and how many.
pub const HUGE_PAGES: [(u64, u64); 2] = [
    (TWO_MIB as u64, hugetlb::FIRST_TRY),
    (ONE_GIB as u64, hugetlb::GIGANTIC),
];

/// A kind of buffer.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// A word for it.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    way: Way,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    HugePages(hugetlb::Order),
    Gigantic,
    Transparent,
    Shifted,
    Contiguous,
    Scattered,
    Memfd,
    Shared,
    File,
}

/// Every kind of buffer there is.
pub const CATALOGUE: &[Recipe] = &[
    Recipe {
        name: "huge-adjacent",
        title: "two 2M huge pages, the second right above the first",
        way: Way::HugePages(hugetlb::Order::Ascending),
    },
    Recipe {
        name: "huge-descending",
        title: "two 2M huge pages, the second right below the first",
        way: Way::HugePages(hugetlb::Order::Descending),
    },
    Recipe {
        name: "huge-apart",
        title: "two 2M huge pages, far from each other",
        way: Way::HugePages(hugetlb::Order::Apart),
    },
    Recipe {
        name: "gigantic",
        title: "one 1G huge page",
        way: Way::Gigantic,
    },
    Recipe {
        name: "transparent",
        title: "two transparent huge pages of 2M",
        way: Way::Transparent,
    },
    Recipe {
        name: "shifted",
        title: "two transparent huge pages of 2M apart, moved one page off by mremap",
        way: Way::Shifted,
    },
    Recipe {
        name: "contiguous",
        title: "single pages, each right above the one before",
        way: Way::Contiguous,
    },
    Recipe {
        name: "scattered",
        title: "single pages, no two neighbours adjacent",
        way: Way::Scattered,
    },
    Recipe {
        name: "memfd",
        title: "a file in memory (memfd), as the kernel lays it",
        way: Way::Memfd,
    },
    Recipe {
        name: "shared",
        title: "shared anonymous memory, as the kernel lays it",
        way: Way::Shared,
    },
    Recipe {
        name: "file",
        title: "a mapped file, as the kernel lays it",
        way: Way::File,
    },
];

impl Recipe {
    /// Makes the buffer: [`Self::length`] bytes. All its pages are there, and it goes when it is dropped.
    pub fn make(&self) -> Result<Mapping, Unavailable> {
        match self.way {
            Way::HugePages(order) => hugetlb::pair(order),
            Way::Gigantic => hugetlb::gigantic(),
            Way::Transparent => transparent::pair(),
            Way::Shifted => transparent::shifted(),
            Way::Contiguous => small::contiguous(),
            Way::Scattered => small::scattered(),
            Way::Memfd => shared::memfd(),
            Way::Shared => shared::anonymous(),
            Way::File => shared::file(),
        }
    }

    /// How long the buffer is, in bytes.
    pub fn length(&self) -> usize {
        match self.way {
            Way::Gigantic => ONE_GIB,
            _ => LENGTH,
        }
    }

    /// Whether it is one page, so that it makes one SG entry.
    pub fn is_one_page(&self) -> bool {
        matches!(self.way, Way::Gigantic)
    }

    /// The part that bytes are moved out of: [`LENGTH`] bytes. In the gigantic page they lie inside, so that pages larger
    /// than 2M would show.
    pub fn window(&self) -> Range<u64> {
        let start = match self.way {
            Way::Gigantic => TWO_MIB as u64,
            _ => 0,
        };
        start..start + LENGTH as u64
    }

    /// Why pinning such memory fails with `error`, where that is a rule of the kernel and nothing is amiss.
    pub fn rightly_refused(&self, error: &io::Error) -> Option<&'static str> {
        let fault = error.raw_os_error() == Some(Errno::FAULT.raw_os_error());
        match self.way {
            Way::File if fault => Some(
                "since 6.5 Linux pins pages of a file for long only if it is on tmpfs or hugetlbfs (TMPDIR can name one)",
            ),
            _ => None,
        }
    }
}

/// Why a buffer cannot be had here.
#[derive(Debug)]
pub enum Unavailable {
    /// The machine lacks something that a command provides.
    Missing(Missing),
    /// The kernel would not, this time or ever; the reason.
    Refused(String),
}

impl From<FramesError> for Unavailable {
    fn from(error: FramesError) -> Self {
        match error {
            FramesError::Hidden => Self::Missing(Missing::frame_permission()),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self::Refused(format!("the kernel refused the memory: {error}"))
    }
}

impl From<Errno> for Unavailable {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// Whether the `len` bytes at `offset` lie in one piece, at a multiple of `len`.
fn is_one_page(frames: &Frames, offset: usize, len: usize) -> bool {
    let (offset, len) = (offset as u64, len as u64);
    let mut runs = frames.runs_in(offset..offset + len);
    runs.next()
        .is_some_and(|run| run.length == len && run.start.get() % len == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{frames::tests::frames, untested};

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CATALOGUE.iter().map(|recipe| recipe.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CATALOGUE.len());
    }

    #[test]
    fn one_page_is_aligned_and_whole() {
        let (two_mib, page) = (TWO_MIB as u64, 4096);
        assert!(is_one_page(&frames(&[(two_mib, two_mib)]), 0, TWO_MIB));
        assert!(
            is_one_page(&frames(&[(two_mib, 2 * two_mib)]), TWO_MIB, TWO_MIB),
            "inside a longer run"
        );
        assert!(
            !is_one_page(&frames(&[(two_mib + page, two_mib)]), 0, TWO_MIB),
            "misaligned"
        );
        assert!(
            !is_one_page(&frames(&[(two_mib, page), (0, two_mib - page)]), 0, TWO_MIB),
            "in two pieces"
        );
    }

    /// Whether a recipe cannot be made for want of something that machines may lack: huge pages that are reserved, or free
    /// memory in large pieces. All others can be made wherever frame numbers are shown.
    fn may_lack(recipe: &Recipe, why: &Unavailable) -> bool {
        match (recipe.way, why) {
            (Way::HugePages(_) | Way::Gigantic, _) => true,
            (Way::Transparent | Way::Shifted, Unavailable::Refused(_)) => {
                let setting = "/sys/kernel/mm/transparent_hugepage/enabled";
                let setting = std::fs::read_to_string(setting).unwrap_or_default();
                setting.is_empty() || setting.contains("[never]") || pieces_of_2m() < 64
            }
            (Way::Contiguous, Unavailable::Refused(why)) => why.contains("too fragmented"),
            _ => false,
        }
    }

    /// How many pieces of 2M and more the kernel has free: its lists of 4K << 9 and 4K << 10, the last two of a zone.
    fn pieces_of_2m() -> u64 {
        let zones = std::fs::read_to_string("/proc/buddyinfo").unwrap();
        // After `Node 0, zone Normal`.
        let large = |zone: &str| {
            let counts = zone.split_whitespace().skip(4 + 9);
            counts
                .map(|count| count.parse::<u64>().unwrap())
                .sum::<u64>()
        };
        zones.lines().map(large).sum()
    }

    /// What the kernel calls the memory.
    fn name(buffer: &Mapping) -> String {
        let us = crate::process::Process::open(std::process::id()).unwrap();
        let start = buffer.start().get();
        let areas = us.areas().unwrap();
        let area = areas
            .iter()
            .find(|area| area.start <= start && start < area.end);
        area.unwrap().name.clone()
    }

    /// Every buffer that this machine can make lies as its recipe promises.
    #[test]
    fn buffers_keep_their_promise() {
        for recipe in CATALOGUE {
            let buffer = match recipe.make() {
                Ok(buffer) => buffer,
                Err(Unavailable::Missing(lack)) if lack == Missing::frame_permission() => {
                    untested::without_rights(&lack);
                    continue;
                }
                Err(why) => {
                    assert!(may_lack(recipe, &why), "{}: {why:?}", recipe.name);
                    untested::because((recipe.name, why));
                    continue;
                }
            };
            assert_eq!(buffer.len(), recipe.length());
            let frames = match Frames::read(&buffer) {
                Err(FramesError::Hidden) => {
                    untested::without_rights(&Missing::frame_permission());
                    continue;
                }
                frames => frames.unwrap(),
            };
            let whole: u64 = frames.runs().iter().map(|run| run.length).sum();
            assert_eq!(whole, recipe.length() as u64, "{}: in memory", recipe.name);
            let first = |offset| frames.at(offset as u64).unwrap().get();
            match recipe.name {
                "huge-adjacent" => assert_eq!(first(TWO_MIB), first(0) + TWO_MIB as u64),
                "huge-descending" => assert_eq!(first(TWO_MIB), first(0) - TWO_MIB as u64),
                "huge-apart" => assert!(first(TWO_MIB).abs_diff(first(0)) > TWO_MIB as u64),
                "gigantic" => assert!(is_one_page(&frames, 0, ONE_GIB)),
                "shifted" => {
                    assert_eq!(buffer.start().get() % LENGTH as u64, frames.page_size());
                    assert_eq!(first(0) % TWO_MIB as u64, 0);
                    assert_eq!(frames.runs().len(), 2);
                }
                "contiguous" => assert_eq!(frames.runs().len(), 1),
                "transparent" => assert!(
                    is_one_page(&frames, 0, TWO_MIB) && is_one_page(&frames, TWO_MIB, TWO_MIB)
                ),
                "scattered" => assert_eq!(
                    frames.runs().len() as u64,
                    LENGTH as u64 / frames.page_size()
                ),
                "memfd" => assert_eq!(name(&buffer), "/memfd:umem-check (deleted)"),
                "shared" => assert_eq!(name(&buffer), "/dev/zero (deleted)"),
                "file" => {
                    let name = name(&buffer);
                    let folder = std::env::temp_dir().canonicalize().unwrap();
                    assert!(name.starts_with(folder.to_str().unwrap()), "{name}");
                    assert!(name.ends_with(" (deleted)"), "{name}");
                }
                other => panic!("{other}: what does it promise?"),
            }
        }
    }
}
