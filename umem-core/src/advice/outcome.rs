//! A change, and the tables before and after it.

use super::proposals::Proposal;
use crate::{registration::Registration, scenario::Scenario, size::PageSize};
use alloc::{string::String, vec::Vec};

/// A change that helps.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Advice {
    /// What to do, as a sentence.
    pub change: String,
    /// The table as it is.
    pub before: Outcome,
    /// The table with the change; of a region that is split, both tables together.
    pub after: Outcome,
    /// What the change costs.
    pub cost: String,
    /// The changed scenario; two where the region is split. For slices of one length, the first, and the last if it is shorter.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub scenarios: Vec<Scenario>,
}

/// The cost of a table.
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

impl Outcome {
    pub(super) fn of(registration: &Registration) -> Self {
        let table = registration.table().ok();
        Self {
            entries: table.map(|table| table.total),
            bytes: table.map(|table| table.bytes),
            page_size: table.and_then(|table| table.page_size).map(PageSize::bytes),
        }
    }

    /// Both tables together, if there are both.
    pub(super) fn and(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        let page_size = self.page_size.filter(|size| Some(*size) == other.page_size);
        Self {
            entries: sum(self.entries, other.entries),
            bytes: sum(self.bytes, other.bytes),
            page_size,
        }
    }

    /// So many tables like this.
    pub(super) fn times(self, count: u64) -> Self {
        let times = |each: Option<u64>| Some(each?.saturating_mul(count));
        Self {
            entries: times(self.entries),
            bytes: times(self.bytes),
            page_size: self.page_size,
        }
    }

    /// Whether this is fewer entries than `other`, where a refusal is more than any.
    pub(super) fn beats(&self, other: &Self) -> bool {
        self.entries
            .is_some_and(|entries| other.entries.is_none_or(|others| entries < others))
    }
}

/// The proposal with its outcome and the bytes of its largest entry; `None` if it does not help.
pub(super) fn proven(proposal: Proposal, before: Outcome) -> Option<(Advice, Option<u64>)> {
    let tables = proposal.scenarios.iter().map(Registration::new);
    let tables: Vec<_> = tables.collect::<Result<_, _>>().ok()?;
    gain(proposal, &tables, before)
}

/// The same for a proposal whose scenarios are worked out already.
pub(super) fn gain(
    proposal: Proposal,
    tables: &[Registration],
    before: Outcome,
) -> Option<(Advice, Option<u64>)> {
    let (first, rest) = tables.split_first()?;
    let first = Outcome::of(first).times(proposal.repeats);
    let after = rest.iter().map(Outcome::of).fold(first, Outcome::and);
    let largest = |of: &Registration| Some(of.table().ok()?.tally.by_size().last()?.0);
    let largest = tables.iter().filter_map(largest).max();
    let advice = Advice {
        change: proposal.change,
        before,
        after,
        cost: proposal.cost,
        scenarios: proposal.scenarios,
    };
    let wrong = tables.iter().any(Registration::is_wrong);
    (after.beats(&before) && !wrong).then_some((advice, largest))
}
