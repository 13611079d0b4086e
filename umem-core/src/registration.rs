//! Scenario → every stage's result: the one value that most callers need.
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
    iommu::{IoPages, Mapping},
    memory::{FrameRuns, Kind, Layout},
    scatter::{Coalescing, ListCost},
    scenario::{Question, Scenario, ScenarioError},
    size::PageSize,
    table::{Mr, Policy, Refusal, single::Constraint},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

mod bugs;
mod cut;
mod gates;
mod index;
mod io_lane;
mod lane;
mod limits;
mod lists;
mod middle;
mod possible;

pub use cut::{Entries, Table};
pub use index::Index;
pub use lane::{Lane, LaneRun, LaneRuns};
use lists::Lists;
pub use lists::{Dma, Scatter};
use middle::{Each, Middle};

/// A scenario, worked out stage by stage.
///
/// Counts are computed once. Lists are iterators over the memory's runs, made anew by each call, and take no memory.
#[derive(Clone, Debug)]
pub struct Registration {
    lists: Lists,
    table: Result<Table, Refusal>,
}

impl Registration {
    /// Works the scenario out.
    ///
    /// Takes one pass over the memory's runs for each stage, whatever the region's length in bytes.
    ///
    /// # Errors
    /// Only what is wrong with the scenario itself; what the kernel or the device refuses is a result.
    pub fn new(scenario: &Scenario) -> Result<Self, ScenarioError> {
        Ok(Self::of(scenario.resolve()?))
    }

    /// About how many segments are walked to work `question` out.
    ///
    /// The middle of scattered memory is not, without an IOMMU and by rules since Linux 5.10: one of its pages is like the other. Why
    /// entries of a [mixed](Policy::Mixed) table are not larger is told of each by itself.
    pub fn walk_length(question: &Question) -> u64 {
        let (mr, memory) = (question.mr(), question.memory());
        let possible = question.kernel().possible();
        let by_pages = possible
            .iter()
            .all(|rules| rules.coalescing == Coalescing::AnyPage);
        let is_told = question.device().policy == Policy::Mixed;
        let middle = Middle::of(question).filter(|_| by_pages && !is_told);
        let length = mr.length - middle.map_or(0, |middle| middle.length());
        let pieces = match memory.layout() {
            Layout::Contiguous(_) => 0,
            Layout::Descending(_) | Layout::Scattered { .. } => length / memory.page_size().bytes(),
            Layout::Extents(runs) => runs.count() as u64,
        };
        length / u64::from(question.device().max_segment) + pieces
    }

    /// The same for a scenario that is resolved already.
    pub fn of(question: Question) -> Self {
        let lists = Lists::of(question);
        let table = cut::table(&lists, lists.question.device().policy);
        Self { lists, table }
    }

    /// The same region for a scenario that differs at most in its process. If it has the same access and no gate before the SG list
    /// refuses either, both have the same lists and the same table.
    #[cfg(feature = "guide")]
    pub(crate) fn for_process_of(&self, scenario: &Scenario) -> Result<Self, ScenarioError> {
        let question = scenario.resolve()?;
        let same = scenario.process.access == self.scenario().process.access
            && self.lists.stopped().is_none()
            && question.request().refusal().is_none();
        Ok(match same {
            true => Self {
                lists: self.lists.clone().asked(question),
                table: self.table.clone(),
            },
            false => Self::of(question),
        })
    }

    /// The resolved scenario.
    pub fn question(&self) -> &Question {
        &self.lists.question
    }

    /// The scenario as it was given.
    pub fn scenario(&self) -> &Scenario {
        self.question().scenario()
    }

    /// How many kernel pages are pinned.
    pub fn pages(&self) -> u64 {
        self.question().mr().pages()
    }

    /// What the kernel's own lists take on the way; nothing where it makes none.
    pub fn list_cost(&self) -> ListCost {
        if self.question().kind() != Kind::Pages || self.lists.stopped().is_some() {
            return ListCost::default();
        }
        let (page, (from, _)) = (self.question().mr().page, self.pinned());
        if self
            .lists
            .middle
            .is_some_and(|middle| middle.entry == page.bytes())
        {
            return ListCost::of_single_pages(self.pages(), page);
        }
        let starts = self
            .scatter()
            .map(|entry| (entry.offset - from) >> page.log2());
        ListCost::new(self.pages(), starts, page)
    }

