//! Scenario → every stage's result: the one function that most callers need.
//!
//! ```
//! use umem_core::{registration::Registration, scenario::presets};
//! let mail = presets::find("mail").unwrap().scenario();
//! let registration = Registration::new(&mail)?;
//! assert_eq!(registration.status(), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
//! assert_eq!(registration.scatter().count(), 1);
//! # Ok::<(), umem_core::scenario::ScenarioError>(())
//! ```

use crate::{
    iommu::{DmaList, IoPages, Mapping, Translation},
    kernel::{BlockIterator, Interior, KernelRules, NoneFits},
    memory::FrameRuns,
    scatter::{self, ListCost, ScatterList},
    scenario::{Question, Scenario, ScenarioError},
    size::{Bytes, PageSize},
    table::{
        Edges, EntryRun, JoinedEntries, Policy, Refusal, Tally,
        mixed::{Mixed, Overhang},
        single::{self, Single, Sweep},
        unaligned,
    },
};
use alloc::{
    format,
    string::{String, ToString},
};

mod exhibits;
mod index;
mod lane;

pub use exhibits::{Exhibit, MOST_PAGES};
pub use index::Index;
pub use lane::{Lane, LaneRun, LaneRuns};

/// The scatter-gather list of a registration: see [`Registration::scatter`].
pub type Scatter<'a> = ScatterList<FrameRuns<'a>>;
/// The DMA list of a registration: see [`Registration::dma`].
pub type Dma<'a> = DmaList<Scatter<'a>>;

/// What becomes of a scenario, stage by stage.
///
/// Counts are here; lists are iterators, made anew at each call, which hold nothing but their place.
#[derive(Clone, Debug)]
pub struct Registration {
    question: Question,
    /// How many SG entries there are.
    pub scatter_count: u64,
    /// Where the IOMMU put the mapping; `None` where device addresses are physical ones.
    pub mapping: Option<Mapping>,
    /// How many DMA segments there are, or why there is no DMA list.
    pub dma_count: Result<u64, Refusal>,
    /// The table of the device's own policy, or why there is none.
    pub table: Result<Table, Refusal>,
}

/// The numbers of a device's table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// How it was cut.
    pub policy: Policy,
    /// The one size of its entries, under [`Policy::Single`].
    pub page_size: Option<PageSize>,
    /// How many entries of which size.
    pub tally: Tally,
    /// All entries together.
    pub total: u64,
    /// What they take in the device's table, in bytes.
    pub bytes: u64,
    /// What an old kernel got wrong: a table like this translates addresses falsely.
    pub kernel_bug: Option<String>,
}

impl Registration {
    /// Works the scenario out.
    ///
    /// Takes one pass over the memory's runs for each stage, whatever the region's length in bytes.
    ///
    /// # Errors
    /// Only what is wrong with the scenario itself; what kernel or device refuse is a result.
    pub fn new(scenario: &Scenario) -> Result<Self, ScenarioError> {
        Ok(Self::of(scenario.resolve()?))
    }

    /// The same, of a question already proven.
    pub fn of(question: Question) -> Self {
        let mut this = Self {
            question,
            scatter_count: 0,
            mapping: None,
            dma_count: Ok(0),
            table: Err(Refusal::new("pending", "")),
        };
        this.scatter_count = this.scatter().count() as u64;
        this.dma_count = match this.question.translation() {
            None => Ok(this.scatter_count),
            Some(translation) => match translation.map(this.scatter()) {
                Ok(mapping) => {
                    this.mapping = Some(mapping);
                    Ok(this.dma().count() as u64)
                }
                Err(error) => Err(Refusal::new("iommu-map-failed", error)),
            },
        };
        this.table = this.alternative(this.question.device.policy);
        this
    }

    /// The proven scenario.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// How many kernel pages are pinned.
    pub fn pages(&self) -> u64 {
        self.question.mr.pages()
    }

    /// What the kernel's own lists take on the way.
    pub fn list_cost(&self) -> ListCost {
        let (page, (from, _)) = (self.question.mr.page, self.pinned());
        let starts = self
            .scatter()
            .map(|entry| (entry.offset - from) >> page.log2());
        ListCost::new(self.pages(), starts, page)
    }

