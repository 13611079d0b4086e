//! Memory to search limits with: many addresses, few pages.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::atomic::Ordering::Relaxed,
};

use rustix::{
    fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create},
    thread::CapabilitySet,
};

use umem_core::size::Bytes;

use super::search::{Backing, Found, search};
use crate::{
    huge_file,
    interrupt::Interrupt,
    mapping::{Mapping, Reservation},
    nic::Claim,
    verbs::{Bare, Registered},
};

/// So much memory is behind all addresses, of small pages; of huge ones there are up to so many.
const SMALL: usize = 32 << 20;
const HUGE: usize = 2 << 20;
const MOST_HUGE: usize = 8;

/// Addresses with the same pages behind them, again and again.
#[derive(Debug)]
pub struct Repeated<'d> {
    device: &'d Bare,
    memory: Mapping,
    page: u64,
}

impl<'d> Repeated<'d> {
    /// `most` bytes in pages of the kernel, of which hardly any two that follow each other are adjacent.
    pub fn small(device: &'d Bare, most: u64) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let most = length(most, page)?;
        let whole = SMALL.min(most);
        let [memory, between] = [(); 2].map(|()| {
            let file = memfd_create("umem-inspect", MemfdFlags::CLOEXEC)?;
            ftruncate(&file, whole as u64)?;
            Ok::<_, io::Error>(file)
        });
        let (memory, between) = (memory?, between?);
        scatter(&memory, &between, whole, page)?;
        Ok(Self {
            device,
            memory: repeated(&memory, whole, most, page)?,
            page: page as u64,
        })
    }

    /// `most` bytes in pages of 2M.
    ///
    /// # Errors
    /// None are free. None are made, either: that may take minutes, and memory from others.
    pub fn huge(device: &'d Bare, most: u64) -> io::Result<Self> {
        let most = length(most, HUGE)?;
        let mut whole = (MOST_HUGE * HUGE).min(most);
        let file = loop {
            match huge_file::filled(MemfdFlags::HUGE_2MB, whole) {
                Ok(file) => break file,
                Err(_) if whole > HUGE => whole = HUGE,
                Err(error) => return Err(error),
            }
        };
        Ok(Self {
            device,
            memory: repeated(&file, whole, most, HUGE)?,
            page: HUGE as u64,
        })
    }
}

fn length(most: u64, page: usize) -> io::Result<usize> {
    let most = usize::try_from(most).map_err(io::Error::other)? / page * page;
    match most {
        0 => Err(io::Error::other("the most is less than a page")),
        most => Ok(most),
    }
}

/// Puts pages into two files, in turn, so that those that follow each other in one are apart.
fn scatter(memory: &OwnedFd, between: &OwnedFd, whole: usize, page: usize) -> io::Result<()> {
    for at in (0..whole).step_by(page) {
        for file in [memory, between] {
            fallocate(file, FallocateFlags::empty(), at as u64, page as u64)?;
        }
    }
    Ok(())
}

/// `most` bytes of addresses with the `whole` bytes of the file behind them, again and again.
fn repeated(file: &OwnedFd, whole: usize, most: usize, align: usize) -> io::Result<Mapping> {
    let mut addresses = Reservation::new(most, align)?;
    let mut left = most;
    while left > 0 {
        let part = whole.min(left);
        addresses.append_file(file.as_fd(), 0, part)?;
        left -= part;
    }
    let memory = addresses.finish();
    // The first write makes the pages; later addresses find them.
    let words = align / size_of::<u64>();
    let first = memory.words().chunks(words).take(whole / align);
    first.for_each(|page| page[0].store(1, Relaxed));
    Ok(memory)
}

impl<'d> Backing for &'d Repeated<'_> {
    type Region = Registered<'d>;

    fn page_size(&self) -> u64 {
        self.page
    }

    fn register(&self, bytes: u64) -> io::Result<Registered<'d>> {
        let this: &'d Repeated<'_> = self;
        this.device.register(&this.memory, &Claim::all(0..bytes))
    }
}

/// Searches the limits of the device `name`, up to `most` bytes at once, with pages of each size that there are.
///
/// # Errors
/// The device cannot be opened, this process may not pin as much, or a signal came.
pub fn search_device(name: &str, most: u64) -> anyhow::Result<Found> {
    let device = Bare::open(name).map_err(|missing| anyhow::anyhow!("{missing}"))?;
    let room = room();
    let _interrupt = Interrupt::watch();
    let mut check = || Interrupt::check().map_err(io::Error::from);
    let mut found = Found {
        most: most.min(room),
        by_page_size: Vec::new(),
        skipped: Vec::new(),
    };
    if room < most {
        found.skipped.push(format!(
            "more than {}: the limit on locked memory would refuse it (ulimit -l), not the device",
            Bytes(room)
        ));
    }
    let small = Repeated::small(&device, found.most)?;
    found
        .by_page_size
        .push(search(&&small, found.most, &mut check)?);
    drop(small);
    match Repeated::huge(&device, found.most) {
        Ok(huge) => found.by_page_size.push(search(&&huge, found.most, &mut check)?),
        Err(error) => found.skipped.push(format!(
            "pages of 2M: none are free ({error}); without them a limit of entries looks like one of bytes: echo 8 \
             >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages, as root, where the memory is to spare"
        )),
    }
    Ok(found)
}

/// What this process may still pin: all with `CAP_IPC_LOCK`, else what `RLIMIT_MEMLOCK` leaves.
fn room() -> u64 {
    let held = rustix::thread::capabilities(None);
    if held.is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK)) {
        return u64::MAX;
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock);
    limit.current.unwrap_or(u64::MAX)
}
