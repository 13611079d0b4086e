//! What a capture says of memory that is not registered yet, held against a real long-term pin of the same memory.
//!
//! `IORING_REGISTER_BUFFERS` pins as `ib_umem_get()` does (`FOLL_LONGTERM | FOLL_WRITE`), on any machine.

mod common;

use std::{
    fs::File,
    io::{self, Write},
    ptr, thread,
    time::{Duration, Instant},
};

use common::{frames_are_shown, json};
use io_uring::IoUring;
use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create},
    mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap},
};
use serde_json::Value;

const PAGE: usize = 4096;
const THP: usize = 2 << 20;
const LENGTH: usize = 8 * THP;

/// Memory of this process, at a multiple of a huge page.
struct Memory {
    start: *mut u8,
    reserved: *mut std::ffi::c_void,
    _file: Option<File>,
}

impl Memory {
    fn new(protection: ProtFlags, sharing: MapFlags, file: Option<File>) -> Self {
        // SAFETY: a new mapping at an address of the kernel's choice; what is put into it replaces only itself.
        unsafe {
            let none = ProtFlags::empty();
            let reserved =
                mmap_anonymous(ptr::null_mut(), LENGTH + THP, none, MapFlags::PRIVATE).unwrap();
            let start = reserved.map_addr(|address| address.next_multiple_of(THP));
            let flags = sharing | MapFlags::FIXED;
            match &file {
                Some(file) => mmap(start, LENGTH, protection, flags, file, 0).unwrap(),
                None => mmap_anonymous(start, LENGTH, protection, flags).unwrap(),
            };
            Self {
                start: start.cast(),
                reserved,
                _file: file,
            }
        }
    }

    fn anonymous(advice: Advice) -> Self {
        let memory = Self::new(RW, MapFlags::PRIVATE, None);
        // SAFETY: the memory is ours, and this advice does not change what it holds.
        unsafe { madvise(memory.start.cast(), LENGTH, advice).unwrap() };
        memory
    }

    fn read(self) -> Self {
        for page in 0..LENGTH / PAGE {
            // SAFETY: the page is mapped readable.
            unsafe { self.start.add(page * PAGE).read_volatile() };
        }
        self
    }

    fn write(self, first: usize, step: usize) -> Self {
        for page in (first..LENGTH / PAGE).step_by(step) {
            // SAFETY: the page is mapped writable, and nobody else uses it.
            unsafe { self.start.add(page * PAGE).write_volatile(1) };
        }
        self
    }

    /// A long-term pin of all of it, for as long as the value lives.
    fn pin(&self) -> io::Result<IoUring> {
        let ring = IoUring::new(1)?;
        let buffer = libc::iovec {
            iov_base: self.start.cast(),
            iov_len: LENGTH,
        };
        // SAFETY: the memory outlives the ring in every test below.
        unsafe { ring.submitter().register_buffers(&[buffer])? };
        Ok(ring)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the range is that of `new`, and nobody uses it any more.
        let _ = unsafe { munmap(self.reserved, LENGTH + THP) };
    }
}

const RW: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

/// A copy of this process that has all of its memory, and sleeps.
struct Copy(libc::pid_t);

impl Copy {
    fn new() -> Self {
        // SAFETY: the child calls nothing but pause() and _exit(), which may be called after a fork of many threads.
        match unsafe { libc::fork() } {
            0 => unsafe {
                // SAFETY: as above.
                libc::pause();
                libc::_exit(0)
            },
            pid => Self(pid),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // SAFETY: the child is ours, and not waited for yet.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, ptr::null_mut(), 0);
        }
    }
}

fn file(folder: &std::path::Path) -> File {
    let path = folder.join("file");
    let mut file = File::create(&path).unwrap();
    file.write_all(&vec![7; LENGTH]).unwrap();
    file.sync_all().unwrap();
    File::options().read(true).write(true).open(path).unwrap()
}

fn memfd() -> File {
    let file = memfd_create("kind", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&file, LENGTH as u64).unwrap();
    file.into()
}

/// The frame of every page, and the provenance.
fn capture(memory: &Memory) -> (Vec<u64>, Value) {
    let range = format!("{:p}+{LENGTH}", memory.start);
    let pid = std::process::id().to_string();
    let capture = json(&[
        "capture", "--pid", &pid, "--range", &range, "--raw", "-o", "-",
    ]);
    let mut frames = Vec::new();
    for extent in capture["memory"]["extents"].as_array().unwrap() {
        let start = extent[0].as_str().unwrap().trim_start_matches("0x");
        let first = u64::from_str_radix(start, 16).unwrap() / PAGE as u64;
        let pages = extent[1].as_u64().unwrap() / PAGE as u64;
        frames.extend(first..first + pages);
    }
    (frames, capture["provenance"].clone())
}

fn pages(provenance: &Value, key: &str) -> u64 {
    provenance["moves_when_registered"][key]
        .as_u64()
        .unwrap_or(0)
}

