//! What makes a refused region register: for each rule of a gate its remedies, each proven by planning the region again.
//!
//! A region may be refused for more than one reason. Where the next gate refuses the changed region, its remedies are tried on top, so
//! that a proposal names everything that has to change.

use super::{
    outcome::{Advice, Outcome, gain},
    proposals::{self, Kind, Proposal},
    slices::slices,
};
use crate::{
    gate::{Gate, GateAnswer},
    memory,
    registration::Registration,
    scenario::Scenario,
    size::Bytes,
};
use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
    vec::Vec,
};

mod cures;

pub(crate) use cures::cures;

/// A change that a refusal calls for, not yet proven.
#[derive(Debug)]
pub(crate) struct Remedy {
    /// What to do, as a sentence without a full stop.
    pub(crate) change: Cow<'static, str>,
    /// What it costs.
    pub(crate) cost: Cow<'static, str>,
    /// The changed scenario; of slices the first and the last.
    pub(crate) scenarios: Vec<Scenario>,
    /// How many regions are like the first of these.
    pub(crate) repeats: u64,
}

/// How many gates may refuse a region one after the other.
const MOST_GATES: usize = 4;

/// What makes a region register, the easiest first; empty if it does.
pub(super) fn remedies(of: &Registration) -> Vec<(Kind, Advice)> {
    if of.table().is_ok() {
        return Vec::new();
    }
    let before = Outcome::of(of);
    let Some(refusal) = of.gates().pop().filter(GateAnswer::refuses) else {
        return Vec::new();
    };
    let mut list: Vec<(Kind, Advice)> = Vec::new();
    let mut planner = Planner::default();
    let complete = of_refusal(of, &refusal)
        .into_iter()
        .flat_map(|remedy| complete(remedy, &refusal, MOST_GATES, &mut planner));
    let mut complete: Vec<_> = complete.collect();
    let larger = complete.iter().find_map(in_larger_pages);
    complete.extend(larger);
    for (number, (remedy, tables)) in complete.into_iter().enumerate() {
        let proposal = Proposal {
            scenarios: remedy.scenarios,
            repeats: remedy.repeats,
            ..Proposal::new(
                Kind::Remedy(number),
                of.scenario().clone(),
                remedy.change,
                remedy.cost,
            )
        };
        if let Some((advice, _)) = gain(proposal, &tables, before) {
            list.push((Kind::Remedy(number), advice));
        }
    }
    list
}

/// The remedies for a refusal, the easiest first.
fn of_refusal(of: &Registration, refusal: &GateAnswer) -> Vec<Remedy> {
    let mut list = match refusal.code {
        Some(code) => cures(of, code),
        None => Vec::new(),
    };
    let in_slices = matches!(
        refusal.code,
        Some("too-long" | "too-many-pages" | "too-many-entries" | "iommu-map-failed")
    );
    if let Some(slices) = in_slices.then(|| slices(of)).flatten() {
        let (count, length) = (slices.count, Bytes(slices.length));
        let (each, buffers) = match of.question().kind() {
            memory::Kind::DmaBuf => (
                ", one dma-buf each",
                "; the exporter must hand out a buffer for each",
            ),
            _ => ("", ""),
        };
        list.push(Remedy {
            change: format!("register it as {count} regions of at most {length}{each}").into(),
            cost: format!(
                "{count} keys to hand out, and no access across their boundaries{buffers}"
            )
            .into(),
            scenarios: slices.scenarios,
            repeats: slices.full,
        });
    }
    list
}

/// How many ways to go on are listed if the next gate refuses the changed region.
const MOST_WAYS: usize = 2;

/// Plans regions one after the other. The cures of one refusal often differ in the process alone, and long lists take seconds to make.
#[derive(Default)]
struct Planner {
    /// The region that was planned last.
    last: Option<Registration>,
}

