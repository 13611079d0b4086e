//! Slow, obvious twins of the two lists: written page by page and entry by entry from the kernel's rules,
//! not from our iterators.

use crate::common::{all_rules, scenario};
use proptest::prelude::*;
use umem_core::{
    address::{Extent, PhysAddr},
    iommu::{Iova, IovaLayout},
    registration::Registration,
    scatter::{Coalescing, ScatterList, batch_pages},
    scenario::{IommuObject, IommuSpec, IovaSpec, Scenario},
    size::PageSize,
};

/// Every pinned page's physical address, in order.
fn frames(registration: &Registration) -> Vec<u64> {
    let (from, to) = registration.pinned();
    let page = registration.question().mr().page.bytes();
    (from..to)
        .step_by(page as usize)
        .map(|offset| registration.question().memory().frame(offset).get())
        .collect()
}

/// `sg_alloc_append_table_from_pages()`: page after page, over all batches.
fn append_pages(frames: &[u64], page: u64, max_segment: u64) -> Vec<(u64, u64)> {
    let most = max_segment / page * page;
    let mut list: Vec<(u64, u64)> = Vec::new();
    for &frame in frames {
        match list.last_mut() {
            Some((start, length)) if *start + *length == frame && *length + page <= most => {
                *length += page
            }
            _ => list.push((frame, page)),
        }
    }
    list
}

/// `ib_umem_add_sg_table()` of Linux 5.2: batch after batch.
fn add_sg_table(frames: &[u64], page: u64, max_segment: u64) -> Vec<(u64, u64)> {
    let mut list: Vec<(u64, u64)> = Vec::new();
    for batch in frames.chunks(batch_pages(PageSize::new(page).unwrap()) as usize) {
        let mut update_current = list
            .last()
            .is_some_and(|(start, length)| start + length == batch[0]);
        let mut i = 0;
        while i != batch.len() {
            let (first, mut count) = (batch[i], 0);
            while i != batch.len() && first + count * page == batch[i] && count < max_segment / page
            {
                count += 1;
                i += 1;
            }
            if std::mem::take(&mut update_current) {
                let (_, length) = list.last_mut().unwrap();
                if max_segment - *length >= count * page {
                    *length += count * page;
                    continue;
                }
            }
            list.push((first, count * page));
        }
    }
    list
}

/// `iommu_dma_map_sg()`: how much IOVA each entry takes, with what pads it up to a boundary; `lead` bytes of the range are taken before.
fn padded_lengths(list: &[(u64, u64)], granule: u64, mask: u64, lead: u64) -> Vec<u64> {
    let mut padded: Vec<u64> = Vec::new();
    let mut iova_len = lead;
    for &(_, length) in list {
        let s_length = length.div_ceil(granule) * granule;
        let pad_len = (mask - (iova_len & mask) + 1) & mask;
        if pad_len != 0 && pad_len < s_length - 1 {
            *padded.last_mut().unwrap() += pad_len;
            iova_len += pad_len;
        }
        iova_len += s_length;
        padded.push(s_length);
    }
    padded
}

/// `__finalise_sg()`: the segments, and the length of the whole.
fn map_sg(
    list: &[(u64, u64)],
    granule: u64,
    mask: u64,
    max_segment: u64,
    start: u64,
    lead: u64,
) -> (u64, Vec<(u64, u64)>) {
    let padded = padded_lengths(list, granule, mask, lead);
    let mut segments: Vec<(u64, u64)> = Vec::new();
    let (mut dma_addr, mut cur_len) = (start, 0u64);
    for (&(_, s_length), &s_iova_len) in list.iter().zip(&padded) {
        if cur_len != 0 && dma_addr & mask != 0 && max_segment - cur_len >= s_length {
            cur_len += s_length;
        } else {
            cur_len = s_length;
            segments.push((dma_addr, 0));
        }
        segments.last_mut().unwrap().1 = cur_len;
        dma_addr += s_iova_len;
        if s_length < s_iova_len {
            cur_len = 0;
        }
    }
    (padded.iter().sum(), segments)
}

/// `iommu_map_sg()` and `iommu_pgsize()`: what is physically adjacent is joined, then page after page, each the largest that
/// divides both addresses and fits. Entries are as long as padded. Pages as (IOVA, frame, size).
fn iommu_map(list: &[(u64, u64)], mut iova: u64, sizes: &[u64]) -> Vec<(u64, u64, u64)> {
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for &(frame, length) in list {
        match stretches.last_mut() {
            Some((start, len)) if *start + *len == frame => *len += length,
            _ => stretches.push((frame, length)),
        }
    }
    let mut pages = Vec::new();
    for (mut paddr, mut left) in stretches {
        while left > 0 {
            let fits = |s: &&u64| **s <= left && (iova | paddr).is_multiple_of(**s);
            let size = *sizes.iter().filter(fits).max().unwrap();
            pages.push((iova, paddr, size));
            (iova, paddr, left) = (iova + size, paddr + size, left - size);
        }
    }
    pages
}

