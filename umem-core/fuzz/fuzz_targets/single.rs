//! Single tables: what the newest rules choose is sound, and as many blocks come as the kernel counts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::{
    kernel::{GENERATIONS, KernelRules},
    table::single::{Single, best_page_size, block_count, is_sound},
};
use umem_fuzz::Layout;

fuzz_target!(|layout: Layout| {
    let Some((list, mr)) = layout.build() else {
        return;
    };
    let segments = || list.iter().copied();
    for rules in GENERATIONS {
        let Some(size) = best_page_size(segments(), &mr, layout.sizes(), rules) else {
            continue;
        };
        // Old kernels walk blocks of 4G and more one by one, or not at all.
        let blocks: u64 = Single::new(segments(), &mr, size, rules)
            .take(1 << 16)
            .map(|run| run.count)
            .sum();
        if rules == KernelRules::newest() {
            assert!(is_sound(segments(), &mr, size));
            assert_eq!(blocks, block_count(&mr, size));
        }
    }
});
