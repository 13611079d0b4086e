//! Advice: the changes to a scenario that would shrink its table, each proven by running it.

use crate::{
    address::{DmaAddr, VirtAddr},
    iommu::Iova,
    kernel::KernelRules,
    registration::Registration,
    scenario::{IommuObject, IommuSpec, IovaSpec, LayoutName, Scenario},
    size::{Bytes, PageSize},
    table::{Edges, Policy},
};
use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};

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
    /// The changed scenario; two where the region is split.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub scenarios: Vec<Scenario>,
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

impl Outcome {
    fn of(registration: &Registration) -> Self {
        let table = registration.table.as_ref().ok();
        Self {
            entries: table.map(|table| table.total),
            bytes: table.map(|table| table.bytes),
            page_size: table.and_then(|table| table.page_size).map(PageSize::bytes),
        }
    }

    /// Both tables together, if there are both.
    fn and(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        let page_size = self.page_size.filter(|size| Some(*size) == other.page_size);
        Self {
            entries: sum(self.entries, other.entries),
            bytes: sum(self.bytes, other.bytes),
            page_size,
        }
    }

    /// Whether this is fewer entries than `other`, where a refusal is more than any.
    fn beats(&self, other: &Self) -> bool {
        self.entries
            .is_some_and(|entries| other.entries.is_none_or(|others| entries < others))
    }
}

/// A change that may help.
struct Proposal {
    /// Of proposals of one kind only the best is given.
    kind: Kind,
    change: String,
    cost: String,
    scenarios: Vec<Scenario>,
    /// The boundary that it names.
    boundary: Option<PageSize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Align,
    HugePages,
    Pad,
    HcaAddress,
    ZeroBased,
    Iova,
    Identity,
    Split,
    Rules,
    Overhang,
}

/// Longer lists get no advice: each proposal is proven by walking the list again.
pub const MOST_SEGMENTS: u64 = 1 << 22;

impl Registration {
    /// The changes that would shrink the table, the greatest gain first; `scenario` is what this is the registration of.
    ///
    /// Nothing is listed that does not help. Of one kind of change (such as aligning the start to 64K, 2M, 1G) only the best is
    /// listed, and the smallest of those that are equally good. A region of more than [`MOST_SEGMENTS`] SG entries gets none.
    pub fn advice(&self, scenario: &Scenario) -> Vec<Advice> {
        if self.scatter_count > MOST_SEGMENTS {
            return Vec::new();
        }
        let before = Outcome::of(self);
        let mut best: Vec<(Kind, Advice)> = Vec::new();
        for Proposal {
            kind,
            change,
            cost,
            scenarios,
            boundary,
        } in self.proposals(scenario)
        {
            let tables: Option<Vec<Self>> = scenarios
                .iter()
                .map(|scenario| Self::new(scenario).ok())
                .collect();
            let tables = tables.unwrap_or_default();
            let Some(after) = tables.iter().map(Outcome::of).reduce(Outcome::and) else {
                continue;
            };
            // A boundary of more than the largest entry asks for what nothing needs.
            let largest = tables.iter().filter_map(Self::largest_entry).max();
            let plain = boundary.is_none_or(|size| Some(size.bytes()) <= largest);
            let advice = Advice {
                change,
                before,
                after,
                cost,
                scenarios,
            };
            match best.iter_mut().find(|(known, _)| *known == kind) {
                _ if !after.beats(&before) => {}
                // The same change under a larger name says more.
                Some((_, known))
                    if after.beats(&known.after)
                        || (plain && known.scenarios == advice.scenarios) =>
                {
                    *known = advice
                }
                Some(_) => {}
                None => best.push((kind, advice)),
            }
        }
        let mut list: Vec<Advice> = Vec::with_capacity(best.len());
        for (_, advice) in best {
            let fewer = |known: &Advice| known.after.entries <= advice.after.entries;
            list.insert(list.partition_point(fewer), advice);
        }
        list
    }

    /// The bytes of the largest entry.
    fn largest_entry(&self) -> Option<u64> {
        let table = self.table.as_ref().ok()?;
        table.tally.by_size().last().map(|(size, _)| *size)
    }

    /// What is tried, of each kind the cheapest first.
    fn proposals(&self, scenario: &Scenario) -> Vec<Proposal> {
        let mut list = Vec::new();
        self.of_the_region(scenario, &mut list);
        self.of_the_memory(scenario, &mut list);
        self.of_addresses(scenario, &mut list);
        self.of_the_machine(scenario, &mut list);
        list
    }

    /// The device's sizes above the kernel's page: those that are worth aligning to.
    fn large_sizes(&self) -> impl Iterator<Item = PageSize> {
        let question = self.question();
        question
            .device
            .page_sizes
            .iter()
            .filter(|size| *size > question.mr.page && size.log2() <= 40)
    }

