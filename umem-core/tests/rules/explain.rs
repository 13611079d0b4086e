//! Reasons are true: what an explanation says of an entry is what the table did, and why.

use crate::common::{SOUND, scenario};
use proptest::prelude::*;
use umem_core::{
    explain::{CutLimit, Verdict},
    registration::Registration,
    scenario::presets,
    size::PageSize,
    table::{Edges, EntryRun, Policy},
};

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_cut_is_explained_by_what_was_cut(mut scenario in scenario(SOUND)) {
        let device = scenario.device.customize();
        (device.policy, device.edges) = (Some(Policy::Mixed), Edges::Exact);
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let (sizes, page) = (question.device.page_sizes, question.mr.page);
        // Sub-page tables begin and end inside pages, of which `cut_at` knows nothing.
        if registration.table.is_err() || sizes.smallest().unwrap() < page {
            return Ok(());
        }
        let index = registration.index();
        let (_, end) = registration.pinned();
        for entry in registration.entries().flat_map(EntryRun::entries) {
            let offset = entry.offset as u64;
            let cut = registration.cut_at(&index, offset);
            prop_assert_eq!(cut.taken.map(PageSize::bytes), Some(entry.size));
            prop_assert_eq!(cut.address, entry.address.get());
            prop_assert_eq!(cut.zeros, entry.address.get().trailing_zeros());
            // The run goes on as long as the addresses do, by asking page after page.
            let mut left = page.bytes();
            while offset + left < end && index.dma_address(&registration, offset + left).get() == cut.address + left {
                left += page.bytes();
            }
            prop_assert_eq!(cut.left, left);
            for (size, verdict) in &cut.verdicts {
                let aligned = size.divides(cut.address);
                prop_assert_eq!(*verdict, match () {
                    () if size.bytes() == entry.size => Verdict::Taken,
                    () if !aligned => Verdict::NotAligned { bit: cut.zeros },
                    () if size.bytes() > left => Verdict::TooLong,
                    () => Verdict::Smaller,
                });
            }
            let larger = sizes.iter().find(|size| size.bytes() > entry.size);
            prop_assert_eq!(cut.limit, match larger {
                None => CutLimit::LargestSize,
                Some(larger) if !larger.divides(cut.address) => CutLimit::Alignment { bit: cut.zeros },
                Some(_) if offset + left == end => CutLimit::BytesLeft,
                Some(_) => CutLimit::RunEnd,
            });
            prop_assert!(cut.text(sizes).contains(&entry.address.to_string()));
        }
        // Together the table's reasons name what some entry's reason is, and no other.
        let of_entries: Vec<_> = registration
            .entries()
            .flat_map(EntryRun::entries)
            .map(|entry| registration.cut_at(&index, entry.offset as u64).limit)
            .collect();
        for limit in registration.limits() {
            prop_assert!(of_entries.iter().any(|cut| cut.code() == limit.code && cut.bit() == limit.bit), "{limit:?}");
        }
    }

    #[test]
    fn every_constraint_cost_a_size(mut scenario in scenario(SOUND)) {
        scenario.device.customize().policy = Some(Policy::Single);
        let registration = Registration::new(&scenario).unwrap();
        let sizes = registration.question().device.page_sizes;
        let mut allowed = sizes;
        for limit in registration.limits() {
            let bit = limit.bit.unwrap();
            let after = sizes.up_to(PageSize::from_log2(bit).unwrap());
            if limit.code != "largest-size" {
                prop_assert!(after.len() < allowed.len(), "{limit:?} costs nothing");
                prop_assert!(limit.segment.is_some_and(|n| n < *registration.dma_count.as_ref().unwrap()));
            }
            allowed = allowed.up_to(PageSize::from_log2(bit).unwrap());
        }
        prop_assert_eq!(registration.table.ok().and_then(|table| table.page_size), allowed.largest());
    }
}

fn codes(preset: &str) -> Vec<(&'static str, Option<u32>)> {
    let registration = Registration::new(&presets::find(preset).unwrap().scenario()).unwrap();
    registration
        .limits()
        .into_iter()
        .map(|limit| (limit.code, limit.bit))
        .collect()
}

#[test]
fn the_presets_have_their_reasons() {
    assert_eq!(
        codes("mail"),
        [
            ("alignment", Some(12)),
            ("alignment", Some(20)),
            ("largest-size", None)
        ]
    );
    assert_eq!(codes("scattered")[0].0, "alignment");
    assert_eq!(codes("one-size-iommu"), [("congruence", Some(12))]);
    assert_eq!(codes("one-size"), [("largest-size", Some(21))]);
    assert_eq!(codes("unaligned"), [("segments", None)]);
}
