//! `ScatterList` → `DmaList`: the addresses that the device uses.
//!
//! Without an IOMMU they are the physical ones. Behind one, `iommu_dma_map_sg()`
//! takes one stretch of IO virtual addresses (IOVA) for the whole list, lays the entries out in it one after the
//! other, and merges what became adjacent. Its start is aligned to the mapping's length rounded
//! up to a power of two, so the entries' own alignment **is lost**.

use crate::{
    address::{DmaAddr, Extent},
    gate::Errno,
    scatter::SgEntry,
    size::{PageSize, PageSizes},
};
use alloc::boxed::Box;
use core::fmt;

mod catalogue;
mod check;
mod io_pages;
mod tce;

use tce::Pools;
#[cfg(feature = "serde")]
pub(crate) use tce::follow;

pub use catalogue::{CATALOGUE, DEFAULT, IommuProfile, find, names};
pub use check::TranslationError;
pub use io_pages::{IoPageRun, IoPages};

/// A segment of the DMA list: a run of device addresses that backs a run of the region.
pub type DmaSegment = Extent<DmaAddr>;

/// An IOMMU that translates, with the parameters of its driver and the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The page sizes of its own page table: `iommu_domain.pgsize_bitmap`.
    pub page_sizes: PageSizes,
    /// Where the mapping begins.
    pub iova: Iova,
    /// The boundary that no segment crosses, as a mask like in the kernel, such as 0xffffffff for 4G (`dma_get_seg_boundary()`).
    pub boundary_mask: u64,
    /// The width of IO virtual addresses in bits, 12 to 64.
    pub address_bits: u32,
    /// How entries are laid out.
    pub layout: IovaLayout,
}

/// Where the IOVA of the first pinned page comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Iova {
    /// The kernel chooses: see [`Translation::place`].
    #[default]
    Kernel,
    /// Given by hand, as with VFIO.
    At(DmaAddr),
}

/// How a platform lays the entries of a list out in IOVA space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IovaLayout {
    /// One allocation for the list, padded so that no entry crosses a segment boundary it need not
    /// cross: `iommu_dma_map_sg()` [linux 7.2; the same in 6.1 and 6.12].
    OneAllocation,
    /// An allocation for each entry, next fit, aligned to the kernel's page only, merged where they come out adjacent:
    /// `ppc_iommu_map_sg()` [linux 6.1 to 7.3].
    EachEntry,
    /// POWER's direct window: the physical address plus an offset, entry by entry, nothing merged: `dma_iommu_map_bypass()`
    /// [linux 6.1 to 7.3].
    Direct {
        /// What is added, in bytes.
        offset: u64,
    },
}

/// Why a list cannot be mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// No stretch of free IOVA is long enough (`-ENOMEM`).
    Exhausted {
        /// The length that was needed, in bytes.
        length: u64,
        /// The width of IO virtual addresses in bits.
        address_bits: u32,
    },
    /// Padding an entry up to the boundary makes its length 2^32 or more, which does not fit
    /// `scatterlist.length`: less is mapped than was asked for, and the mapping fails (`-EINVAL`).
    ///
    /// `prev->length += pad_len` in `iommu_dma_map_sg()`, when the entry begins on the boundary itself: described by N. Chen on the
    /// iommu list on 2020-03-05. It affects every run of more than 4G for a device without a largest segment, whose entries are 4G-4K
    /// and the rest. Kernels without [`pad_checked`](crate::kernel::KernelRules::pad_checked) leave what was mapped by then, though
    /// its addresses are freed. Confirmed by `cargo xtask lab overflow` behind VT-d and AMD-Vi: left on Linux 6.1.192, 6.12.95 and
    /// 7.2.12, not on 6.12.118.
    PadOverflow {
        /// The entry's offset in the region.
        offset: u64,
    },
}

impl MapError {
    /// What `ib_umem_get()` returns.
    pub const fn errno(&self) -> Errno {
        match self {
            Self::Exhausted { .. } => Errno::Enomem,
            Self::PadOverflow { .. } => Errno::Einval,
        }
    }
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exhausted {
                length,
                address_bits,
            } => write!(
                f,
                "the mapping needs {length} bytes of IO virtual addresses, aligned to the next power of two, and \
                 {address_bits} address bits do not hold them: register less, or give the IOMMU more address bits"
            ),
            Self::PadOverflow { offset } => write!(
                f,
                "the SG entry at offset {offset:#x}, padded up to the segment boundary, is 4G or longer, which \
                 scatterlist.length cannot hold: the kernel maps less than it must, and fails with EINVAL"
            ),
        }
    }
}

impl core::error::Error for MapError {}

