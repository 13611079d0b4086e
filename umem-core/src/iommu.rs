//! `ScatterList` → `DmaList`: the addresses that the device uses.
//!
//! Without an IOMMU they are the physical ones. Behind one, `iommu_dma_map_sg()`
//! takes one stretch of IO virtual addresses (IOVA) for the whole list, lays the entries out in it one after the
//! other, and merges what became adjacent. Its start is aligned to the mapping's length rounded
//! up to a power of two, so the entries' own alignment **is lost**.

use crate::address::{DmaAddr, Extent};

mod catalogue;
mod check;
mod io_pages;
mod list;
mod map;
mod placed;
mod tce;
mod translation;

#[cfg(feature = "serde")]
pub(crate) use tce::follow;

pub use catalogue::{CATALOGUE, DEFAULT, IommuProfile, find, names};
pub use check::TranslationError;
pub use io_pages::{IoPageRun, IoPages};
pub use list::DmaList;
pub use map::{MapError, Mapping};
pub use translation::{Iova, IovaLayout, Translation};

/// A segment of the DMA list: a run of device addresses that backs a run of the region.
pub type DmaSegment = Extent<DmaAddr>;