    fn of_the_region(&self, scenario: &Scenario, list: &mut Vec<Proposal>) {
        let mr = self.question().mr;
        let (start, end) = (mr.offset, mr.offset + mr.length);
        for size in self.large_sizes() {
            // The address is what is aligned; the offset follows.
            let back = mr.address & size.mask();
            if back > 0 && back <= start {
                let mut changed = scenario.clone();
                changed.region.offset = Bytes(start - back);
                changed.region.length = Bytes(mr.length + back);
                changed.region.hca_address = scenario
                    .region
                    .hca_address
                    .map(|hca| VirtAddr::new(hca.get().wrapping_sub(back)));
                list.push(Proposal {
                    kind: Kind::Align,
                    change: format!(
                        "start the region on a {size} boundary, {} earlier",
                        Bytes(back)
                    ),
                    cost: format!(
                        "{} more are registered, and the remote side may reach them",
                        Bytes(back)
                    ),
                    scenarios: vec![changed],
                    boundary: Some(size),
                });
            }
            if let Some(pad) = size
                .align_up(mr.address + mr.length)
                .map(|up| up - (mr.address + mr.length))
                .filter(|pad| *pad > 0)
            {
                let mut changed = scenario.clone();
                changed.region.length = Bytes(mr.length + pad);
                list.push(Proposal {
                    kind: Kind::Pad,
                    change: format!("end the region on a {size} boundary, {} later", Bytes(pad)),
                    cost: format!("{} more are registered, and must be there", Bytes(pad)),
                    scenarios: vec![changed],
                    boundary: Some(size),
                });
            }
            let boundary = size
                .align_up(mr.address)
                .map(|at| at - mr.address)
                .filter(|head| *head > 0 && *head < mr.length);
            if let Some(head) = boundary {
                let (mut first, mut second) = (scenario.clone(), scenario.clone());
                first.region.length = Bytes(head);
                second.region.offset = Bytes(start + head);
                second.region.length = Bytes(end - start - head);
                second.region.hca_address = scenario
                    .region
                    .hca_address
                    .and_then(|hca| hca.checked_add(head));
                list.push(Proposal {
                    kind: Kind::Split,
                    change: format!(
                        "register two regions, split at the {size} boundary {} into this one",
                        Bytes(head)
                    ),
                    cost: "two keys to hand out, and no access across the boundary".to_owned(),
                    scenarios: vec![first, second],
                    boundary: Some(size),
                });
            }
        }
    }

    fn of_the_memory(&self, scenario: &Scenario, list: &mut Vec<Proposal>) {
        let memory = &self.question().memory;
        for size in [PageSize::M2, PageSize::G1] {
            if size <= memory.page_size() && scenario.memory.extents.is_none() {
                continue;
            }
            let mut changed = scenario.clone();
            // Where the pages lie is for the kernel to say, so none is taken to follow the other.
            changed.memory.layout = Some(match scenario.memory.layout {
                Some(LayoutName::Contiguous) => LayoutName::Contiguous,
                _ => LayoutName::Scattered,
            });
            changed.memory.extents = None;
            changed.memory.page_size = Some(Bytes(size.bytes()));
            changed.memory.start = None;
            changed.memory.length = None;
            // Huge pages begin where their size says, in virtual memory, too.
            changed.region.va = scenario.region.va.align_down(size);
            changed.region.offset = Bytes(
                scenario.region.offset.0 + (scenario.region.va.get() - changed.region.va.get()),
            );
            list.push(Proposal {
                kind: Kind::HugePages,
                change: format!("back the region with {size} pages"),
                cost: format!("{size} pages must be reserved, and memory is taken in whole ones"),
                scenarios: vec![changed],
                boundary: None,
            });
        }
    }

