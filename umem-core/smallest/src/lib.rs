//! The mail's rule for programs in C and JavaScript, and nothing else.

#![cfg_attr(target_os = "none", no_std)]

use umem_core::{
    address::DmaAddr,
    size::PageSizes,
    tiling::{self, Tiling},
};

/// How many blocks of `sizes` tile the addresses from `start` to `end`.
// SAFETY: no other function of this program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn umem_blocks(start: u64, end: u64, sizes: u64) -> u64 {
    let [start, end] = [start, end].map(DmaAddr::new);
    Tiling::new(start, end, PageSizes::from_bits(sizes))
        .map(|run| run.count)
        .sum()
}

/// The log2 of the largest block that may start at `address` with `left` bytes to go; 64 where none fits.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn umem_largest(address: u64, left: u64, sizes: u64) -> u32 {
    let (sizes, address) = (PageSizes::from_bits(sizes), DmaAddr::new(address));
    tiling::largest(sizes, address, left).map_or(64, |size| size.log2())
}
