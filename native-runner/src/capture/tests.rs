//! Recordings of made-up pagemaps, and what rebasing must not change.

use std::slice;

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

use super::{document::*, rebase::Rebase, *};
use crate::pagemap::fake::{Fake, PAGE, fake, fake_in_turns};

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 56;
/// A page in migration: a type that no swap area has.
const MOVING: u64 = SWAPPED | 31;

fn frames(numbers: &[u64]) -> Vec<u64> {
    numbers
        .iter()
        .map(|number| PRESENT | EXCLUSIVE | number)
        .collect()
}

fn whole(words: usize) -> Range<VirtAddr> {
    VirtAddr::new(0)..VirtAddr::new(words as u64 * PAGE)
}

fn part(words: usize) -> Part {
    Part {
        range: whole(words),
        shared: false,
    }
}

fn try_record(
    pagemap: &Pagemap<Fake>,
    words: usize,
    threads: usize,
) -> Result<Recording, RecordError> {
    record(
        pagemap,
        &[part(words)],
        &FrameKinds::default(),
        threads,
        &mut |_| Ok(()),
    )
}

fn recorded(words: &[u64]) -> Recording {
    try_record(&fake(words), words.len(), 1).unwrap()
}

fn moved(recording: &Recording, pagemap: &Pagemap<Fake>) -> io::Result<Moved> {
    recording.moved(pagemap, &mut |_| Ok(()))
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
    assert_eq!(recording.left_out, LeftOut::default());
    assert_eq!(recording.moves, Moves::default());
    assert!(recording.error.is_none());
}

#[test]
fn any_number_of_threads_records_the_same() {
    // Three pieces and a bit, with holes, and a run across every piece's end.
    let pages = 3 * (256 << 8) + 77;
    let mut words: Vec<u64> = (0..pages)
        .map(|page| PRESENT | EXCLUSIVE | (page + page / 1000))
        .collect();
    (words[0], words[60_000], words[140_000]) = (0, 0, SWAPPED | 1);
    let of = |threads| {
        let mut seen = Vec::new();
        let parts = [
            part(100),
            Part {
                range: VirtAddr::new(100 * PAGE)..VirtAddr::new(pages * PAGE),
                shared: true,
            },
        ];
        let recording = record(
            &fake(&words),
            &parts,
            &FrameKinds::default(),
            threads,
            &mut |done| {
                seen.push(done);
                Ok(())
            },
        );
        assert!(seen.is_sorted() && *seen.last().unwrap() == pages * PAGE);
        let recording = recording.unwrap();
        (
            runs(&recording),
            recording.start,
            recording.left_out,
            recording.moves,
        )
    };
    let one = of(1);
    assert_eq!(
        one.1.get(),
        60_001 * PAGE,
        "the longest stretch is the second one"
    );
    for threads in [2, 3, 16] {
        assert_eq!(of(threads), one, "{threads} threads");
    }
}

#[test]
fn a_page_in_migration_does_not_cut_the_stretch() {
    let first = [PRESENT | 7, MOVING, PRESENT | 9];
    let then = frames(&[7, 30, 9]);
    let recording = try_record(&fake_in_turns(&[&first, &then]), 3, 1).unwrap();
    assert_eq!(runs(&recording), [(7, 1), (30, 1), (9, 1)]);
    assert_eq!(recording.left_out, LeftOut::default());
    // One that never arrives is as good as absent.
    let stuck = recorded(&first);
    assert_eq!((stuck.left_out.absent, stuck.left_out.elsewhere), (1, 1));
}

#[test]
fn a_signal_ends_the_reading() {
    let words = frames(&[7]);
    let recording = record(
        &fake(&words),
        &[part(1)],
        &FrameKinds::default(),
        2,
        &mut |_| Err(Interrupted),
    );
    assert_eq!(recording.unwrap_err(), RecordError::Interrupted);
}

/// What `../shared/gate-facts.md` measured of pages before and after a registration, word for word.
#[test]
fn pages_that_a_pin_replaces_are_counted_where_they_are_recorded() {
    let (zero, movable) = (5 * PAGE..6 * PAGE, 100 * PAGE..200 * PAGE);
    let kinds = FrameKinds::new(slice::from_ref(&zero), slice::from_ref(&movable));
    let moves = |words: &[u64], shared| {
        let all = Part {
            range: whole(words.len()),
            shared,
        };
        record(&fake(words), &[all], &kinds, 1, &mut |_| Ok(()))
            .unwrap()
            .moves
    };
    let of = |zero, shared, movable| Moves {
        zero,
        shared,
        movable,
    };
    // Anonymous pages: written; the zero page; shared since a fork.
    let anonymous = [
        PRESENT | EXCLUSIVE | 7,
        PRESENT | 5,
        PRESENT | 5,
        PRESENT | 6,
        PRESENT | 8,
    ];
    assert_eq!(moves(&anonymous, false), of(2, 2, 0));
    // A private mapping of a file is copied, exclusive or not; a shared one is not.
    let file = [PRESENT | FILE | EXCLUSIVE | 7, PRESENT | FILE | 9];
    assert_eq!(moves(&file, false), of(0, 2, 0));
    assert_eq!(moves(&file, true), of(0, 0, 0));
    // What is copied anyway does not count twice.
    let movable = [
        PRESENT | EXCLUSIVE | 99,
        PRESENT | EXCLUSIVE | 100,
        PRESENT | 120,
    ];
    assert_eq!(moves(&movable, false), of(0, 1, 1));
    // Only the stretch that is kept counts.
    assert_eq!(
        moves(
            &[PRESENT | 5, 0, PRESENT | EXCLUSIVE | 7, PRESENT | 9],
            false
        ),
        of(0, 1, 0)
    );
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
        try_record(&fake(&words), 2, 1).unwrap_err(),
        RecordError::Hidden
    );
}

