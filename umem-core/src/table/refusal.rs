//! Why there is no table: what the kernel or the device refuses.
//!
//! A new reason is a variant of [`Refusal`], its [code](Refusal::code) and its sentence, all in this file.

use super::KernelBug;
use crate::{
    address::DmaAddr,
    iommu::MapError,
    size::{Bytes, PageSize, PageSizes},
};
use core::fmt;

/// Why there is no table. Lengths are in bytes.
///
/// [`code`](Self::code) is for programs; [`Display`](fmt::Display) says what was refused, where, and what would help.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The IOMMU cannot map the list.
    Map {
        /// Why not.
        error: MapError,
        /// What the kernel gets wrong when it fails.
        bug: Option<KernelBug>,
    },
    /// The region is longer than the device registers at once.
    TooLong {
        /// The region's length.
        length: u64,
        /// The device's limit.
        most: u64,
    },
    /// The device offers no page size at all.
    NoSizes,
    /// None of the device's page sizes fits the whole region.
    NoneFits {
        /// The device's page sizes.
        sizes: PageSizes,
        /// What an old kernel does instead of refusing.
        bug: Option<KernelBug>,
    },
    /// Blocks of the smallest size would leave the pinned pages.
    NoExactTiling {
        /// The device's smallest page.
        smallest: PageSize,
        /// Where the contiguous run begins: bytes from `region.va`.
        offset: u64,
        /// The block that leaves them.
        block: DmaAddr,
        /// Where the run's pinned pages begin.
        pinned: DmaAddr,
        /// The first address after them.
        pinned_end: DmaAddr,
    },
    /// The table would have more entries than the device holds.
    TooManyEntries {
        /// How many it would have.
        total: u64,
        /// The device's limit.
        most: u64,
    },
}

impl Refusal {
    /// Its name, for programs: `no-exact-tiling`, `no-page-size`, `too-many-entries`, ….
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Map { .. } => "iommu-map-failed",
            Self::TooLong { .. } => "too-long",
            Self::NoSizes | Self::NoneFits { .. } => "no-page-size",
            Self::NoExactTiling { .. } => "no-exact-tiling",
            Self::TooManyEntries { .. } => "too-many-entries",
        }
    }

    /// What an old kernel gets wrong on the way.
    pub const fn kernel_bug(&self) -> Option<&KernelBug> {
        match self {
            Self::Map { bug, .. } | Self::NoneFits { bug, .. } => bug.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map { error, .. } => error.fmt(f),
            Self::TooLong { length, most } => write!(
                f,
                "the device registers at most {} at once, and the region has {}: split it",
                Bytes(*most),
                Bytes(*length)
            ),
            Self::NoSizes => f.write_str("the device offers no page size: give it at least one"),
            Self::NoneFits { sizes, .. } => write!(
                f,
                "none of the device's page sizes ({sizes}) fits the whole region, and drivers then refuse it (EINVAL): back it with \
                 larger pages, align it, or let the device use smaller ones"
            ),
            Self::NoExactTiling {
                smallest,
                offset,
                block,
                pinned,
                pinned_end,
            } => write!(
                f,
                "no exact tiling: the device's smallest page is {smallest}, and a {smallest} block at offset {} (DMA {block}) would \
                 leave the pinned pages {pinned} to {pinned_end}; align the region to {smallest}, or let the device use smaller pages",
                Bytes(*offset)
            ),
            Self::TooManyEntries { total, most } => write!(
                f,
                "the table would have {total} entries, and the device holds at most {most}: register less, or back the region with larger pages"
            ),
        }
    }
}

impl core::error::Error for Refusal {}
