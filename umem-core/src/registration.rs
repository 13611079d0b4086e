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
    gate::Gate,
    iommu::{DmaList, IoPages, Mapping, Translation},
    memory::FrameRuns,
    scatter::{self, ListCost, ScatterList},
    scenario::{Question, Scenario, ScenarioError},
    size::PageSize,
    table::{
        Edges, EntryRun, Policy, Refusal, Tally,
        memory::{TableMemory, TableShape},
        mixed::{Mixed, Overhang},
        single::{self, Single},
        unaligned,
    },
};
use alloc::string::{String, ToString};

mod bugs;
mod exhibits;
mod index;
mod limits;
mod possible;

pub use exhibits::{Exhibit, MOST_PAGES};
pub use index::{Index, Lane, LaneRun};

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
    /// What the table takes with its directories and its rounding.
    pub memory: TableMemory,
    /// What an old kernel got wrong: a table like this translates addresses falsely.
    pub kernel_bug: Option<String>,
    /// The same of the driver.
    pub driver_bug: Option<String>,
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
                Err(error) => {
                    let errno = this.question.device.umem_error.unwrap_or(error.errno());
                    Err(Refusal {
                        kernel_bug: this.question.kernel.left_behind(error),
                        ..Refusal::new("iommu-map-failed", error).at(Gate::Map, errno)
                    })
                }
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
        ScatterList::new(
            self.frames(),
            longest,
            self.question.kernel.rules.coalescing,
            page,
        )
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
        self.driver_is_there()?;
        self.length_fits(None)?;
        if let Err(refusal) = &self.dma_count {
            return Err(refusal.clone());
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
        self.length_fits(page_size)?;
        let driver_bug = match page_size {
            Some(size) => self.driver_bug(size, total)?,
            None => None,
        };
        self.entries_fit(total)?;
        let shape = TableShape {
            entries: total,
            entry_bytes: device.entry_bytes,
            block: page_size,
            contiguous: self.is_contiguous(),
            page: mr.page,
        };
        Ok(Table {
            policy,
            page_size,
            bytes: total.saturating_mul(device.entry_bytes),
            memory: device.layout.memory(shape),
            total,
            tally,
            kernel_bug,
            driver_bug,
        })
    }

    /// Whether the region's device addresses follow each other.
    fn is_contiguous(&self) -> bool {
        let mut end = None;
        self.dma().all(|segment| {
            let start = segment.start.get();
            let follows = end.is_none_or(|end| end == start);
            end = Some(start.wrapping_add(segment.length));
            follows
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
            kernel,
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
                let (mr, rules) = (device.choice.seen(mr), device.choice.walk(&kernel.rules));
                Entries::Single(Single::new(self.dma(), &mr, size, rules))
            }
            (Policy::Single, None) => Entries::None,
            (Policy::Unaligned, _) => Entries::Unaligned(self.dma()),
        })
    }

    /// The size that the driver chooses for all blocks, or `None` where none fits; `on` hears of each constraint that forbids sizes
    /// which were allowed before.
    pub fn single_size(&self, on: impl FnMut(single::Constraint)) -> Option<PageSize> {
        let Question {
            device, mr, kernel, ..
        } = &self.question;
        let choice = device.choice;
        choice.size(self.dma(), mr, device.page_sizes, &kernel.rules, on)
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
