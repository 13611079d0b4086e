//! The peers in C (`peers/*.c`), each in two flavours.

use crate::{Path, Work, words::Words};
use std::{cell::RefCell, rc::Rc};
use umem_core::{
    iommu::DmaSegment,
    size::{PageSize, PageSizes},
};

/// How the peers were compiled.
#[derive(Clone, Copy)]
pub enum Flavour {
    /// `-O2`
    Kernel,
    /// `-O3 -march=native`
    Native,
}

/// A slot of a scatter-gather list: `struct sg` in `peers/peer.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Slot {
    page_link: u64,
    dma_address: u64,
    dma_length: u64,
    unused: u64,
}

/// `struct entry` in `peers/coalesce.c`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Entry {
    offset: u64,
    start: u64,
    length: u64,
}

macro_rules! peers {
    ($($kernel:ident, $native:ident: fn($($name:ident: $type:ty),*);)*) => {
        #[allow(dead_code)] // What memory allows is the better flavour's alone.
        unsafe extern "C" {
            $(fn $kernel($($name: $type),*) -> u64; fn $native($($name: $type),*) -> u64;)*
        }
    };
}

peers! {
    blocks_kernel, blocks_native: fn(sg: *const Slot, count: u64, page_bit: u32, table: *mut u64, room: usize);
    split_kernel, split_native: fn(sg: *const Slot, sizes: u64, table: *mut u64, room: usize);
    split_inlined_kernel, split_inlined_native: fn(sg: *const Slot, sizes: u64, table: *mut u64, room: usize);
    fill_kernel, fill_native: fn(address: u64, size: u64, count: u64, table: *mut u64, room: usize);
    sum_kernel, sum_native: fn(words: *const u64, count: usize);
    coalesce_kernel, coalesce_native:
        fn(words: *const u64, pages: usize, mask: u64, least: u64, page_bit: u32, longest: u64, entries: *mut Entry, room: usize);
}

/// A scatter-gather list as the kernel allocates it: pages of 128 slots, the last of each being the link to the next.
pub struct Chained(Vec<Slot>);

const SLOTS: usize = 128;
const CHAIN: u64 = 1;
const END: u64 = 2;

impl Chained {
    /// The list of `segments`, of which there must be one.
    pub fn new(segments: &[DmaSegment]) -> Self {
        let pages = segments.len().div_ceil(SLOTS - 1);
        // Never moved again: the links are addresses in it.
        let mut slots = vec![Slot::default(); pages * SLOTS];
        let base = slots.as_ptr();
        for (page, segments) in segments.chunks(SLOTS - 1).enumerate() {
            let slots = &mut slots[page * SLOTS..][..SLOTS];
            for (slot, segment) in slots.iter_mut().zip(segments) {
                slot.dma_address = segment.start.get();
                slot.dma_length = segment.length;
            }
            if page + 1 == pages {
                slots[segments.len() - 1].page_link = END;
            } else {
                let next = base.wrapping_add((page + 1) * SLOTS);
                slots[SLOTS - 1].page_link = next as u64 | CHAIN;
            }
        }
        Self(slots)
    }
}

impl Flavour {
    /// The addresses of `count` blocks of `size`, into `table`.
    pub fn blocks(self, list: &Chained, count: u64, size: PageSize, table: &mut [u64]) -> u64 {
        let peer = match self {
            Self::Kernel => blocks_kernel,
            Self::Native => blocks_native,
        };
        // SAFETY: the list ends with its mark and its links lie in it; `table` has the room it is said to have, at least one word.
        unsafe {
            peer(
                list.0.as_ptr(),
                count,
                size.log2(),
                table.as_mut_ptr(),
                table.len(),
            )
        }
    }

    /// The addresses of the mail's split of `list` into blocks of `sizes`, into `table`: by an iterator that is called for each
    /// block, or by the same loop `inlined`.
    pub fn split(self, inlined: bool, list: &Chained, sizes: PageSizes, table: &mut [u64]) -> u64 {
        let peer = match (self, inlined) {
            (Self::Kernel, false) => split_kernel,
            (Self::Kernel, true) => split_inlined_kernel,
            (Self::Native, false) => split_native,
            (Self::Native, true) => split_inlined_native,
        };
        // SAFETY: as above; the segments being whole multiples of the smallest size, there is always one that fits.
        unsafe {
            peer(
                list.0.as_ptr(),
                sizes.bits(),
                table.as_mut_ptr(),
                table.len(),
            )
        }
    }

    fn coalesce(self, words: &[u64], kind: Words, longest: u64, entries: &mut [Entry]) -> u64 {
        let peer = match self {
            Self::Kernel => coalesce_kernel,
            Self::Native => coalesce_native,
        };
        // SAFETY: both slices have the lengths that are given with them, `entries` at least one.
        unsafe {
            peer(
                words.as_ptr(),
                words.len(),
                kind.mask,
                kind.least,
                12,
                longest,
                entries.as_mut_ptr(),
                entries.len(),
            )
        }
    }
}

/// Adds the peers that walk blocks, and the plain fill of as many words.
pub fn beside_blocks(
    path: Path,
    table: &Rc<RefCell<Vec<u64>>>,
    peer: impl Fn(Flavour) -> Work,
) -> Path {
    let (table, count) = (table.clone(), path.units);
    Path {
        kernel: Some(peer(Flavour::Kernel)),
        native: Some(peer(Flavour::Native)),
        limit: Some(Box::new(move || {
            let mut table = table.borrow_mut();
            // SAFETY: `table` has the room it is said to have, at least one word.
            unsafe { fill_native(1 << 40, 4096, count, table.as_mut_ptr(), table.len()) }
        })),
        ..path
    }
}

/// Adds the peers that gather frames, and the plain sum over as many words.
pub fn beside_frames(path: Path, words: &Rc<Vec<u64>>, kind: Words, longest: u64) -> Path {
    let peer = |flavour: Flavour| -> Work {
        let words = words.clone();
        let mut entries = vec![Entry::default(); 4096];
        Box::new(move || flavour.coalesce(&words, kind, longest, &mut entries))
    };
    let words = words.clone();
    Path {
        kernel: Some(peer(Flavour::Kernel)),
        native: Some(peer(Flavour::Native)),
        limit: Some(Box::new(move || {
            // SAFETY: the slice has the length that is given with it.
            unsafe { std::hint::black_box(sum_native(words.as_ptr(), words.len())) }
        })),
        ..path
    }
}
