//! Frame numbers → the scatter-gather list.

use crate::{
    Goal, Path, Scale,
    words::{NUMBERS, PAGEMAP, PRESENT, Words},
};
use std::{cell::RefCell, hint::black_box, rc::Rc};
use umem_core::{
    address::{Extent, PhysAddr},
    memory::{FrameNumbers, FrameRun, PagemapFrames, scattered_slot},
    scatter::{CutRuns, SgEntry, longest_entry},
    size::PageSize,
};

/// Where entries are written, anew when it is full: as many as stay in the cache.
const ROOM: usize = 4096;

pub fn paths(scale: Scale) -> Vec<Path> {
    let pages = scale.of(1 << 25, 1 << 14);
    let contiguous = (0..pages).map(|page| 0x10_0000 + page).collect();
    let huge = (0..pages)
        .map(|page| ((0x800 + scattered_slot(1, page / 512)) << 9) + page % 512)
        .collect();
    let mut random = 1u64;
    let mut at = 0x1000;
    let fragmented = (0..pages)
        .map(|_| {
            random = random
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            // On average one page in eight is no neighbour of the one before it.
            at += 1 + u64::from(random >> 61 == 0);
            at
        })
        .collect();
    let scattered = (0..pages)
        .map(|page| 0x10_0000 + scattered_slot(0, page))
        .collect();
    // What looks ahead looks in vain.
    let migrated = (0..pages)
        .map(|page| 0x10_0000 + page + (u64::from(page % 1100 == 0) << 30))
        .collect();
    let pairs = (0..pages)
        .map(|page| 0x10_0000 + 2 * page - u64::from(page % 65 == 0))
        .collect();
    let absent = (0..pages)
        .map(|page| match page % 16 {
            7 => 0,
            _ => PRESENT | (0x10_0000 + scattered_slot(0, page)),
        })
        .collect();
    let layouts: [(_, Vec<u64>, _); 6] = [
        ("contiguous", contiguous, Goal::OfLimit(0.85)),
        ("in huge pages", huge, Goal::TimesKernel(1.0)),
        ("fragmented", fragmented, Goal::TimesKernel(1.0)),
        ("scattered", scattered, Goal::TimesKernel(1.0)),
        (
            "contiguous but for a page in 1100",
            migrated,
            Goal::TimesKernel(1.0),
        ),
        (
            "scattered but for a pair in 65",
            pairs,
            Goal::TimesKernel(1.0),
        ),
    ];
    let mut paths = Vec::new();
    for (layout, numbers, goal) in layouts {
        let words = numbers.iter().map(|number| PRESENT | number).collect();
        paths.push(path(NUMBERS, layout, numbers, vec![goal]));
        paths.push(path(PAGEMAP, layout, words, vec![goal]));
    }
    // A kernel's loop comes after the pinning and meets none of these.
    paths.push(path(PAGEMAP, "scattered, some absent", absent, Vec::new()));
    paths
}

fn path(kind: Words, layout: &str, words: Vec<u64>, goals: Vec<Goal>) -> Path {
    let words = Rc::new(words);
    let none = Extent {
        offset: 0,
        start: PhysAddr::new(0),
        length: 0,
    };
    let entries = Rc::new(RefCell::new([none; ROOM]));
    let longest = longest_entry(u32::MAX, PageSize::K4).expect("a page fits");
    let (list, room) = (words.clone(), entries.clone());
    let path = Path {
        name: format!("coalescing {}, {layout}", kind.name),
        unit: "frame",
        units: words.len() as u64,
        ours: Box::new(move || {
            let words = black_box(&list);
            match kind.mask {
                u64::MAX => write(
                    FrameNumbers::new(words, PageSize::K4),
                    longest,
                    &mut room.borrow_mut(),
                ),
                _ => write(
                    PagemapFrames::new(words, PageSize::K4),
                    longest,
                    &mut room.borrow_mut(),
                ),
            }
        }),
        kernel: None,
        native: None,
        limit: None,
        goals,
    };
    #[cfg(not(target_family = "wasm"))]
    let path = crate::peers::beside_frames(path, &words, kind, longest);
    path
}

/// Writes the entries of `frames`, and returns how many there are.
fn write(
    frames: impl Iterator<Item = FrameRun>,
    longest: u64,
    entries: &mut [SgEntry; ROOM],
) -> u64 {
    let mut count = 0;
    CutRuns::new(frames, longest).for_each(|entry| {
        entries[count % ROOM] = entry;
        count += 1;
    });
    black_box(entries);
    count as u64
}