/// The same, with a range that begins congruent to the NIC's address; if an IOMMU has one range for a list.
fn congruent(mut scenario: Scenario) -> Option<Scenario> {
    let mut object = match scenario.iommu {
        IommuSpec::Name(name) if [IommuSpec::OFF, "power"].contains(&&*name) => return None,
        IommuSpec::Name(name) => IommuObject {
            name: Some(name),
            ..IommuObject::default()
        },
        IommuSpec::Custom(object) => object,
    };
    object.iova = IovaSpec::Congruent;
    scenario.iommu = IommuSpec::Custom(object);
    Some(scenario)
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn coalescing_is_the_kernels(scenario in scenario(all_rules())) {
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let (page, most) = (question.mr().page.bytes(), u64::from(question.device().max_segment));
        let expected = match question.rules().coalescing {
            Coalescing::AnyPage => append_pages(&frames(&registration), page, most),
            Coalescing::WholeBatchRun => add_sg_table(&frames(&registration), page, most),
        };
        let list: Vec<_> = registration.scatter().map(|entry| (entry.start.get(), entry.length)).collect();
        prop_assert_eq!(list, expected);
    }

    #[test]
    fn mapping_is_the_kernels(scenario in scenario(all_rules())) {
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let list: Vec<_> = registration.scatter().map(|entry| (entry.start.get(), entry.length)).collect();
        let dma: Vec<_> = registration.dma().map(|segment| (segment.start.get(), segment.length)).collect();
        let Some((translation, mapping)) = question.iommu().zip(registration.mapping()) else {
            prop_assert!(question.iommu().is_none() || registration.dma_count().is_err());
            prop_assert_eq!(dma, list);
            return Ok(());
        };
        let most = u64::from(question.device().max_segment);
        if translation.layout != IovaLayout::OneAllocation {
            // POWER has a twin of its own.
            return Ok(());
        }
        let mask = translation.boundary_mask;
        let (length, segments) = map_sg(&list, translation.granule().bytes(), mask, most, mapping.start.get(), 0);
        prop_assert_eq!(mapping.length, length);
        prop_assert_eq!(dma, segments);
        match translation.iova {
            Iova::Congruent { .. } => unreachable!("no scenario here asks for it"),
            Iova::At(start) => prop_assert_eq!(mapping.start, start),
            Iova::Kernel => {
                let aligned = mapping.length.next_power_of_two();
                prop_assert_eq!(mapping.start.get() % aligned, 0);
                prop_assert!(mapping.start.get() > 0);
                // As high as it goes below 4G: one place further up would not fit.
                prop_assert!(mapping.start.get() + length <= 1 << 32);
                prop_assert!(mapping.start.get() + aligned + length > 1 << 32);
            }
        }
    }

    /// The proposal: by brute force, the largest power of two at which the list may begin congruent.
    #[test]
    fn a_congruent_range_begins_behind_its_beginning(scenario in scenario(all_rules())) {
        let Some(scenario) = congruent(scenario) else { return Ok(()) };
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let list: Vec<_> = registration.scatter().map(|entry| (entry.start.get(), entry.length)).collect();
        let dma: Vec<_> = registration.dma().map(|segment| (segment.start.get(), segment.length)).collect();
        let (translation, mapping) = (question.iommu().unwrap(), registration.mapping().unwrap());
        let (mr, largest) = (question.mr(), question.device().page_sizes.largest().unwrap().bytes());
        let nic = mr.hca_address.get() - mr.page_offset();
        let (granule, boundary) = (translation.granule().bytes(), translation.boundary_mask + 1);
        let crosses = |start: u64, length: u64| start / boundary != (start + length - 1) / boundary;
        let first = list[0].1.div_ceil(granule) * granule;
        let may_begin = |modulo: &u64| (nic % modulo).is_multiple_of(boundary) || !crosses(nic % modulo, first);
        let modulo = (0..64).map(|log2| 1 << log2).take_while(|modulo| *modulo <= largest).filter(may_begin).max().unwrap();

        let start = mapping.start.get();
        prop_assert_eq!(start % modulo, nic % modulo);
        let lead = nic % modulo;
        let (length, segments) = map_sg(&list, granule, boundary - 1, u64::from(question.device().max_segment), start, lead);
        prop_assert_eq!(mapping.length, length);
        prop_assert_eq!(dma, segments);
        // The range before it is what the kernel aligns; and as high as it goes below 4G.
        let aligned = (lead + length).next_power_of_two().max(largest);
        prop_assert_eq!((start - lead) % aligned, 0);
        prop_assert!(start > lead && start + length <= 1 << 32);
        prop_assert!(start + aligned + length > 1 << 32);
    }

    #[test]
    fn io_pages_are_the_kernels(scenario in scenario(all_rules())) {
        let registration = Registration::new(&scenario).unwrap();
        let (Some(pages), Some(translation)) = (registration.io_pages(), registration.question().iommu()) else { return Ok(()) };
        let mapping = registration.mapping().unwrap();
        let list: Vec<_> = registration.scatter().map(|entry| (entry.start.get(), entry.length)).collect();
        if translation.layout != IovaLayout::OneAllocation {
            // One TCE after the other.
            let ours: u64 = pages.map(|run| run.count * run.size).sum();
            prop_assert_eq!(ours, list.iter().map(|(_, length)| length).sum::<u64>());
            return Ok(());
        }
        let (granule, mask) = (translation.granule().bytes(), translation.boundary_mask);
        let lengths = padded_lengths(&list, granule, mask, 0);
        let padded: Vec<_> = list.iter().zip(lengths).map(|(&(frame, _), length)| (frame, length)).collect();
        let sizes: Vec<_> = translation.page_sizes.iter().map(PageSize::bytes).collect();
        let ours: Vec<_> = pages
            .flat_map(|run| (0..run.count).map(move |i| (run.iova.get() + i * run.size, run.frame.get() + i * run.size, run.size)))
            .collect();
        prop_assert_eq!(ours, iommu_map(&padded, mapping.start.get(), &sizes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(10)))]

    // Scenarios above fit into one batch of pinned pages; these take several.
    #[test]
    fn coalescing_across_batches_is_the_kernels(
        extents in prop::collection::vec((1u64..900, prop::bool::ANY), 1..8),
        most in prop_oneof![4096u64..1 << 20, (1u64 << 20)..8 << 20, Just(u64::from(u32::MAX))],
    ) {
        let (mut at, mut offset, mut runs) = (0x4000_0000u64, 0, Vec::new());
        for (pages, adjacent) in extents {
            at += if adjacent { 0 } else { 0x10_0000 };
            runs.push(Extent { offset, start: PhysAddr::new(at), length: pages * 4096 });
            (at, offset) = (at + pages * 4096, offset + pages * 4096);
        }
        let frames: Vec<_> = runs.iter().flat_map(|run| (run.start.get()..run.end().get()).step_by(4096)).collect();
        let list = |coalescing| {
            let list = ScatterList::new(runs.iter().copied(), most / 4096 * 4096, coalescing, PageSize::K4);
            list.map(|entry| (entry.start.get(), entry.length)).collect::<Vec<_>>()
        };
        prop_assert_eq!(list(Coalescing::AnyPage), append_pages(&frames, 4096, most));
        prop_assert_eq!(list(Coalescing::WholeBatchRun), add_sg_table(&frames, 4096, most));
    }
}

