//! `mlx4_ib_umem_calc_optimal_mtt_size()` [linux 6.12, mlx4/mr.c]: how mlx4 chose before 6.14.
//!
//! Contiguous entries count as one run. A page may be as large as the first bit in which the program's address and the first device
//! address differ, and as every inner end of a run is aligned in device addresses. Nothing bounds it by the region's length.

use super::{Constraint, ConstraintCode};
use crate::{address::DmaAddr, iommu::DmaSegment, size::PageSize, table::Mr};

/// `MLX4_MAX_MTT_SHIFT`.
const LARGEST_LOG2: u32 = 31;

/// The largest size that serves the region; `on` gets whatever makes it smaller.
pub(super) fn most(
    segments: impl Iterator<Item = DmaSegment>,
    mr: &Mr,
    mut on: impl FnMut(Constraint),
) -> PageSize {
    let first = mr.address.align_down(mr.page);
    let mut log2 = LARGEST_LOG2.max(mr.page.log2());
    let mut end: Option<DmaAddr> = None;
    let mut va = first;
    for (number, segment) in segments.enumerate() {
        let start = segment.start;
        let mut lower = |to: u32, code| {
            if to >= log2 {
                return;
            }
            log2 = to;
            on(Constraint {
                code,
                bit: to,
                segment: number as u64,
                offset: segment.offset,
                hca_address: va,
                dma_address: start,
            });
        };
        match end {
            // `alignment_of(0)` is -1 as a u64: equal addresses forbid nothing.
            None => lower(
                (first.get() ^ start.get()).trailing_zeros(),
                ConstraintCode::Congruence,
            ),
            Some(end) if end != start => lower(
                (start.get() | end.get()).trailing_zeros(),
                ConstraintCode::Discontinuity,
            ),
            Some(_) => {}
        }
        if log2 <= mr.page.log2() {
            return mr.page;
        }
        end = Some(start.wrapping_add(segment.length));
        va = va.wrapping_add(segment.length);
    }
    PageSize::from_log2(log2).unwrap_or(mr.page)
}
