//! `mlx5_ib_cont_pages()` [linux 5.10, mlx5/mem.c]: how mlx5 chose before 5.11.
//!
//! It never compares the program's address with the device's. A page may be as large as the program's address is aligned, and as every
//! run of contiguous device addresses but the last is, at both ends.

use super::{Constraint, ConstraintCode};
use crate::{
    address::{DmaAddr, VirtAddr},
    iommu::DmaSegment,
    size::PageSize,
    table::Mr,
};

/// The largest page that `log_page_size`, 5 bits of an mkey, can name.
const LARGEST_LOG2: u32 = 31;

/// The largest size that serves the region; `on` gets whatever makes it smaller.
pub(super) fn most(
    segments: impl Iterator<Item = DmaSegment>,
    mr: &Mr,
    mut on: impl FnMut(Constraint),
) -> PageSize {
    let page = mr.page.log2();
    let first = mr.address.align_down(mr.page);
    let mut log2 = LARGEST_LOG2.max(page);
    let mut lower = |to: u32, code, number, segment: Option<&DmaSegment>, hca_address: VirtAddr| {
        if to >= log2 {
            return;
        }
        log2 = to;
        on(Constraint {
            code,
            bit: to,
            segment: number,
            offset: segment.map_or(mr.offset, |segment| segment.offset),
            hca_address,
            dma_address: segment.map_or(DmaAddr::new(0), |segment| segment.start),
        });
    };
    lower(
        first.trailing_zeros(),
        ConstraintCode::StartAlignment,
        0,
        None,
        first,
    );
    // Where the run of contiguous addresses would go on, and how long it is so far.
    let (mut end, mut run) = (None, 0u64);
    let mut va = first;
    for (number, segment) in segments.enumerate() {
        let start = segment.start;
        if end != Some(start) {
            lower(
                (start.get() | run).trailing_zeros(),
                ConstraintCode::Discontinuity,
                number as u64,
                Some(&segment),
                va,
            );
            run = 0;
        }
        run += segment.length;
        end = start.checked_add(segment.length);
        va = va.wrapping_add(segment.length);
    }
    // `ilog2(roundup_pow_of_two(i))`, of pages.
    let covering = page + mr.pages().next_power_of_two().ilog2();
    lower(covering, ConstraintCode::Covers, 0, None, first);
    PageSize::from_log2(log2).unwrap_or(mr.page)
}
