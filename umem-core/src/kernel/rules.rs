//! The generations of the rules, and how they differ.

use crate::scatter::Coalescing;
use crate::words::words;
use alloc::vec::Vec;

/// The rules of one kernel generation, from pinned pages to the blocks of a single size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KernelRules {
    /// The first release that has them all: "5.2", "5.10", "6.7", "6.15" or "7.2".
    pub name: &'static str,
    /// What it brought, with the commits' titles.
    pub about: &'static str,
    /// How pages become SG entries.
    pub coalescing: Coalescing,
    /// What bounds the best page size from above.
    pub upper_bound: UpperBound,
    /// Where the best page size must respect the ends of SG entries.
    pub interior: Interior,
    /// Which sizes are taken out of, or demanded in, the device's bitmap before the search.
    pub small_pages: SmallPages,
    /// What is returned when no size fits.
    pub none_fits: NoneFits,
    /// Whether sums that pass 2^64 are noticed.
    pub overflow_checked: bool,
    /// How the blocks are walked.
    pub iterator: BlockIterator,
    /// Whether `iommu_dma_map_sg()` notices that a pad makes an entry longer than `scatterlist.length` can hold. The mapping fails in
    /// any case; kernels that do not notice leave a part of it in the IOMMU.
    pub pad_checked: bool,
}

/// What bounds `ib_umem_find_best_pgsz()` from above, so that a page is not larger than it need be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpperBound {
    /// The length of the region, rounded up to a power of two.
    RoundedLength,
    /// The smallest size that covers the region in one page: the bits in which the first and the last
    /// address differ.
    CoveringBits,
}

/// Which ends of entries `ib_umem_find_best_pgsz()` looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interior {
    /// The lengths of all entries but the first and the last; the end of the first is never tested.
    Lengths,
    /// The address at which each entry but the last ends, contiguous with the next or not.
    EveryEnd,
    /// The address at which a run of contiguous entries ends.
    Discontinuities,
}

/// What happens to sizes around the kernel's page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmallPages {
    /// A bitmap must have a size that is no larger than the kernel's page.
    KernelPageOrSmallerRequired,
    /// Sizes smaller than the kernel's page are taken out, and a bitmap must have the kernel's page itself.
    KernelPageRequired,
    /// Sizes smaller than the kernel's page are taken out.
    SmallerIgnored,
    /// Every bitmap is taken as it is.
    Any,
}

/// What `ib_umem_find_best_pgsz()` returns when no size fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoneFits {
    /// The smallest size of the bitmap, fit or not.
    Smallest,
    /// `rounddown_pow_of_two(0)`, which C leaves undefined.
    Undefined,
    /// 0.
    Zero,
}

/// How `rdma_umem_for_each_dma_block()` walks the DMA list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockIterator {
    /// Each entry by itself, from its start to its end, with a 32-bit position.
    EachEntry32,
    /// Each entry by itself, from its start to its end, with a 32-bit step.
    EachEntryStep32,
    /// The same for as many blocks as the region has, from the one in which it starts.
    EachEntryCounted32,
    /// Across the ends of entries, as many blocks as the region has, with a 32-bit step.
    AcrossEntries32,
    /// The same with a 64-bit step.
    AcrossEntries64,
}

/// The generations, oldest first.
pub static GENERATIONS: &[KernelRules] = &[
    KernelRules {
        name: "5.2",
        about: words(
            "ib_umem_find_best_pgsz() as first merged: bounded by the length, the smallest size when none fits",
        ),
        coalescing: Coalescing::WholeBatchRun,
        upper_bound: UpperBound::RoundedLength,
        interior: Interior::Lengths,
        small_pages: SmallPages::KernelPageOrSmallerRequired,
        none_fits: NoneFits::Smallest,
        overflow_checked: false,
        iterator: BlockIterator::EachEntry32,
        pad_checked: false,
    },
    KernelRules {
        name: "5.10",
        about: words(
            "\"Fix ib_umem_find_best_pgsz() for mappings that cross a page boundary\", \"Prevent small pages from \
                being returned\", \"Use simpler logic\", \"Move to allocate SG table from pages\"",
        ),
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::EveryEnd,
        small_pages: SmallPages::KernelPageRequired,
        none_fits: NoneFits::Undefined,
        overflow_checked: false,
        iterator: BlockIterator::EachEntry32,
        pad_checked: false,
    },
    KernelRules {
        name: "6.7",
        about: words(
            "\"Drop WARN_ON()\" (5.13), \"Fix ib block iterator counter overflow\" (6.2), \"Fix umem iterator when \
                PAGE_SIZE is greater then HCA pgsz\" (6.7)",
        ),
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::EveryEnd,
        small_pages: SmallPages::Any,
        none_fits: NoneFits::Zero,
        overflow_checked: false,
        iterator: BlockIterator::EachEntryCounted32,
        pad_checked: false,
    },
    KernelRules {
        name: "6.15",
        about: words(
            "\"Fix best page size finding when it can cross SG entries\": contiguous entries count as one",
        ),
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::Discontinuities,
        small_pages: SmallPages::Any,
        none_fits: NoneFits::Zero,
        overflow_checked: false,
        iterator: BlockIterator::AcrossEntries32,
        pad_checked: false,
    },
    KernelRules {
        name: "7.2",
        about: words(
            "\"Fix truncation for block sizes >= 4G\" (7.1), \"Be careful about boundary conditions\" (7.2)",
        ),
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::Discontinuities,
        small_pages: SmallPages::Any,
        none_fits: NoneFits::Zero,
        overflow_checked: true,
        iterator: BlockIterator::AcrossEntries64,
        pad_checked: false,
    },
];

