//! What can be wrong with a field of a scenario: each problem with its code and its sentence.

use super::LayoutName;
use crate::{
    address::{PhysAddr, VirtAddr},
    iommu::TranslationError,
    kernel::NotAKernel,
    memory::RunError,
    size::{Bytes, PageSize, SizeError},
};
use alloc::{string::String, vec::Vec};

/// What can be wrong with a field: what it holds, what was expected, what to do. Lengths are in bytes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks.
    #[error("{0}")]
    Json(String),
    /// A refusal by a program's own limits.
    #[error("{0}")]
    Other(String),
    /// A version that this crate does not know.
    #[error("is {0}, but this program knows version 1 only")]
    Version(u32),
    /// A name that is in no catalogue.
    #[error("\"{name}\" is not known here; there are {}", .known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Those that exist.
        known: Vec<&'static str>,
    },
    /// A text that names no kernel.
    #[error("\"{name}\" {error}")]
    Kernel {
        /// The text.
        name: String,
        /// Why not.
        error: NotAKernel,
    },
    /// A generation of the rules beside a release, which says the rules already.
    #[error("stands beside \"release\", which says the rules already: give one of them")]
    RulesAndRelease,
    /// A text that is not a size.
    #[error("\"{text}\" {error}")]
    Size {
        /// The text.
        text: String,
        /// Why not.
        error: SizeError,
    },
    /// Not a power of two, or one too large.
    #[error("{} is not a power of two below 8P", Bytes(*.0))]
    NotPowerOfTwo(u64),
    /// A kernel page that Linux does not have.
    #[error("{0} is not between 4K and 256K, the pages that Linux has")]
    KernelPage(PageSize),
    /// An empty list of page sizes.
    #[error("is empty: give at least one size")]
    NoSizes,
    /// No page sizes, and no catalogue entry to take them from.
    #[error("is missing: say which page sizes the device supports, such as [\"4K\", \"2M\"]")]
    SizesMissing,
    /// A virtual address inside a page of the kernel.
    #[error("{va} is not a multiple of the kernel's page ({page})")]
    VaInPage {
        /// The address.
        va: VirtAddr,
        /// The kernel's page.
        page: PageSize,
    },
    /// An empty region.
    #[error("is 0, and the kernel registers no empty region (EINVAL): give at least 1 byte")]
    EmptyRegion,
    /// A length that passes the end of the address space.
    #[error("{} from {from} passes the end of the address space", Bytes(*.length))]
    Wraps {
        /// The length.
        length: u64,
        /// Where it begins.
        from: VirtAddr,
    },
    /// More pages than the kernel registers at once.
    #[error("{} are {pages} pages of {page}, and the kernel registers at most {} at once (ib_umem_get() returns EINVAL above UINT_MAX): split the region", Bytes(*.length), u32::MAX)]
    TooManyPages {
        /// The region's length.
        length: u64,
        /// Its pages.
        pages: u64,
        /// The kernel's page.
        page: PageSize,
    },
    /// The NIC's address lies differently in its page than the region's.
    #[error(
        "{hca} and the region's address {address} differ below the kernel's page ({page}), which uverbs refuses (EINVAL): make their offsets in the page equal"
    )]
    HcaOffset {
        /// The NIC's address.
        hca: VirtAddr,
        /// The region's.
        address: VirtAddr,
        /// The kernel's page.
        page: PageSize,
    },
    /// Pages of memory smaller than the kernel's.
    #[error("{size} is smaller than the kernel's page ({page})")]
    SmallPage {
        /// The memory's page.
        size: PageSize,
        /// The kernel's.
        page: PageSize,
    },
    /// A length of memory that is not whole pages.
    #[error("{} is not a multiple of the kernel's page ({page})", Bytes(*.length))]
    PartialPage {
        /// The length.
        length: u64,
        /// The kernel's page.
        page: PageSize,
    },
    /// A region that ends beyond its memory.
    #[error("the region ends {} after region.va, beyond the {} of memory: make it shorter, or memory.length longer", Bytes(*.end), Bytes(*.memory))]
    BeyondMemory {
        /// Where the region ends, in bytes from `region.va`.
        end: u64,
        /// The memory's length.
        memory: u64,
    },
    /// Both a layout and extents.
    #[error("has both layout and extents: give one of them")]
    LayoutAndExtents,
    /// Neither a layout nor extents.
    #[error("has neither layout nor extents: give one of them")]
    NoLayout,
    /// A field of layouts beside extents.
    #[error("belongs to a layout, but the memory is given by extents: leave it out")]
    OnlyForLayouts,
    /// What only a dma-buf has.
    #[error("belongs to a dma-buf: leave it out, or give the memory the kind \"dma-buf\"")]
    OnlyForDmaBufs,
    /// A memory longer than its extents.
    #[error("{} are more than the extents' {}", Bytes(*.length), Bytes(*.extents))]
    LongerThanExtents {
        /// The memory's length.
        length: u64,
        /// The extents' length.
        extents: u64,
    },
    /// A layout that begins inside a page.
    #[error("{start} is not a multiple of the memory's page ({page})")]
    StartInPage {
        /// Where it begins.
        start: PhysAddr,
        /// The memory's page.
        page: PageSize,
    },
    /// A layout that leaves the physical address space.
    #[error("{} of {} memory from {start} leave the address space", Bytes(*.length), .layout.name())]
    LayoutWraps {
        /// Which.
        layout: LayoutName,
        /// The memory's length.
        length: u64,
        /// Where it begins.
        start: PhysAddr,
    },
    /// A set without registrations.
    #[error("is empty: give at least one registration")]
    NoRegistrations,
    /// A set where a scenario was expected.
    #[error(
        "this is a set of many regions (\"registrations\"), and a scenario of one region (\"region\", \"memory\") is expected here"
    )]
    IsASet,
    /// A scenario where a set was expected.
    #[error(
        "this is a scenario of one region (\"region\", \"memory\"), and a set of many (\"registrations\") is expected here"
    )]
    IsAScenario,
    /// An empty list of extents.
    #[error("is empty: give at least one extent")]
    NoExtents,
    /// A wrong extent.
    #[error("[{start}, {}] {error}", Bytes(*.length))]
    Extent {
        /// Where it begins.
        start: PhysAddr,
        /// Its length.
        length: u64,
        /// What is wrong with it.
        error: RunError,
    },
    /// A wrong run of a vector.
    #[error("{0}")]
    Run(RunError),
    /// A region that is not the pages of a vector's list.
    #[error("{length} bytes from {address} are not the pages of dma ({list} bytes)")]
    NotThePages {
        /// The region's length.
        length: u64,
        /// Where it begins.
        address: VirtAddr,
        /// The list's length.
        list: u64,
    },
    /// A segment limit of more than 32 bits.
    #[error("{} is more than 0xffffffff, the most that Linux has", Bytes(*.0))]
    LongSegment(u64),
    /// A segment limit below the kernel's page.
    #[error("{} is less than the kernel's page ({page}), which Linux refuses (EINVAL)", Bytes((*.most).into()))]
    ShortSegment {
        /// The limit.
        most: u32,
        /// The kernel's page.
        page: PageSize,
    },
    /// A limit of 0.
    #[error("is 0: give at least 1, or leave it out")]
    Zero,
    /// A number of 2^53 or more, which JSON cannot hold exactly.
    #[error("{0} is 2^53 or more")]
    TooLarge(u64),
    /// A table entry of more than 4096 bytes.
    #[error("{0} is more than 4096")]
    LongEntry(u64),
    /// An IOMMU that Linux would not use.
    #[error("{0}")]
    Iommu(TranslationError),
    /// Too much text around the extents.
    #[error("more than {} without the extents: this is not a scenario", Bytes(*.most))]
    TooLong {
        /// The limit.
        most: u64,
    },
    /// More extents than the reader may keep.
    #[error("more than {most}, the most that there is memory for")]
    TooManyExtents {
        /// The limit.
        most: usize,
    },
}

