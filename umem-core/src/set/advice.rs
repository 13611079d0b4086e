//! Advice for sets: fewer regions, huge pages, slices; each proven by planning the changed set.

use super::{Member, Set, SetPlan};
#[cfg(feature = "guide")]
use crate::advice::cures;
use crate::{
    advice::in_huge_pages,
    memory::Kind,
    processor,
    scenario::{LayoutName, MemorySpec, Region},
    size::{Bytes, PageSize},
};
use alloc::{format, string::String, vec, vec::Vec};

/// A change of a set that helps.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SetAdvice {
    /// What to do, as a sentence.
    pub change: String,
    /// The set as it is.
    pub before: SetOutcome,
    /// The set with the change.
    pub after: SetOutcome,
    /// What the change costs.
    pub cost: String,
    /// The changed set.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub set: Set,
}

/// What a set takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SetOutcome {
    /// Its regions.
    pub regions: u64,
    /// Their entries together.
    pub entries: u64,
    /// The number of the region that is refused, from 1 on.
    pub refused_at: Option<u64>,
}

impl SetOutcome {
    fn of(plan: &SetPlan) -> Self {
        Self {
            regions: plan.total().regions,
            entries: plan.total().entries,
            refused_at: plan.refusal().map(|refusal| refusal.region),
        }
    }

    /// Whether this is better than `other`: nothing is refused any more, or it takes fewer entries, or fewer regions for no more.
    fn beats(&self, other: &Self) -> bool {
        match (self.refused_at, other.refused_at) {
            (Some(_), _) => false,
            (None, Some(_)) => true,
            (None, None) => {
                self.entries < other.entries
                    || self.entries == other.entries && self.regions < other.regions
            }
        }
    }
}

/// The most slices that are tried.
const MOST_SLICES: u64 = 1 << 12;

impl SetPlan {
    /// The changes that help, in the order in which they are easiest to make: remedies for a refusal, huge pages, slices, one region.
    pub fn advice(&self) -> Vec<SetAdvice> {
        let before = SetOutcome::of(self);
        let proposals = self.put_right().into_iter();
        let proposals = proposals.chain(self.in_huge_pages()).chain(self.sliced());
        let proposals = proposals.chain(self.as_one());
        let proven = proposals.filter_map(|(set, change, cost)| {
            let after = SetOutcome::of(&set.plan().ok()?);
            after.beats(&before).then_some(SetAdvice {
                change,
                before,
                after,
                cost,
                set,
            })
        });
        let mut list: Vec<SetAdvice> = Vec::new();
        for advice in proven {
            // Of changes that gain nothing more, the easiest is enough.
            if !list.iter().any(|known| known.after == advice.after) {
                list.push(advice);
            }
        }
        list
    }

    /// Remedies for the rule that refuses a region, applied to all regions.
    #[cfg(feature = "guide")]
    fn put_right(&self) -> Vec<(Set, String, String)> {
        let Some(refusal) = self.refusal() else {
            return Vec::new();
        };
        let (number, code) = (refusal.member, refusal.answer.code.unwrap_or_default());
        let cures = cures(&self.members()[number].registration, code).into_iter();
        let changed = cures.filter_map(|remedy| {
            let scenario = remedy.scenarios.into_iter().next()?;
            let mut set = self.set().clone();
            (set.process, set.kernel) = (scenario.process, scenario.kernel);
            let member = &mut set.registrations[number];
            (member.region, member.memory) = (scenario.region, scenario.memory);
            Some((set, remedy.change.into_owned(), remedy.cost.into_owned()))
        });
        changed.collect()
    }

    #[cfg(not(feature = "guide"))]
    fn put_right(&self) -> Vec<(Set, String, String)> {
        Vec::new()
    }

    /// Regions as long as a huge page, or longer, in such pages.
    fn in_huge_pages(&self) -> Vec<(Set, String, String)> {
        let first = &self.members()[0].registration;
        let platform = first.question().iommu_profile();
        let platform = platform.and_then(|profile| profile.platform);
        let sizes = processor::huge_pages(platform, first.question().mr().page);
        let in_pages = |size: PageSize| {
            let mut set = self.set().clone();
            let mut changed = 0u64;
            for (member, planned) in set.registrations.iter_mut().zip(self.members()) {
                if member.region.length.0 < size.bytes() {
                    continue;
                }
                let Some(scenario) = in_huge_pages(&planned.registration, size) else {
                    continue;
                };
                (member.region, member.memory) = (scenario.region, scenario.memory);
                changed = changed.saturating_add(member.count);
            }
            let change = match changed {
                0 => return None,
                1 => format!("back the one region of {size} or more with {size} pages"),
                _ => format!("back the {changed} regions of {size} or more with {size} pages"),
            };
            let cost = format!("{size} pages must be reserved, and memory is taken in whole ones");
            Some((set, change, cost))
        };
        sizes.iter().filter_map(in_pages).collect()
    }

