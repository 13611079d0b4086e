//! A scenario worked out: everything that does not depend on the moment, computed once.

use crate::limit::bounded;
use std::{cell::OnceCell, rc::Rc};
#[cfg(feature = "page")]
use umem_core::{diagram::LaneName, gate::GateAnswer};
use umem_core::{
    diagram::Steps,
    explain::{Limit, limits},
    kernel::KernelRules,
    registration::{Index, Registration, Table},
    scenario::{Scenario, ScenarioError},
    size::{PageSize, PageSizes},
    table::{Policy, Refusal, single::Constraint},
};

/// A scenario, and what becomes of it.
#[derive(Debug)]
pub struct Scene {
    /// The question.
    pub scenario: Rc<Scenario>,
    /// The answer, with random access to it.
    pub index: Index,
    told: Told,
}

/// What is only asked for where it is told in words, worked out when it is.
#[derive(Debug, Default)]
struct Told {
    policies: OnceCell<Vec<(Policy, Result<Table, Refusal>)>>,
    limits: OnceCell<Vec<Limit>>,
    single: OnceCell<Option<Single>>,
    io_entries: OnceCell<Option<u64>>,
    #[cfg(feature = "page")]
    gates: OnceCell<Vec<GateAnswer>>,
    possible: OnceCell<Vec<(KernelRules, String)>>,
}

/// The search for the one size that fits everywhere.
#[derive(Debug)]
pub struct Single {
    /// The sizes that took part.
    pub sizes: PageSizes,
    /// The one that was found, if one was.
    pub best: Option<PageSize>,
    /// What forbade larger ones, in order; the last decided.
    pub constraints: Vec<Constraint>,
}

/// Scenes are compared by identity: each is worked out once and then shared.
impl PartialEq for Scene {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Scene {
    /// Works `scenario` out.
    ///
    /// # Errors
    /// What is wrong with it, and where; or that it is more than a page should compute while somebody types.
    pub fn new(scenario: &Rc<Scenario>) -> Result<Self, ScenarioError> {
        Self::worked_out(scenario, Registration::index)
    }

    /// The same, in the memory of `other` where both are alike.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn beside(scenario: &Rc<Scenario>, other: &Self) -> Result<Self, ScenarioError> {
        Self::worked_out(scenario, |registration| {
            registration.index_beside(&other.index)
        })
    }

    fn worked_out(
        scenario: &Rc<Scenario>,
        index: impl FnOnce(Registration) -> Index,
    ) -> Result<Self, ScenarioError> {
        let question = scenario.resolve()?;
        bounded(&question)?;
        Ok(Self {
            scenario: scenario.clone(),
            index: index(Registration::of(question)),
            told: Told::default(),
        })
    }

    /// The answer.
    pub fn registration(&self) -> &Registration {
        self.index.registration()
    }

    /// Whether a lane looks otherwise than that of `other`, as far as its first, its last and the number of its boxes tell: there may be
    /// millions.
    #[cfg(feature = "page")]
    pub fn differs(&self, other: &Self, name: LaneName) -> bool {
        let lane = |scene: &'_ Self| {
            name.boxes(&scene.index).map(|lane| {
                let runs = lane.runs();
                (lane.count(), runs.len(), runs.first(), runs.last())
            })
        };
        let mr = |scene: &Self| *scene.registration().question().mr();
        let start = |scene: &Self| scene.registration().mapping().map(|mapping| mapping.start);
        match name {
            LaneName::Virtual => mr(self) != mr(other),
            LaneName::Dma => lane(self) != lane(other) || start(self) != start(other),
            _ => lane(self) != lane(other),
        }
    }

    /// Whether an IOMMU maps the region, or refuses to.
    pub fn has_iommu(&self) -> bool {
        self.registration().question().translation().is_some()
    }

    /// The moments of its animation.
    pub fn steps(&self) -> Steps<'_> {
        Steps::new(&self.index)
    }

    /// The moment at which everything is done.
    pub fn last(&self) -> f64 {
        self.steps().count() as f64
    }

    /// Whether working out what is only told in words would keep a reader waiting for the picture.
    pub fn is_long(&self) -> bool {
        self.index.dma().runs().len() + self.index.entries().runs().len() > 1 << 15
    }

    /// The same region under each policy.
    pub fn policies(&self) -> &[(Policy, Result<Table, Refusal>)] {
        let under = |policy| (policy, self.registration().alternative(policy));
        let policies = &self.told.policies;
        policies.get_or_init(|| Policy::ALL.map(under).into())
    }

    /// Why the table is not smaller.
    pub fn limits(&self) -> &[Limit] {
        let told = &self.told.limits;
        told.get_or_init(|| limits(self.registration()))
    }

    /// What each gate answers, up to the first that refuses.
    #[cfg(feature = "page")]
    pub fn gates(&self) -> &[GateAnswer] {
        self.told.gates.get_or_init(|| self.registration().gates())
    }

    /// The status line by each of the rules that the kernel may have; empty where its name says all of them.
    pub fn possible(&self) -> &[(KernelRules, String)] {
        let possible = &self.told.possible;
        possible.get_or_init(|| self.registration().by_possible_rules())
    }

    /// How many entries the IOMMU's own page table takes, if there is one.
    pub fn io_entries(&self) -> Option<u64> {
        let count = || Some(self.registration().io_pages()?.map(|run| run.count).sum());
        *self.told.io_entries.get_or_init(count)
    }

    /// How the one size was found, under the single policy.
    pub fn single(&self) -> Option<&Single> {
        let single = &self.told.single;
        single
            .get_or_init(|| single_of(self.registration()))
            .as_ref()
    }
}

fn single_of(registration: &Registration) -> Option<Single> {
    let device = registration.question().device();
    // The bits of addresses tell how ib_umem_find_best_pgsz() chose, not how a driver did by itself.
    if device.policy != Policy::Single
        || !device.choice.is_best()
        || registration.dma_count().is_err()
    {
        return None;
    }
    let mut constraints = Vec::new();
    let best = registration.single_size(|constraint| constraints.push(constraint));
    Some(Single {
        sizes: device.page_sizes,
        best,
        constraints,
    })
}
