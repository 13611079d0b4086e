use crate::{
    address::{PhysAddr, VirtAddr},
    iommu::{MapError, TranslationError},
    size::{Bytes, PageSize},
};

/// Why a region cannot be pinned and mapped. Lengths are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UmemError {
    /// The region has no byte.
    #[error(
        "the region is empty, and the kernel registers no empty region (EINVAL): give at least 1 byte"
    )]
    EmptyRegion,
    /// The region passes the end of the address space, or its last page does.
    #[error("{} from {address} pass the end of the address space", Bytes(*.length))]
    Wraps {
        /// Where it begins, as the program or the NIC has it.
        address: VirtAddr,
        /// Its length.
        length: u64,
    },
    /// The NIC's address has another offset in the kernel's page than the program's, which uverbs refuses (`EINVAL`).
    #[error(
        "the NIC's address {hca} and the region's address {address} differ below the kernel's page ({page}), which uverbs refuses (EINVAL): make their offsets in the page equal"
    )]
    HcaOffset {
        /// The program's address.
        address: VirtAddr,
        /// The NIC's.
        hca: VirtAddr,
        /// The kernel's page.
        page: PageSize,
    },
    /// The region has more pages than `ib_umem_get()` takes, `UINT_MAX` (`EINVAL`).
    #[error(
        "the region has {pages} pages, and the kernel registers at most {} at once (EINVAL): split the region",
        u32::MAX
    )]
    TooManyPages {
        /// How many it has.
        pages: u64,
    },
    /// The device's longest segment is shorter than the kernel's page (`EINVAL`).
    #[error("the device's longest segment ({}) is shorter than the kernel's page ({page}), which Linux refuses (EINVAL)", Bytes((*.max_segment).into()))]
    ShortSegment {
        /// The device's.
        max_segment: u32,
        /// The kernel's.
        page: PageSize,
    },
    /// A run of frames is empty, or is not made of whole pages.
    #[error("frames {index}, {} at {start}, are not one or more whole pages of {page}", Bytes(*.length))]
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
    #[error("frames {index}, {} at {start}, pass the end of the address space", Bytes(*.length))]
    FramesWrap {
        /// Which run, from 0.
        index: usize,
        /// Where it begins.
        start: PhysAddr,
        /// Its length.
        length: u64,
    },
    /// The frames hold fewer bytes than the region's pages, or more.
    #[error("the frames hold {}{}, and the region's pages {}: give the frames of the pinned pages, no more and no fewer", if given > needed { "at least " } else { "" }, Bytes(*.given), Bytes(*.needed))]
    OtherLength {
        /// The frames' length, at least: counting stops once there are too many.
        given: u64,
        /// That of the region's pages.
        needed: u64,
    },
    /// The IOMMU's values do not fit together, or do not fit the kernel's page.
    #[error("the IOMMU: {0}")]
    Iommu(TranslationError),
    /// The IOMMU cannot map the list.
    #[error("{0}")]
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
