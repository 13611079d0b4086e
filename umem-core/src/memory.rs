//! The memory behind a region: physical frames, in the order of virtual addresses.
//!
//! A [`Memory`] never lists its frames: [`Memory::runs`] yields its runs one by one, so the cost of a region depends on its
//! runs, not on its bytes.

use crate::{
    address::{Extent, PhysAddr},
    size::PageSize,
};
mod extents;
mod kind;
mod numbers;

pub use extents::{CheckedExtents, Extents, RunError};
pub(crate) use extents::{after_entry, after_run};
pub use kind::{Exporter, Kind};
pub use numbers::{FrameNumbers, FrameWords, PagemapFrames};

/// A run of physically contiguous frames.
pub type FrameRun = Extent<PhysAddr>;

/// The memory behind a region, from the region's `va` on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    pub(crate) page_size: PageSize,
    pub(crate) length: u64,
    pub(crate) layout: Layout,
}

/// How the pages of a [`Memory`] lie in physical memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Layout {
    /// One after the other: page *i* at start + *i* · page size.
    Contiguous(PhysAddr),
    /// Backwards: page *i* at start − *i* · page size.
    Descending(PhysAddr),
    /// Scattered: page *i* at start + [`scattered_slot`] · page size.
    Scattered {
        /// Where slot 0 lies.
        start: PhysAddr,
        /// Selects one of many scatterings.
        seed: u64,
    },
    /// As given, in the order of virtual addresses.
    Extents(CheckedExtents),
}

impl Memory {
    /// The size of the CPU's pages, in bytes a power of two. Layouts are made of whole pages.
    pub fn page_size(&self) -> PageSize {
        self.page_size
    }

    /// The length in bytes, from the region's `va` on.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How the pages lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The physical address of the byte at `offset` from the region's `va`.
    ///
    /// # Panics
    /// If `offset` is not below [`length`](Self::length).
    pub fn frame(&self, offset: u64) -> PhysAddr {
        assert!(
            offset < self.length,
            "offset {offset:#x} is beyond the memory's {:#x} bytes",
            self.length
        );
        self.address(offset)
    }

    fn address(&self, offset: u64) -> PhysAddr {
        let run = self.run_at(offset);
        run.start + (offset - run.offset)
    }

    /// The run of the layout that contains `offset`: a page, or more if the layout has longer runs.
    fn run_at(&self, offset: u64) -> FrameRun {
        let shift = self.page_size.log2();
        let page = offset >> shift;
        match &self.layout {
            Layout::Contiguous(start) => Extent {
                offset: 0,
                start: *start,
                length: self.length,
            },
            Layout::Descending(start) => self.whole_page(offset, *start - (page << shift)),
            Layout::Scattered { start, seed } => {
                self.whole_page(offset, *start + (scattered_slot(*seed, page) << shift))
            }
            Layout::Extents(runs) => {
                let (number, begin) = runs.find(offset);
                runs.run(number, begin)
            }
        }
    }

    /// The page of the layout that contains `offset` and begins at `start`.
    #[inline]
    fn whole_page(&self, offset: u64, start: PhysAddr) -> FrameRun {
        let offset = self.page_size.align_down(offset);
        Extent {
            offset,
            start,
            length: self.page_size.bytes().min(self.length - offset),
        }
    }

    /// The frames behind the bytes from offset `from` to offset `to`, as runs in the
    /// order of virtual addresses. Neighbouring runs may be physically adjacent.
    ///
    /// Allocates nothing. Finds the first run in logarithmic time, each further one in constant time.
    pub fn runs(&self, from: u64, to: u64) -> FrameRuns<'_> {
        let (index, begin) = match &self.layout {
            Layout::Extents(runs) => runs.find(from),
            _ => (0, 0),
        };
        FrameRuns {
            memory: self,
            at: from,
            to: to.min(self.length),
            index,
            begin,
            shuffle: match &self.layout {
                Layout::Scattered { seed, .. } => {
                    Shuffle::of(*seed, (from >> self.page_size.log2()) / SHUFFLED)
                }
                _ => Shuffle::of(0, 0),
            },
        }
    }

    /// How many bytes before `offset` are physically contiguous with the byte at `offset`.
    pub(crate) fn contiguous_before(&self, offset: u64) -> u64 {
        let mut at = offset;
        while at > 0 && self.address(at - 1).checked_add(1) == Some(self.address(at)) {
            at = self.run_at(at - 1).offset;
        }
        offset - at
    }

    /// How many bytes from `offset` on are physically contiguous with the byte before it.
    pub(crate) fn contiguous_after(&self, offset: u64) -> u64 {
        let mut at = offset;
        while at < self.length && self.address(at - 1).checked_add(1) == Some(self.address(at)) {
            at = self.run_at(at).end_offset();
        }
        at - offset
    }
}

