//! Blocks into a table: single and mixed, from lists of few long and of many short segments.

use crate::{Goal, Path, Scale};
use std::{cell::RefCell, hint::black_box, rc::Rc};
use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    iommu::DmaSegment,
    kernel::KernelRules,
    size::{PageSize, PageSizes},
    table::{EntryRun, Mr, addresses, mixed::Mixed, single::Single},
};

/// A device whose sizes are each fourfold or more, so that a segment is cut into runs of every size.
const MIXED: PageSizes = PageSizes::from_bits(0x1_5000);
const VA: u64 = 0x7f00_0000_0000;

/// A table that is written again and again.
type Table = Rc<RefCell<Vec<u64>>>;

pub fn paths(scale: Scale) -> Vec<Path> {
    let blocks = scale.of(1 << 26, 1 << 14);
    // The whole table, as a device keeps it; and a piece that stays in the cache, as mlx5 sends it to the device.
    let whole: Table = Rc::new(RefCell::new(vec![0; blocks as usize]));
    let piece: Table = Rc::new(RefCell::new(vec![0; scale.of(1 << 15, 1 << 10) as usize]));
    let mut paths = Vec::new();
    for (table, how) in [(&whole, ""), (&piece, ", by pieces of 256K")] {
        for segments in [1, scale.of(1000, 16), scale.of(1_000_000, 256)] {
            let long = blocks / segments >= 1000;
            let mut goals = vec![Goal::TimesKernel(4.0)];
            if long && how.is_empty() {
                goals.push(Goal::OfLimit(0.85));
            }
            let list = Rc::new(List::new(segments, blocks, PageSize::K4));
            paths.push(list.clone().single(table, how, goals.clone()));
            // The ends of a segment take a dozen small blocks.
            let list = Rc::new(List::new(segments, blocks - 12 * segments, PageSize::K64));
            paths.push(list.clone().mixed(table, how, false, goals));
            if !long {
                paths.push(list.mixed(table, how, true, Vec::new()));
            }
        }
    }
    paths
}

/// A region of segments that are nowhere adjacent.
struct List {
    segments: Vec<DmaSegment>,
    mr: Mr,
    #[cfg(not(target_family = "wasm"))]
    chained: crate::peers::Chained,
}

impl List {
    /// About `blocks` blocks of `size`, in `count` segments that begin and end 4K off a block where blocks are larger.
    fn new(count: u64, blocks: u64, size: PageSize) -> Self {
        let length = (blocks / count).max(1) << size.log2();
        let mut segments = Vec::new();
        let mut offset = 0;
        for i in 0..count {
            let start = (1 << 40) + i * (length + 2 * size.bytes()) + (size.mask() & 0x1000);
            segments.push(Extent {
                offset,
                start: DmaAddr::new(start),
                length,
            });
            offset += length;
        }
        let mr = Mr {
            address: VirtAddr::new(VA),
            length: offset,
            hca_address: VirtAddr::new(VA),
            page: PageSize::K4,
            offset: 0,
        };
        Self {
            #[cfg(not(target_family = "wasm"))]
            chained: crate::peers::Chained::new(&segments),
            segments,
            mr,
        }
    }

    fn name(&self, policy: &str, how: &str) -> String {
        let segments = match self.segments.len() {
            1 => "1 segment".into(),
            n => format!("{n} segments"),
        };
        format!("{policy} blocks of {segments}{how}")
    }

    fn single(self: Rc<Self>, table: &Table, how: &str, goals: Vec<Goal>) -> Path {
        let blocks = self.mr.length >> 12;
        let (list, words) = (self.clone(), table.clone());
        let path = Path {
            name: self.name("single", how),
            unit: "block",
            units: blocks,
            ours: Box::new(move || {
                let segments = black_box(&list.segments).iter().copied();
                let runs = Single::new(segments, &list.mr, PageSize::K4, KernelRules::newest());
                fill(runs, &mut words.borrow_mut())
            }),
            kernel: None,
            native: None,
            limit: None,
            goals,
        };
        #[cfg(not(target_family = "wasm"))]
        let path = crate::peers::beside_blocks(path, table, |flavour| {
            let (list, words) = (self.clone(), table.clone());
            Box::new(move || {
                flavour.blocks(&list.chained, blocks, PageSize::K4, &mut words.borrow_mut())
            })
        });
        path
    }

    fn mixed(self: Rc<Self>, table: &Table, how: &str, inlined: bool, goals: Vec<Goal>) -> Path {
        let (list, words) = (self.clone(), table.clone());
        let ours = Box::new(move || {
            let segments = black_box(&list.segments).iter().copied();
            let runs = Mixed::new(segments, &list.mr, MIXED, None).expect("4K tile everything");
            fill(runs, &mut words.borrow_mut())
        });
        let path = Path {
            name: self.name("mixed", how) + if inlined { ", the C inlined" } else { "" },
            unit: "block",
            units: ours(),
            ours,
            kernel: None,
            native: None,
            limit: None,
            goals,
        };
        #[cfg(not(target_family = "wasm"))]
        let path = crate::peers::beside_blocks(path, table, |flavour| {
            let (list, words) = (self.clone(), table.clone());
            Box::new(move || flavour.split(inlined, &list.chained, MIXED, &mut words.borrow_mut()))
        });
        path
    }
}

/// Fills `table` as often as there are addresses for.
fn fill(runs: impl Iterator<Item = EntryRun>, table: &mut [u64]) -> u64 {
    addresses::write(runs, table, |piece| {
        black_box(piece);
    })
}

/// Fails unless ours and the peers write the same words.
#[cfg(not(target_family = "wasm"))]
pub fn assert_alike() {
    use crate::peers::Flavour;
    for count in [1, 7, 300] {
        let table: Table = Rc::new(RefCell::new(vec![0; 40_000]));
        let words = || std::mem::replace(&mut *table.borrow_mut(), vec![0; 40_000]);
        for (policy, size, inlined) in [
            ("single", PageSize::K4, false),
            ("mixed", PageSize::K64, false),
            ("mixed", PageSize::K64, true),
        ] {
            let list = Rc::new(List::new(count, 6000 / (1 + size.log2() as u64 - 12), size));
            let mut path = match policy {
                "single" => list.clone().single(&table, "", Vec::new()),
                _ => list.clone().mixed(&table, "", inlined, Vec::new()),
            };
            words();
            (path.ours)();
            let ours = words();
            assert!(ours[0] > 0);
            for flavour in [Flavour::Kernel, Flavour::Native] {
                let blocks = path.units;
                match policy {
                    "single" => {
                        flavour.blocks(&list.chained, blocks, size, &mut table.borrow_mut())
                    }
                    _ => flavour.split(inlined, &list.chained, MIXED, &mut table.borrow_mut()),
                };
                assert_eq!(words(), ours, "{policy}, {count} segments");
            }
        }
    }
}
