//! Two 2M pages of hugetlb memory that are physical neighbours, in the order wanted.
//!
//! Two pages of one `mmap` are neighbours or not by chance. So: take pages into one memfd, look
//! where they lie, and map two neighbours side by side, MAP_FIXED, in the order wanted. When no
//! two are neighbours, take twice as many.

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};

use super::{TWO_MIB, Unavailable, is_one_page};
use crate::{
    frames::Frames,
    mapping::{Mapping, Reservation},
    missing::Missing,
};

const SYSFS: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";

/// How many pages to look at before asking for more.
const FIRST_TRY: u64 = 8;

/// On which side of the first page the second lies in physical memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Right above it.
    Ascending,
    /// Right below it.
    Descending,
}

/// Two neighbouring 2M pages.
pub fn pair(order: Order) -> Result<Mapping, Unavailable> {
    let free = free_pages(Path::new(SYSFS))?;
    let mut count = FIRST_TRY.min(free);
    loop {
        let (file, starts) = pages(count)?;
        if let Some(pair) = neighbours(&starts, order) {
            return map(file, count, pair);
        }
        if count == free {
            return Err(Unavailable::Refused(format!(
                "no two of the {free} free 2M pages are physical neighbours"
            )));
        }
        // The pages go back before twice as many are asked for.
        drop(file);
        count = (2 * count).min(free);
    }
}

/// How many 2M pages are free: two at least.
fn free_pages(sysfs: &Path) -> Result<u64, Unavailable> {
    // No such folder: this kernel has no 2M huge pages at all.
    let read = |name| {
        fs::read_to_string(sysfs.join(name))
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
            "this kernel has no 2M huge pages ({} is not there)",
            sysfs.display()
        )));
    };
    let free = free.saturating_sub(reserved);
    if free < 2 {
        let total = total + FIRST_TRY - free;
        return Err(Unavailable::Missing(Missing::huge_pages(
            TWO_MIB as u64,
            free,
            2,
            total,
        )));
    }
    Ok(free)
}

/// A file of `count` pages, and where each of them lies.
fn pages(count: u64) -> Result<(OwnedFd, Vec<u64>), Unavailable> {
    let file = memfd_create(
        "umem-check",
        MemfdFlags::CLOEXEC | MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB,
    )?;
    let len = count as usize * TWO_MIB;
    ftruncate(&file, len as u64)?;
    let mut window = Reservation::new(len, TWO_MIB)?;
    window.append_file(file.as_fd(), 0, len)?;
    let window = window.finish();
    window.touch();
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
fn neighbours(starts: &[u64], order: Order) -> Option<(usize, usize)> {
    let mut by_address: Vec<usize> = (0..starts.len()).collect();
    by_address.sort_unstable_by_key(|&page| starts[page]);
    let adjacent = |pair: &&[usize]| starts[pair[1]] - starts[pair[0]] == TWO_MIB as u64;
    by_address
        .windows(2)
        .find(adjacent)
        .map(|pair| match order {
            Order::Ascending => (pair[0], pair[1]),
            Order::Descending => (pair[1], pair[0]),
        })
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
    mapping.touch();
    Ok(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: u64 = 1 << 20;

    #[test]
    fn neighbours_are_found_wherever_they_are() {
        let starts = [10 * M, 2 * M, 20 * M, 4 * M];
        assert_eq!(neighbours(&starts, Order::Ascending), Some((1, 3)));
        assert_eq!(neighbours(&starts, Order::Descending), Some((3, 1)));
    }

    #[test]
    fn pages_apart_are_no_neighbours() {
        assert_eq!(neighbours(&[2 * M, 6 * M, 10 * M], Order::Ascending), None);
        assert_eq!(neighbours(&[2 * M], Order::Descending), None);
    }

    #[test]
    fn too_few_huge_pages_is_something_missing_with_the_command() {
        let sysfs = std::env::temp_dir().join(format!("umem-hugetlb-{}", std::process::id()));
        fs::create_dir_all(&sysfs).unwrap();
        for (name, value) in [
            ("free_hugepages", "3"),
            ("resv_hugepages", "2"),
            ("nr_hugepages", "10"),
        ] {
            fs::write(sysfs.join(name), format!("{value}\n")).unwrap();
        }
        let missing = match free_pages(&sysfs) {
            Err(Unavailable::Missing(missing)) => missing,
            other => panic!("{other:?}"),
        };
        fs::remove_dir_all(&sysfs).unwrap();
        assert_eq!(missing.what, "huge pages of 2M (1 free, 2 needed)");
        assert_eq!(
            missing.way_out,
            "echo 17 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
        );
        assert!(
            matches!(free_pages(&sysfs), Err(Unavailable::Refused(_))),
            "no such folder"
        );
    }
}
