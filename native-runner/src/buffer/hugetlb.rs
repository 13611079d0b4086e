//! Huge pages of hugetlb memory: two of 2M in the order wanted, or one of 1G.
//!
//! Two pages of one `mmap` are neighbours or not by chance. So: take pages into one memfd, look
//! where they lie, and map two side by side, MAP_FIXED, in the order wanted. When no two lie so,
//! take twice as many.

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate};

use umem_core::size::Bytes;

use super::{ONE_GIB, TWO_MIB, Unavailable, is_one_page};
use crate::{
    frames::Frames,
    huge_file,
    mapping::{Mapping, Reservation},
    missing::Missing,
};

const SYSFS: &str = "/sys/kernel/mm/hugepages";

/// How many pages to look at before asking for more. Most often they include two neighbours, and two that are far apart.
pub const FIRST_TRY: u64 = 8;

/// How many pages of 1G are needed.
pub const GIGANTIC: u64 = 1;

/// On which side of the first page the second lies in physical memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Right above it.
    Ascending,
    /// Right below it.
    Descending,
    /// Elsewhere.
    Apart,
}

/// One page of 1G.
pub fn gigantic() -> Result<Mapping, Unavailable> {
    free_pages(Path::new(SYSFS), ONE_GIB, GIGANTIC)?;
    let file = filled(MemfdFlags::HUGE_1GB, ONE_GIB)?;
    let mut window = Reservation::new(ONE_GIB, ONE_GIB)?;
    window.append_file(file.as_fd(), 0, ONE_GIB)?;
    let mapping = window.finish();
    mapping.populate()?;
    Ok(mapping)
}

/// Two pages of 2M.
pub fn pair(order: Order) -> Result<Mapping, Unavailable> {
    let free = free_pages(Path::new(SYSFS), TWO_MIB, FIRST_TRY)?;
    let mut count = FIRST_TRY;
    loop {
        let (file, starts) = pages(count)?;
        if let Some(pair) = choose(&starts, order) {
            return map(file, count, pair);
        }
        if count == free {
            return Err(Unavailable::Refused(format!(
                "of the {free} free 2M pages no two {}",
                match order {
                    Order::Apart => "lie apart",
                    _ => "are physical neighbours",
                }
            )));
        }
        // The pages go back before twice as many are asked for.
        drop(file);
        count = (2 * count).min(free);
    }
}

