//! Layouts from a fuzzer's bytes, over all of 64 bits.

use arbitrary::Arbitrary;
use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    iommu::DmaSegment,
    size::{PageSize, PageSizes},
    table::Mr,
};

/// A DMA list, a region in it, and a device's sizes.
#[derive(Arbitrary, Clone, Debug)]
pub struct Layout {
    /// Whether a segment follows the last one at once, where it begins otherwise, and its pages.
    segments: Vec<(bool, u64, u32)>,
    /// What of the first and the last page is not registered.
    head: u16,
    tail: u16,
    /// The address, and the NIC's, less their offset in the page.
    address: u64,
    hca_address: u64,
    /// The sizes.
    pub sizes: u64,
    /// How much of the addresses' low bits is kept.
    shift: u8,
}

impl Layout {
    /// The list and the region, unless they leave the address space.
    pub fn build(&self) -> Option<(Vec<DmaSegment>, Mr)> {
        let page = PageSize::K4;
        let (mut list, mut offset, mut at) = (Vec::new(), 0u64, 0u64);
        for &(follows, start, pages) in &self.segments {
            let length = u64::from(pages).checked_add(1)?.checked_mul(page.bytes())?;
            let start = if follows {
                at
            } else {
                start << (self.shift % 32) & !page.mask()
            };
            at = start.checked_add(length)?;
            list.push(Extent {
                offset,
                start: DmaAddr::new(start),
                length,
            });
            offset = offset
                .checked_add(length)
                .filter(|offset| *offset < 1 << 53)?;
        }
        let (head, tail) = (
            u64::from(self.head) & page.mask(),
            u64::from(self.tail) & page.mask(),
        );
        let length = offset
            .checked_sub(head + tail)
            .filter(|length| *length > 0)?;
        let address = VirtAddr::new((self.address & !page.mask()) | head);
        let hca_address = VirtAddr::new((self.hca_address & !page.mask()) | head);
        hca_address.checked_add(length)?;
        address.checked_add(length)?;
        Some((
            list,
            Mr {
                address,
                length,
                hca_address,
                page,
                offset: head,
            },
        ))
    }

    /// The sizes as a set.
    pub fn sizes(&self) -> PageSizes {
        PageSizes::from_bits(self.sizes)
    }
}
