//! Recordings of made-up pagemaps, and what rebasing must not change.

use proptest::prelude::*;
use umem_core::{
    address::PhysAddr,
    capture::Provenance,
    device,
    registration::Registration,
    scenario::{DeviceSpec, IommuSpec, KernelSpec, Region, Scenario},
    size::Bytes,
    table::Policy,
};

use super::{document::*, *};
use crate::pagemap::fake::{PAGE, fake};

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;

fn frames(numbers: &[u64]) -> Vec<u64> {
    numbers.iter().map(|number| PRESENT | number).collect()
}

fn whole(words: usize) -> Range<VirtAddr> {
    VirtAddr::new(0)..VirtAddr::new(words as u64 * PAGE)
}

fn recorded(words: &[u64]) -> Recording {
    record(&fake(words), whole(words.len()), &mut |_| ()).unwrap()
}

fn runs(recording: &Recording) -> Vec<(u64, u64)> {
    let run = |run: Extent<PhysAddr>| (run.start.get() / PAGE, run.length / PAGE);
    recording.runs.iter().map(run).collect()
}

#[test]
fn memory_that_is_all_there_is_all_recorded() {
    let recording = recorded(&frames(&[7, 8, 3]));
    assert_eq!(runs(&recording), [(7, 2), (3, 1)]);
    assert_eq!(recording.range(), whole(3));
    let LeftOut {
        absent,
        swapped,
        elsewhere,
        unread,
        error,
    } = recording.left_out;
    assert_eq!((absent, swapped, elsewhere, unread), (0, 0, 0, 0));
    assert!(error.is_none());
}

#[test]
fn of_memory_with_holes_the_longest_stretch_is_kept_and_the_rest_counted() {
    let mut words = frames(&[7, 0, 20, 22, 21, 0, 30, 31]);
    (words[1], words[5]) = (0, SWAPPED | 5);
    let recording = recorded(&words);
    assert_eq!(runs(&recording), [(20, 1), (22, 1), (21, 1)]);
    assert_eq!(recording.start.get(), 2 * PAGE);
    let left_out = &recording.left_out;
    assert_eq!(
        (left_out.absent, left_out.swapped, left_out.elsewhere),
        (1, 1, 3)
    );
    let nothing = recorded(&[0, 0]);
    assert!(nothing.runs.is_empty());
    assert_eq!(nothing.left_out.absent, 2);
}

#[test]
fn hidden_frames_are_an_error_and_never_addresses() {
    let words = [PRESENT | 5, PRESENT];
    assert_eq!(
        record(&fake(&words), whole(2), &mut |_| ()).unwrap_err(),
        Hidden
    );
}