/// How many pages of `size` bytes are free: as many as are `needed`, or more.
fn free_pages(sysfs: &Path, size: usize, needed: u64) -> Result<u64, Unavailable> {
    let folder = sysfs.join(format!("hugepages-{}kB", size >> 10));
    // No such folder: this kernel, or this processor, has no such pages at all.
    let read = |name| {
        fs::read_to_string(folder.join(name))
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    let (Some(free), Some(reserved), Some(total)) = (
        read("free_hugepages"),
        read("resv_hugepages"),
        read("nr_hugepages"),
    ) else {
        return Err(Unavailable::Refused(format!(
            "this kernel has no {} huge pages ({} is not there)",
            Bytes(size as u64),
            folder.display()
        )));
    };
    let free = free.saturating_sub(reserved);
    if free < needed {
        return Err(Unavailable::Missing(Missing::huge_pages(
            size as u64,
            free,
            needed,
            total,
        )));
    }
    Ok(free)
}

/// A file of `len` bytes in huge pages of one size, all allocated. A control group's limit, or another process that took the pages
/// first, is an error here; touching a page that cannot be allocated would kill the program (SIGBUS).
fn filled(size: MemfdFlags, len: usize) -> Result<OwnedFd, Unavailable> {
    huge_file::filled(size, len).map_err(|error| {
        Unavailable::Refused(format!(
            "{} of huge pages are free, but the kernel refuses them to this process: {error} (a limit of its control group, \
             hugetlb.*.max or memory.max, or another process was quicker)",
            Bytes(len as u64)
        ))
    })
}

/// A file of `count` pages, and where each of them lies.
fn pages(count: u64) -> Result<(OwnedFd, Vec<u64>), Unavailable> {
    let len = count as usize * TWO_MIB;
    let file = filled(MemfdFlags::HUGE_2MB, len)?;
    let mut window = Reservation::new(len, TWO_MIB)?;
    window.append_file(file.as_fd(), 0, len)?;
    let window = window.finish();
    window.populate()?;
    let frames = Frames::read(&window)?;
    let mut starts = Vec::with_capacity(count as usize);
    for offset in (0..len).step_by(TWO_MIB) {
        if !is_one_page(&frames, offset, TWO_MIB) {
            return Err(Unavailable::Refused(
                "a 2M huge page lies in pieces".to_owned(),
            ));
        }
        starts.push(frames.at(offset as u64).expect("inside the mapping").get());
    }
    Ok((file, starts))
}

/// Which of the pages that begin at `starts` are to be the first and the second.
fn choose(starts: &[u64], order: Order) -> Option<(usize, usize)> {
    let mut by_address: Vec<usize> = (0..starts.len()).collect();
    by_address.sort_unstable_by_key(|&page| starts[page]);
    let distance = |pair: &[usize]| starts[pair[1]] - starts[pair[0]];
    let neighbours = || {
        by_address
            .windows(2)
            .find(|pair| distance(pair) == TWO_MIB as u64)
            .map(|pair| (pair[0], pair[1]))
    };
    match order {
        Order::Ascending => neighbours(),
        Order::Descending => neighbours().map(|(low, high)| (high, low)),
        Order::Apart => {
            let ends = [*by_address.first()?, *by_address.last()?];
            (distance(&ends) > TWO_MIB as u64).then_some((ends[0], ends[1]))
        }
    }
}

/// The two pages of `pair` side by side; the other pages of the file are given back.
fn map(file: OwnedFd, count: u64, pair: (usize, usize)) -> Result<Mapping, Unavailable> {
    // At a multiple of 4M, so that nothing but the frames decides about larger pages.
    let mut window = Reservation::new(2 * TWO_MIB, 2 * TWO_MIB)?;
    for page in [pair.0, pair.1] {
        window.append_file(file.as_fd(), (page * TWO_MIB) as u64, TWO_MIB)?;
    }
    for page in (0..count as usize).filter(|page| *page != pair.0 && *page != pair.1) {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&file, hole, (page * TWO_MIB) as u64, TWO_MIB as u64)?;
    }
    let mapping = window.finish();
    mapping.populate()?;
    Ok(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: u64 = 1 << 20;

    #[test]
    fn neighbours_are_found_wherever_they_are() {
        let starts = [10 * M, 2 * M, 20 * M, 4 * M];
        assert_eq!(choose(&starts, Order::Ascending), Some((1, 3)));
        assert_eq!(choose(&starts, Order::Descending), Some((3, 1)));
        assert_eq!(choose(&starts, Order::Apart), Some((1, 2)));
    }

    #[test]
    fn pages_apart_are_no_neighbours() {
        assert_eq!(choose(&[2 * M, 6 * M, 10 * M], Order::Ascending), None);
        assert_eq!(choose(&[2 * M], Order::Descending), None);
        assert_eq!(choose(&[2 * M, 4 * M], Order::Apart), None);
    }

    #[test]
    fn too_few_huge_pages_is_something_missing_with_the_command() {
        let sysfs = std::env::temp_dir().join(format!("umem-hugetlb-{}", std::process::id()));
        let folder = sysfs.join("hugepages-2048kB");
        fs::create_dir_all(&folder).unwrap();
        for (name, value) in [
            ("free_hugepages", "3"),
            ("resv_hugepages", "2"),
            ("nr_hugepages", "10"),
        ] {
            fs::write(folder.join(name), format!("{value}\n")).unwrap();
        }
        let missing = match free_pages(&sysfs, TWO_MIB, 8) {
            Err(Unavailable::Missing(missing)) => missing,
            other => panic!("{other:?}"),
        };
        fs::remove_dir_all(&sysfs).unwrap();
        assert_eq!(missing.what, "huge pages of 2M (1 free, 8 needed)");
        let file = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
        for command in [format!("echo 17 > {file}"), format!("echo 10 > {file}")] {
            assert!(missing.way_out.contains(&command), "{missing}");
        }
        assert!(
            matches!(free_pages(&sysfs, TWO_MIB, 8), Err(Unavailable::Refused(_))),
            "no such folder"
        );
    }
}
