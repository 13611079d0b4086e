//! What a page calls: the wasm half of `cargo xtask bench browser`.

use std::cell::RefCell;
use umem_bench::{Path, SECTIONS, Scale};

thread_local! {
    static OPENED: RefCell<Vec<Path>> = const { RefCell::new(Vec::new()) };
}

/// Makes the paths of a section ready, instead of those before, and returns how many there are.
// SAFETY: no other function of this program has this name.
#[unsafe(no_mangle)]
extern "C" fn umem_bench_open(section: usize, small: bool) -> usize {
    // wasm's memory never shrinks: what was there makes room first.
    OPENED.take();
    let (_, paths) = SECTIONS[section];
    OPENED.set(paths(if small { Scale::Small } else { Scale::Browser }));
    OPENED.with_borrow(Vec::len)
}

/// Does the work of a path so often, and returns how much it was.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn umem_bench_run(path: usize, times: usize) -> u64 {
    OPENED.with_borrow_mut(|paths| paths[path].run(times))
}
