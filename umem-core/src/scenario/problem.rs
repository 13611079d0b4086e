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
use core::fmt;

/// What can be wrong with a field: what it holds, what was expected, what to do. Lengths are in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Problem {
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks.
    Json(String),
    /// A refusal by a program's own limits.
    Other(String),
    /// A version that this crate does not know.
    Version(u32),
    /// A name that is in no catalogue.
    Unknown {
        /// The name.
        name: String,
        /// Those that exist.
        known: Vec<&'static str>,
    },
    /// A text that names no kernel.
    Kernel {
        /// The text.
        name: String,
        /// Why not.
        error: NotAKernel,
    },
    /// A generation of the rules beside a release, which says the rules already.
    RulesAndRelease,
    /// A text that is not a size.
    Size {
        /// The text.
        text: String,
        /// Why not.
        error: SizeError,
    },
    /// Not a power of two, or one too large.
    NotPowerOfTwo(u64),
    /// A kernel page that Linux does not have.
    KernelPage(PageSize),
    /// An empty list of page sizes.
    NoSizes,
    /// No page sizes, and no catalogue entry to take them from.
    SizesMissing,
    /// A virtual address inside a page of the kernel.
    VaInPage {
        /// The address.
        va: VirtAddr,
        /// The kernel's page.
        page: PageSize,
    },
    /// An empty region.
    EmptyRegion,
    /// A length that passes the end of the address space.
    Wraps {
        /// The length.
        length: u64,
        /// Where it begins.
        from: VirtAddr,
    },
    /// More pages than the kernel registers at once.
    TooManyPages {
        /// The region's length.
        length: u64,
        /// Its pages.
        pages: u64,
        /// The kernel's page.
        page: PageSize,
    },
    /// The NIC's address lies differently in its page than the region's.
    HcaOffset {
        /// The NIC's address.
        hca: VirtAddr,
        /// The region's.
        address: VirtAddr,
        /// The kernel's page.
        page: PageSize,
    },
    /// Pages of memory smaller than the kernel's.
    SmallPage {
        /// The memory's page.
        size: PageSize,
        /// The kernel's.
        page: PageSize,
    },
    /// A length of memory that is not whole pages.
    PartialPage {
        /// The length.
        length: u64,
        /// The kernel's page.
        page: PageSize,
    },
    /// A region that ends beyond its memory.
    BeyondMemory {
        /// Where the region ends, in bytes from `region.va`.
        end: u64,
        /// The memory's length.
        memory: u64,
    },
    /// Both a layout and extents.
    LayoutAndExtents,
    /// Neither a layout nor extents.
    NoLayout,
    /// A field of layouts beside extents.
    OnlyForLayouts,
    /// What only a dma-buf has.
    OnlyForDmaBufs,
    /// A memory longer than its extents.
    LongerThanExtents {
        /// The memory's length.
        length: u64,
        /// The extents' length.
        extents: u64,
    },
    /// A layout that begins inside a page.
    StartInPage {
        /// Where it begins.
        start: PhysAddr,
        /// The memory's page.
        page: PageSize,
    },
    /// A layout that leaves the physical address space.
    LayoutWraps {
        /// Which.
        layout: LayoutName,
        /// The memory's length.
        length: u64,
        /// Where it begins.
        start: PhysAddr,
    },
    /// A set without registrations.
    NoRegistrations,
    /// A set where a scenario was expected.
    IsASet,
    /// A scenario where a set was expected.
    IsAScenario,
    /// An empty list of extents.
    NoExtents,
    /// A wrong extent.
    Extent {
        /// Where it begins.
        start: PhysAddr,
        /// Its length.
        length: u64,
        /// What is wrong with it.
        error: RunError,
    },
    /// A wrong run of a vector.
    Run(RunError),
    /// A region that is not the pages of a vector's list.
    NotThePages {
        /// The region's length.
        length: u64,
        /// Where it begins.
        address: VirtAddr,
        /// The list's length.
        list: u64,
    },
    /// A segment limit of more than 32 bits.
    LongSegment(u64),
    /// A segment limit below the kernel's page.
    ShortSegment {
        /// The limit.
        most: u32,
        /// The kernel's page.
        page: PageSize,
    },
    /// A limit of 0.
    Zero,
    /// A number of 2^53 or more, which JSON cannot hold exactly.
    TooLarge(u64),
    /// A table entry of more than 4096 bytes.
    LongEntry(u64),
    /// An IOMMU that Linux would not use.
    Iommu(TranslationError),
    /// Too much text around the extents.
    TooLong {
        /// The limit.
        most: u64,
    },
    /// More extents than the reader may keep.
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

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(text) | Self::Other(text) => f.write_str(text),
            Self::Version(version) => {
                write!(f, "is {version}, but this program knows version 1 only")
            }
            Self::Unknown { name, known } => {
                write!(
                    f,
                    "\"{name}\" is not known here; there are {}",
                    known.join(", ")
                )
            }
            Self::Kernel { name, error } => write!(f, "\"{name}\" {error}"),
            Self::RulesAndRelease => f.write_str(
                "stands beside \"release\", which says the rules already: give one of them",
            ),
            Self::Size { text, error } => write!(f, "\"{text}\" {error}"),
            Self::NotPowerOfTwo(bytes) => {
                write!(f, "{} is not a power of two below 8P", Bytes(*bytes))
            }
            Self::KernelPage(page) => write!(
                f,
                "{page} is not between 4K and 256K, the pages that Linux has"
            ),
            Self::NoSizes => f.write_str("is empty: give at least one size"),
            Self::SizesMissing => f.write_str(
                "is missing: say which page sizes the device supports, such as [\"4K\", \"2M\"]",
            ),
            Self::VaInPage { va, page } => {
                write!(f, "{va} is not a multiple of the kernel's page ({page})")
            }
            Self::EmptyRegion => f.write_str(
                "is 0, and the kernel registers no empty region (EINVAL): give at least 1 byte",
            ),
            Self::Wraps { length, from } => write!(
                f,
                "{} from {from} passes the end of the address space",
                Bytes(*length)
            ),
            Self::TooManyPages {
                length,
                pages,
                page,
            } => write!(
                f,
                "{} are {pages} pages of {page}, and the kernel registers at most {} at once (ib_umem_get() returns EINVAL \
                 above UINT_MAX): split the region",
                Bytes(*length),
                u32::MAX
            ),
            Self::HcaOffset { hca, address, page } => write!(
                f,
                "{hca} and the region's address {address} differ below the kernel's page ({page}), which uverbs refuses \
                 (EINVAL): make their offsets in the page equal"
            ),
            Self::SmallPage { size, page } => {
                write!(f, "{size} is smaller than the kernel's page ({page})")
            }
            Self::PartialPage { length, page } => write!(
                f,
                "{} is not a multiple of the kernel's page ({page})",
                Bytes(*length)
            ),
            Self::BeyondMemory { end, memory } => write!(
                f,
                "the region ends {} after region.va, beyond the {} of memory: make it shorter, or memory.length longer",
                Bytes(*end),
                Bytes(*memory)
            ),
            Self::LayoutAndExtents => f.write_str("has both layout and extents: give one of them"),
            Self::NoLayout => f.write_str("has neither layout nor extents: give one of them"),
            Self::OnlyForLayouts => {
                f.write_str("belongs to a layout, but the memory is given by extents: leave it out")
            }
            Self::OnlyForDmaBufs => f.write_str(
                "belongs to a dma-buf: leave it out, or give the memory the kind \"dma-buf\"",
            ),
            Self::LongerThanExtents { length, extents } => write!(
                f,
                "{} are more than the extents' {}",
                Bytes(*length),
                Bytes(*extents)
            ),
            Self::StartInPage { start, page } => {
                write!(f, "{start} is not a multiple of the memory's page ({page})")
            }
            Self::LayoutWraps {
                layout,
                length,
                start,
            } => write!(
                f,
                "{} of {} memory from {start} leave the address space",
                Bytes(*length),
                layout.name()
            ),
            Self::NoRegistrations => f.write_str("is empty: give at least one registration"),
            Self::IsASet => f.write_str(
                "this is a set of many regions (\"registrations\"), and a scenario of one region (\"region\", \"memory\") is \
                 expected here",
            ),
            Self::IsAScenario => f.write_str(
                "this is a scenario of one region (\"region\", \"memory\"), and a set of many (\"registrations\") is expected here",
            ),
            Self::NoExtents => f.write_str("is empty: give at least one extent"),
            Self::Extent {
                start,
                length,
                error,
            } => {
                write!(f, "[{start}, {}] {error}", Bytes(*length))
            }
            Self::Run(error) => error.fmt(f),
            Self::NotThePages {
                length,
                address,
                list,
            } => write!(
                f,
                "{length} bytes from {address} are not the pages of dma ({list} bytes)"
            ),
            Self::LongSegment(bytes) => write!(
                f,
                "{} is more than 0xffffffff, the most that Linux has",
                Bytes(*bytes)
            ),
            Self::ShortSegment { most, page } => write!(
                f,
                "{} is less than the kernel's page ({page}), which Linux refuses (EINVAL)",
                Bytes((*most).into())
            ),
            Self::Zero => f.write_str("is 0: give at least 1, or leave it out"),
            Self::TooLarge(value) => write!(f, "{value} is 2^53 or more"),
            Self::LongEntry(bytes) => write!(f, "{bytes} is more than 4096"),
            Self::Iommu(error) => error.fmt(f),
            Self::TooLong { most } => write!(
                f,
                "more than {} without the extents: this is not a scenario",
                Bytes(*most)
            ),
            Self::TooManyExtents { most } => {
                write!(f, "more than {most}, the most that there is memory for")
            }
        }
    }
}