#[test]
fn a_tebibyte_is_cut_below_4g() {
    let mut scenario = umem_core::scenario::presets::find("mail")
        .unwrap()
        .scenario();
    scenario.region.offset = "0".parse().unwrap();
    scenario.region.length = "1T".parse().unwrap();
    let registration = Registration::new(&scenario).unwrap();
    assert_eq!(
        registration.scatter().next().unwrap().length,
        (4 << 30) - 4096
    );
    assert_eq!(registration.scatter_count(), 257);
    assert_eq!(registration.status(), "524288 entries: 524288 × 2M");
}

/// `ib_umem_add_sg_table()`: the first run of a batch joins the last entry where it is adjacent, up to the very limit, and whole.
#[test]
fn a_run_joins_across_batches_up_to_the_limit() {
    for (runs, expected) in [
        (&[(0u64, 700u64)][..], &[700][..]),
        (&[(0, 701)], &[512, 189]),
        // A batch that begins elsewhere.
        (&[(0, 512), (600, 100)], &[512, 100]),
    ] {
        let frames = runs.iter().scan(0, |offset, &(frame, pages)| {
            let (at, length) = (*offset, pages * 4096);
            *offset += length;
            Some(Extent {
                offset: at,
                start: PhysAddr::new(0x4000_0000 + frame * 4096),
                length,
            })
        });
        let list = ScatterList::new(frames, 700 * 4096, Coalescing::WholeBatchRun, PageSize::K4);
        let lengths: Vec<_> = list.map(|entry| entry.length / 4096).collect();
        assert_eq!(lengths, expected, "{runs:?}");
    }
}
