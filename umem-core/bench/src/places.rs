//! Where the n-th entry lies.

use crate::{Goal, Path, Scale};
use std::{hint::black_box, rc::Rc};
use umem_core::{
    address::PhysAddr,
    registration::{Index, Registration},
    scenario::presets,
    size::Bytes,
};

pub fn paths(scale: Scale) -> Vec<Path> {
    let segments = scale.of(1_000_000, 1000);
    let mut scenario = presets::find("mail").expect("a preset").scenario();
    // No two segments of one length are neighbours, so that none of them share a run of the index.
    let extents = (0..segments).map(|i| {
        let start = PhysAddr::new((1 << 40) + (i << 16));
        (start, Bytes(0x1000 << (i % 2)))
    });
    scenario.memory.extents = Some(extents.collect());
    scenario.memory.layout = None;
    scenario.memory.page_size = None;
    scenario.memory.start = None;
    scenario.region.offset = Bytes(0);
    scenario.region.length = Bytes(segments / 2 * 0x3000);
    scenario.device.customize().page_sizes = Some(vec![Bytes(0x1000), Bytes(0x2000)]);
    let registration = Registration::new(&scenario).expect("a good scenario");
    let index = Rc::new(registration.index());
    let entries = index.entries().count();
    let often = scale.of(1_000_000, 1000);
    let path = |what: &str, place: fn(&Index, u64) -> u64| {
        let (index, mut n) = (index.clone(), 0);
        Path {
            name: format!("{what} of the n-th of {entries} entries"),
            unit: "call",
            units: often,
            ours: Box::new(move || {
                let mut sum = 0u64;
                for _ in 0..often {
                    // All over the list, in no order that a cache could guess.
                    n = (n + 0x9e37_79b9_7f4a_7c15 % entries) % entries;
                    sum = sum.wrapping_add(place(&index, black_box(n)));
                }
                sum
            }),
            kernel: None,
            native: None,
            limit: None,
            goals: vec![Goal::Nanoseconds(1000.0)],
        }
    };
    vec![
        path("offset and size", |index, n| {
            let (run, i) = index.entries().nth(n).expect("an entry");
            run.offset_of(i) as u64 + run.size
        }),
        path("offset, size and address", |index, n| {
            let (run, i) = index.entries().nth(n).expect("an entry");
            index.entry_address(run.offset_of(i)).get()
        }),
    ]
}
