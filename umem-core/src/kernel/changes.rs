//! The commits that changed a rule, and the releases that have them.
//!
//! From the changelogs of Debian's kernels 5.10.262, 6.1.192, 6.12.117, 7.2.12 and 7.3.4, which name the commits of every point
//! release, from linux-rdma's pull requests and from CVE records. A series that is not named ended before the change, or never took
//! it up.

use super::{
    BlockIterator, GENERATIONS, Interior, KernelRules, NoneFits, Release, Since, SmallPages,
    UpperBound,
};
use crate::scatter::Coalescing;
use crate::words::words;
use alloc::vec::Vec;
use core::fmt;

/// A commit that changed what the kernel answers.
#[derive(Debug)]
pub struct Change {
    /// The first digits of the mainline commit; empty where only the title is known.
    pub commit: &'static str,
    /// Its title, without the prefix of the subsystem.
    pub title: &'static str,
    /// Which releases have it.
    pub since: Since,
    /// What it does to the rules before it.
    pub(super) apply: fn(&mut KernelRules),
}

/// Two changes are equal if they are the same row of the table.
impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl Eq for Change {}

/// A release, for the table below.
const fn r(major: u16, minor: u16, patch: u16) -> Release {
    Release::new(major, minor, patch)
}

/// Every change since 5.2, which brought `ib_umem_find_best_pgsz()`, in the order of mainline.
pub static CHANGES: &[Change] = &[
    Change {
        commit: words("36798d5ae1af"),
        title: words("Fix ib_umem_find_best_pgsz()"),
        since: Since::new(5, 6).stable(&[r(5, 4, 22), r(5, 5, 6)]),
        apply: |rules| rules.interior = Interior::EveryEnd,
    },
    Change {
        commit: words(""),
        title: words("Fix ib_umem_find_best_pgsz() for mappings that cross a page boundary"),
        since: Since::new(5, 10)
            .stable(&[r(5, 9, 2)])
            .unknown(&[r(5, 4, 73), r(5, 8, 17)]),
        apply: |rules| rules.upper_bound = UpperBound::CoveringBits,
    },
    Change {
        commit: words("10c75ccb54e4"),
        title: words("Prevent small pages from being returned by ib_umem_find_best_pgsz()"),
        since: Since::new(5, 10)
            .stable(&[r(5, 9, 2)])
            .unknown(&[r(5, 4, 73), r(5, 8, 17)]),
        apply: |rules| rules.small_pages = SmallPages::KernelPageRequired,
    },
    Change {
        commit: words("3361c29e9279"),
        title: words("Use simpler logic for ib_umem_find_best_pgsz()"),
        since: Since::new(5, 10),
        apply: |rules| rules.none_fits = NoneFits::Undefined,
    },
    Change {
        commit: words("0c16d9635e3a"),
        title: words("Move to allocate SG table from pages"),
        since: Since::new(5, 10),
        apply: |rules| rules.coalescing = Coalescing::AnyPage,
    },
    Change {
        commit: words(""),
        title: words("Avoid undefined behavior of rounddown_pow_of_two()"),
        since: Since::new(5, 11).stable(&[r(5, 10, 11)]),
        apply: |rules| rules.none_fits = NoneFits::Zero,
    },
    Change {
        commit: words(""),
        title: words("Drop WARN_ON()"),
        since: Since::new(5, 13),
        apply: |rules| rules.small_pages = SmallPages::SmallerIgnored,
    },
    Change {
        commit: words(""),
        title: words("Fix ib block iterator counter overflow"),
        since: Since::new(6, 2).stable(&[r(5, 4, 231), r(5, 10, 166), r(5, 15, 91), r(6, 1, 9)]),
        apply: |rules| rules.iterator = BlockIterator::EachEntryStep32,
    },
    Change {
        commit: words("4fbc3a52cd4d"),
        title: words("Fix umem iterator when PAGE_SIZE is greater then HCA pgsz"),
        since: Since::new(6, 7)
            .stable(&[r(6, 1, 68), r(6, 6, 7)])
            .unknown(&[r(5, 15, 143)]),
        apply: |rules| {
            rules.small_pages = SmallPages::Any;
            rules.iterator = BlockIterator::EachEntryCounted32;
        },
    },
    Change {
        commit: words("486055f5e09d"),
        title: words("Fix best page size finding when it can cross SG entries"),
        since: Since::new(6, 15).stable(&[
            r(5, 15, 185),
            r(6, 1, 141),
            r(6, 6, 93),
            r(6, 12, 31),
            r(6, 14, 9),
        ]),
        apply: |rules| {
            rules.interior = Interior::Discontinuities;
            rules.iterator = BlockIterator::AcrossEntries32;
        },
    },
    // Its backports brought the walk across entries along, to 5.10 as well.
    Change {
        commit: words("15fe76e23615"),
        title: words("Fix truncation for block sizes >= 4G"),
        since: Since::new(7, 1).stable(&[
            r(5, 10, 259),
            r(5, 15, 210),
            r(6, 1, 176),
            r(6, 6, 143),
            r(6, 12, 94),
            r(6, 18, 36),
            r(7, 0, 13),
        ]),
        apply: |rules| rules.iterator = BlockIterator::AcrossEntries64,
    },
    Change {
        commit: words("09ea6837a043"),
        title: words("Be careful about boundary conditions in ib_umem_find_best_pgsz()"),
        since: Since::new(7, 2)
            .stable(&[r(6, 1, 189), r(6, 12, 111), r(6, 18, 53)])
            .unknown(&[r(5, 15, 211), r(6, 6, 144), r(7, 1, 1)]),
        apply: |rules| rules.overflow_checked = true,
    },
    // In mainline expected for 7.4: it was merged after 7.3.
    Change {
        commit: words("1c8f6308e557"),
        title: words("Catch scatterlist length overflows"),
        since: Since::new(7, 4)
            .stable(&[r(6, 12, 117), r(7, 3, 4)])
            .unknown(&[r(6, 6, 144), r(6, 18, 54)]),
        apply: |rules| rules.pad_checked = true,
    },
];