    fn of_addresses(&self, scenario: &Scenario, list: &mut Vec<Proposal>) {
        let mr = self.question().mr;
        if self.question().device.policy != Policy::Single {
            return;
        }
        let with_hca = |hca: u64| {
            let mut changed = scenario.clone();
            changed.region.hca_address = Some(VirtAddr::new(hca));
            vec![changed]
        };
        list.push(Proposal {
            kind: Kind::ZeroBased,
            change: format!(
                "register it zero-based (the NIC's address {:#x})",
                mr.page_offset()
            ),
            cost: "the remote side must be told addresses that begin there (ibv_reg_mr_iova)"
                .to_owned(),
            scenarios: with_hca(mr.page_offset()),
            boundary: None,
        });
        if let Some(first) = self.dma().next() {
            let hca = first.start.get() + mr.page_offset();
            list.push(Proposal {
                kind: Kind::HcaAddress,
                change: format!("give the NIC an address that agrees with the device address ({hca:#x})"),
                cost: "the remote side must be told that address (ibv_reg_mr_iova), which only the kernel knows".to_owned(),
                scenarios: with_hca(hca),
                boundary: None,
            });
        }
        let Some(translation) = self.question().translation() else {
            return;
        };
        if translation.iova == Iova::Kernel {
            let page = mr.page.align_down(mr.hca_address);
            // Any multiple of 1G but 0 that the NIC's address agrees with.
            let iova = DmaAddr::new((1 << 30) + (page & PageSize::G1.mask()));
            let mut changed = scenario.clone();
            changed.iommu = IommuSpec::Custom(match &scenario.iommu {
                IommuSpec::Name(name) => IommuObject {
                    name: Some(name.clone()),
                    iova: IovaSpec::At(iova),
                    ..IommuObject::default()
                },
                IommuSpec::Custom(object) => IommuObject {
                    iova: IovaSpec::At(iova),
                    ..object.clone()
                },
            });
            list.push(Proposal {
                kind: Kind::Iova,
                change: format!("map it at the IOVA {iova}, which agrees with the NIC's address"),
                cost: "only VFIO lets a program choose the IOVA; the kernel's drivers do not"
                    .to_owned(),
                scenarios: vec![changed],
                boundary: None,
            });
        }
    }

    fn of_the_machine(&self, scenario: &Scenario, list: &mut Vec<Proposal>) {
        let question = self.question();
        if question.translation().is_some() {
            list.push(Proposal {
                kind: Kind::Identity,
                change: "let the IOMMU map identically (iommu=pt)".to_owned(),
                cost: "the IOMMU no longer keeps the device from other memory".to_owned(),
                scenarios: vec![Scenario {
                    iommu: IommuSpec::default(),
                    ..scenario.clone()
                }],
                boundary: None,
            });
        }
        let newest = KernelRules::newest();
        if question.rules != newest {
            let mut changed = scenario.clone();
            changed.kernel.rules = newest.name.to_owned();
            list.push(Proposal {
                kind: Kind::Rules,
                change: format!("run a kernel with the rules of Linux {}", newest.name),
                cost: "a newer kernel".to_owned(),
                scenarios: vec![changed],
                boundary: None,
            });
        }
        if question.device.policy == Policy::Mixed && question.device.edges == Edges::Exact {
            let mut changed = scenario.clone();
            changed.device.customize().edges = Edges::Overhang;
            list.push(Proposal {
                kind: Kind::Overhang,
                change: "let the first and the last entry reach beyond the region".to_owned(),
                cost: "the device's table then names bytes that are not registered".to_owned(),
                scenarios: vec![changed],
                boundary: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::presets;

    fn advice(preset: &str) -> Vec<(String, Option<u64>)> {
        let scenario = presets::find(preset).unwrap().scenario();
        let list = Registration::new(&scenario).unwrap().advice(&scenario);
        for advice in &list {
            assert!(advice.after.beats(&advice.before), "{advice:?}");
            let totals = advice
                .scenarios
                .iter()
                .map(|scenario| Registration::new(scenario).unwrap().table.unwrap().total);
            assert_eq!(advice.after.entries, Some(totals.sum()), "{advice:?}");
        }
        assert!(list.is_sorted_by_key(|advice| advice.after.entries));
        list.into_iter()
            .map(|advice| (advice.change, advice.after.entries))
            .collect()
    }

    #[test]
    fn the_mail_wants_its_first_4k_back() {
        let list = advice("mail");
        assert!(
            list.contains(&(
                "start the region on a 2M boundary, 4K earlier".into(),
                Some(2)
            )),
            "{list:?}"
        );
        assert!(
            list.contains(&(
                "let the first and the last entry reach beyond the region".into(),
                Some(2)
            )),
            "{list:?}"
        );
    }

    #[test]
    fn one_size_behind_an_iommu_has_ways_out() {
        let list = advice("one-size-iommu");
        assert!(list.len() >= 5, "{list:?}");
        let find = |start: &str| {
            list.iter()
                .find(|(change, _)| change.starts_with(start))
                .map(|(_, after)| after.unwrap())
        };
        assert_eq!(find("let the IOMMU map identically"), Some(2));
        assert_eq!(find("give the NIC an address that agrees"), Some(2));
        assert_eq!(find("start the region on a 2M boundary"), Some(2));
        // At the 1M boundary: 255 × 4K, and 3 × 1M.
        assert_eq!(find("register two regions"), Some(258));
        assert_eq!(find("map it at the IOVA"), Some(2));
    }

    #[test]
    fn what_cannot_be_better_gets_none() {
        assert_eq!(advice("unaligned"), []);
        assert_eq!(advice("pin-batches"), []);
    }
}
