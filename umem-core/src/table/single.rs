//! Devices that take one page size for a whole region: mainline's way, and every driver's.
//!
//! [`Sweep`] is `ib_umem_find_best_pgsz()`: it sweeps the DMA list once and gathers the bits that
//! forbid sizes. [`Single`] is `rdma_umem_for_each_dma_block()`: the blocks of that size. [`Choice`] says which drivers chose, and
//! choose, in other ways.

mod blocks;
mod choice;
mod cont_pages;
mod optimal_mtt;
mod sweep;

pub use blocks::Single;
pub use choice::{Choice, NicAddress};
pub use sweep::{Constraint, ConstraintCode, Sweep};

use super::Mr;
use crate::{
    iommu::DmaSegment,
    kernel::KernelRules,
    size::{PageSize, PageSizes},
};

/// The one size that serves the whole region best, or `None` where none fits:
/// `ib_umem_find_best_pgsz()`.
///
/// [`explain::best_page_size_limits`](crate::explain::best_page_size_limits) says why it is not larger.
///
/// The segments are those of the region's pages: they begin with the first pinned page, in which the region begins, and end with the last.
/// Their lengths are not compared with the region's: a list that is too short or too long is answered as it stands. The first and the last
/// block of the size may reach beyond the region, as [`BlockEdges::Open`](super::BlockEdges::Open) says.
///
/// ```
/// use umem_core::{address::{Consecutive, DmaAddr, VirtAddr}, kernel::KernelRules, size::{PageSize, PageSizes}, table::{Mr, single}};
/// // 4M at 0xffc00000 behind an IOMMU; the region begins 4K into its first 2M page.
/// let dma = Consecutive::new([(DmaAddr::new(0xffc0_0000), 4 << 20)]);
/// let address = VirtAddr::new(0x7f00_0000_1000);
/// let mr = Mr::new(address, 4 << 20, PageSize::K4);
/// let sizes = PageSizes::from_bits(0x4020_1000);
/// let best = single::best_page_size(dma.clone(), &mr, sizes, KernelRules::newest());
/// assert_eq!(best, Some(PageSize::K4)); // 1024 entries: the address and the IOVA differ in bit 12
/// ```
pub fn best_page_size(
    segments: impl Iterator<Item = DmaSegment>,
    mr: &Mr,
    sizes: PageSizes,
    rules: &KernelRules,
) -> Option<PageSize> {
    let mut sweep = Sweep::new(mr, sizes, rules);
    for segment in segments {
        sweep.push(segment, |_| ());
    }
    sweep.best()
}

/// How many blocks of `size` cover the region in the NIC's addresses: `ib_umem_num_dma_blocks()`.
///
/// Blocks are cut at multiples of their size of the HCA address, so the first and the last may reach beyond the region.
pub fn block_count(mr: &Mr, size: PageSize) -> u64 {
    let first = u128::from(mr.hca_address.get());
    let end = first + u128::from(mr.length);
    (end.div_ceil(u128::from(size.bytes())) - (first >> size.log2())) as u64
}

/// Whether blocks of `size` translate every address of the region correctly.
///
/// By the rules of 7.2, with `size` alone as the bitmap.
pub fn is_sound(segments: impl Iterator<Item = DmaSegment>, mr: &Mr, size: PageSize) -> bool {
    best_page_size(
        segments,
        mr,
        PageSizes::EMPTY.with(size),
        KernelRules::newest(),
    ) == Some(size)
}
