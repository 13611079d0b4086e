//! What the design promises of every policy, held for any scenario, page by page and block by block.

use crate::common::{SOUND, all_rules, scenario};
use proptest::prelude::*;
use std::collections::BTreeMap;
use umem_core::{
    registration::{Entries, Registration},
    size::{PageSize, PageSizes},
    table::{Edges, EntryRun, Policy, Tally},
};

/// Every entry, one by one.
fn entries(registration: &Registration) -> Vec<EntryRun> {
    registration.entries().flat_map(EntryRun::entries).collect()
}

/// The device address of every kernel page that is pinned, by offset: from the DMA list, page by page.
fn pages(registration: &Registration) -> BTreeMap<u64, u64> {
    let page = registration.question().mr().page.bytes();
    registration
        .dma()
        .flat_map(|segment| {
            (0..segment.length / page)
                .map(move |i| (segment.offset + i * page, segment.start.get() + i * page))
        })
        .collect()
}

/// The device address of each byte offset of interest, or `None` where it is not pinned.
fn dma_at(pages: &BTreeMap<u64, u64>, page: u64, offset: i64) -> Option<u64> {
    let offset = u64::try_from(offset).ok()?;
    Some(pages.get(&(offset / page * page))? + offset % page)
}

/// Maximal stretches of offsets whose device addresses are contiguous, as (offset, address, end address).
fn stretches(pages: &BTreeMap<u64, u64>, page: u64) -> Vec<(u64, u64, u64)> {
    let mut list: Vec<(u64, u64, u64)> = Vec::new();
    for (&offset, &address) in pages {
        match list.last_mut() {
            Some((_, _, end)) if *end == address => *end += page,
            _ => list.push((offset, address, address + page)),
        }
    }
    list
}

/// The fewest blocks that tile `start..end`, by trying every size at every address.
fn fewest(start: u64, end: u64, sizes: PageSizes) -> u64 {
    let unit = sizes.smallest().unwrap().bytes();
    let mut best = BTreeMap::from([(end, 0u64)]);
    let mut at = end;
    while at > start {
        at -= unit;
        let shorter = sizes
            .iter()
            .map(PageSize::bytes)
            .filter(|s| at.is_multiple_of(*s) && at + s <= end);
        best.insert(at, shorter.map(|s| 1 + best[&(at + s)]).min().unwrap());
    }
    best[&start]
}