#[test]
fn a_pagemap_that_ends_early_leaves_what_was_read() {
    // Reads are of 64K pages: the second one fails.
    let words: Vec<u64> = (1..=65536).map(|number| PRESENT | number).collect();
    let recording = record(&fake(&words), whole(65540), &mut |_| ()).unwrap();
    assert_eq!(runs(&recording), [(1, 65536)]);
    assert_eq!(recording.left_out.unread, 4);
    assert_eq!(
        recording.left_out.error.unwrap().kind(),
        io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn pages_that_moved_are_counted() {
    let pagemap = fake(&frames(&[7, 8, 9, 20, 21]));
    let recording = record(&pagemap, whole(5), &mut |_| ()).unwrap();
    assert_eq!(recording.moved(&pagemap, &mut |_| ()).unwrap().moved, 0);
    let now = |words: &[u64]| {
        let found = recording.moved(&fake(words), &mut |_| ());
        found.map(|found| found.moved)
    };
    assert_eq!(now(&frames(&[7, 50, 9, 20, 21])).unwrap(), 1);
    assert_eq!(now(&frames(&[20, 21, 7, 8, 9])).unwrap(), 5);
    assert_eq!(
        now(&[PRESENT | 7, 0, SWAPPED, PRESENT | 20, PRESENT]).unwrap(),
        3
    );
    assert_eq!(now(&[]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn of_much_memory_a_part_is_looked_at_once_more() {
    // 272M: five pieces of 2M, each 64M after the one before.
    let pages = 272 << 8;
    let words: Vec<u64> = (0..pages).map(|page| PRESENT | (5 + 2 * page)).collect();
    let recording = recorded(&words);
    let now = |moved: &[usize]| {
        let mut words = words.clone();
        moved.iter().for_each(|&page| words[page] = PRESENT | 4);
        let found = recording.moved(&fake(&words), &mut |_| ()).unwrap();
        (found.looked, found.moved)
    };
    assert_eq!(now(&[]), (5 * 512, 0));
    let (second, last) = (64 << 8, 256 << 8);
    assert_eq!(now(&[0, second, second + 511, last + 7]), (5 * 512, 4));
    assert_eq!(
        now(&[512, second - 1, second + 512]),
        (5 * 512, 0),
        "between the pieces"
    );
}

#[test]
fn progress_ends_at_the_end() {
    let mut last = 0;
    let words = frames(&[3, 1, 9]);
    record(&fake(&words), whole(3), &mut |done| last = done).unwrap();
    assert_eq!(last, 3 * PAGE);
}

/// A list of runs: `(first frame, pages)`.
fn list(runs: &[(u64, u64)]) -> RunList {
    let mut list = RunList::new(PAGE);
    for &(frame, pages) in runs {
        list.push(PhysAddr::new(frame * PAGE), pages * PAGE);
    }
    list
}

fn scenario(runs: &RunList, va: u64, shift: u64, device: &str, iommu: &str) -> Scenario {
    let document = Document {
        version: 1,
        name: "a capture".to_owned(),
        region: Region {
            va: VirtAddr::new(va),
            offset: Bytes(0),
            length: Bytes(runs.length()),
            hca_address: None,
        },
        memory: Memory::new(runs, shift),
        kernel: KernelSpec::default(),
        iommu: IommuSpec::Name(iommu.to_owned()),
        device: DeviceSpec::Name(device.to_owned()),
        provenance: Provenance::default(),
    };
    let mut json = Vec::new();
    document.write(&mut json).unwrap();
    Scenario::from_json(&json).unwrap()
}

/// Everything in a registration that is not an address: what rebasing must keep.
fn answers(scenario: &Scenario) -> Vec<String> {
    let registration = Registration::new(scenario).unwrap();
    let report = serde_json::to_value(registration.report(scenario)).unwrap();
    let mut answers = Vec::new();
    for key in ["pages", "lists"] {
        answers.push(format!("{key}: {}", report[key]));
    }
    for (part, key) in [
        ("scatter", "count"),
        ("dma", "count"),
        ("iommu", "total"),
        ("iommu", "by_size"),
    ] {
        answers.push(format!("{part}: {}", report[part][key]));
    }
    for key in ["total", "by_size", "page_size", "bytes", "layout"] {
        answers.push(format!("{key}: {}", report["table"][key]));
    }
    answers.push(format!("refused: {}", report["table"]["refused"]["code"]));
    answers.push(format!("alternatives: {}", report["alternatives"]));
    for policy in Policy::ALL {
        let table = registration.alternative(policy);
        answers.push(format!(
            "{policy:?}: {:?}",
            table
                .map(|table| (table.tally.to_string(), table.page_size))
                .ok()
        ));
    }
    answers
}

#[test]
fn the_lowest_run_comes_to_lie_in_the_first_slot() {
    // The largest page of any device is 2G: half a million frames.
    let slot = (2 << 30) / PAGE;
    for (runs, expected) in [
        (&[(5 * slot + 7, 3), (9 * slot, 1)][..], 5 * slot),
        (&[(9 * slot, 1), (5 * slot + 7, 3)], 5 * slot),
        (&[(7, 1), (9 * slot, 1)], 0),
        // A run of 5 slots has room for a page of 4 of them, which some IOMMUs have.
        (&[(13 * slot, 5 * slot)], 12 * slot),
    ] {
        assert_eq!(rebase::shift(&list(runs)), expected * PAGE, "{runs:?}");
    }
}

/// Some IOMMUs have larger pages than any device: they count, too.
#[test]
fn an_iommu_with_larger_pages_keeps_its_answers() {
    let slot = (2 << 30) / PAGE;
    let runs = list(&[(13 * slot, 5 * slot), (40 * slot, 1)]);
    let of = |shift| answers(&scenario(&runs, 13 * slot * PAGE, shift, "mlx5", "amd-v1"));
    assert_eq!(of(0), of(rebase::shift(&runs)));
    assert_ne!(
        of(0),
        of(13 * slot * PAGE),
        "a multiple of 2G alone would not do"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// The same registration, for every device and behind every kind of IOMMU. Runs begin around multiples of large
    /// powers of two, and virtual addresses agree with physical ones in many low bits: only then are large pages used.
    #[test]
    fn a_rebased_capture_has_the_same_answers(
        places in prop::collection::vec((1u64..1 << 34, 0u32..22, 0u64..5, 0u32..20), 1..6),
        distance in 0u64..1 << 20,
        agreeing in 0u32..24,
        device in 0..device::CATALOGUE.len(),
        iommu in prop::sample::select(vec!["off", "vt-d", "amd-v1", "virtio", "smmuv3-4k"]),
    ) {
        let runs: Vec<(u64, u64)> = places
            .iter()
            .map(|&(place, log2, before, length)| {
                // Never below frame 0, and never all of it above.
                let frame = ((place >> log2).max(1) << log2).saturating_sub(before);
                (frame, (1 << length) + before)
            })
            .collect();
        let runs = list(&runs);
        let first = runs.iter().next().expect("there is a run").start.get();
        let va = first + (distance << agreeing) * PAGE;
        let shift = rebase::shift(&runs);
        let device = device::CATALOGUE[device].name;
        let of = |shift| answers(&scenario(&runs, va, shift, device, iommu));
        prop_assert_eq!(of(0), of(shift));
    }
}