    /// The region that is refused, registered in as few slices of one length as register.
    fn sliced(&self) -> Option<(Set, String, String)> {
        let refusal = self.refusal()?;
        let member = &self.set().registrations[refusal.member];
        // A region that registers alone exceeds a common limit, which slices do not change.
        if self.members()[refusal.member].registration.table().is_ok() {
            return None;
        }
        // Slices of listed memory differ from each other.
        if member.memory.extents.is_some() || member.memory.kind != Kind::Pages {
            return None;
        }
        let with = |slices: u64| self.with_slices(refusal.member, slices);
        let fits = |slices: u64| {
            let (set, _) = with(slices)?;
            set.plan().ok()?.refusal().is_none().then_some(())
        };
        // If a refused region registers in some number of slices, it does in any larger number.
        let most = (1..=MOST_SLICES.ilog2()).map(|log2| 1 << log2);
        let enough = most.into_iter().find(|slices| fits(*slices).is_some())?;
        let (mut too_few, mut enough) = (enough / 2, enough);
        while enough - too_few > 1 {
            let slices = too_few + (enough - too_few) / 2;
            match fits(slices) {
                Some(()) => enough = slices,
                None => too_few = slices,
            }
        }
        let (set, length) = with(enough)?;
        let whole = member.region.length;
        let change = format!(
            "register each region of {whole} as {enough} of at most {}: as a whole it is {}",
            Bytes(length),
            refusal.answer.stop()
        );
        let cost =
            format!("{enough} keys for each to hand out, and no access across their boundaries");
        Some((set, change, cost))
    }

    /// The set with each region of a member in so many slices, and the length of one.
    fn with_slices(&self, number: usize, slices: u64) -> Option<(Set, u64)> {
        let registration = &self.members()[number].registration;
        let unit = registration.question().memory().page_size().bytes();
        let member = &self.set().registrations[number];
        let whole = member.region.length.0;
        let length = whole.div_ceil(slices).checked_next_multiple_of(unit)?;
        let (full, rest) = (whole / length, whole % length);
        let piece = |length: u64, count: u64| Member {
            region: Region {
                length: Bytes(length),
                ..member.region.clone()
            },
            count: member.count.saturating_mul(count),
            ..member.clone()
        };
        let mut pieces = vec![piece(length, full)];
        pieces.extend((rest > 0).then(|| piece(rest, 1)));
        let mut set = self.set().clone();
        set.registrations.splice(number..=number, pieces);
        Some((set, length))
    }

    /// All memory as one buffer and one region, in the smallest pages that the set has.
    fn as_one(&self) -> Option<(Set, String, String)> {
        let regions = self.total().regions;
        if regions < 2 {
            return None;
        }
        let mut length = 0u64;
        let mut page_size = None;
        for Member {
            region,
            memory,
            count,
            ..
        } in &self.set().registrations
        {
            if memory.kind != Kind::Pages || !memory.areas.is_empty() || memory.extents.is_some() {
                return None;
            }
            length = length.checked_add(region.length.0.checked_mul(*count)?)?;
            let size = memory.page_size.unwrap_or(self.set().kernel.page_size);
            page_size = Some(page_size.map_or(size, |least: Bytes| Bytes(least.0.min(size.0))));
        }
        let first = &self.set().registrations[0];
        let member = Member {
            name: None,
            region: Region {
                length: Bytes(length),
                ..first.region.clone()
            },
            memory: MemorySpec {
                page_size,
                // The kernel decides where the pages lie, so none is assumed to follow another.
                layout: Some(LayoutName::Scattered),
                ..MemorySpec::default()
            },
            count: 1,
            provenance: None,
        };
        let set = Set {
            registrations: vec![member],
            ..self.set().clone()
        };
        let change = format!(
            "register one region of {} instead of {regions}",
            Bytes(length)
        );
        let cost = "all buffers must come from one piece of memory, and its key gives access to all of them".into();
        Some((set, change, cost))
    }
}
