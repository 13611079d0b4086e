//! Memory that withholds its pages until it is released (userfaultfd), and questions to the probe that wait for it.

use std::{
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    ioctl::{Opcode, Updater, ioctl, opcode},
    mm::{UserfaultfdFlags, userfaultfd},
};

use super::{
    Probe, Run, Target,
    abi::{self, Dma, Frames, List, Lists, Map, RegionBest},
    sent,
};
use crate::mapping::Mapping;

/// What the kernel is doing when the page that it needs does not arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stall {
    /// It pins the page.
    Pinning,
    /// It writes the lists of a region there.
    Lists,
    /// It writes the blocks of a region there.
    Blocks,
    /// It writes there where frames were mapped for the PCI device.
    Mapping,
    /// It writes there what the PCI device has read.
    Reading,
}

/// A page that does not arrive while its [`Faults`] live.
pub fn stalled() -> io::Result<(Mapping, Faults)> {
    let page = rustix::param::page_size();
    let memory = Mapping::anonymous(page, page)?;
    // It can be polled only where it does not block.
    // SAFETY: the descriptor is new, and only what is registered with it below is changed by it.
    let faults = unsafe { userfaultfd(UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK) }?;
    let mut api = Api {
        api: 0xaa,
        ..Api::default()
    };
    let mut register = Register {
        start: memory.start().get(),
        length: memory.len() as u64,
        mode: MISSING,
        ioctls: 0,
    };
    // SAFETY: the structures are those of linux/userfaultfd.h. The range is our own, and nobody reads it before the
    // descriptor is closed.
    unsafe {
        ioctl(&faults, Updater::<UFFDIO_API, Api>::new(&mut api))?;
        ioctl(
            &faults,
            Updater::<UFFDIO_REGISTER, Register>::new(&mut register),
        )?;
    }
    Ok((memory, Faults(faults)))
}

/// The faults of a page: they wait while this lives, and then end as usual.
#[derive(Debug)]
pub struct Faults(OwnedFd);

impl Faults {
    /// Whether anyone waits for the page, now or within `patience`.
    pub fn is_waited_for(&self, patience: Duration) -> io::Result<bool> {
        let end = Instant::now() + patience;
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).expect("a few seconds");
            match poll(&mut fds, Some(&left)) {
                Ok(_) => return Ok(fds[0].revents().contains(PollFlags::IN)),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Probe {
    /// Asks so that the kernel needs the page of `stalled`; returns once it had it.
    pub fn stall(&self, stall: Stall, target: &Target, stalled: &Mapping) -> io::Result<()> {
        let page = stalled.len();
        if stall == Stall::Pinning {
            return self.pin(stalled, 0..page as u64, target).map(drop);
        }
        let own = Mapping::anonymous(page, page)?;
        own.touch();
        let region = self.pin(&own, 0..page as u64, target)?;
        let (sg, dma) = region.lists()?;
        let buffer = stalled.start().get();
        let list = List {
            runs: buffer,
            count: (page / size_of::<Run>()) as u64,
        };
        let frames = [Run {
            start: sg[0].start / page as u64,
            length: 1,
        }];
        // SAFETY: what the kernel writes goes to the one page of `stalled`, which is no shorter than is said and which
        // nobody reads.
        unsafe {
            match stall {
                Stall::Pinning => Ok(()),
                Stall::Lists => self.ask(&mut Lists {
                    sg: list,
                    dma: List::default(),
                }),
                Stall::Blocks => self.ask(&mut RegionBest(abi::Best {
                    virt: own.start().get(),
                    sizes: page as u64,
                    blocks: buffer,
                    room: (page / size_of::<u64>()) as u64,
                    ..abi::Best::default()
                })),
                Stall::Mapping => self.ask(&mut Map(Frames {
                    frames: sent(&frames),
                    max_segment: u32::MAX,
                    boundary: u32::MAX.into(),
                    dma: list,
                    ..Frames::default()
                })),
                Stall::Reading => self.ask(&mut Dma {
                    address: dma[0].start,
                    length: 64,
                    buffer,
                }),
            }
        }
    }
}

/// `struct uffdio_api`.
#[repr(C)]
#[derive(Default)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// `struct uffdio_register`.
#[repr(C)]
struct Register {
    start: u64,
    length: u64,
    mode: u64,
    ioctls: u64,
}

/// `UFFDIO_REGISTER_MODE_MISSING`.
const MISSING: u64 = 1 << 0;
const UFFDIO_API: Opcode = opcode::read_write::<Api>(0xaa, 0x3f);
const UFFDIO_REGISTER: Opcode = opcode::read_write::<Register>(0xaa, 0x00);

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::atomic::Ordering::Relaxed, thread};

    /// Without the right to it (vm.unprivileged_userfaultfd) there is nothing to test.
    #[test]
    fn a_page_arrives_when_it_is_released_and_not_before() {
        let (memory, faults) = match stalled() {
            Ok(stalled) => stalled,
            Err(error) => {
                eprintln!("skipped: userfaultfd: {error}");
                return;
            }
        };
        assert!(!faults.is_waited_for(Duration::ZERO).unwrap());
        thread::scope(|scope| {
            let reader = scope.spawn(|| memory.words()[0].load(Relaxed));
            assert!(faults.is_waited_for(Duration::from_secs(10)).unwrap());
            assert!(!reader.is_finished());
            drop(faults);
            assert_eq!(reader.join().unwrap(), 0);
        });
    }
}
