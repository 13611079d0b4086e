//! Single pages in an order of our own, from one extreme to the other: no two neighbours physically adjacent, or all of them.
//!
//! Ordinary memory in small pages comes out contiguous or not by chance. So: take pages into a memfd, look where they lie,
//! and map them one by one in the order wanted.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use super::{LENGTH, Unavailable};
use crate::{
    frames::Frames,
    mapping::{HugePages, Mapping, Reservation},
};

/// How much memory to look through for a contiguous run, in buffers, before giving up.
const MOST_TRIED: usize = 64;

/// [`LENGTH`] bytes of pages no two of which are adjacent.
pub fn scattered() -> Result<Mapping, Unavailable> {
    let (file, ranked) = pages(LENGTH)?;
    let order: Vec<u64> = apart(ranked.len())
        .map(|rank| ranked[rank].offset)
        .collect();
    map(&file, &order)
}

/// [`LENGTH`] bytes of single pages all of which are adjacent.
pub fn contiguous() -> Result<Mapping, Unavailable> {
    let wanted = LENGTH / rustix::param::page_size();
    let mut buffers = 2;
    loop {
        let (file, ranked) = pages(buffers * LENGTH)?;
        if let Some(first) = adjacent(&ranked, wanted) {
            let run = &ranked[first..first + wanted];
            let order: Vec<u64> = run.iter().map(|page| page.offset).collect();
            return map(&file, &order);
        }
        if buffers == MOST_TRIED {
            return Err(Unavailable::Refused(format!(
                "memory is too fragmented: no {wanted} single pages side by side"
            )));
        }
        buffers *= 2;
    }
}

/// A page of a file.
#[derive(Clone, Copy, Debug)]
struct Page {
    /// Its physical address.
    address: u64,
    /// Where it lies in the file.
    offset: u64,
}

/// A file of `len` bytes in small pages, and its pages by their address.
fn pages(len: usize) -> Result<(OwnedFd, Vec<Page>), Unavailable> {
    let page = rustix::param::page_size();
    let file = memfd_create("umem-check", MemfdFlags::CLOEXEC)?;
    ftruncate(&file, len as u64)?;
    let mut window = Reservation::new(len, page)?;
    window.append_file(file.as_fd(), 0, len)?;
    let window = window.finish();
    populate_small(&window)?;
    let frames = Frames::read(&window)?;
    let at = |offset| frames.at(offset).expect("inside the mapping").get();
    let mut pages: Vec<Page> = (0..len as u64)
        .step_by(page)
        .map(|offset| Page {
            address: at(offset),
            offset,
        })
        .collect();
    pages.sort_unstable_by_key(|page| page.address);
    Ok((file, pages))
}

/// The pages of `file` at `order`, one behind the other, at a multiple of [`LENGTH`].
fn map(file: &OwnedFd, order: &[u64]) -> Result<Mapping, Unavailable> {
    let mut buffer = Reservation::new(LENGTH, LENGTH)?;
    for &offset in order {
        buffer.append_file(file.as_fd(), offset, rustix::param::page_size())?;
    }
    let buffer = buffer.finish();
    populate_small(&buffer)?;
    Ok(buffer)
}

/// Has every page be there, and keeps the kernel from making huge ones of them where shared memory may
/// have those (shmem_enabled). EINVAL: the kernel has none, which is as good.
fn populate_small(mapping: &Mapping) -> io::Result<()> {
    let _ = mapping.advise(HugePages::Never);
    mapping.populate()
}

/// Where in `ranked` the first `wanted` pages begin that lie side by side.
fn adjacent(ranked: &[Page], wanted: usize) -> Option<usize> {
    let page = rustix::param::page_size() as u64;
    let mut first = 0;
    (0..ranked.len()).find_map(|index| {
        if index > 0 && ranked[index].address != ranked[index - 1].address + page {
            first = index;
        }
        (index + 1 - first == wanted).then_some(first)
    })
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

    #[test]
    fn a_run_is_found_wherever_it_lies() {
        let page = rustix::param::page_size() as u64;
        let ranked: Vec<Page> = [1, 2, 4, 5, 6, 9]
            .map(|number| Page {
                address: number * page,
                offset: 0,
            })
            .to_vec();
        assert_eq!(adjacent(&ranked, 1), Some(0));
        assert_eq!(adjacent(&ranked, 3), Some(2));
        assert_eq!(adjacent(&ranked, 4), None);
        assert_eq!(adjacent(&[], 1), None);
    }
}
