use crate::{
    address::{PhysAddr, VirtAddr},
    iommu::{MapError, TranslationError},
    size::{Bytes, PageSize},
};
use core::fmt;

/// Why a region cannot be pinned and mapped. Lengths are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UmemError {
    /// The region has no byte.
    EmptyRegion,
    /// The region passes the end of the address space, or its last page does.
    Wraps {
        /// Where it begins, as the program or the NIC has it.
        address: VirtAddr,
        /// Its length.
        length: u64,
    },
    /// The NIC's address has another offset in the kernel's page than the program's, which uverbs refuses (`EINVAL`).
    HcaOffset {
        /// The program's address.
        address: VirtAddr,
        /// The NIC's.
        hca: VirtAddr,
        /// The kernel's page.
        page: PageSize,
    },
    /// The region has more pages than `ib_umem_get()` takes, `UINT_MAX` (`EINVAL`).
    TooManyPages {
        /// How many it has.
        pages: u64,
    },
    /// The device's longest segment is shorter than the kernel's page (`EINVAL`).
    ShortSegment {
        /// The device's.
        max_segment: u32,
        /// The kernel's.
        page: PageSize,
    },
    /// A run of frames is empty, or is not made of whole pages.
    PartialPage {
        /// Which run, from 0.
        index: usize,
        /// Where it begins.
        start: PhysAddr,
        /// Its length.
        length: u64,
        /// The kernel's page.
        page: PageSize,
    },
    /// A run of frames passes the end of the address space.
    FramesWrap {
        /// Which run, from 0.
        index: usize,
        /// Where it begins.
        start: PhysAddr,
        /// Its length.
        length: u64,
    },
    /// The frames hold fewer bytes than the region's pages, or more.
    OtherLength {
        /// The frames' length, at least: they are not counted on once there are too many.
        given: u64,
        /// That of the region's pages.
        needed: u64,
    },
    /// The IOMMU's values do not fit together, or do not fit the kernel's page.
    Iommu(TranslationError),
    /// The IOMMU cannot map the list.
    Map(MapError),
}

impl UmemError {
    /// Its name, for programs: `empty-region`, `partial-page`, ….
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyRegion => "empty-region",
            Self::Wraps { .. } => "wraps",
            Self::HcaOffset { .. } => "hca-offset",
            Self::TooManyPages { .. } => "too-many-pages",
            Self::ShortSegment { .. } => "short-segment",
            Self::PartialPage { .. } => "partial-page",
            Self::FramesWrap { .. } => "frames-wrap",
            Self::OtherLength { .. } => "other-length",
            Self::Iommu(_) => "iommu",
            Self::Map(_) => "iommu-map-failed",
        }
    }
}

impl fmt::Display for UmemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::EmptyRegion => f.write_str(
                "the region is empty, and the kernel registers no empty region (EINVAL): give at least 1 byte",
            ),
            Self::Wraps { address, length } => write!(
                f,
                "{} from {address} pass the end of the address space",
                Bytes(length)
            ),
            Self::HcaOffset { address, hca, page } => write!(
                f,
                "the NIC's address {hca} and the region's address {address} differ below the kernel's page ({page}), which \
                 uverbs refuses (EINVAL): make their offsets in the page equal"
            ),
            Self::TooManyPages { pages } => write!(
                f,
                "the region has {pages} pages, and the kernel registers at most {} at once (EINVAL): split the region",
                u32::MAX
            ),
            Self::ShortSegment { max_segment, page } => write!(
                f,
                "the device's longest segment ({}) is shorter than the kernel's page ({page}), which Linux refuses (EINVAL)",
                Bytes(max_segment.into())
            ),
            Self::PartialPage {
                index,
                start,
                length,
                page,
            } => write!(
                f,
                "frames {index}, {} at {start}, are not one or more whole pages of {page}",
                Bytes(length)
            ),
            Self::FramesWrap {
                index,
                start,
                length,
            } => write!(
                f,
                "frames {index}, {} at {start}, pass the end of the address space",
                Bytes(length)
            ),
            Self::OtherLength { given, needed } => write!(
                f,
                "the frames hold {}{}, and the region's pages {}: give the frames of the pinned pages, no more and no fewer",
                if given > needed { "at least " } else { "" },
                Bytes(given),
                Bytes(needed)
            ),
            Self::Iommu(ref error) => write!(f, "the IOMMU: {error}"),
            Self::Map(ref error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UmemError {}