impl Problem {
    /// Its name, for programs: `unknown`, `wraps`, `too-many-pages`, ….
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Other(_) => "other",
            Self::Version(_) => "version",
            Self::Unknown { .. } => "unknown",
            Self::Kernel { .. } => "kernel",
            Self::RulesAndRelease => "rules-and-release",
            Self::Size { .. } => "size",
            Self::NotPowerOfTwo(_) => "not-a-power-of-two",
            Self::KernelPage(_) => "kernel-page",
            Self::NoSizes | Self::SizesMissing => "no-sizes",
            Self::VaInPage { .. } | Self::StartInPage { .. } => "misaligned",
            Self::EmptyRegion => "empty-region",
            Self::Wraps { .. } | Self::LayoutWraps { .. } => "wraps",
            Self::TooManyPages { .. } => "too-many-pages",
            Self::HcaOffset { .. } => "hca-offset",
            Self::SmallPage { .. } => "small-page",
            Self::PartialPage { .. } => "partial-page",
            Self::BeyondMemory { .. } => "beyond-memory",
            Self::LayoutAndExtents => "layout-and-extents",
            Self::NoLayout => "no-layout",
            Self::OnlyForLayouts => "only-for-layouts",
            Self::OnlyForDmaBufs => "only-for-dma-bufs",
            Self::LongerThanExtents { .. } => "longer-than-extents",
            Self::NoRegistrations => "no-registrations",
            Self::IsASet => "is-a-set",
            Self::IsAScenario => "is-a-scenario",
            Self::NoExtents => "no-extents",
            Self::Extent { error, .. } | Self::Run(error) => error.code(),
            Self::NotThePages { .. } => "not-the-pages",
            Self::LongSegment(_) => "long-segment",
            Self::ShortSegment { .. } => "short-segment",
            Self::Zero => "zero",
            Self::TooLarge(_) => "too-large",
            Self::LongEntry(_) => "long-entry",
            Self::Iommu(_) => "iommu",
            Self::TooLong { .. } => "too-long",
            Self::TooManyExtents { .. } => "too-many-extents",
        }
    }
}