/// The runs of a [`Memory`]: see [`Memory::runs`].
#[derive(Clone, Debug)]
pub struct FrameRuns<'a> {
    memory: &'a Memory,
    at: u64,
    to: u64,
    /// The number of the next extent, and where it begins.
    index: usize,
    begin: u64,
    /// The present block of a scattered layout.
    shuffle: Shuffle,
}

impl FrameRuns<'_> {
    /// The page of a scattered layout that holds `offset`.
    #[inline]
    fn scattered(&mut self, start: PhysAddr, seed: u64, offset: u64) -> FrameRun {
        let shift = self.memory.page_size.log2();
        let page = offset >> shift;
        if page / SHUFFLED != self.shuffle.block {
            self.shuffle = Shuffle::of(seed, page / SHUFFLED);
        }
        let slot = self.shuffle.slot(page % SHUFFLED);
        self.memory.whole_page(offset, start + (slot << shift))
    }
}

impl Iterator for FrameRuns<'_> {
    type Item = FrameRun;

    #[inline]
    fn next(&mut self) -> Option<FrameRun> {
        let (memory, offset) = (self.memory, self.at);
        if offset >= self.to {
            return None;
        }
        let run = match &memory.layout {
            Layout::Extents(runs) => {
                let run = runs.run(self.index, self.begin);
                self.index += 1;
                self.begin += run.length;
                run
            }
            Layout::Scattered { start, seed } => self.scattered(*start, *seed, offset),
            _ => memory.run_at(offset),
        };
        self.at = run.end_offset().min(self.to);
        let start = run.start + (offset - run.offset);
        Some(Extent {
            offset,
            start,
            length: self.at - offset,
        })
    }
}

/// Pages are shuffled within blocks of this many.
const SHUFFLED: u64 = 1024;

/// The slot of page `page` of a scattered layout, in pages from its start: an even
/// number, so that no two pages are neighbours, and no two pages share a slot.
///
/// Links depend on this formula, so **it never changes**. With *b* = `page` / 1024 and
/// *r* = `page` mod 1024, and *h* = `mix`(`seed` + 0x9e3779b97f4a7c15 · (*b* + 1)), where `mix` is
/// the finaliser of SplitMix64 (all modulo 2^64):
///
/// ```text
/// x = r xor (h mod 1024)
/// x = x · (2 · (h / 2^10 mod 512) + 1) mod 1024        an odd factor: a bijection
/// x = x xor (x / 32)                                    likewise
/// x = x · (2 · (h / 2^20 mod 512) + 1) mod 1024
/// slot = 2 · (1024 · b + x)
/// ```
///
/// ```
/// use umem_core::memory::scattered_slot;
/// assert_eq!([0, 1, 2, 3].map(|page| scattered_slot(0, page)), [1140, 1420, 1714, 1694]);
/// ```
pub const fn scattered_slot(seed: u64, page: u64) -> u64 {
    Shuffle::of(seed, page / SHUFFLED).slot(page % SHUFFLED)
}

/// How the pages of one block are shuffled: the part of [`scattered_slot`] that they share.
#[derive(Clone, Copy, Debug)]
struct Shuffle {
    block: u64,
    h: u64,
}

impl Shuffle {
    #[inline]
    const fn of(seed: u64, block: u64) -> Self {
        let mut h = seed.wrapping_add(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(block + 1));
        h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        h ^= h >> 31;
        Self { block, h }
    }

    #[inline]
    const fn slot(self, within: u64) -> u64 {
        let h = self.h;
        let mut x = within ^ (h % SHUFFLED);
        x = x * (2 * ((h >> 10) % 512) + 1) % SHUFFLED;
        x ^= x >> 5;
        x = x * (2 * ((h >> 20) % 512) + 1) % SHUFFLED;
        2 * (self.block * SHUFFLED + x)
    }
}

/// How many slots `pages` scattered pages may use: the last one, plus one.
pub(crate) const fn scattered_slots(pages: u64) -> u64 {
    2 * pages.div_ceil(SHUFFLED) * SHUFFLED
}
