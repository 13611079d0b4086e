//! Mixed tables: aligned, in order, without gaps, of the device's sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::{
    address::DmaAddr,
    size::PageSize,
    table::mixed::{Mixed, Overhang},
};
use umem_fuzz::Layout;

fuzz_target!(|input: (Layout, Option<(u32, u32)>)| {
    let (layout, room) = input;
    let Some((list, mr)) = layout.build() else {
        return;
    };
    let page = |pages: u32| u64::from(pages) * 4096;
    let overhang = room.map(|(before, after)| Overhang {
        before: page(before).min(list[0].start.get()),
        after: page(after).min(DmaAddr::new(u64::MAX) - list[list.len() - 1].end()),
    });
    let Ok(runs) = Mixed::new(list.iter().copied(), &mr, layout.sizes(), overhang) else {
        return;
    };
    let (mut covered, end) = (mr.offset as i64, (mr.offset + mr.length) as i64);
    for run in runs {
        assert!(run.offset <= covered && run.end_offset() > covered && covered < end);
        assert!(layout.sizes().contains(PageSize::new(run.size).unwrap()));
        assert_eq!(run.address.get() % run.size, 0);
        covered = run.end_offset();
    }
    assert!(covered >= end);
});
