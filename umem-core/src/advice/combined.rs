//! Two changes at once, where neither is enough.

use super::{
    outcome::{Advice, Outcome, proven},
    proposals::{self, Kind, MOST_SEGMENTS, Proposal},
};
use crate::{
    registration::Registration,
    size::{Bytes, PageSize},
    table::Policy,
};
use alloc::{format, vec::Vec};

/// The pairs of changes that gain more than each of the two, and at least twice as much as any single change to the program.
pub(super) fn combined(of: &Registration, singles: &[(Kind, Advice)]) -> Vec<(Kind, Advice)> {
    let question = of.question();
    let single_size = question.device().policy == Policy::Single;
    if !single_size || of.table().is_err() || of.scatter_count() > MOST_SEGMENTS {
        return Vec::new();
    }
    let before = Outcome::of(of);
    let easy = singles.iter().filter(|(kind, _)| !of_the_machine(*kind));
    let easy = easy.filter_map(|(_, advice)| advice.after.entries).min();
    let mut enough = easy.unwrap_or(u64::MAX);
    let mut found = Vec::new();
    for (number, [first, second, both]) in pairs(of).into_iter().enumerate() {
        let parts = [&first, &second].map(outcome);
        let Some(both) = together(&first, &both, number) else {
            continue;
        };
        let Some((advice, _)) = proven(both, before) else {
            continue;
        };
        let Some(after) = advice.after.entries else {
            continue;
        };
        let gains = parts.iter().all(|part| advice.after.beats(part));
        if gains && after.saturating_mul(2) <= enough {
            enough = after;
            found.push((Kind::Combined(number), advice));
        }
    }
    found
}

/// Whether it takes an administrator, or knowledge that only root has.
fn of_the_machine(kind: Kind) -> bool {
    matches!(kind, Kind::Identity | Kind::Kernel | Kind::HcaAddress)
}

/// The pairs that are tried: the first, the second alone, and the second for the region that the first leads to.
fn pairs(of: &Registration) -> Vec<[Proposal; 3]> {
    let pair = |first: Option<Proposal>, second: fn(&Registration) -> Option<Proposal>| {
        let first = first?;
        let changed = Registration::new(first.scenarios.first()?).ok()?;
        // A change that is impossible alone gains nothing alone.
        let alone = second(of).unwrap_or_else(|| Proposal {
            scenarios: Vec::new(),
            ..Proposal::new(Kind::ZeroBased, of.scenario().clone(), "", "")
        });
        Some([first, alone, second(&changed)?])
    };
    let least = proposals::huge_sizes(of).next();
    let huge = || proposals::huge_pages(of, least?);
    let to_page = |changed: &Registration| {
        let size = changed.question().memory().page_size();
        proposals::aligned(changed, size)
    };
    let pairs = [
        pair(
            least.and_then(|size| to_frame(of, size)),
            proposals::zero_based,
        ),
        pair(huge(), proposals::zero_based),
        pair(huge(), to_page),
        pair(huge(), proposals::identity),
    ];
    pairs.into_iter().flatten().collect()
}

/// The region begins at the boundary of the huge page that its first frame lies in, if the program can know that.
fn to_frame(of: &Registration, size: PageSize) -> Option<Proposal> {
    let mr = of.question().mr();
    // Behind an IOMMU frames do not matter.
    if of.question().translation().is_some() {
        return None;
    }
    let first = of.frames().next()?.start.offset_in(size) + mr.page_offset();
    if first == 0 || first > mr.offset {
        return None;
    }
    let mut changed = of.scenario().clone();
    changed.region.offset = Bytes(mr.offset - first);
    changed.region.length = Bytes(mr.length + first);
    changed.region.hca_address = changed
        .region
        .hca_address
        .map(|hca| hca.wrapping_sub(first));
    let back = Bytes(first);
    let change = format!("start the region {back} earlier, where its {size} page begins");
    let cost = format!("{back} more are registered, and the remote side may reach them");
    Some(Proposal::new(Kind::Align, changed, change, cost))
}

fn outcome(part: &Proposal) -> Outcome {
    let registration = part.scenarios.first().map(Registration::new);
    match registration {
        Some(Ok(registration)) => Outcome::of(&registration),
        _ => Outcome {
            entries: None,
            bytes: None,
            page_size: None,
        },
    }
}

/// Both as one proposal.
fn together(first: &Proposal, second: &Proposal, number: usize) -> Option<Proposal> {
    Some(Proposal::new(
        Kind::Combined(number),
        second.scenarios.first()?.clone(),
        format!("{}, and {}", first.change, second.change),
        format!("{}; {}", first.cost, second.cost),
    ))
}