impl Planner {
    fn plan(&mut self, scenario: &Scenario) -> Option<Registration> {
        let alike = |last: &&Registration| {
            let known = last.scenario();
            let process = scenario.process.clone();
            *scenario
                == Scenario {
                    process,
                    ..known.clone()
                }
        };
        let planned = match self.last.as_ref().filter(alike) {
            Some(last) => last.for_process_of(scenario),
            None => Registration::new(scenario),
        };
        let planned = planned.ok()?;
        self.last = Some(planned.clone());
        Some(planned)
    }
}

/// The remedy and its tables, with those of the gates behind that refuse the region then; empty if it does not register in the end.
fn complete(
    remedy: Remedy,
    refusal: &GateAnswer,
    gates: usize,
    planner: &mut Planner,
) -> Vec<(Remedy, Vec<Registration>)> {
    let tables = remedy
        .scenarios
        .iter()
        .map(|scenario| planner.plan(scenario));
    let Some(tables) = tables.collect::<Option<Vec<_>>>() else {
        return Vec::new();
    };
    if tables.iter().all(|changed| changed.table().is_ok()) {
        return alloc::vec![(remedy, tables)];
    }
    let [changed] = &tables[..] else {
        return Vec::new();
    };
    let Some(next) = changed.gates().pop().filter(GateAnswer::refuses) else {
        return Vec::new();
    };
    // The same again: it did not help.
    let again = next.gate < refusal.gate || (next.gate, next.code) == (refusal.gate, refusal.code);
    if again || gates == 0 {
        return Vec::new();
    }
    let then = further(changed, &next)
        .into_iter()
        .flat_map(|then| complete(then, &next, gates - 1, planner))
        .take(MOST_WAYS);
    let both = |then: Remedy| Remedy {
        change: format!("{}, and {}", remedy.change, then.change).into(),
        cost: format!("{}; {}", remedy.cost, then.cost).into(),
        ..then
    };
    then.map(|(then, tables)| (both(then), tables)).collect()
}

/// The same for a region in the smallest huge pages, if it would register in pages of the kernel and they make it at most half as long.
fn in_larger_pages(
    (remedy, tables): &(Remedy, Vec<Registration>),
) -> Option<(Remedy, Vec<Registration>)> {
    let [small] = &tables[..] else {
        return None;
    };
    let of_kernel = small.table().ok()?.page_size == Some(small.question().mr().page);
    let size = proposals::huge_sizes(small).next().filter(|_| of_kernel)?;
    let huge = proposals::huge_pages(small, size)?;
    let table = Registration::new(huge.scenarios.first()?).ok()?;
    let fewer = table.table().ok()?.total <= small.table().ok()?.total / 2;
    let both = Remedy {
        change: format!("{}, and {}", remedy.change, huge.change).into(),
        cost: format!("{}; {}", remedy.cost, huge.cost).into(),
        scenarios: huge.scenarios,
        repeats: 1,
    };
    fewer.then(|| (both, alloc::vec![table]))
}

/// The remedies for a refusal that other changes have led to; behind pinning, larger pages and later kernels as well.
fn further(changed: &Registration, next: &GateAnswer) -> Vec<Remedy> {
    let mut then = Vec::new();
    if next.gate > Gate::Pin {
        let huge = proposals::huge_sizes(changed)
            .take(1)
            .filter_map(|size| proposals::huge_pages(changed, size));
        let more = huge.chain(proposals::later_kernels(changed));
        then.extend(more.map(|proposal| Remedy {
            change: proposal.change.into(),
            cost: proposal.cost.into(),
            scenarios: proposal.scenarios,
            repeats: 1,
        }));
    }
    then.extend(of_refusal(changed, next));
    then
}

impl Remedy {
    /// `change` for `cost`, if `apply` finds something to change.
    fn new(
        of: &Registration,
        change: impl Into<Cow<'static, str>>,
        cost: impl Into<Cow<'static, str>>,
        apply: impl FnOnce(&mut Scenario) -> Option<()>,
    ) -> Option<Self> {
        let mut changed = of.scenario().clone();
        apply(&mut changed)?;
        (changed != *of.scenario()).then(|| Self {
            change: change.into(),
            cost: cost.into(),
            scenarios: alloc::vec![changed],
            repeats: 1,
        })
    }
}

/// "local-write, remote-write".
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ").to_string()
}