/// Changes, a bit for each of [`CHANGES`].
pub(super) type ChangeSet = u32;

/// The changes that `release` is known to have.
pub(super) fn changes_in(release: Release) -> ChangeSet {
    CHANGES
        .iter()
        .filter(|change| change.since.is_in(release))
        .fold(0, |set, change| set | change.bit())
}

impl Change {
    /// The change as a set.
    pub(super) fn bit(&self) -> ChangeSet {
        CHANGES
            .iter()
            .position(|change| core::ptr::eq(change, self))
            .map_or(0, |number| 1 << number)
    }
}

impl KernelRules {
    /// The rules of a release: those of 5.2, and every [change](CHANGES) that the release is known to have.
    ///
    /// Named after the generation with the same answers, or else the most similar one; [`differs`](Self::differs) lists the
    /// differences.
    pub fn of(release: Release) -> Self {
        Self::with(changes_in(release))
    }

    pub(super) fn with(has: ChangeSet) -> Self {
        let mut rules = GENERATIONS[0];
        for (number, change) in CHANGES.iter().enumerate() {
            if has & (1 << number) != 0 {
                (change.apply)(&mut rules);
            }
        }
        rules.named()
    }

    /// The same rules under the name of the most similar generation.
    pub(super) fn named(self) -> Self {
        let like = GENERATIONS
            .iter()
            .min_by_key(|generation| self.differs(generation).len());
        Self {
            name: like.map_or("", |like| like.name),
            about: "",
            ..self
        }
    }
}

/// The generation with the same answers, "7.2"; or the most similar one, and how they differ.
impl fmt::Display for KernelRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        let differs = KernelRules::find(self.name).map_or(Vec::new(), |like| self.differs(like));
        for (i, phrase) in differs.iter().enumerate() {
            write!(
                f,
                "{}{phrase}",
                if i == 0 { ", except that " } else { " and " }
            )?;
        }
        Ok(())
    }
}
