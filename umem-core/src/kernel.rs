//! Kernel generations as data: where kernels differ, the rule is a value of [`KernelRules`],
//! never a copy of a function.
//!
//! Each generation is the one **as released**; stable kernels carry later fixes (Debian's 6.1.192
//! answers like 7.2, its 6.12.95 like 6.15).

use crate::scatter::Coalescing;

mod release;

pub use release::{NotARelease, Release, Since};

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
    /// The lab that confirmed the rules, or `None`: from source, not verified.
    pub verified: Option<&'static str>,
}

/// What bounds `ib_umem_find_best_pgsz()` from above, so that a page is not larger than it need be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpperBound {
    /// The length of the region, rounded up to a power of two.
    RoundedLength,
    /// The smallest size of which one page covers the region: the bits in which the first and the last
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

/// What becomes of sizes around the kernel's page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmallPages {
    /// A bitmap must have a size that is no larger than the kernel's page.
    OneDemanded,
    /// The same, and sizes smaller than the kernel's page are taken out first, so that only the kernel's page itself serves.
    OneDemandedSmallerIgnored,
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
    /// Each entry by itself, as many blocks as the region has, with a 32-bit step.
    EachEntryCounted32,
    /// Across the ends of entries, as many blocks as the region has, with a 32-bit step.
    AcrossEntries32,
    /// The same with a 64-bit step.
    AcrossEntries64,
}

/// The generations, oldest first.
pub static GENERATIONS: [KernelRules; 5] = [
    KernelRules {
        name: "5.2",
        about: "ib_umem_find_best_pgsz() as first merged: bounded by the length, the smallest size when none fits",
        coalescing: Coalescing::WholeBatchRun,
        upper_bound: UpperBound::RoundedLength,
        interior: Interior::Lengths,
        small_pages: SmallPages::OneDemanded,
        none_fits: NoneFits::Smallest,
        overflow_checked: false,
        iterator: BlockIterator::EachEntry32,
        verified: None,
    },
    KernelRules {
        name: "5.10",
        about: "\"Fix ib_umem_find_best_pgsz() for mappings that cross a page boundary\", \"Prevent small pages from \
                being returned\", \"Use simpler logic\", \"Move to allocate SG table from pages\"",
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::EveryEnd,
        small_pages: SmallPages::OneDemandedSmallerIgnored,
        none_fits: NoneFits::Undefined,
        overflow_checked: false,
        iterator: BlockIterator::EachEntry32,
        verified: None,
    },
    KernelRules {
        name: "6.7",
        about: "\"Drop WARN_ON()\" (5.13), \"Fix ib block iterator counter overflow\" (6.2), \"Fix umem iterator when \
                PAGE_SIZE is greater then HCA pgsz\" (6.7)",
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::EveryEnd,
        small_pages: SmallPages::Any,
        none_fits: NoneFits::Zero,
        overflow_checked: false,
        iterator: BlockIterator::EachEntryCounted32,
        verified: None,
    },
    KernelRules {
        name: "6.15",
        about: "\"Fix best page size finding when it can cross SG entries\": contiguous entries count as one",
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::Discontinuities,
        small_pages: SmallPages::Any,
        none_fits: NoneFits::Zero,
        overflow_checked: false,
        iterator: BlockIterator::AcrossEntries32,
        verified: Some("Linux 6.12.95 (which also walks blocks of 4G and more as 7.2 does)"),
    },
    KernelRules {
        name: "7.2",
        about: "\"Fix truncation for block sizes >= 4G\" (7.1), \"Be careful about boundary conditions\" (7.2)",
        coalescing: Coalescing::AnyPage,
        upper_bound: UpperBound::CoveringBits,
        interior: Interior::Discontinuities,
        small_pages: SmallPages::Any,
        none_fits: NoneFits::Zero,
        overflow_checked: true,
        iterator: BlockIterator::AcrossEntries64,
        verified: Some("Linux 7.2.12, and 6.1.192, whose stable fixes give it these rules"),
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
}
