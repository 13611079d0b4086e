//! The mail's one iterator: the blocks of any set of page sizes.
//!
//! *"HW that can support mixed pages would just use best_size == supported_sizes bitmaps"*: devices of one page size and devices
//! of many walk the same iterator, and only the bitmap differs.
//!
//! ```
//! use umem_core::{address::{Consecutive, DmaAddr, VirtAddr}, kernel::KernelRules, size::{PageSize, PageSizes}};
//! use umem_core::table::{BlockEdges, Mr, blocks, single};
//! // 4M-4K of two adjacent 2M pages, from 4K in.
//! let dma = Consecutive::new([(DmaAddr::new(0x4000_1000), 4092 << 10)]);
//! let address = VirtAddr::new(0x7f00_0000_1000);
//! let mr = Mr::new(address, 4092 << 10, PageSize::K4);
//! let supported = PageSizes::from_bits(0x301000);
//!
//! let mixed = blocks(dma.clone(), &mr, supported, BlockEdges::Exact)?;
//! assert_eq!(mixed.tally().to_string(), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
//!
//! let best = single::best_page_size(dma.clone(), &mr, supported, KernelRules::newest()).unwrap();
//! let one_size = blocks(dma.clone(), &mr, PageSizes::EMPTY.with(best), BlockEdges::Open)?;
//! assert_eq!(one_size.tally().to_string(), "2 entries: 2 × 2M");
//! # Ok::<(), umem_core::table::Refusal>(())
//! ```

use super::{
    Mr, Refusal,
    mixed::{Mixed, Overhang},
};
use crate::{address::DmaAddr, iommu::DmaSegment, size::PageSizes};

/// How far the first and the last block may reach beyond the region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BlockEdges {
    /// Not at all: the blocks tile the region, rounded to the smallest of the sizes. This is the mail's table.
    Exact,
    /// Over the pinned pages, and over contiguous backing memory before and after them.
    Within(Overhang),
    /// Anywhere, mapped or not, as with devices of one page size: `rdma_umem_for_each_dma_block()` rounds the first block
    /// down and the last one up. The device must never use the addresses outside the region. Of the mail's example this makes 2 × 2M.
    Open,
}

/// The blocks of `sizes` for the DMA segments of `mr`, as runs of equal ones: at each address the largest block that its alignment
/// and the bytes left allow.
///
/// [`BlockEdges::Open`] walks the segments once more, at the beginning.
///
/// With the one size that [`best_page_size`](super::single::best_page_size) names and [`BlockEdges::Open`] these are the blocks of
/// [`Single`](super::single::Single) by the rules of Linux 7.2, one by one; with all sizes of the device and [`BlockEdges::Exact`], those of the mail:
///
/// ```
/// use umem_core::{address::{Consecutive, DmaAddr, VirtAddr}, size::{Bytes, PageSize, PageSizes}, table::{BlockEdges, Mr, blocks}};
///
/// // 4M in one piece. The region begins 4K into it.
/// let segments = Consecutive::new([(DmaAddr::new(0x4000_1000), (4 << 20) - 4096)]);
/// let mr = Mr::new(VirtAddr::new(0x7f00_0000_1000), (4 << 20) - 4096, PageSize::K4);
/// let sizes = PageSizes::from([PageSize::K4, PageSize::M1, PageSize::M2]);
/// let table = blocks(segments, &mr, sizes, BlockEdges::Exact)?;
/// // Equal blocks come as a run; here they are, one by one.
/// let entries: Vec<_> = table.flat_map(|run| run.entries()).collect();
/// let last: Vec<_> = entries[254..].iter().map(|entry| format!("{} {}", entry.address, Bytes(entry.size))).collect();
/// assert_eq!(last, ["0x400ff000 4K", "0x40100000 1M", "0x40200000 2M"]);
/// # Ok::<(), umem_core::table::Refusal>(())
/// ```
///
/// # Errors
/// `no-page-size` when `sizes` is empty; `no-exact-tiling` when the smallest size is larger than the kernel's page, and a
/// block would leave what `edges` allows, reach into another segment's addresses, or end at 2^64.
pub fn blocks<I: Iterator<Item = DmaSegment> + Clone>(
    segments: I,
    mr: &Mr,
    sizes: PageSizes,
    edges: BlockEdges,
) -> Result<Mixed<I>, Refusal> {
    let overhang = match edges {
        BlockEdges::Exact => None,
        BlockEdges::Within(overhang) => Some(overhang),
        BlockEdges::Open => Some(everywhere(segments.clone())),
    };
    Mixed::new(segments, mr, sizes, overhang)
}

/// From the first address of all to the last.
fn everywhere(mut segments: impl Iterator<Item = DmaSegment>) -> Overhang {
    let first = segments.next();
    let last = segments.last().or(first);
    Overhang {
        before: first.map_or(0, |segment| segment.start.get()),
        after: last.map_or(0, |segment| DmaAddr::new(u64::MAX) - segment.end()),
    }
}