    /// The first offset of the pinned pages, in bytes from `region.va`, and the first one after them.
    pub fn pinned(&self) -> (u64, u64) {
        self.question().mr().pinned()
    }

    /// The frames of the pinned pages, in runs.
    pub fn frames(&self) -> FrameRuns<'_> {
        self.lists.frames()
    }

    /// The scatter-gather list; empty where a gate before it refuses the region.
    pub fn scatter(&self) -> Scatter<'_> {
        self.lists.scatter()
    }

    /// How many SG entries there are.
    pub fn scatter_count(&self) -> u64 {
        self.lists.scatter_count
    }

    /// The DMA list; the SG list's own addresses if mapping was refused.
    pub fn dma(&self) -> Dma<'_> {
        self.lists.dma()
    }

    /// How many DMA segments there are.
    ///
    /// # Errors
    /// Why there is no DMA list.
    pub fn dma_count(&self) -> Result<u64, &Refusal> {
        self.lists.dma_count()
    }

    /// Where the IOMMU put the mapping; `None` if device addresses are physical ones.
    pub fn mapping(&self) -> Option<Mapping> {
        self.lists.mapping()
    }

    /// The entries of the IOMMU's own page table, if there is one.
    pub fn io_pages(&self) -> Option<IoPages<Scatter<'_>>> {
        self.lists.io_pages()
    }

    /// The table under the device's own policy.
    ///
    /// # Errors
    /// Why there is none.
    pub fn table(&self) -> Result<&Table, &Refusal> {
        self.table.as_ref()
    }

    /// What the table would be under another policy, all else the same.
    ///
    /// # Errors
    /// Why the device refuses it.
    pub fn alternative(&self, policy: Policy) -> Result<Table, Refusal> {
        match policy == self.question().device().policy {
            true => self.table.clone(),
            false => cut::table(&self.lists, policy),
        }
    }

    /// The entries of the device's table, in runs; empty if it was refused.
    pub fn entries(&self) -> Entries<'_> {
        self.entries_of(self.question().mr())
    }

    fn entries_of(&self, mr: &Mr) -> Entries<'_> {
        self.table.as_ref().map_or(Entries::None, |table| {
            cut::entries(&self.lists, mr, table.policy, table.page_size).unwrap_or(Entries::None)
        })
    }

    /// Calls `each` with the boxes that `made` tells of a region: of this one, which is walked without its middle if it has one.
    fn each_box(&self, made: &dyn Fn(&Mr, &mut Each<'_>), each: &mut Each<'_>) {
        if let Some(middle) = self.lists.middle {
            let mut boxes = Vec::new();
            made(&self.lists.walked(), &mut |one| boxes.push(one));
            if middle.among(&mut boxes).is_some() {
                return boxes.into_iter().for_each(each);
            }
        }
        made(self.question().mr(), each);
    }

    /// The segments that say which one size a driver chooses: all of them, or the first and the last of long memory that is scattered.
    pub(crate) fn telling(&self) -> Dma<'_> {
        self.lists.dma_of(&self.lists.walked())
    }

    /// The size that the driver chooses for all blocks, or `None` if none fits; `on` sees each constraint that costs a size.
    pub fn single_size(&self, on: impl FnMut(Constraint)) -> Option<PageSize> {
        self.lists.single_size(on)
    }

    /// The page's status line: `257 entries: 255 × 4K + 1 × 1M + 1 × 2M`, or why there is no table.
    pub fn status(&self) -> String {
        match &self.table {
            Ok(table) => table.tally.to_string(),
            Err(refusal) => refusal.stop(),
        }
    }

    /// Random access to every stage: where the n-th entry lies, which one holds an offset.
    ///
    /// Takes memory in proportion to the changes of size along the region, at most to its segments.
    pub fn index(self) -> Index {
        Index::new(self, None)
    }

    /// The same, in the memory of `other` where both have the same boxes: of a capture under two kernels it takes little more than of one.
    pub fn index_beside(self, other: &Index) -> Index {
        Index::new(self, Some(other))
    }
}
