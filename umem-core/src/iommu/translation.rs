//! An IOMMU's parameters.

use crate::{
    address::{DmaAddr, VirtAddr},
    scatter::SgEntry,
    size::{PageSize, PageSizes},
};

/// An IOMMU that translates, with the parameters of its driver and the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The page sizes of its own page table: `iommu_domain.pgsize_bitmap`.
    pub page_sizes: PageSizes,
    /// Where the mapping begins.
    pub iova: Iova,
    /// The boundary that no segment crosses, as a mask like in the kernel, such as 0xffffffff for 4G (`dma_get_seg_boundary()`).
    pub boundary_mask: u64,
    /// The width of IO virtual addresses in bits, 12 to 64.
    pub address_bits: u32,
    /// How entries are laid out.
    pub layout: IovaLayout,
}

/// Where the IOVA of the first pinned page comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Iova {
    /// The kernel chooses: see [`Translation::place`].
    #[default]
    Kernel,
    /// Given by hand, as with VFIO.
    At(DmaAddr),
    /// Where its low bits agree with the NIC's address. **A proposal**: no kernel places a range like this.
    ///
    /// The kernel would allocate a little more, and begin the list behind the beginning of the range.
    Congruent {
        /// The address that the NIC has for the first page that is mapped.
        address: VirtAddr,
        /// What the two addresses agree modulo: the device's largest page size. Less, where the list's first entry would cross a segment
        /// boundary otherwise.
        modulo: PageSize,
    },
}

/// How a platform lays the entries of a list out in IOVA space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IovaLayout {
    /// One allocation for the list, padded so that no entry crosses a segment boundary it need not
    /// cross: `iommu_dma_map_sg()` [linux 7.2; the same in 6.1 and 6.12].
    OneAllocation,
    /// An allocation for each entry, next fit, aligned to the kernel's page only, merged where they come out adjacent:
    /// `ppc_iommu_map_sg()` [linux 6.1 to 7.3].
    EachEntry,
    /// POWER's direct window: the physical address plus an offset, entry by entry, nothing merged: `dma_iommu_map_bypass()`
    /// [linux 6.1 to 7.3].
    Direct {
        /// What is added, in bytes.
        offset: u64,
    },
    /// An allocation for each entry, aligned to its length rounded up to a power of two, each below the one before, nothing merged:
    /// what an exporter of a dma-buf gets that maps its entries by `dma_map_resource()` [linux 7.2, `__iommu_dma_map()`].
    EachAligned,
}

impl Translation {
    /// The same, for an exporter that maps the entries of a list one by one.
    pub const fn entry_by_entry(mut self) -> Self {
        if matches!(self.layout, IovaLayout::OneAllocation) {
            self.layout = IovaLayout::EachAligned;
        }
        self
    }

    /// The size of the smallest IO page: what entries are padded to.
    pub fn granule(&self) -> PageSize {
        self.page_sizes.smallest().unwrap_or(PageSize::K4)
    }

    /// How far behind the beginning of its range a list begins whose first entry is `first`, in bytes.
    pub(super) fn lead(&self, first: Option<SgEntry>) -> u64 {
        let (Iova::Congruent { address, modulo }, Some(first)) = (self.iova, first) else {
            return 0;
        };
        let padded = self.padded(&first);
        (0..=modulo.log2())
            .rev()
            .map(|bits| address.get() & ((1 << bits) - 1))
            .find(|lead| self.pad(*lead, padded) == 0)
            .unwrap_or(0)
    }

    /// The length of an entry in whole IO pages.
    #[inline]
    pub(super) fn padded(&self, entry: &SgEntry) -> u64 {
        // `iova_offset()`: pages begin an IO page, what an exporter lists need not.
        self.granule_up(entry.start.offset_in(self.granule()) + entry.length)
    }

    /// What is left out behind the `used` bytes of a range, so that the next `padded` bytes cross no segment boundary.
    #[inline]
    pub(super) const fn pad(&self, used: u64, padded: u64) -> u64 {
        let mask = self.boundary_mask;
        let pad = mask.wrapping_sub(used).wrapping_add(1) & mask;
        // `pad_len && pad_len < s_length - 1`: the entry would cross a boundary, so begin at it.
        if pad < padded - 1 { pad } else { 0 }
    }

    /// The end of an address space of `bits` bits. Of 64 bits one byte stays free, so that every run's end is a number.
    pub(super) const fn end_of(bits: u32) -> u64 {
        match 1u64.checked_shl(bits) {
            Some(end) => end,
            None => u64::MAX,
        }
    }

    pub(super) fn granule_up(&self, length: u64) -> u64 {
        self.granule().align_up(length).unwrap_or(u64::MAX)
    }
}
