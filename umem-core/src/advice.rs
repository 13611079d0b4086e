//! Advice: the changes to a scenario that would shrink its table, each proven by running it.

use crate::{registration::Registration, scenario::Scenario};
use alloc::{string::String, vec::Vec};

/// A change that helps.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Advice {
    /// What to do, as a sentence.
    pub change: String,
    /// The table as it is.
    pub before: Outcome,
    /// The table with the change.
    pub after: Outcome,
    /// What the change costs.
    pub cost: String,
    /// The changed scenario.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub scenario: Scenario,
}

/// What a table amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Outcome {
    /// Its entries; `None` where the region is refused.
    pub entries: Option<u64>,
    /// The bytes they take.
    pub bytes: Option<u64>,
    /// The one page size in bytes, under the single policy.
    pub page_size: Option<u64>,
}

impl Registration {
    /// The changes that would shrink the table, the greatest gain first.
    pub fn advice(&self, _scenario: &Scenario) -> Vec<Advice> {
        Vec::new()
    }
}
