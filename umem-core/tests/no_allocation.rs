//! Iteration allocates nothing, whatever the list's length.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use umem_core::{
    registration::Registration,
    scenario::{Scenario, presets},
    table::Policy,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting touches no memory of its own but a
// thread-local cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn scattered(policy: Policy, iommu: &str) -> Scenario {
    let mut scenario = presets::find("scattered").unwrap().scenario();
    scenario.region.length = "64M".parse().unwrap();
    scenario.device.customize().policy = Some(policy);
    scenario.iommu = umem_core::scenario::IommuSpec::Name(iommu.into());
    scenario
}

#[test]
fn walking_the_lists_allocates_nothing() {
    assert_eq!(
        allocations(|| drop(std::hint::black_box(Box::new(1)))),
        1,
        "the counter counts"
    );
    for policy in Policy::ALL {
        for iommu in ["off", "vt-d"] {
            let registration = Registration::new(&scattered(policy, iommu)).unwrap();
            let walked = allocations(|| {
                let lists = registration.scatter().count() + registration.dma().count();
                let blocks: u64 = registration.entries().map(|run| run.count).sum();
                assert!(lists > 16384 && blocks > 0);
                registration
                    .io_pages()
                    .into_iter()
                    .for_each(|pages| assert!(pages.count() > 0));
            });
            assert_eq!(walked, 0, "{policy:?} behind {iommu}");
        }
    }
}
