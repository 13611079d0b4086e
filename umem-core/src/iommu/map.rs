//! A whole list, mapped: where it begins, how long it is, and what prevents it.

use super::{Iova, IovaLayout, Translation, placed::Placed, tce::Pools};
use crate::{address::DmaAddr, gate::Errno, scatter::SgEntry};

/// Why a list cannot be mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MapError {
    /// No stretch of free IOVA is long enough (`-ENOMEM`).
    #[error(
        "the mapping needs {length} bytes of IO virtual addresses, aligned to the next power of two, and {address_bits} address bits do not hold them: register less, or give the IOMMU more address bits"
    )]
    Exhausted {
        /// The length that was needed, in bytes.
        length: u64,
        /// The width of IO virtual addresses in bits.
        address_bits: u32,
    },
    /// Padding an entry up to whole IO pages, or to the boundary, makes its length 2^32 or more, which does not fit
    /// `scatterlist.length`: the kernel maps less than it must, and the mapping fails (`-EINVAL`).
    ///
    /// `prev->length += pad_len` in `iommu_dma_map_sg()`, when the entry begins on the boundary itself: described by N. Chen on the
    /// iommu list on 2020-03-05. It affects every run of more than 4G if the device has no largest segment: the entries are then 4G-4K
    /// and the rest. Kernels without [`pad_checked`](crate::kernel::KernelRules::pad_checked) leave what was mapped by then, though
    /// its addresses are freed. Confirmed by `cargo xtask lab overflow` behind VT-d and AMD-Vi: left on Linux 6.1.192, 6.12.95 and
    /// 7.2.12, not on 6.12.118.
    #[error(
        "the SG entry at offset {offset:#x}, padded up to whole IO pages or to the segment boundary, is 4G or longer, which scatterlist.length cannot hold: the kernel maps less than it must, and fails with EINVAL"
    )]
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

impl Translation {
    /// Where the kernel begins a mapping of `length` bytes: `iommu_dma_alloc_iova()` and
    /// `alloc_iova_fast()` [linux 7.2].
    ///
    /// As high as it fits below 4G, else below 2^`address_bits`, and always a multiple of `length`
    /// rounded up to a power of two. Address 0 is never used. A real kernel also avoids what is
    /// taken and reserved, so **only the alignment is a promise**.
    ///
    /// A range whose list is to lie [congruent](Iova::Congruent) is a multiple of that modulus as well.
    pub fn place(&self, length: u64) -> Result<DmaAddr, MapError> {
        match self.layout {
            IovaLayout::EachEntry => Pools::new(self).allocate(length).map(DmaAddr::get),
            IovaLayout::Direct { offset } => Some(offset),
            IovaLayout::OneAllocation | IovaLayout::EachAligned => {
                let least = match self.iova {
                    Iova::Congruent { modulo, .. } => modulo.bytes(),
                    Iova::Kernel | Iova::At(_) => 1,
                };
                [self.address_bits.min(32), self.address_bits]
                    .into_iter()
                    .find_map(|bits| {
                        let aligned = length.checked_next_power_of_two()?.max(least);
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

    /// Maps the list: an address for its first page, and the length of the whole.
    ///
    /// Walks the list once and stores nothing.
    pub fn map(&self, entries: impl Iterator<Item = SgEntry> + Clone) -> Result<Mapping, MapError> {
        if self.layout != IovaLayout::OneAllocation {
            return self.map_entries(entries);
        }
        let lead = self.lead(entries.clone().next());
        let mut placed = Placed::new(entries, *self, DmaAddr::new(lead), lead);
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
            Iova::Kernel | Iova::Congruent { .. } => self.place(length)? + lead,
            Iova::At(start) => start,
        };
        let length = length - lead;
        let end = start.get().checked_add(length);
        if end.is_none_or(|end| end > Self::end_of(self.address_bits)) {
            return Err(MapError::Exhausted {
                length,
                address_bits: self.address_bits,
            });
        }
        Ok(Mapping {
            start,
            length,
            lead,
        })
    }

    /// Each entry by itself.
    fn map_entries(&self, entries: impl Iterator<Item = SgEntry>) -> Result<Mapping, MapError> {
        let start = match self.iova {
            Iova::Kernel | Iova::Congruent { .. } => DmaAddr::new(0),
            Iova::At(start) => start,
        };
        let mut placed = Placed::new(entries, *self, start, 0);
        let first = placed.next();
        placed.by_ref().for_each(drop);
        match first {
            Some((start, _)) if !placed.exhausted => Ok(Mapping::new(start, placed.length)),
            None if !placed.exhausted => Ok(Mapping::new(DmaAddr::new(0), 0)),
            _ => Err(MapError::Exhausted {
                length: placed.length,
                address_bits: self.address_bits,
            }),
        }
    }
}

/// A range of IO virtual addresses that holds a whole list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// The address of the list's first page.
    pub start: DmaAddr,
    /// Its length in bytes, padding included.
    pub length: u64,
    /// How far behind the beginning of the range the list begins, in bytes: more than 0 only of a [congruent](Iova::Congruent) one.
    pub(super) lead: u64,
}

impl Mapping {
    /// A list from `start` on, `length` bytes long, as a kernel maps it.
    pub const fn new(start: DmaAddr, length: u64) -> Self {
        Self {
            start,
            length,
            lead: 0,
        }
    }
}