    /// The pinned pages' first offset from `region.va`, and the one after their last.
    pub fn pinned(&self) -> (u64, u64) {
        let mr = &self.question.mr;
        let start = mr.page.align_down(mr.offset);
        (start, start + (mr.pages() << mr.page.log2()))
    }

    /// The frames of the pinned pages, in runs.
    pub fn frames(&self) -> FrameRuns<'_> {
        let (from, to) = self.pinned();
        self.question.memory.runs(from, to)
    }

    /// The scatter-gather list.
    pub fn scatter(&self) -> Scatter<'_> {
        let page = self.question.mr.page;
        // `resolve` has refused segments shorter than a page.
        let longest =
            scatter::longest_entry(self.question.device.max_segment, page).unwrap_or(page.bytes());
        ScatterList::new(self.frames(), longest, self.question.rules.coalescing, page)
    }

    /// The DMA list; the identical one where mapping was refused.
    pub fn dma(&self) -> Dma<'_> {
        match self.translated() {
            Some((translation, mapping)) => DmaList::translated(
                self.scatter(),
                translation,
                mapping,
                self.question.device.max_segment,
            ),
            None => DmaList::identity(self.scatter()),
        }
    }

    /// The entries of the IOMMU's own page table, if there is one.
    pub fn io_pages(&self) -> Option<IoPages<Scatter<'_>>> {
        let (translation, mapping) = self.translated()?;
        Some(IoPages::new(self.scatter(), translation, mapping))
    }

    fn translated(&self) -> Option<(Translation, Mapping)> {
        Some((self.question.translation()?, self.mapping?))
    }

    /// The entries of the device's table, in runs; none where it was refused.
    pub fn entries(&self) -> Entries<'_> {
        match &self.table {
            Ok(table) => self
                .entries_under(table.policy, table.page_size)
                .unwrap_or(Entries::None),
            Err(_) => Entries::None,
        }
    }

    /// What the table would be under another policy, all else the same.
    ///
    /// # Errors
    /// Why the device refuses it.
    pub fn alternative(&self, policy: Policy) -> Result<Table, Refusal> {
        let Question { device, mr, .. } = &self.question;
        if let Err(refusal) = &self.dma_count {
            return Err(refusal.clone());
        }
        if let Some(most) = device.max_length.filter(|most| mr.length > *most) {
            return Err(Refusal::new(
                "too-long",
                format_args!(
                    "the device registers at most {} at once, and the region has {}: split it",
                    Bytes(most),
                    Bytes(mr.length)
                ),
            ));
        }
        let page_size = match policy {
            Policy::Single => Some(self.best_page_size()?),
            Policy::Mixed | Policy::Unaligned => None,
        };
        let mut kernel_bug = None;
        let tally = match self.entries_under(policy, page_size)? {
            Entries::Mixed(mixed) => mixed.tally(),
            mut entries => {
                let mut tally = Tally::default();
                tally.extend(&mut entries);
                if let Some(size) = page_size {
                    kernel_bug = self.kernel_bug(size, &entries);
                }
                tally
            }
        };
        let total = tally.total();
        if let Some(most) = device.max_entries.filter(|most| total > *most) {
            return Err(Refusal::new(
                "too-many-entries",
                format_args!(
                    "the table would have {total} entries, and the device holds at most {most}: register less, or back the region with larger pages"
                ),
            ));
        }
        Ok(Table {
            policy,
            page_size,
            bytes: total.saturating_mul(device.entry_bytes),
            total,
            tally,
            kernel_bug,
        })
    }

    fn entries_under(
        &self,
        policy: Policy,
        page_size: Option<PageSize>,
    ) -> Result<Entries<'_>, Refusal> {
        let Question {
            device,
            mr,
            rules,
            memory,
            ..
        } = &self.question;
        Ok(match (policy, page_size) {
            (Policy::Mixed, _) => {
                let (from, to) = self.pinned();
                // Behind an IOMMU what is not pinned is not mapped, so there no block may leave the region.
                let overhang = (device.edges == Edges::Overhang).then(|| match self.mapping {
                    None => Overhang {
                        before: memory.contiguous_before(from),
                        after: memory.contiguous_after(to),
                    },
                    Some(_) => Overhang {
                        before: 0,
                        after: 0,
                    },
                });
                Entries::Mixed(Mixed::new(self.dma(), mr, device.page_sizes, overhang)?)
            }
            (Policy::Single, Some(size)) => {
                Entries::Single(Single::new(self.dma(), mr, size, rules))
            }
            (Policy::Single, None) => Entries::None,
            (Policy::Unaligned, _) => Entries::Unaligned(self.dma()),
        })
    }

    /// `ib_umem_find_best_pgsz()`, fed the whole DMA list.
    pub fn sweep(&self, on: impl FnMut(single::Constraint)) -> Sweep {
        let mut on = on;
        let mut sweep = Sweep::new(
            &self.question.mr,
            self.question.device.page_sizes,
            self.question.rules,
        );
        for segment in self.dma() {
            sweep.push(segment, &mut on);
        }
        sweep
    }

    fn best_page_size(&self) -> Result<PageSize, Refusal> {
        self.sweep(|_| ()).best().ok_or_else(|| Refusal {
            kernel_bug: (self.question.rules.none_fits == NoneFits::Undefined).then(|| {
                format!("Linux {} computes rounddown_pow_of_two(0) here, which C leaves undefined", self.question.rules.name)
            }),
            ..Refusal::new(
                "no-page-size",
                format_args!(
                    "none of the device's page sizes ({}) fits the whole region, and drivers then refuse it (EINVAL): back it with \
                     larger pages, align it, or let the device use smaller ones",
                    self.question.device.page_sizes
                ),
            )
        })
    }

    /// What is wrong with blocks of `size` as an old kernel chose and walked them.
    fn kernel_bug(&self, size: PageSize, walked: &Entries<'_>) -> Option<String> {
        let Question { mr, rules, .. } = &self.question;
        if rules.interior == Interior::Discontinuities
            && rules.iterator == BlockIterator::AcrossEntries64
        {
            return None;
        }
        if walked.is_endless() {
            return Some(format!(
                "Linux {} hangs here: its block iterator's 32-bit position never reaches the end of a segment",
                rules.name
            ));
        }
        if !single::is_sound(self.dma(), mr, size) {
            return Some(format!(
                "Linux {} chose {size}, and pages of {size} translate some of the region's addresses falsely",
                rules.name
            ));
        }
        let newest = Single::new(self.dma(), mr, size, KernelRules::newest());
        let old = Single::new(self.dma(), mr, size, rules);
        (!JoinedEntries::new(newest).eq(JoinedEntries::new(old))).then(|| {
            format!("Linux {} walks the {size} blocks of this list wrongly: its table has other addresses, or another number of them, than it must", rules.name)
        })
    }

    /// The page's status line: `257 entries: 255 × 4K + 1 × 1M + 1 × 2M`, or why there is no table.
    pub fn status(&self) -> String {
        match &self.table {
            Ok(table) => table.tally.to_string(),
            Err(refusal) => refusal.message.clone(),
        }
    }

    /// An index of every stage for random access: where the n-th entry lies, which one holds an offset.
    ///
    /// Takes memory in proportion to the changes of size along the region, at most to its segments.
    pub fn index(&self) -> Index {
        Index::new(self)
    }
}

/// The entries of a device's table, in runs.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // Iteration allocates nothing, so nothing is boxed.
pub enum Entries<'a> {
    /// No table.
    None,
    /// Each entry of its own size.
    Mixed(Mixed<Dma<'a>>),
    /// All of one size.
    Single(Single<Dma<'a>>),
    /// One a segment.
    Unaligned(Dma<'a>),
}

impl Entries<'_> {
    fn is_endless(&self) -> bool {
        matches!(self, Self::Single(blocks) if blocks.is_endless())
    }
}

impl Iterator for Entries<'_> {
    type Item = EntryRun;

    #[inline]
    fn next(&mut self) -> Option<EntryRun> {
        match self {
            Self::None => None,
            Self::Mixed(runs) => runs.next(),
            Self::Single(runs) => runs.next(),
            Self::Unaligned(segments) => segments.next().map(unaligned::entry),
        }
    }

    #[inline]
    fn fold<B, F: FnMut(B, EntryRun) -> B>(self, start: B, each: F) -> B {
        match self {
            Self::None => start,
            Self::Mixed(runs) => runs.fold(start, each),
            Self::Single(runs) => runs.fold(start, each),
            Self::Unaligned(segments) => segments.map(unaligned::entry).fold(start, each),
        }
    }
}