/// The list by `next` alone, and by `fold` after `ahead` items.
fn one_by_one_and_all_at_once<I>(list: I, ahead: usize) -> Result<(), TestCaseError>
where
    I: Iterator<Item: PartialEq + std::fmt::Debug> + Clone,
{
    let mut one_by_one = list.clone();
    let expected: Vec<_> = std::iter::from_fn(|| one_by_one.next()).collect();
    let mut list = list;
    let mut all: Vec<_> = list.by_ref().take(ahead).collect();
    list.for_each(|item| all.push(item));
    prop_assert_eq!(all, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn mixed_tiles_exactly_with_the_fewest(mut scenario in scenario(SOUND)) {
        let device = scenario.device.customize();
        (device.policy, device.edges) = (Some(Policy::Mixed), Edges::Exact);
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let (page, sizes, mr) = (question.mr().page.bytes(), question.device().page_sizes, question.mr());
        let smallest = sizes.smallest().unwrap();
        let pages = pages(&registration);
        let wanted: Vec<_> = stretches(&pages, page).into_iter().map(|(offset, start, end)| {
            let first = start + mr.offset.saturating_sub(offset);
            let last = end - (offset + (end - start)).saturating_sub(mr.offset + mr.length);
            (start, end, smallest.align_down(first), smallest.align_up(last).unwrap())
        }).collect();
        let leaves = wanted.iter().any(|(start, end, from, to)| from < start || to > end);
        let table = match registration.table() {
            Err(refusal) => {
                prop_assert_eq!(refusal.code(), "no-exact-tiling");
                prop_assert!(leaves && smallest.bytes() > page);
                return Ok(());
            }
            Ok(table) => table,
        };
        prop_assert!(!leaves);
        let mut entries = entries(&registration).into_iter().peekable();
        let mut least = 0;
        for (_, _, from, to) in wanted {
            let mut at = from;
            while at < to {
                let entry = entries.next().unwrap();
                prop_assert_eq!(entry.address.get(), at);
                prop_assert_eq!(at % entry.size, 0);
                prop_assert!(sizes.contains(PageSize::new(entry.size).unwrap()));
                let inside = entry.offset.max(registration.pinned().0 as i64);
                prop_assert_eq!(dma_at(&pages, page, inside), Some(at + inside.abs_diff(entry.offset)));
                at += entry.size;
            }
            prop_assert_eq!(at, to);
            least += fewest(from, to, sizes);
        }
        prop_assert_eq!(entries.next(), None);
        prop_assert_eq!(table.total, least);
    }

    #[test]
    fn the_counts_are_those_of_the_entries(mut scenario in scenario(SOUND), overhang in any::<bool>()) {
        let device = scenario.device.customize();
        device.policy = Some(Policy::Mixed);
        device.edges = if overhang { Edges::Overhang } else { Edges::Exact };
        let registration = Registration::new(&scenario).unwrap();
        if let Ok(table) = registration.table() {
            let walked: Tally = registration.entries().collect();
            prop_assert_eq!(&table.tally, &walked);
            prop_assert_eq!(table.total, walked.total());
        }
    }

    /// What `fold` does at once is what `next` does step by step.
    #[test]
    fn lists_are_the_same_one_by_one_and_all_at_once(mut scenario in scenario(all_rules()), ahead in 0usize..6, overhang in any::<bool>()) {
        for policy in Policy::ALL {
            let device = scenario.device.customize();
            device.policy = Some(policy);
            device.edges = if overhang { Edges::Overhang } else { Edges::Exact };
            let registration = Registration::new(&scenario).unwrap();
            one_by_one_and_all_at_once(registration.scatter(), ahead)?;
            one_by_one_and_all_at_once(registration.dma(), ahead)?;
            match registration.entries() {
                Entries::Mixed(entries) => one_by_one_and_all_at_once(entries, ahead)?,
                entries => one_by_one_and_all_at_once(entries, ahead)?,
            }
        }
    }

    #[test]
    fn an_overhang_never_costs_an_entry_nor_leaves_its_run(mut scenario in scenario(SOUND)) {
        let device = scenario.device.customize();
        (device.policy, device.edges) = (Some(Policy::Mixed), Edges::Overhang);
        let overhanging = Registration::new(&scenario).unwrap();
        scenario.device.customize().edges = Edges::Exact;
        let exact = Registration::new(&scenario).unwrap();
        let Ok(table) = overhanging.table() else {
            prop_assert!(exact.table().is_err());
            return Ok(());
        };
        if let Ok(exact) = exact.table() {
            prop_assert!(table.total <= exact.total);
        }
        let question = overhanging.question();
        let (memory, page, mr) = (&question.memory(), question.mr().page.bytes(), question.mr());
        let pages = pages(&overhanging);
        let (mut covered, end) = (mr.offset as i64, (mr.offset + mr.length) as i64);
        let list = entries(&overhanging);
        for (i, entry) in list.iter().enumerate() {
            prop_assert_eq!(entry.address.get() % entry.size, 0);
            // The registered bytes of the region are covered in order, without a gap.
            prop_assert!(entry.offset <= covered);
            let next = entry.offset + entry.size as i64;
            prop_assert!(next > covered || covered >= end);
            covered = next;
            let outside = entry.offset < mr.offset as i64 / page as i64 * page as i64 || next > overhanging.pinned().1 as i64;
            prop_assert!(!outside || i == 0 || i == list.len() - 1);
            // No smaller block would hold the same registered bytes.
            let (first, last) = (entry.offset.max(mr.offset as i64), next.min(end) - 1);
            let at = |offset: i64| entry.address.get() + offset.abs_diff(entry.offset);
            for size in question.device().page_sizes.iter().filter(|size| size.bytes() < entry.size) {
                prop_assert!(size.align_down(at(first)) != size.align_down(at(last)), "{:?}", entry);
            }
            // Each page of the block, registered or not, is where the block says.
            for at in (entry.offset..next).step_by(page.min(entry.size) as usize) {
                let expected = entry.address.get() + at.abs_diff(entry.offset);
                match dma_at(&pages, page, at) {
                    Some(address) => prop_assert_eq!(address, expected),
                    None => {
                        prop_assert!(overhanging.mapping().is_none());
                        let offset = u64::try_from(at);
                        prop_assert!(offset.is_ok() && offset.unwrap() < memory.length());
                        prop_assert_eq!(memory.frame(offset.unwrap()).get(), expected);
                    }
                }
            }
        }
        prop_assert!(covered >= end);
        // And there are as few as can be: time and again the largest block within the room that holds the first byte not yet covered.
        let mut least = 0;
        for (offset, start, end) in stretches(&pages, page) {
            let (mut from, mut to, mut last) = (start, end, end - 1);
            let mut first = start + mr.offset.saturating_sub(offset);
            if offset <= mr.offset && overhanging.mapping().is_none() {
                while let Some(before) = (offset + from).checked_sub(start + page)
                    && memory.frame(before).get() + page == from
                {
                    from -= page;
                }
            }
            let end_offset = offset + (end - start);
            if end_offset >= mr.offset + mr.length {
                last -= end_offset - (mr.offset + mr.length);
                let after = |to: u64| Some(end_offset + (to - end)).filter(|after| *after < memory.length());
                while overhanging.mapping().is_none() && after(to).is_some_and(|after| memory.frame(after).get() == to) {
                    to += page;
                }
            }
            while first <= last {
                let end_of = |size: PageSize| size.align_down(first) + size.bytes();
                let fits = |size: &PageSize| size.align_down(first) >= from && end_of(*size) <= to;
                first = end_of(question.device().page_sizes.iter().rev().find(fits).unwrap());
                least += 1;
            }
        }
        prop_assert_eq!(table.total, least);
    }

    #[test]
    fn single_is_the_largest_size_that_translates_every_page(mut scenario in scenario(SOUND)) {
        scenario.device.customize().policy = Some(Policy::Single);
        let registration = Registration::new(&scenario).unwrap();
        let question = registration.question();
        let (mr, sizes, page) = (question.mr(), question.device().page_sizes, question.mr().page.bytes());
        let pages = pages(&registration);
        let hca = |offset: u64| mr.hca_address.wrapping_add(offset).wrapping_sub(mr.offset).get();
        // A size fits if all pages (pieces of pages) of a block lie where its first one says, and the block is aligned.
        let unit = |size: u64| size.min(page);
        let blocks = |size: u64| -> Option<Vec<u64>> {
            let mut list = BTreeMap::new();
            let (first, last) = (mr.offset / unit(size) * unit(size), mr.offset + mr.length);
            for offset in (first..last).step_by(unit(size) as usize) {
                let (va, dma) = (hca(offset), dma_at(&pages, page, offset as i64)?);
                let start = dma.wrapping_sub(va % size);
                if start % size != 0 || *list.entry(va / size).or_insert(start) != start {
                    return None;
                }
            }
            Some(list.into_values().collect())
        };
        // `bits_per()`: a size of at least that many bits covers the region in one page, and a larger one is no better.
        let differing = mr.hca_address.get() ^ (mr.hca_address + (mr.length - 1)).get();
        let bits = (64 - differing.leading_zeros()).max(1);
        let covering = sizes.iter().map(PageSize::bytes).find(|size| *size >= 1 << bits);
        let fits = sizes.iter().map(PageSize::bytes).filter(|size| covering.is_none_or(|most| *size <= most));
        let best = fits.rev().find_map(|size| Some((size, blocks(size)?)));
        match (registration.table(), best) {
            (Ok(table), Some((size, blocks))) => {
                prop_assert_eq!(table.page_size.unwrap().bytes(), size);
                let ours: Vec<_> = entries(&registration).iter().map(|entry| entry.address.get()).collect();
                prop_assert_eq!(ours, blocks);
                prop_assert!(table.kernel_bug.is_none());
            }
            (Err(refusal), None) => prop_assert_eq!(refusal.code(), "no-page-size"),
            (table, best) => prop_assert!(false, "{table:?} against {best:?}"),
        }
    }

    #[test]
    fn unaligned_has_an_entry_a_segment(mut scenario in scenario(SOUND)) {
        scenario.device.customize().policy = Some(Policy::Unaligned);
        let registration = Registration::new(&scenario).unwrap();
        let table = registration.table().unwrap();
        prop_assert_eq!(table.total, registration.dma_count().unwrap());
        prop_assert_eq!(table.total, registration.dma().count() as u64);
        let bytes: u64 = entries(&registration).iter().map(|entry| entry.size).sum();
        prop_assert_eq!(bytes, registration.pages() * registration.question().mr().page.bytes());
    }

    #[test]
    fn counts_lists_and_the_index_agree(scenario in scenario(all_rules())) {
        let registration = Registration::new(&scenario).unwrap();
        let index = registration.clone().index();
        prop_assert_eq!(index.scatter().count(), registration.scatter_count());
        prop_assert_eq!(index.scatter().count(), registration.scatter().count() as u64);
        for policy in Policy::ALL {
            let _ = registration.alternative(policy);
        }
        let Ok(table) = registration.table() else { return Ok(()) };
        let list = entries(&registration);
        prop_assert_eq!(list.len() as u64, table.total);
        prop_assert_eq!(index.entries().count(), table.total);
        prop_assert_eq!(table.bytes, table.total * 8);
        for (n, entry) in list.iter().enumerate() {
            let (run, i) = index.entries().nth(n as u64).unwrap();
            prop_assert_eq!((run.offset_of(i), run.size), (entry.offset, entry.size));
            let found = index.entries().at(entry.offset).unwrap();
            prop_assert_eq!(found.0.first + found.1, n as u64);
            if table.kernel_bug.is_none() {
                prop_assert_eq!(index.entry_address(entry.offset), entry.address);
            }
        }
        prop_assert_eq!(index.entries().nth(table.total), None);
    }
}
