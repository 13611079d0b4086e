//! 4K pages in an order in which no two neighbours are physically adjacent, by construction.
//!
//! Ordinary memory "of 4K pages" often comes out contiguous. So: take the pages into a memfd, look
//! where they lie, and map them one by one in an order of our own.

use std::os::fd::AsFd;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use super::{LENGTH, Unavailable};
use crate::{
    frames::Frames,
    mapping::{HugePages, Mapping, Reservation},
};

/// [`LENGTH`] bytes of such pages.
pub fn pages() -> Result<Mapping, Unavailable> {
    let page = rustix::param::page_size();
    let file = memfd_create("umem-check", MemfdFlags::CLOEXEC)?;
    ftruncate(&file, LENGTH as u64)?;
    let mut window = Reservation::new(LENGTH, page)?;
    window.append_file(file.as_fd(), 0, LENGTH)?;
    let window = window.finish();
    touch_small(&window);
    let frames = Frames::read(&window)?;

    let mut by_address: Vec<usize> = (0..LENGTH).step_by(page).collect();
    by_address.sort_unstable_by_key(|&offset| frames.at(offset as u64));
    let mut buffer = Reservation::new(LENGTH, LENGTH)?;
    for rank in apart(by_address.len()) {
        buffer.append_file(file.as_fd(), by_address[rank] as u64, page)?;
    }
    let buffer = buffer.finish();
    touch_small(&buffer);
    Ok(buffer)
}

/// Touches every page, and keeps the kernel from making huge ones of them where shared memory may
/// have those (shmem_enabled). EINVAL: the kernel has none, which is as good.
fn touch_small(mapping: &Mapping) {
    let _ = mapping.advise(HugePages::Never);
    mapping.touch();
}

/// An order of `0..count` in which neighbours are at least 2 apart, so that pages ranked by their
/// address cannot be adjacent, upwards or downwards, whatever the addresses are.
///
/// It walks in steps of about count/φ, odd; `count` must be a power of two of at least 8, so that
/// the walk meets every rank once.
fn apart(count: usize) -> impl Iterator<Item = usize> {
    assert!(count.is_power_of_two() && count >= 8, "{count} pages");
    // 0.618…, as in Knuth's multiplicative hashing: steps up and down, of two lengths only.
    let step = (count * 618 / 1000) | 1;
    (0..count).map(move |i| i * step % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_once_and_neighbours_never_adjacent() {
        for log2 in 3..16 {
            let count = 1 << log2;
            let order: Vec<usize> = apart(count).collect();
            assert!(
                order.windows(2).all(|pair| pair[0].abs_diff(pair[1]) >= 2),
                "{count}"
            );
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..count), "{count}");
        }
    }

    /// The worst that can happen: all frames in one contiguous run.
    #[test]
    fn contiguous_frames_become_as_many_runs_as_pages() {
        let frames: Vec<u64> = (0..1024).map(|rank| 0x4000_0000 + rank * 4096).collect();
        let laid: Vec<u64> = apart(1024).map(|rank| frames[rank]).collect();
        assert!(laid.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 4096));
    }
}
