use super::{PinnedFrames, Umem, UmemError};
use crate::{
    address::VirtAddr, iommu::Translation, kernel::KernelRules, memory::FrameRun, scatter,
    size::PageSize, table::Mr,
};

/// Collects what a registration needs: see [`Umem::builder`].
///
/// | what | if left out |
/// |---|---|
/// | [`hca_address`](Self::hca_address) | the virtual address |
/// | [`page`](Self::page) | 4K |
/// | [`rules`](Self::rules) | the newest kernel's |
/// | [`max_segment`](Self::max_segment) | 0xffffffff bytes |
/// | [`iommu`](Self::iommu) | none: device addresses are physical ones |
#[derive(Clone, Debug)]
#[must_use]
pub struct UmemBuilder<F> {
    frames: F,
    address: VirtAddr,
    length: u64,
    hca_address: Option<VirtAddr>,
    page: PageSize,
    rules: KernelRules,
    max_segment: u32,
    iommu: Option<Translation>,
}

impl<F: Iterator<Item: Into<FrameRun>> + Clone> UmemBuilder<F> {
    pub(super) fn new(frames: F, address: VirtAddr, length: u64) -> Self {
        Self {
            frames,
            address,
            length,
            hca_address: None,
            page: PageSize::K4,
            rules: *KernelRules::newest(),
            max_segment: u32::MAX,
            iommu: None,
        }
    }

    /// The address that the NIC is given for the first byte: `ibv_reg_mr_iova()`, `ib_umem.iova`.
    pub fn hca_address(mut self, address: VirtAddr) -> Self {
        self.hca_address = Some(address);
        self
    }

    /// The kernel's page, `PAGE_SIZE`.
    pub fn page(mut self, page: PageSize) -> Self {
        self.page = page;
        self
    }

    /// The kernel's rules: a [generation](crate::kernel::GENERATIONS), or rules that you propose.
    pub fn rules(mut self, rules: KernelRules) -> Self {
        self.rules = rules;
        self
    }

    /// The device's longest segment in bytes: `dma_set_max_seg_size()`.
    pub fn max_segment(mut self, bytes: u32) -> Self {
        self.max_segment = bytes;
        self
    }

    /// The IOMMU between memory and the device: of the [catalogue](crate::iommu::CATALOGUE), or your own.
    pub fn iommu(mut self, translation: Translation) -> Self {
        self.iommu = Some(translation);
        self
    }

    /// Pins, gathers and maps the region: `ib_umem_get()`. Walks the frames once, or twice behind an IOMMU.
    ///
    /// # Errors
    /// What is wrong with the region, the frames, the device or the IOMMU; and [`UmemError::Map`] where the IOMMU cannot map the list.
    pub fn get(self) -> Result<Umem<F>, UmemError> {
        let mr = self.mr()?;
        let longest =
            scatter::longest_entry(self.max_segment, self.page).ok_or(UmemError::ShortSegment {
                max_segment: self.max_segment,
                page: self.page,
            })?;
        self.check_frames(mr.pages() << self.page.log2())?;
        let mut umem = Umem {
            frames: PinnedFrames::new(self.frames),
            mr,
            rules: self.rules,
            longest,
            max_segment: self.max_segment,
            mapped: None,
        };
        if let Some(translation) = self.iommu {
            translation.check(self.page).map_err(UmemError::Iommu)?;
            let mapping = translation.map(umem.scatter()).map_err(UmemError::Map)?;
            umem.mapped = Some((translation, mapping));
        }
        Ok(umem)
    }

    fn mr(&self) -> Result<Mr, UmemError> {
        let (address, length, page) = (self.address, self.length, self.page);
        if length == 0 {
            return Err(UmemError::EmptyRegion);
        }
        let wraps = |address| UmemError::Wraps { address, length };
        // `PAGE_ALIGN(addr + size)` must not wrap around.
        address
            .checked_add(length)
            .and_then(|end| end.align_up(page))
            .ok_or(wraps(address))?;
        let hca = self.hca_address.unwrap_or(address);
        hca.checked_add(length).ok_or(wraps(hca))?;
        if hca.offset_in(page) != address.offset_in(page) {
            return Err(UmemError::HcaOffset { address, hca, page });
        }
        let mr = Mr {
            hca_address: hca,
            ..Mr::new(address, length, page)
        };
        if mr.pages() > u64::from(u32::MAX) {
            return Err(UmemError::TooManyPages { pages: mr.pages() });
        }
        Ok(mr)
    }

    /// Whether the frames are `needed` bytes of whole pages.
    fn check_frames(&self, needed: u64) -> Result<(), UmemError> {
        let mut given = 0u64;
        for (index, run) in self.frames.clone().enumerate() {
            let run = run.into();
            if run.length == 0
                || run.start.offset_in(self.page) != 0
                || !self.page.divides(run.length)
            {
                return Err(UmemError::PartialPage {
                    index,
                    start: run.start,
                    length: run.length,
                    page: self.page,
                });
            }
            if run.start.checked_add(run.length).is_none() {
                return Err(UmemError::FramesWrap {
                    index,
                    start: run.start,
                    length: run.length,
                });
            }
            given = given.saturating_add(run.length);
            if given > needed {
                break;
            }
        }
        if given == needed {
            Ok(())
        } else {
            Err(UmemError::OtherLength { given, needed })
        }
    }
}
