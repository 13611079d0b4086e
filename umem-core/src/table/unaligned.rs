//! Devices that take a segment of any length at any address: one entry a DMA segment.
//!
//! The mail: *"we could support HW that can optimize with unaligned pages too, if there is
//! such a thing."* Segments are whole kernel pages, as the SG table has them.

use super::EntryRun;
use crate::iommu::DmaSegment;

/// The table: as many entries as there are segments.
pub fn entries(segments: impl Iterator<Item = DmaSegment>) -> impl Iterator<Item = EntryRun> {
    segments.map(entry)
}

/// The entry of one segment.
#[inline]
pub(crate) fn entry(segment: DmaSegment) -> EntryRun {
    EntryRun {
        offset: segment.offset as i64,
        address: segment.start,
        size: segment.length,
        count: 1,
    }
}
