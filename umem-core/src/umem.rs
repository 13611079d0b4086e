//! A region without a scenario: `struct ib_umem` from frames, a device and an IOMMU of your own.
//!
//! | in the kernel [linux 7.2] | here |
//! |---|---|
//! | `ib_umem_get()` | [`Umem::builder`], [`UmemBuilder::get`] |
//! | `umem->sgt_append.sgt`, by `sg->length` | [`Umem::scatter`] |
//! | the same, by `sg_dma_address()`, `sg_dma_len()` | [`Umem::dma`] |
//! | `ib_umem_find_best_pgsz()` | [`Umem::best_page_size`] |
//! | `rdma_umem_for_each_dma_block()` | [`Umem::dma_blocks`] |
//! | the mail's iterator, never merged | [`Umem::blocks`] |
//!
//! A device with pages of 4K, 1M and 2M and segments of at most 1G, first without an IOMMU, then behind one:
//!
//! ```
//! use umem_core::{address::{PhysAddr, VirtAddr}, size::PageSizes, table::BlockEdges, umem::Umem};
//!
//! // Runs of physical memory, address and bytes, in the order of virtual addresses: 4M-4K of two 2M pages.
//! let frames = [(PhysAddr::new(0x4000_1000), (2 << 20) - 4096), (PhysAddr::new(0x4020_0000), 2 << 20)];
//! let address = VirtAddr::new(0x7f00_0000_1000);
//! let umem = Umem::builder(frames, address, 4092 << 10).max_segment(1 << 30).get()?;
//! assert_eq!(umem.scatter().count(), 1); // the runs are adjacent, so they are one SG entry
//!
//! let sizes = PageSizes::from_bits(0x301000); // 4K, 1M and 2M: a bit each
//! let table = umem.blocks(sizes, BlockEdges::Exact)?;
//! assert_eq!(table.tally().to_string(), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
//!
//! // One page size for the whole region: the addresses agree modulo 2M.
//! assert_eq!(umem.best_page_size(sizes).unwrap().to_string(), "2M");
//!
//! // Behind an IOMMU the mapping begins at a multiple of 4M, and the start's 4K are lost.
//! let vt_d = umem_core::iommu::find("vt-d").unwrap().translation();
//! let umem = Umem::builder(frames, address, 4092 << 10).iommu(vt_d).get()?;
//! assert_eq!(umem.mapping().unwrap().start.to_string(), "0xffc00000");
//! assert_eq!(umem.best_page_size(sizes).unwrap().to_string(), "4K");
//! let why = umem.best_page_size_limits(sizes);
//! assert_eq!((why[0].code, why[0].bit), ("congruence", Some(12)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Frame numbers, one a page, are frames as well: [`FrameNumbers`](crate::memory::FrameNumbers) and
//! [`PagemapFrames`](crate::memory::PagemapFrames) are iterators of runs. A driver of Linux is
//! [`device::find`](crate::device::find): its `page_sizes` and `max_segment` go where those of a device of your own go.
//!
//! All offsets count from the first pinned page. Lists allocate nothing: each is an iterator over a clone of the frames.

use crate::{
    address::{Consecutive, PhysAddr, VirtAddr},
    explain::{self, Limit},
    iommu::{DmaList, Mapping, Translation},
    kernel::KernelRules,
    memory::FrameRun,
    scatter::ScatterList,
    size::{PageSize, PageSizes},
    table::{
        BlockEdges, Mr, Refusal, Tally, blocks,
        mixed::Mixed,
        single::{self, Single},
    },
};

mod builder;
mod error;

pub use builder::UmemBuilder;
pub use error::UmemError;

/// A pinned and mapped region: what `ib_umem_get()` returns.
///
/// `F` is the iterator of its frames; every list is made from a clone of it.
#[derive(Clone, Debug)]
pub struct Umem<F> {
    frames: PinnedFrames<F>,
    mr: Mr,
    rules: KernelRules,
    /// The longest SG entry in bytes.
    longest: u64,
    max_segment: u32,
    mapped: Option<(Translation, Mapping)>,
}

/// The frames of the pinned pages: see [`Umem::frames`].
pub type PinnedFrames<F> = Consecutive<F, PhysAddr>;
/// The SG list of a [`Umem`]: see [`Umem::scatter`].
pub type UmemScatter<F> = ScatterList<PinnedFrames<F>>;
/// The DMA list of a [`Umem`]: see [`Umem::dma`].
pub type UmemDma<F> = DmaList<UmemScatter<F>>;

