//! Physical addresses are secrets: they help attackers. So a capture shifts them by a common distance.
//!
//! The distance is a multiple of every size that a table entry of this memory can have. Then no address changes its
//! alignment to any of them, nor do two runs change their distance, and every answer stays the same. What the file still
//! tells is the low bits, which all answers depend on, and how far runs lie from each other.

use umem_core::{
    address::PhysAddr,
    device::CATALOGUE,
    size::{PageSize, PageSizes},
};

use super::RunList;

/// How far the addresses of `runs` are shifted down, in bytes: as far as possible, so that the lowest run comes to lie
/// in the first [`granule`].
pub fn shift(runs: &RunList) -> u64 {
    let lowest = runs.iter().map(|run| run.start).min();
    let granule = granule(runs);
    lowest.map_or(0, |lowest| granule.align_down(lowest.get()))
}

/// `address` shifted down by `shift`, which came of the list that it is in.
pub fn rebased(address: PhysAddr, shift: u64) -> PhysAddr {
    PhysAddr::new(address.get() - shift)
}

/// What the shift is a multiple of: the largest page of any device of the catalogue, or, where an IOMMU could use
/// larger ones, the largest power of two that the longest run has room for.
fn granule(runs: &RunList) -> PageSize {
    let devices = CATALOGUE
        .iter()
        .fold(0, |all, device| all | device.page_sizes.bits());
    let device = PageSizes::from_bits(devices).largest();
    let longest = runs.iter().map(|run| run.length).max().unwrap_or(0);
    let run = longest.checked_ilog2().and_then(PageSize::from_log2);
    device.max(run).expect("devices have page sizes")
}
