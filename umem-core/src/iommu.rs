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
use core::fmt;

mod catalogue;
mod check;
mod io_pages;
mod list;
mod placed;
mod tce;

use placed::Placed;
use tce::Pools;
#[cfg(feature = "serde")]
pub(crate) use tce::follow;

pub use catalogue::{CATALOGUE, DEFAULT, IommuProfile, find, names};
pub use check::TranslationError;
pub use io_pages::{IoPageRun, IoPages};
pub use list::DmaList;

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
    /// An allocation for each entry, aligned to its length rounded up to a power of two, each below the one before, nothing merged:
    /// what an exporter of a dma-buf gets that maps its entries by `dma_map_resource()` [linux 7.2, `__iommu_dma_map()`].
    EachAligned,
}

impl IovaLayout {
    /// The layout of a list whose entries are mapped one by one.
    pub const fn entry_by_entry(self) -> Self {
        match self {
            Self::OneAllocation => Self::EachAligned,
            other => other,
        }
    }
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
    /// Padding an entry up to whole IO pages, or to the boundary, makes its length 2^32 or more, which does not fit
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
                "the SG entry at offset {offset:#x}, padded up to whole IO pages or to the segment boundary, is 4G or longer, which \
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
            IovaLayout::OneAllocation | IovaLayout::EachAligned => {
                [self.address_bits.min(32), self.address_bits]
                    .into_iter()
                    .find_map(|bits| {
                        let aligned = length.checked_next_power_of_two()?;
                        let highest = Self::end_of(bits).checked_sub(length)? & !(aligned - 1);
                        Some(highest).filter(|at| *at > 0)
                    })
            }
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
        let granule = self.granule();
        // Where the entry before begins, in whole IO pages. Its length with all padding is an unsigned int.
        let mut before: Option<(DmaAddr, SgEntry)> = None;
        let padded = |before: Option<(DmaAddr, SgEntry)>, end: DmaAddr| match before {
            Some((start, SgEntry { offset, .. })) if u32::try_from(end - start).is_err() => {
                Err(MapError::PadOverflow { offset })
            }
            _ => Ok(()),
        };
        for (at, entry) in placed.by_ref() {
            let start = at.align_down(granule);
            padded(before, start)?;
            before = Some((start, entry));
        }
        let length = placed.length;
        padded(before, DmaAddr::new(length))?;
        let start = match self.iova {
            Iova::Kernel => self.place(length)?,
            Iova::At(start) => start,
        };
        let end = start.get().checked_add(length);
        if end.is_none_or(|end| end > Self::end_of(self.address_bits)) {
            return Err(MapError::Exhausted {
                length,
                address_bits: self.address_bits,
            });
        }
        Ok(Mapping { start, length })
    }

    /// Each entry by itself.
    fn map_entries(&self, entries: impl Iterator<Item = SgEntry>) -> Result<Mapping, MapError> {
        let start = match self.iova {
            Iova::Kernel => DmaAddr::new(0),
            Iova::At(start) => start,
        };
        let mut placed = Placed::new(entries, *self, start);
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

    /// The end of an address space of `bits` bits. Of 64 bits one byte stays free, so that every run's end is a number.
    const fn end_of(bits: u32) -> u64 {
        match 1u64.checked_shl(bits) {
            Some(end) => end,
            None => u64::MAX,
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