impl Umem<core::iter::Empty<FrameRun>> {
    /// Begins a registration of `length` bytes from virtual address `address`, backed by `frames`: runs of physical memory in the
    /// order of virtual addresses, from the first pinned page to the last. Their own offsets are ignored.
    ///
    /// Items are pairs of a [`PhysAddr`] and a length in bytes, or [`FrameRun`]s.
    pub fn builder<T>(frames: T, address: VirtAddr, length: u64) -> UmemBuilder<T::IntoIter>
    where
        T: IntoIterator<Item: Into<FrameRun>, IntoIter: Clone>,
    {
        UmemBuilder::new(frames.into_iter(), address, length)
    }
}

impl<F: Iterator<Item: Into<FrameRun>> + Clone> Umem<F> {
    /// The region's numbers: its addresses, its length, the kernel's page.
    pub fn mr(&self) -> &Mr {
        &self.mr
    }

    /// The frames of the pinned pages, in runs.
    pub fn frames(&self) -> PinnedFrames<F> {
        self.frames.clone()
    }

    /// The scatter-gather list: the largest contiguous runs of frames, up to the device's maximum segment.
    pub fn scatter(&self) -> UmemScatter<F> {
        let (page, rule) = (self.mr.page, self.rules.coalescing);
        ScatterList::new(self.frames(), self.longest, rule, page)
    }

    /// The DMA list: the addresses that the device uses.
    pub fn dma(&self) -> UmemDma<F> {
        match self.mapped {
            Some((translation, mapping)) => {
                DmaList::translated(self.scatter(), translation, mapping, self.max_segment)
            }
            None => DmaList::identity(self.scatter()),
        }
    }

    /// Where the IOMMU put the list; `None` without one.
    pub fn mapping(&self) -> Option<Mapping> {
        self.mapped.map(|(_, mapping)| mapping)
    }

    /// The best of `sizes` that serves the whole region, or `None` where none does and drivers refuse the region (`EINVAL`):
    /// `ib_umem_find_best_pgsz()`.
    pub fn best_page_size(&self, sizes: PageSizes) -> Option<PageSize> {
        single::best_page_size(self.dma(), &self.mr, sizes, &self.rules)
    }

    /// The blocks of `size` as the kernel walks them: `rdma_umem_for_each_dma_block()`. If `size` is not the
    /// [best](Self::best_page_size) size, they may translate addresses wrongly.
    pub fn dma_blocks(&self, size: PageSize) -> Single<UmemDma<F>> {
        Single::new(self.dma(), &self.mr, size, &self.rules)
    }

    /// The table of a device that takes entries of any of `sizes`: at each address the largest block that fits. See
    /// [`blocks`].
    ///
    /// # Errors
    /// `no-page-size`, `no-exact-tiling`: see [`blocks`].
    pub fn blocks(
        &self,
        sizes: PageSizes,
        edges: BlockEdges,
    ) -> Result<Mixed<UmemDma<F>>, Refusal> {
        blocks(self.dma(), &self.mr, sizes, edges)
    }

    /// Why the [best page size](Self::best_page_size) is not larger: each constraint that cost a size, in the order of the DMA list.
    pub fn best_page_size_limits(&self, sizes: PageSizes) -> alloc::vec::Vec<Limit> {
        let best = self.best_page_size(sizes);
        explain::best_limits(self.dma(), &self.mr, sizes, &self.rules, |size| {
            if best != Some(size) {
                return single::block_count(&self.mr, size);
            }
            // Where a kernel's bug is at work, its table has another number than the region would need.
            let mut tally = Tally::default();
            tally.extend(&mut self.dma_blocks(size));
            tally.total()
        })
    }

    /// Why [`blocks`](Self::blocks) are not fewer: each reason once, with the first block that it limits.
    ///
    /// # Errors
    /// Those of [`blocks`](Self::blocks).
    pub fn block_limits(
        &self,
        sizes: PageSizes,
        edges: BlockEdges,
    ) -> Result<alloc::vec::Vec<Limit>, Refusal> {
        Ok(explain::block_limits(self.blocks(sizes, edges)?, sizes))
    }
}