/// Waits for the kernel, which takes a ring apart some time after it was closed.
fn wait_until_unpinned() {
    let pinned = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmPin:"));
        line.unwrap().trim() != "0 kB"
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while pinned() {
        assert!(Instant::now() < patience, "the pin is never released");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether this process may see frame numbers and pin memory.
fn can_be_held() -> bool {
    if !frames_are_shown() {
        return false;
    }
    // Some machines switch io_uring off, for root as well (kernel.io_uring_disabled).
    let ring = IoUring::new(1);
    assert!(
        ring.is_ok() || std::env::var_os("CI").is_none(),
        "{:?}",
        ring.err()
    );
    if let Err(error) = &ring {
        eprintln!("NOT TESTED: no io_uring: {error}");
    }
    ring.is_ok()
}

#[test]
fn a_capture_foretells_what_a_pin_does() {
    if !can_be_held() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let private = MapFlags::PRIVATE;
    let shared = MapFlags::SHARED;
    let huge = || Memory::anonymous(Advice::LinuxHugepage);
    let small = || Memory::anonymous(Advice::LinuxNoHugepage);
    let on_disk = |protection, sharing| Memory::new(protection, sharing, Some(file(folder.path())));
    type Make<'a> = Box<dyn Fn() -> Memory + 'a>;
    let kinds: [(&str, bool, Make<'_>); 13] = [
        (
            "small pages, written",
            false,
            Box::new(|| small().write(0, 1)),
        ),
        ("small pages, read", false, Box::new(|| small().read())),
        (
            "small pages, some written",
            false,
            Box::new(|| small().write(0, 3).read()),
        ),
        (
            "huge pages, written",
            false,
            Box::new(|| huge().write(0, 1)),
        ),
        ("huge pages, read", false, Box::new(|| huge().read())),
        ("huge pages, forked", true, Box::new(|| huge().write(0, 1))),
        (
            "small pages, forked",
            true,
            Box::new(|| small().write(0, 1)),
        ),
        (
            "small pages, read, forked",
            true,
            Box::new(|| small().read()),
        ),
        (
            "private file, read",
            false,
            Box::new(|| on_disk(RW, private).read()),
        ),
        (
            "private file, some written",
            false,
            Box::new(|| on_disk(RW, private).write(0, 2).read()),
        ),
        (
            "shared file",
            false,
            Box::new(|| on_disk(RW, shared).read()),
        ),
        (
            "file, read only",
            false,
            Box::new(|| on_disk(ProtFlags::READ, private).read()),
        ),
        (
            "memfd",
            true,
            Box::new(|| Memory::new(RW, shared, Some(memfd())).write(0, 1)),
        ),
    ];
    for (kind, forked, make) in kinds {
        let memory = make();
        let copy = forked.then(Copy::new);
        let (before, foretold) = capture(&memory);
        assert_eq!(before.len(), LENGTH / PAGE, "{kind}");
        assert_eq!(foretold["pinned"], "0", "{kind}");
        let refused = &foretold["refused_when_registered"];
        let ring = match memory.pin() {
            Ok(ring) => ring,
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::EFAULT), "{kind}");
                assert_eq!(refused["errno"], "EFAULT", "{kind}: {foretold}");
                assert_eq!(refused["pages"], LENGTH / PAGE, "{kind}: {foretold}");
                continue;
            }
        };
        assert!(refused.is_null(), "{kind}: {foretold}");
        let (after, held) = capture(&memory);
        let replaced = before
            .iter()
            .zip(&after)
            .filter(|(old, new)| old != new)
            .count() as u64;
        let said = ["zero", "shared", "movable"].map(|key| pages(&foretold, key));
        assert_eq!(said.iter().sum::<u64>(), replaced, "{kind}: {foretold}");
        // Now that it is pinned: nothing is foretold, but for what the child shares, which stays where it is for us.
        assert_eq!(held["pinned"], format!("{}M", LENGTH >> 20), "{kind}");
        assert_eq!(pages(&held, "zero"), 0, "{kind}: {held}");
        assert_eq!(pages(&held, "shared"), 0, "{kind}: {held}");
        drop((ring, copy));
        wait_until_unpinned();
    }
}

#[test]
fn zero_pages_and_copies_are_told_apart() {
    if !can_be_held() {
        return;
    }
    let all = (LENGTH / PAGE) as u64;
    let of = |memory: &Memory| {
        let (_, provenance) = capture(memory);
        (pages(&provenance, "zero"), pages(&provenance, "shared"))
    };
    assert_eq!(
        of(&Memory::anonymous(Advice::LinuxNoHugepage).read()),
        (all, 0)
    );
    assert_eq!(
        of(&Memory::anonymous(Advice::LinuxHugepage).read()),
        (all, 0)
    );
    let file = Memory::new(RW, MapFlags::PRIVATE, Some(memfd())).read();
    assert_eq!(of(&file), (0, all));
}
