//! Unaligned tables: an entry a segment, byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::table::unaligned;
use umem_fuzz::Layout;

fuzz_target!(|layout: Layout| {
    let Some((list, _)) = layout.build() else {
        return;
    };
    let entries: Vec<_> = unaligned::entries(list.iter().copied()).collect();
    assert_eq!(entries.len(), list.len());
    for (entry, segment) in entries.iter().zip(&list) {
        assert_eq!(
            (entry.address, entry.size, entry.count),
            (segment.start, segment.length, 1)
        );
    }
});
