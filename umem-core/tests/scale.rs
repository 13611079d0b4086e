//! Nothing grows faster than the number of segments, and nothing overflows where there are 2^40 entries.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use umem_core::{
    address::{DmaAddr, Extent, PhysAddr, VirtAddr},
    iommu::{self, DmaList, DmaSegment, IoPages},
    kernel::KernelRules,
    memory::PagemapFrames,
    registration::Registration,
    scatter::{Coalescing, ListCost, ScatterList},
    scenario::{MemorySpec, presets},
    size::{Bytes, PageSize, PageSizes},
    table::{Mr, Tally, addresses, mixed::Mixed, single},
};

struct Counting;

thread_local! {
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting touches no memory of its own but a
// thread-local cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.with(|bytes| bytes.set(bytes.get() + layout.size() as u64));
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

/// What `work` took: segments or runs stepped over, and bytes allocated.
fn cost<T>(work: impl FnOnce() -> T) -> (T, [u64; 2]) {
    STEPS.set(0);
    let before = BYTES.get();
    let result = work();
    (result, [STEPS.get(), BYTES.get() - before])
}

fn step<T>(item: T) -> T {
    STEPS.set(STEPS.get() + 1);
    item
}

const MAIL: PageSizes = PageSizes::from_bits(0x30_1000);
const VA: VirtAddr = VirtAddr::new(0x7f00_0000_1000);

/// A region of `count` segments of `length` bytes, nowhere adjacent, 4K off every larger page.
fn region(count: u64, length: u64) -> (impl Iterator<Item = DmaSegment> + Clone, Mr) {
    let segments = (0..count).map(move |i| {
        step(Extent {
            offset: i * length,
            start: DmaAddr::new(0x1000 + i * (length + (1 << 21))),
            length,
        })
    });
    let mr = Mr {
        address: VA,
        length: count * length,
        hca_address: VA,
        page: PageSize::K4,
        offset: 0,
    };
    (segments, mr)
}

/// Twice the input is at most twice the work and the memory, and 5 %.
fn assert_linear<T>(what: &str, size: u64, work: impl Fn(u64) -> T) {
    let (_, once) = cost(|| work(size));
    let (_, twice) = cost(|| work(2 * size));
    for (name, once, twice) in [("steps", once[0], twice[0]), ("bytes", once[1], twice[1])] {
        assert!(
            twice as f64 <= 2.05 * once as f64,
            "{what}: {twice} {name} after {once}"
        );
    }
}

#[test]
fn ten_million_segments_of_16p_are_tables_of_2_to_the_42_entries() {
    // 10,000,000 × 1717986816 bytes: 16P and a little.
    let (segments, mr) = region(10_000_000, (1 << 54) / 10_000_000 / 4096 * 4096 + 4096);
    assert!(mr.length >= 1 << 54);
    let ((), [steps, bytes]) = cost(|| {
        let four = PageSizes::from_bits(0x1000);
        let table = Mixed::new(segments.clone(), &mr, four, None).unwrap();
        let tally = table.tally();
        assert_eq!(tally.total(), mr.length >> 12);
        assert!(tally.total() > 1 << 40);

        let mixed = Mixed::new(segments.clone(), &mr, MAIL, None)
            .unwrap()
            .tally();
        let covered: u64 = mixed
            .by_size()
            .iter()
            .map(|(size, count)| size * count)
            .sum();
        assert_eq!(covered, mr.length);
        let walked: Tally = Mixed::new(segments.clone(), &mr, MAIL, None)
            .unwrap()
            .collect();
        assert_eq!(walked, mixed);

        let rules = KernelRules::newest();
        let best = single::best_page_size(segments.clone(), &mr, MAIL, rules).unwrap();
        assert_eq!(best, PageSize::K4);
        assert_eq!(single::block_count(&mr, best), mr.length >> 12);
        let blocks = single::Single::new(segments.clone(), &mr, best, rules);
        let counted: u64 = blocks.map(|run| run.count).sum();
        assert_eq!(counted, mr.length >> 12);
    });
    // Five passes; of the memory there is only the tallies'.
    assert!(steps <= 5 * 10_000_001, "{steps}");
    assert!(bytes < 10_000, "{bytes}");
}

#[test]
fn one_segment_of_16p_costs_what_one_of_4m_costs() {
    let work = |length: u64| {
        let (segments, mr) = region(1, length);
        let tally = Mixed::new(segments.clone(), &mr, MAIL, None)
            .unwrap()
            .tally();
        let runs = Mixed::new(segments, &mr, MAIL, None)
            .unwrap()
            .map(step)
            .count();
        (tally.total(), runs)
    };
    let ((total, runs), small) = cost(|| work(4 << 20));
    assert_eq!((total, runs), (255 + 1 + 1 + 1, 4));
    let ((total, runs), large) = cost(|| work(1 << 54));
    assert_eq!((total, runs), (255 + 1 + ((1 << 33) - 1) + 1, 4));
    assert_eq!(small, large);
}

#[test]
fn the_highest_addresses_are_no_trap() {
    let mr = Mr {
        address: VA,
        length: 1 << 54,
        hca_address: VA,
        page: PageSize::K4,
        offset: 0,
    };
    let segment = Extent {
        offset: 0,
        start: DmaAddr::new(u64::MAX - (1 << 54) - 0xffe),
        length: 1 << 54,
    };
    let sizes = PageSizes::from_bits(!0xfff);
    let table = Mixed::new([segment].into_iter(), &mr, sizes, None).unwrap();
    let counted: u64 = table.clone().map(|run| run.count).sum();
    assert_eq!(table.tally().total(), counted);
}

#[test]
fn every_path_is_linear_in_segments() {
    let rules = KernelRules::newest();
    assert_linear("mixed, counted", 10_000, |count| {
        let (segments, mr) = region(count, 5 << 20);
        Mixed::new(segments, &mr, MAIL, None).unwrap().tally()
    });
    assert_linear("mixed, walked", 10_000, |count| {
        let (segments, mr) = region(count, 5 << 20);
        Mixed::new(segments, &mr, MAIL, None)
            .unwrap()
            .map(step)
            .count()
    });
    assert_linear("best size", 10_000, |count| {
        let (segments, mr) = region(count, 5 << 20);
        single::best_page_size(segments, &mr, MAIL, rules)
    });
    assert_linear("single, written", 10_000, |count| {
        let (segments, mr) = region(count, 5 << 20);
        let blocks = single::Single::new(segments, &mr, PageSize::K4, rules).map(step);
        addresses::write(blocks, &mut [0; 4096], |_| ())
    });
    assert_linear("mixed, written", 10_000, |count| {
        let (segments, mr) = region(count, 5 << 20);
        let entries = Mixed::new(segments, &mr, MAIL, None).unwrap().map(step);
        addresses::write(entries, &mut [0; 4096], |_| ())
    });
    for (name, coalescing) in [
        ("coalescing", Coalescing::AnyPage),
        ("coalescing by batches", Coalescing::WholeBatchRun),
    ] {
        assert_linear(name, 10_000, |count| {
            let words: Vec<u64> = (0..count)
                .map(|page| (1 << 63) | (page + page / 3 + 1))
                .collect();
            let frames = PagemapFrames::new(&words, PageSize::K4);
            ScatterList::new(frames, 1 << 30, coalescing, PageSize::K4)
                .map(step)
                .count()
        });
    }
    assert_linear("behind an IOMMU", 10_000, |count| {
        let entries = (0..count).map(|i| {
            step(Extent {
                offset: i << 12,
                start: PhysAddr::new(i << 13),
                length: 1 << 12,
            })
        });
        let translation = iommu::find("vt-d").unwrap().translation();
        let mapping = translation.map(entries.clone()).unwrap();
        let list = DmaList::translated(entries.clone(), translation, mapping, u32::MAX);
        let io_pages = IoPages::new(entries, translation, mapping);
        (list.map(step).count(), io_pages.map(step).count())
    });
    assert_linear("what the lists take", 10_000, |count| {
        ListCost::new(count, (0..count).map(step), PageSize::K4)
    });
}

/// Extents of 4K to 28K in turns, none adjacent: no two lanes' runs can be joined.
#[test]
fn an_index_of_extents_of_different_sizes_takes_little_more_than_they_do() {
    const EXTENTS: u64 = 1 << 16;
    let mut scenario = presets::find("mail").unwrap().scenario();
    let list = (0..EXTENTS).map(|i| (PhysAddr::new((1 << 32) + (i << 20)), i % 7 * 4096 + 4096));
    let list: Vec<_> = list.map(|(start, length)| (start, Bytes(length))).collect();
    scenario.region.offset = Bytes(0);
    scenario.region.length = Bytes(list.iter().map(|(_, length)| length.0).sum());
    scenario.memory = MemorySpec {
        extents: Some(list.into()),
        ..MemorySpec::default()
    };
    let (index, [_, bytes]) = cost(|| Registration::new(&scenario).unwrap().index());
    assert_eq!(index.scatter().count(), EXTENTS);
    assert_eq!(index.dma().runs().len() as u64, EXTENTS);
    // Growing lists are counted at each of their lengths: twice what they take in the end.
    assert!(bytes <= 40 * EXTENTS, "{} bytes an extent", bytes / EXTENTS);
    // By another kernel's rules the boxes are the same, and shared.
    scenario.kernel.set_rules("6.7");
    let question = scenario.resolve().unwrap();
    let alone = Registration::of(question.clone()).index();
    let (beside, [_, bytes]) = cost(|| Registration::of(question).index_beside(&index));
    assert!(bytes <= 4 * EXTENTS, "{} bytes an extent", bytes / EXTENTS);
    assert_eq!(
        [
            beside.frames(),
            beside.scatter(),
            beside.dma(),
            beside.entries()
        ],
        [
            alone.frames(),
            alone.scatter(),
            alone.dma(),
            alone.entries()
        ]
    );
}

#[test]
fn registrations_and_their_index_are_linear_in_extents() {
    let registered = |extents: u64| {
        let mut scenario = presets::find("mail").unwrap().scenario();
        let list = (0..extents).map(|i| {
            (
                PhysAddr::new((1 << 32) + (i << 20)),
                Bytes(0x1000 << (i % 2)),
            )
        });
        scenario.memory.extents = Some(list.collect());
        scenario.memory.layout = None;
        scenario.memory.page_size = None;
        scenario.memory.start = None;
        scenario.region.offset = Bytes(0);
        scenario.region.length = Bytes(extents / 2 * 0x3000);
        scenario
    };
    assert_linear("an index", 1 << 14, |extents| {
        let index = Registration::new(&registered(extents)).unwrap().index();
        let registration = index.registration();
        assert_eq!(index.entries().count(), extents / 2 * 3);
        let entries = registration.entries().flat_map(|run| run.entries());
        for (n, entry) in (0..).zip(entries).step_by(97) {
            let (run, i) = index.entries().nth(n).unwrap();
            assert_eq!((run.first + i, run.offset_of(i)), (n, entry.offset));
            assert_eq!(index.entry_address(entry.offset), entry.address);
        }
        assert_eq!(index.entries().nth(index.entries().count()), None);
    });
    // Scattered memory lists nothing, however much there is.
    let mut scattered = presets::find("scattered").unwrap().scenario();
    let bytes = |pages: u64, scattered: &mut umem_core::scenario::Scenario| {
        scattered.region.length = Bytes(pages << 12);
        cost(|| Registration::new(scattered).unwrap().table().unwrap().total).1[1]
    };
    // The gates tell how much there is: some digits more.
    let (less, more) = (
        bytes(1 << 12, &mut scattered),
        bytes(1 << 16, &mut scattered),
    );
    assert!(less.abs_diff(more) < 100, "{less} and {more} bytes");
}