impl KernelRules {
    /// The newest generation, the default of scenarios.
    pub fn newest() -> &'static Self {
        &GENERATIONS[GENERATIONS.len() - 1]
    }

    /// The generation of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        GENERATIONS.iter().find(|rules| rules.name == name)
    }

    /// How the answers of these rules differ from those of `other`, a phrase for each difference; none if there is no difference.
    ///
    /// Whether sums beyond 2^64 are noticed does not count, since no scenario reaches them, nor whether a pad is checked: the mapping
    /// fails in any case.
    pub fn differs(&self, other: &Self) -> Vec<&'static str> {
        let phrases = [
            (self.coalescing != other.coalescing, joins(self.coalescing)),
            (
                self.upper_bound != other.upper_bound,
                self.upper_bound.about(),
            ),
            (self.interior != other.interior, self.interior.about()),
            (
                self.small_pages != other.small_pages,
                self.small_pages.about(),
            ),
            (self.none_fits != other.none_fits, self.none_fits.about()),
            (self.iterator != other.iterator, self.iterator.about()),
        ];
        let phrases = phrases.into_iter();
        phrases
            .filter_map(|(differs, phrase)| differs.then_some(phrase))
            .collect()
    }
}

const fn joins(coalescing: Coalescing) -> &'static str {
    match coalescing {
        Coalescing::AnyPage => words("pages join SG entries one by one"),
        Coalescing::WholeBatchRun => words("runs of a pinning batch join SG entries whole"),
    }
}

impl UpperBound {
    const fn about(self) -> &'static str {
        match self {
            Self::RoundedLength => words("the region's length bounds the page size"),
            Self::CoveringBits => "the smallest page that covers the region bounds the page size",
        }
    }
}

impl Interior {
    const fn about(self) -> &'static str {
        match self {
            Self::Lengths => words("the lengths of inner entries limit the page size"),
            Self::EveryEnd => words("the end of every SG entry limits the page size"),
            Self::Discontinuities => words("contiguous SG entries count as one"),
        }
    }
}

impl SmallPages {
    const fn about(self) -> &'static str {
        match self {
            Self::KernelPageOrSmallerRequired => {
                "devices must have a page size that is no larger than the kernel's page"
            }
            Self::KernelPageRequired => words("devices must have the kernel's page size"),
            Self::SmallerIgnored => words("page sizes below the kernel's page are ignored"),
            Self::Any => words("page sizes below the kernel's page are used"),
        }
    }
}

impl NoneFits {
    const fn about(self) -> &'static str {
        match self {
            Self::Smallest => words("the smallest page size is taken when none fits"),
            Self::Undefined => words("what happens when no page size fits is undefined"),
            Self::Zero => words("a region that no page size fits is refused"),
        }
    }
}

impl BlockIterator {
    const fn about(self) -> &'static str {
        match self {
            Self::EachEntry32 => "blocks are walked entry by entry with a 32-bit position",
            Self::EachEntryStep32 => "blocks are walked entry by entry with a 32-bit step",
            Self::EachEntryCounted32 => {
                "blocks are counted, and walked entry by entry with a 32-bit step"
            }
            Self::AcrossEntries32 => "blocks are walked across entries with a 32-bit step",
            Self::AcrossEntries64 => words("blocks of 4G and more are walked rightly"),
        }
    }
}
