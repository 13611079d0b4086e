//! What a table amounts to, without its blocks: counts by size, the total, its bytes, the best size.

use crate::{Goal, Path, Scale};
use std::{hint::black_box, rc::Rc};
use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    iommu::DmaSegment,
    kernel::KernelRules,
    registration::Registration,
    scenario::{LayoutName, presets},
    size::{PageSize, PageSizes},
    table::{Mr, Tally, mixed::Mixed, single},
};

const K4: PageSizes = PageSizes::from_bits(0x1000);
const MAIL: PageSizes = PageSizes::from_bits(0x30_1000);

pub fn paths(scale: Scale) -> Vec<Path> {
    let mut paths = Vec::new();
    for (name, length) in [("4M", 4 << 20), ("1T", 1 << 40)] {
        let goal = Goal::Nanoseconds(200.0);
        // Often, since a clock cannot tell so short a time.
        let often = scale.of(100_000, 100);
        let list = segments(1, length);
        paths.push(path(
            format!("summary of one segment of {name} in 4K, mixed"),
            list.clone(),
            often,
            K4,
            mixed,
            goal,
        ));
        paths.push(path(
            format!("summary of one segment of {name} in 4K, single"),
            list,
            often,
            K4,
            best,
            goal,
        ));
    }
    let goal = Goal::Nanoseconds(10.0);
    let count = scale.of(1_000_000, 1000);
    for (name, length) in [("64K", 64 << 10), ("8M", 8 << 20)] {
        let list = segments(count, length);
        paths.push(path(
            format!("summary of {count} segments of {name}, mixed"),
            list.clone(),
            1,
            MAIL,
            mixed,
            goal,
        ));
        paths.push(path(
            format!("summary of {count} segments of {name}, single"),
            list,
            1,
            MAIL,
            best,
            goal,
        ));
    }
    paths.push(scattered(scale));
    paths
}

fn segments(count: u64, length: u64) -> Rc<Vec<DmaSegment>> {
    let segment = |i| Extent {
        offset: i * length,
        start: DmaAddr::new((1 << 40) + i * (length + (1 << 16)) + 0x1000),
        length,
    };
    Rc::new((0..count).map(segment).collect())
}

fn path(
    name: String,
    list: Rc<Vec<DmaSegment>>,
    often: u64,
    sizes: PageSizes,
    summary: fn(&[DmaSegment], &Mr, PageSizes) -> u64,
    goal: Goal,
) -> Path {
    let mr = Mr {
        address: VirtAddr::new(0x7f00_0000_1000),
        length: list.iter().map(|segment| segment.length).sum(),
        hca_address: VirtAddr::new(0x7f00_0000_1000),
        page: PageSize::K4,
        offset: 0,
    };
    Path {
        name,
        unit: "segment",
        units: often * list.len() as u64,
        ours: Box::new(move || {
            let mut sum = 0;
            for _ in 0..often {
                sum += black_box(summary(black_box(&list), black_box(&mr), sizes));
            }
            sum
        }),
        kernel: None,
        native: None,
        limit: None,
        goals: vec![goal],
    }
}

#[inline(never)]
fn mixed(segments: &[DmaSegment], mr: &Mr, sizes: PageSizes) -> u64 {
    let table = Mixed::new(segments.iter().copied(), mr, sizes, None).expect("4K tile everything");
    let tally = table.tally();
    let total = tally.total();
    black_box(&tally);
    total * 8
}

#[inline(never)]
fn best(segments: &[DmaSegment], mr: &Mr, sizes: PageSizes) -> u64 {
    let rules = KernelRules::newest();
    let size = single::best_page_size(segments.iter().copied(), mr, sizes, rules).expect("4K fit");
    let total = single::block_count(mr, size);
    let mut tally = Tally::default();
    tally.add(size.bytes(), total);
    black_box(&tally);
    tally.total() * 8
}

/// A whole registration of memory that no two pages of are neighbours.
fn scattered(scale: Scale) -> Path {
    let mut scenario = presets::find("scattered").expect("a preset").scenario();
    let pages = scale.of(1 << 22, 1 << 12);
    scenario.region.offset = umem_core::size::Bytes(0);
    scenario.region.length = umem_core::size::Bytes(pages << 12);
    scenario.memory.layout = Some(LayoutName::Scattered);
    Path {
        name: format!("registration of {pages} scattered pages"),
        unit: "page",
        units: pages,
        ours: Box::new(move || {
            let registration = Registration::new(black_box(&scenario)).expect("a good scenario");
            registration.table().expect("a table").total
        }),
        kernel: None,
        native: None,
        limit: None,
        goals: Vec::new(),
    }
}
