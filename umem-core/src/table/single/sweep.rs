use crate::{
    address::{DmaAddr, VirtAddr},
    iommu::DmaSegment,
    kernel::{Interior, KernelRules, NoneFits, SmallPages, UpperBound},
    size::{PageSize, PageSizes},
    table::Mr,
};

/// `ib_umem_find_best_pgsz()`, fed one DMA segment at a time.
///
/// The kernel gathers in `mask` every bit that a page size may not reach across: a size fits if no bit below it is set.
#[derive(Clone, Debug)]
pub struct Sweep {
    rules: KernelRules,
    sizes: PageSizes,
    /// A bit set here forbids every page size above that bit.
    mask: u64,
    /// The HCA address at which the next segment begins.
    va: VirtAddr,
    page_offset: u64,
    /// The contiguous run so far ends at this DMA address.
    run_end: Option<DmaAddr>,
    segments: u64,
    /// The length of the last segment, which counts only once another follows it.
    last_length: u64,
    broken: bool,
}

/// Something that forbids the larger page sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constraint {
    /// What it is.
    pub code: ConstraintCode,
    /// The bit: sizes above 2^`bit` are forbidden.
    pub bit: u32,
    /// The number of the DMA segment that causes it, from 0.
    pub segment: u64,
    /// Where that segment's first registered byte lies: bytes from `region.va`.
    pub offset: u64,
    /// The NIC's address of that byte.
    pub hca_address: VirtAddr,
    /// The device address of that byte.
    pub dma_address: DmaAddr,
}

/// What can forbid a page size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConstraintCode {
    /// One page of this size covers the region already; a larger one would gain nothing.
    Covers,
    /// The NIC's address and the device address differ in this bit.
    Congruence,
    /// A new run begins at a NIC address that is aligned only so far.
    Discontinuity,
    /// Old rules: an entry ends at a NIC address, or has a length, that is aligned only so far.
    EntryEnd,
    /// [`Choice::ContPages`](super::Choice::ContPages): the program's address is aligned only so far.
    StartAlignment,
}

impl ConstraintCode {
    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Covers => "covers",
            Self::Congruence => "congruence",
            Self::Discontinuity => "discontinuity",
            Self::EntryEnd => "entry-end",
            Self::StartAlignment => "start-alignment",
        }
    }
}

impl Sweep {
    /// Begins the search among `sizes` for `mr`.
    pub fn new(mr: &Mr, sizes: PageSizes, rules: &KernelRules) -> Self {
        let whole_pages = PageSizes::range(PageSize::from_log2(0).unwrap_or(mr.page), mr.page);
        let demanded = PageSizes::from_bits(sizes.bits() & whole_pages.bits());
        let sizes = match rules.small_pages {
            SmallPages::Any => sizes,
            SmallPages::KernelPageOrSmallerRequired if demanded.is_empty() => PageSizes::EMPTY,
            SmallPages::KernelPageOrSmallerRequired => sizes,
            SmallPages::KernelPageRequired if !sizes.contains(mr.page) => PageSizes::EMPTY,
            SmallPages::KernelPageRequired | SmallPages::SmallerIgnored => {
                PageSizes::from_bits(sizes.bits() & !mr.page.mask())
            }
        };
        let last = mr.hca_address.wrapping_add(mr.length).wrapping_sub(1);
        let mask = match rules.upper_bound {
            UpperBound::RoundedLength => mr.length.checked_next_power_of_two().unwrap_or(0),
            UpperBound::CoveringBits => {
                // `bits_per()`: how many bits hold the difference of first and last address, at least 1.
                let bits = (last.get() ^ mr.hca_address.get())
                    .checked_ilog2()
                    .map_or(1, |log2| log2 + 1);
                sizes.bits() & u64::MAX.checked_shl(bits).unwrap_or(0)
            }
        };
        Self {
            rules: *rules,
            sizes,
            mask,
            va: mr.hca_address,
            page_offset: mr.page_offset(),
            run_end: None,
            segments: 0,
            last_length: 0,
            broken: rules.overflow_checked && last < mr.hca_address,
        }
    }

    /// Takes the next segment. `on` receives each constraint that forbids sizes which were allowed before.
    #[inline]
    pub fn push(&mut self, segment: DmaSegment, mut on: impl FnMut(Constraint)) {
        let dma = segment.start.wrapping_add(self.page_offset);
        let begins_run = self.run_end != Some(segment.start);
        let (va, number) = (self.va, self.segments);
        let constraint = |code, bit| Constraint {
            code,
            bit,
            segment: number,
            offset: segment.offset + self.page_offset,
            hca_address: va,
            dma_address: dma,
        };
        if number == 0 && self.mask != 0 {
            on(constraint(
                ConstraintCode::Covers,
                self.mask.trailing_zeros(),
            ));
        }
        let mut forbid = |mask: &mut u64, bits: u64, code| {
            let before = mask.trailing_zeros();
            *mask |= bits;
            if mask.trailing_zeros() < before {
                on(constraint(code, bits.trailing_zeros()));
            }
        };
        let (mut mask, differing) = (self.mask, dma.get() ^ va.get());
        match self.rules.interior {
            Interior::Discontinuities => {
                if begins_run {
                    forbid(&mut mask, differing, ConstraintCode::Congruence);
                    if number > 0 {
                        forbid(&mut mask, va.get(), ConstraintCode::Discontinuity);
                    }
                }
            }
            Interior::EveryEnd => {
                if number > 0 {
                    forbid(&mut mask, va.get(), ConstraintCode::EntryEnd);
                }
                forbid(&mut mask, differing, ConstraintCode::Congruence);
            }
            Interior::Lengths => {
                if number > 1 {
                    forbid(&mut mask, self.last_length, ConstraintCode::EntryEnd);
                }
                forbid(&mut mask, differing, ConstraintCode::Congruence);
            }
        }
        self.mask = mask;
        self.last_length = segment.length;
        self.va = va.wrapping_add(segment.length.wrapping_sub(self.page_offset));
        self.page_offset = 0;
        self.run_end = segment.start.checked_add(segment.length);
        self.segments += 1;
    }

    /// The answer, once every segment has been pushed.
    pub fn best(&self) -> Option<PageSize> {
        if self.broken {
            return None;
        }
        let fit = self.sizes.aligned_to(self.mask);
        match self.rules.none_fits {
            NoneFits::Smallest => fit.largest().or(self.sizes.smallest()),
            NoneFits::Undefined | NoneFits::Zero => fit.largest(),
        }
    }

    /// The candidate sizes: the device's, without those that old rules leave out.
    pub fn sizes(&self) -> PageSizes {
        self.sizes
    }
}
