use super::{Iova, IovaLayout, Translation};
use crate::{
    address::DmaAddr,
    size::{Bytes, PageSize},
};

/// Why a [`Translation`] cannot serve a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranslationError {
    /// There is no page size.
    #[error("there is no page size: give at least one")]
    NoPageSize,
    /// Its smallest page is larger than the kernel's.
    #[error(
        "its smallest page ({granule}) is larger than the kernel's ({page}), so Linux does not use it"
    )]
    LargePages {
        /// Its smallest page.
        granule: PageSize,
        /// The kernel's.
        page: PageSize,
    },
    /// The boundary is not a mask of the kind 2^n - 1.
    #[error(
        "the segment boundary {boundary_mask:#x} is not a mask of low bits, such as 0xffffffff for 4G"
    )]
    NoMask {
        /// The mask.
        boundary_mask: u64,
    },
    /// The boundary is less than the kernel's page.
    #[error("{} is less than the kernel's page ({page})", Bytes(.boundary_mask + 1))]
    SmallBoundary {
        /// The mask.
        boundary_mask: u64,
        /// The kernel's page.
        page: PageSize,
    },
    /// The address bits cannot hold a page, or are more than 64.
    #[error("{bits} is not between {least} and 64")]
    AddressBits {
        /// How many there are.
        bits: u32,
        /// The fewest that there can be.
        least: u32,
    },
    /// The address given by hand is not a multiple of the smallest IO page.
    #[error("{iova} is not a multiple of the smallest IO page ({granule})")]
    Misaligned {
        /// The address.
        iova: DmaAddr,
        /// The smallest IO page.
        granule: PageSize,
    },
    /// The address is to be congruent to the NIC's, and each entry of a list has an address of its own.
    #[error(
        "\"congruent\" needs an IOMMU that gives a list one range; here each entry gets its own"
    )]
    NoRange,
}

impl Translation {
    /// Checks that Linux with pages of size `page` uses such an IOMMU. [`place`](Self::place) and [`map`](Self::map) rely on it.
    ///
    /// # Errors
    /// The first value that does not fit.
    pub fn check(&self, page: PageSize) -> Result<(), TranslationError> {
        let (granule, boundary_mask) = (self.granule(), self.boundary_mask);
        let least = page.log2() + 1;
        if self.page_sizes.is_empty() {
            return Err(TranslationError::NoPageSize);
        }
        if granule > page {
            return Err(TranslationError::LargePages { granule, page });
        }
        if boundary_mask & boundary_mask.wrapping_add(1) != 0 {
            return Err(TranslationError::NoMask { boundary_mask });
        }
        if boundary_mask < page.mask() {
            return Err(TranslationError::SmallBoundary {
                boundary_mask,
                page,
            });
        }
        if !(least..=64).contains(&self.address_bits) {
            return Err(TranslationError::AddressBits {
                bits: self.address_bits,
                least,
            });
        }
        match self.iova {
            Iova::At(iova) if iova.offset_in(granule) != 0 => {
                Err(TranslationError::Misaligned { iova, granule })
            }
            Iova::Congruent { .. } if self.layout != IovaLayout::OneAllocation => {
                Err(TranslationError::NoRange)
            }
            _ => Ok(()),
        }
    }
}