impl Translation {
    /// Where the kernel begins a mapping of `length` bytes: `iommu_dma_alloc_iova()` and
    /// `alloc_iova_fast()` [linux 7.2].
    ///
    /// As high as it fits below 4G, else below 2^`address_bits`, and always a multiple of `length`
    /// rounded up to a power of two. Address 0 is never used. A real kernel also avoids what is
    /// taken and reserved, so **only the alignment is a promise**.
    pub fn place(&self, length: u64) -> Result<DmaAddr, MapError> {
        match self.layout {
            IovaLayout::EachEntry => Pools::new(self).allocate(length).map(DmaAddr::get),
            IovaLayout::Direct { offset } => Some(offset),
            IovaLayout::OneAllocation => [self.address_bits.min(32), self.address_bits]
                .into_iter()
                .find_map(|bits| {
                    let aligned = length.checked_next_power_of_two()?;
                    // One byte of the address space stays free, so that every run's end is a number.
                    let end = (1u128 << bits).min(u128::from(u64::MAX));
                    let highest = end.checked_sub(u128::from(length))? & !(u128::from(aligned) - 1);
                    u64::try_from(highest).ok().filter(|at| *at > 0)
                }),
        }
        .map(DmaAddr::new)
        .ok_or(MapError::Exhausted {
            length,
            address_bits: self.address_bits,
        })
    }

    /// The size of the smallest IO page: what entries are padded to.
    pub fn granule(&self) -> PageSize {
        self.page_sizes.smallest().unwrap_or(PageSize::K4)
    }

    /// Maps the list: an address for its first page, and the length of the whole.
    ///
    /// Walks the list once and stores nothing.
    pub fn map(&self, entries: impl Iterator<Item = SgEntry>) -> Result<Mapping, MapError> {
        if self.layout != IovaLayout::OneAllocation {
            return self.map_entries(entries);
        }
        let mut placed = Placed::new(entries, *self, DmaAddr::new(0));
        let mut before: Option<(DmaAddr, SgEntry)> = None;
        for (at, entry) in placed.by_ref() {
            // A pad is added to the length of the entry before it, an unsigned int.
            if let Some((start, previous)) = before
                && u32::try_from(at - start).is_err()
            {
                return Err(MapError::PadOverflow {
                    offset: previous.offset,
                });
            }
            before = Some((at, entry));
        }
        let length = placed.length;
        let start = match self.iova {
            Iova::Kernel => self.place(length)?,
            Iova::At(start) => start,
        };
        let end = u128::from(start.get()) + u128::from(length);
        // One byte of the address space stays free, so that every run's end is a number.
        if end > (1u128 << self.address_bits).min(u128::from(u64::MAX)) {
            return Err(MapError::Exhausted {
                length,
                address_bits: self.address_bits,
            });
        }
        Ok(Mapping { start, length })
    }

    /// Each entry by itself.
    fn map_entries(&self, entries: impl Iterator<Item = SgEntry>) -> Result<Mapping, MapError> {
        let mut placed = Placed::new(entries, *self, DmaAddr::new(0));
        if let Iova::At(start) = self.iova {
            placed.pools = placed.pools.map(|pools| Box::new(pools.at(start)));
        }
        let first = placed.next();
        placed.by_ref().for_each(drop);
        match first {
            Some((start, _)) if !placed.exhausted => Ok(Mapping {
                start,
                length: placed.length,
            }),
            None if !placed.exhausted => Ok(Mapping {
                start: DmaAddr::new(0),
                length: 0,
            }),
            _ => Err(MapError::Exhausted {
                length: placed.length,
                address_bits: self.address_bits,
            }),
        }
    }

    fn granule_up(&self, length: u64) -> u64 {
        self.granule().align_up(length).unwrap_or(u64::MAX)
    }
}

/// A range of IO virtual addresses that holds a whole list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// The address of the list's first page.
    pub start: DmaAddr,
    /// Its length in bytes, padding included.
    pub length: u64,
}

/// The entries with their addresses: the first loop of `iommu_dma_map_sg()` [linux 7.2], or of another layout.
#[derive(Clone, Debug)]
struct Placed<I> {
    entries: I,
    translation: Translation,
    start: DmaAddr,
    /// Bytes of IOVA used so far: the kernel's `iova_len`.
    length: u64,
    /// Of a table of TCEs.
    pools: Option<Box<Pools>>,
    /// Whether there was no room for an entry.
    exhausted: bool,
}

impl<I> Placed<I> {
    fn new(entries: I, translation: Translation, start: DmaAddr) -> Self {
        let pools = (translation.layout == IovaLayout::EachEntry).then(|| {
            let pools = Pools::new(&translation);
            Box::new(match start.get() {
                0 => pools,
                _ => pools.at(start),
            })
        });
        Self {
            entries,
            translation,
            start,
            length: 0,
            pools,
            exhausted: false,
        }
    }
}