#[test]
fn a_pagemap_that_ends_early_leaves_what_was_read() {
    // Reads are of 64K pages: the second one fails.
    let words: Vec<u64> = (1..=65536).map(|number| PRESENT | number).collect();
    for threads in [1, 2] {
        let recording = try_record(&fake(&words), 65540, threads).unwrap();
        assert_eq!(runs(&recording), [(1, 65536)]);
        assert_eq!(recording.left_out.unread, 4);
        assert_eq!(
            recording.error.unwrap().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }
}

#[test]
fn pages_that_moved_are_counted() {
    let pagemap = fake(&frames(&[7, 8, 9, 20, 21]));
    let recording = try_record(&pagemap, 5, 1).unwrap();
    assert_eq!(moved(&recording, &pagemap).unwrap().moved, 0);
    let now = |words: &[u64]| moved(&recording, &fake(words)).map(|found| found.moved);
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
    let now = |pages: &[usize]| {
        let mut words = words.clone();
        pages.iter().for_each(|&page| words[page] = PRESENT | 4);
        let found = moved(&recording, &fake(&words)).unwrap();
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

/// A list of runs: `(first frame, pages)`.
fn list(runs: &[(u64, u64)]) -> RunList {
    let mut list = RunList::new(PAGE);
    for &(frame, pages) in runs {
        list.push(PhysAddr::new(frame * PAGE), pages * PAGE);
    }
    list
}

fn scenario(
    runs: &RunList,
    va: u64,
    rebase: Rebase,
    device: &str,
    iommu: &str,
    rules: &str,
) -> Scenario {
    let document = Document {
        version: 1,
        name: "a capture".to_owned(),
        region: Region {
            va: rebase.virt(VirtAddr::new(va)),
            offset: Bytes(0),
            length: Bytes(runs.length()),
            hca_address: None,
        },
        memory: Memory::new(runs, rebase),
        kernel: KernelSpec {
            rules: rules.to_owned(),
            ..KernelSpec::default()
        },
        iommu: IommuSpec::Name(iommu.to_owned()),
        device: DeviceSpec::Name(device.to_owned()),
        provenance: Provenance::default(),
    };
    let mut json = Vec::new();
    write(&document, &mut json).unwrap();
    Scenario::from_json(&json).unwrap()
}

/// Everything in a registration that is not an address: what rebasing must keep.
fn answers(scenario: &Scenario) -> Vec<String> {
    let registration = Registration::new(scenario).unwrap();
    let report = serde_json::to_value(umem_core::report::Report::new(&registration)).unwrap();
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

/// Some IOMMUs have larger pages than any device: they count, too.
#[test]
fn an_iommu_with_larger_pages_keeps_its_answers() {
    let slot = (2 << 30) / PAGE;
    let runs = list(&[(13 * slot, 5 * slot), (40 * slot, 1)]);
    let va = 13 * slot * PAGE;
    let of = |rebase| answers(&scenario(&runs, va, rebase, "mlx5", "amd-v1", "7.2"));
    for _ in 0..20 {
        let rebase = Rebase::random([&runs].into_iter())
            .unwrap()
            .beginning_at(VirtAddr::new(va));
        assert_eq!(of(Rebase::default()), of(rebase));
    }
}

#[test]
fn packed_and_plain_captures_say_the_same() {
    let runs = list(&[(7, 3), (20, 1)]);
    let document = Document {
        version: 1,
        name: "it".into(),
        region: Region {
            va: VirtAddr::new(0),
            offset: Bytes(0),
            length: Bytes(4 * PAGE),
            hca_address: None,
        },
        memory: Memory::new(&runs, Rebase::default()),
        kernel: KernelSpec::default(),
        iommu: IommuSpec::default(),
        device: DeviceSpec::Name("mlx5".into()),
        provenance: Provenance::default(),
    };
    let (mut plain, mut packed, mut unpacked) = (Vec::new(), Vec::new(), Vec::new());
    write(&document, &mut plain).unwrap();
    write_packed(&document, &mut packed).unwrap();
    io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(packed.as_slice()),
        &mut unpacked,
    )
    .unwrap();
    assert_eq!(plain, unpacked);
    assert!(plain.ends_with(b"}\n"));
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
        rules in prop::sample::select(umem_core::kernel::GENERATIONS.iter().map(|rules| rules.name).collect::<Vec<_>>()),
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
        let rebase = Rebase::random([&runs].into_iter())
            .unwrap()
            .beginning_at(VirtAddr::new(va));
        let device = device::CATALOGUE[device].name;
        let of = |rebase| answers(&scenario(&runs, va, rebase, device, iommu, rules));
        prop_assert_eq!(of(Rebase::default()), of(rebase));
    }
}
