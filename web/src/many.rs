//! A set on the page: many regions of one process on one device, of which one is seen.

use crate::limit::bounded_set;
use umem_core::{
    scenario::{Scenario, ScenarioError},
    set::{Set, SetPlan},
};

/// A set, worked out, and which of its registrations is seen.
#[derive(Debug)]
pub struct Many {
    /// What becomes of it.
    pub plan: SetPlan,
    /// The number of the registration that is seen, from 0.
    pub seen: usize,
}

/// Sets are compared by identity: each is worked out once and then shared.
impl PartialEq for Many {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Many {
    /// Works `set` out; what is seen is registration number `seen`, or the first that is refused.
    ///
    /// # Errors
    /// What is wrong with it, and where; or that it is more than a page should compute while somebody waits.
    pub fn new(set: &Set, seen: Option<usize>) -> Result<Self, ScenarioError> {
        bounded_set(set)?;
        let plan = set.plan()?;
        let mut many = Self { plan, seen: 0 };
        let seen = seen.unwrap_or_else(|| many.first());
        many.seen = seen.min(set.registrations.len() - 1);
        Ok(many)
    }

    /// The number of the registration that is seen first: the one that is refused, if one is.
    pub fn first(&self) -> usize {
        self.plan.refusal().map_or(0, |refusal| refusal.member)
    }

    /// The set.
    pub fn set(&self) -> &Set {
        self.plan.set()
    }

    /// The registration that is seen, as a scenario of its own.
    pub fn scenario(&self) -> Scenario {
        self.set().scenario(&self.set().registrations[self.seen])
    }

    /// The same set; another registration is seen.
    #[must_use]
    pub fn seeing(&self, seen: usize) -> Self {
        Self {
            plan: self.plan.clone(),
            seen: seen.min(self.set().registrations.len() - 1),
        }
    }

    /// The set in which the registration that is seen is `scenario`: its kernel, IOMMU, device and process are those of all.
    pub fn with(&self, scenario: &Scenario) -> Set {
        let mut set = self.set().clone();
        set.kernel = scenario.kernel.clone();
        set.iommu = scenario.iommu.clone();
        set.device = scenario.device.clone();
        set.process = scenario.process.clone();
        let member = &mut set.registrations[self.seen];
        member.name = scenario.name.clone();
        member.region = scenario.region.clone();
        member.memory = scenario.memory.clone();
        set
    }
}