impl<I: Iterator<Item = SgEntry>> Placed<I> {
    /// Behind the entry before, or at a boundary that it would cross otherwise.
    #[inline]
    fn in_one_allocation(&mut self, entry: &SgEntry) -> DmaAddr {
        let padded = self.translation.granule_up(entry.length);
        // `pad_len && pad_len < s_length - 1`: the entry would cross a boundary, so begin at it.
        let mask = self.translation.boundary_mask;
        let pad = mask.wrapping_sub(self.length).wrapping_add(1) & mask;
        if pad != 0 && pad < padded - 1 {
            self.length += pad;
        }
        let at = self.start.wrapping_add(self.length);
        self.length += padded;
        at
    }
}

impl<I: Iterator<Item = SgEntry>> Iterator for Placed<I> {
    type Item = (DmaAddr, SgEntry);

    #[inline]
    fn next(&mut self) -> Option<(DmaAddr, SgEntry)> {
        let entry = self.entries.next()?;
        let at = match (self.translation.layout, &mut self.pools) {
            (IovaLayout::Direct { offset }, _) => {
                self.length += entry.length;
                DmaAddr::new(entry.start.get().wrapping_add(offset))
            }
            (_, Some(pools)) => {
                self.length += entry.length;
                let at = pools.allocate(entry.length);
                self.exhausted = at.is_none();
                at?
            }
            (_, None) => self.in_one_allocation(&entry),
        };
        Some((at, entry))
    }
}

/// The DMA list as an iterator, made from the entries of a scatter-gather list.
#[derive(Clone, Debug)]
pub struct DmaList<I>(Rule<I>);

#[derive(Clone, Debug)]
enum Rule<I> {
    Identity(I),
    Translated(Merged<I>),
}

impl<I: Iterator<Item = SgEntry>> DmaList<I> {
    /// Device addresses are physical ones, entry for entry: `dma_direct_map_sg()` [linux 7.2].
    pub fn identity(entries: I) -> Self {
        Self(Rule::Identity(entries))
    }

    /// The list as `translation` mapped it to `mapping`, for a device whose segments are at
    /// most `max_segment` bytes long.
    pub fn translated(
        entries: I,
        translation: Translation,
        mapping: Mapping,
        max_segment: u32,
    ) -> Self {
        let placed = Placed::new(entries, translation, mapping.start);
        Self(Rule::Translated(Merged {
            placed,
            next: None,
            max_segment: max_segment.into(),
        }))
    }
}

impl<I: Iterator<Item = SgEntry>> Iterator for DmaList<I> {
    type Item = DmaSegment;

    #[inline]
    fn next(&mut self) -> Option<DmaSegment> {
        match &mut self.0 {
            Rule::Identity(entries) => entries.next().map(identical),
            Rule::Translated(merged) => merged.next(),
        }
    }

    // Match once, outside the loop.
    #[inline]
    fn fold<B, F: FnMut(B, DmaSegment) -> B>(self, start: B, mut each: F) -> B {
        match self.0 {
            Rule::Identity(entries) => {
                entries.fold(start, |so_far, entry| each(so_far, identical(entry)))
            }
            Rule::Translated(mut merged) => {
                let mut so_far = start;
                while let Some(segment) = merged.next() {
                    so_far = each(so_far, segment);
                }
                so_far
            }
        }
    }
}

/// `dma_direct_map_sg()`: the device's address is the physical one.
#[inline]
fn identical(entry: SgEntry) -> DmaSegment {
    Extent {
        offset: entry.offset,
        start: DmaAddr::identical(entry.start),
        length: entry.length,
    }
}

/// `__finalise_sg()` [linux 7.2]: an entry joins the segment before it unless that would cross
/// a boundary, leave a hole, or make the segment too long.
#[derive(Clone, Debug)]
struct Merged<I> {
    placed: Placed<I>,
    next: Option<DmaSegment>,
    max_segment: u64,
}

impl<I: Iterator<Item = SgEntry>> Merged<I> {
    #[inline]
    fn take(&mut self) -> Option<DmaSegment> {
        self.next.take().or_else(|| {
            let (at, entry) = self.placed.next()?;
            Some(Extent {
                offset: entry.offset,
                start: at,
                length: entry.length,
            })
        })
    }

    #[inline]
    fn next(&mut self) -> Option<DmaSegment> {
        let mask = self.placed.translation.boundary_mask;
        let layout = self.placed.translation.layout;
        if let IovaLayout::Direct { .. } = layout {
            return self.take();
        }
        let mut segment = self.take()?;
        while let Some(entry) = self.take() {
            let adjacent = entry.start == segment.end();
            let at_boundary = layout == IovaLayout::OneAllocation && entry.start.get() & mask == 0;
            if !adjacent
                || at_boundary
                || self.max_segment.saturating_sub(segment.length) < entry.length
            {
                self.next = Some(entry);
                break;
            }
            segment.length += entry.length;
        }
        Some(segment)
    }
}
