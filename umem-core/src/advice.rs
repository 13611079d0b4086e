//! Advice: the changes to a scenario that would shrink its table, each proven by running it.

use crate::registration::Registration;
use alloc::vec::Vec;

#[cfg(feature = "guide")]
mod combined;
mod outcome;
mod proposals;
#[cfg(feature = "guide")]
mod remedies;
#[cfg(feature = "guide")]
mod slices;
#[cfg(feature = "guide")]
mod suspects;
#[cfg(feature = "guide")]
mod unsaid;

#[cfg(feature = "guide")]
pub use suspects::{Suspect, suspects};
#[cfg(feature = "guide")]
pub use unsaid::{assumed_start, why_none};

#[cfg(feature = "guide")]
pub(crate) use remedies::cures;

use outcome::proven;
pub use outcome::{Advice, Outcome};
use proposals::Kind;
pub use proposals::MOST_SEGMENTS;
pub(crate) use proposals::in_huge_pages;

/// The changes that would shrink the table, the greatest gain first; of a region that is refused, those that make it register.
///
/// Every change listed helps. Of one kind of change (such as aligning the start to 64K, 2M, 1G) only the best is
/// listed, and the smallest of those that are equally good; of huge pages each size that gains more than the smaller ones. With the
/// feature `guide` changes are combined as well, and each refusal has its remedies.
pub fn advice(registration: &Registration) -> Vec<Advice> {
    let before = Outcome::of(registration);
    let mut best: Vec<(Kind, Advice)> = Vec::new();
    for proposal in proposals::proposals(registration) {
        let (kind, boundary) = (proposal.kind, proposal.boundary);
        let Some((advice, largest)) = proven(proposal, before) else {
            continue;
        };
        // Larger pages are harder to get.
        let smaller = best.iter().filter(|(known, _)| known.is_huge_pages());
        let mut enough = smaller.filter(|(_, known)| !advice.after.beats(&known.after));
        if kind.is_huge_pages() && enough.next().is_some() {
            continue;
        }
        // A boundary above the largest entry asks for more than is needed.
        let plain = boundary.is_none_or(|size| Some(size.bytes()) <= largest);
        match best.iter_mut().find(|(known, _)| *known == kind) {
            // The larger boundary describes the same change better.
            Some((_, known))
                if advice.after.beats(&known.after)
                    || (plain && known.scenarios == advice.scenarios) =>
            {
                *known = advice;
            }
            Some(_) => {}
            None => best.push((kind, advice)),
        }
    }
    #[cfg(feature = "guide")]
    {
        let combined = combined::combined(registration, &best);
        best.extend(combined);
        best.extend(remedies::remedies(registration));
    }
    let mut list: Vec<Advice> = Vec::with_capacity(best.len());
    for (_, advice) in best {
        let fewer = |known: &Advice| known.after.entries <= advice.after.entries;
        list.insert(list.partition_point(fewer), advice);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::presets;
    use crate::{
        scenario::{KernelSpec, LayoutName},
        size::Bytes,
    };
    use alloc::format;
    use alloc::string::String;

    fn advised(preset: &str) -> Vec<(String, Option<u64>)> {
        let scenario = presets::find(preset).unwrap().scenario();
        let list = advice(&Registration::new(&scenario).unwrap());
        for advice in &list {
            assert!(advice.after.beats(&advice.before), "{advice:?}");
            let totals = advice
                .scenarios
                .iter()
                .map(|scenario| Registration::new(scenario).unwrap().table().unwrap().total);
            assert_eq!(advice.after.entries, Some(totals.sum()), "{advice:?}");
        }
        assert!(list.is_sorted_by_key(|advice| advice.after.entries));
        list.into_iter()
            .map(|advice| (advice.change, advice.after.entries))
            .collect()
    }

    #[test]
    fn the_mail_wants_its_first_4k_back() {
        let list = advised("mail");
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
        let list = advised("one-size-iommu");
        assert!(list.len() >= 3, "{list:?}");
        let find = |start: &str| {
            list.iter()
                .find(|(change, _)| change.starts_with(start))
                .map(|(_, after)| after.unwrap())
        };
        assert_eq!(find("let the IOMMU map identically"), Some(2));
        assert_eq!(find("give the NIC an address that agrees"), None);
        assert_eq!(find("start the region on a 2M boundary"), Some(2));
        // At the 1M boundary: 255 × 4K, and 3 × 1M.
        assert_eq!(find("register two regions"), Some(258));
        // Only VFIO chooses an IOVA; a program does not know it, so it cannot give the NIC an address that agrees with it.
        assert!(
            !list.iter().any(|(change, _)| change.contains("IOVA")),
            "{list:?}"
        );
    }

    /// 8G of one run in segments of 4G-4K: every end of a segment counts until the contiguity rule comes.
    #[test]
    fn the_first_kernel_that_helps_is_named() {
        let named = |set: &dyn Fn(&mut KernelSpec)| {
            let mut scenario = presets::find("one-size").unwrap().scenario();
            scenario.region.offset = Bytes(0);
            scenario.region.length = Bytes(8 << 30);
            scenario.memory = crate::scenario::MemorySpec {
                page_size: Some(Bytes(2 << 20)),
                layout: Some(LayoutName::Contiguous),
                start: Some(crate::address::PhysAddr::new(8 << 30)),
                ..Default::default()
            };
            scenario.device = crate::scenario::DeviceSpec::Name("efa".into());
            set(&mut scenario.kernel);
            let registration = Registration::new(&scenario).unwrap();
            let advice = advice(&registration);
            advice
                .into_iter()
                .map(|advice| advice.change)
                .find(|change| change.starts_with("run Linux"))
        };
        for (release, first) in [
            ("6.1.140", "6.1.141"),
            ("6.12.30", "6.12.31"),
            ("6.8.0-84-generic", "6.15"),
            ("5.10.262", "6.15"),
        ] {
            assert_eq!(
                named(&|kernel| kernel.set_release(release)),
                Some(format!("run Linux {first} or later")),
                "{release}"
            );
        }
        assert_eq!(
            named(&|kernel| kernel.set_rules("6.7")),
            Some("run Linux 6.15 or later".into())
        );
        assert_eq!(named(&|kernel| kernel.set_release("6.1.141")), None);
    }

    #[test]
    fn sizes_have_their_article() {
        let said: Vec<_> = advised("dma-buf-pinned")
            .into_iter()
            .map(|(change, _)| change)
            .collect();
        assert!(
            said.iter()
                .any(|change| change.contains("on an 8M boundary")),
            "{said:?}"
        );
    }

    #[test]
    fn what_cannot_be_better_gets_none() {
        assert_eq!(advised("unaligned"), []);
        assert_eq!(advised("pin-batches"), []);
    }
}
