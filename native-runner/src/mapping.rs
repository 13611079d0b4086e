//! Address space that this process owns, page by page: reserved, filled, returned on drop.
//!
//! Two steps, two types. A [`Reservation`] is address space with nothing behind it; pages are
//! appended to it in the order in which they shall lie. Once full it becomes a [`Mapping`], which
//! can be read and written. Nothing here has a name in any file system, so however the process
//! ends, the kernel takes everything back.

use std::{
    ffi::c_void,
    io,
    os::fd::BorrowedFd,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use umem_core::address::VirtAddr;

/// Address space with a chosen alignment, to be filled from its start.
#[derive(Debug)]
pub struct Reservation {
    window: Window,
    filled: usize,
}

impl Reservation {
    /// Reserves `len` bytes of address space at a multiple of `align`, a power of two.
    pub fn new(len: usize, align: usize) -> io::Result<Self> {
        Self::shifted(len, align, 0)
    }

    /// Reserves `len` bytes of address space, `shift` bytes above a multiple of `align`, a power of two.
    pub fn shifted(len: usize, align: usize, shift: usize) -> io::Result<Self> {
        assert!(
            align.is_power_of_two() && len > 0 && shift < align,
            "{len} bytes, {shift} above a multiple of {align}"
        );
        Ok(Self {
            window: Window::reserve(len, align, shift)?,
            filled: 0,
        })
    }

    /// Puts `len` bytes of `file`, from `offset` on, behind the next bytes of the reservation.
    pub fn append_file(&mut self, file: BorrowedFd<'_>, offset: u64, len: usize) -> io::Result<()> {
        let at = self.next(len);
        let flags = MapFlags::SHARED | MapFlags::FIXED;
        // SAFETY: `next` gave a range inside the window, which this value owns and has handed out
        // to nobody: what MAP_FIXED replaces there is our own empty reservation.
        unsafe {
            mmap(
                at,
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
                file,
                offset,
            )?
        };
        self.filled += len;
        Ok(())
    }

    /// Puts `len` bytes of private anonymous memory behind the next bytes of the reservation.
    pub fn append_anonymous(&mut self, len: usize) -> io::Result<()> {
        let at = self.next(len);
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        // SAFETY: as in `append_file`.
        unsafe { mmap_anonymous(at, len, ProtFlags::READ | ProtFlags::WRITE, flags)? };
        self.filled += len;
        Ok(())
    }

    /// Puts `len` bytes of shared anonymous memory behind the next bytes of the reservation.
    pub fn append_shared(&mut self, len: usize) -> io::Result<()> {
        let at = self.next(len);
        let flags = MapFlags::SHARED | MapFlags::FIXED;
        // SAFETY: as in `append_file`.
        unsafe { mmap_anonymous(at, len, ProtFlags::READ | ProtFlags::WRITE, flags)? };
        self.filled += len;
        Ok(())
    }

    /// Moves the pages of `memory`, private and anonymous, behind the next bytes of the reservation (`mremap`).
    pub fn append_moved(&mut self, memory: Mapping) -> io::Result<()> {
        let len = memory.len();
        let at = self.next(len);
        // DONTUNMAP leaves empty memory where the pages were: that window stays ours until it is dropped.
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
        // Where rustix calls through libc, as on POWER, it knows no DONTUNMAP, and its `mremap_fixed` sets MAP_FIXED, which the kernel
        // refuses [1.1.6].
        // SAFETY: `memory` is consumed, so nobody looks at its bytes; where they go, as in `append_file`.
        let moved = unsafe { libc::mremap(memory.window.base.as_ptr(), len, len, flags, at) };
        if moved == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        self.filled += len;
        Ok(())
    }

    /// The memory, now that every byte of it is there.
    ///
    /// # Panics
    /// When bytes are missing: touching them would kill the process.
    pub fn finish(self) -> Mapping {
        assert_eq!(
            self.filled, self.window.len,
            "a reservation is filled whole"
        );
        Mapping {
            window: self.window,
        }
    }

    fn next(&self, len: usize) -> *mut c_void {
        let room = self.window.len - self.filled;
        assert!(
            len > 0 && len <= room,
            "{len} bytes into the {room} that are left"
        );
        self.window.base.as_ptr().wrapping_byte_add(self.filled)
    }
}

/// Memory of this process, readable and writable from end to end.
///
/// It is only ever seen as atomic words: while it is registered, a device may write to it at any
/// moment, and an atomic is Rust's name for memory that others change.
#[derive(Debug)]
pub struct Mapping {
    window: Window,
}

impl Mapping {
    /// `len` bytes of private anonymous memory at a multiple of `align`.
    pub fn anonymous(len: usize, align: usize) -> io::Result<Self> {
        let mut reservation = Reservation::new(len, align)?;
        reservation.append_anonymous(len)?;
        Ok(reservation.finish())
    }

    /// `len` bytes of private anonymous memory in small pages, most of which are not adjacent: every second page that is taken meanwhile goes
    /// to another mapping, which is given back.
    pub fn apart(len: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let [memory, between] = [(); 2].map(|()| Self::anonymous(len, page));
        let (memory, between) = (memory?, between?);
        for mapping in [&memory, &between] {
            // Where the kernel has no huge pages, there is nothing to be kept away.
            let _ = mapping.advise(HugePages::Never);
        }
        let words = page / size_of::<u64>();
        let pages = [&memory, &between].map(|mapping| mapping.words().chunks(words));
        let [first, second] = pages;
        for page in first.zip(second).flat_map(<[_; 2]>::from) {
            page[0].store(1, Relaxed);
        }
        Ok(memory)
    }

    /// Where the memory begins.
    pub fn start(&self) -> VirtAddr {
        VirtAddr::new(self.window.base.addr().get() as u64)
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.window.len
    }

    /// Tells the kernel how the memory will be used (`madvise`), all of it.
    pub fn advise(&self, advice: HugePages) -> io::Result<()> {
        let advice = match advice {
            HugePages::Wanted => Advice::LinuxHugepage,
            HugePages::Never => Advice::LinuxNoHugepage,
        };
        // SAFETY: the range is ours, and neither advice changes what its bytes read as.
        unsafe { madvise(self.window.base.as_ptr(), self.window.len, advice)? };
        Ok(())
    }

    /// Makes the kernel put a page behind every address, as a write to each would.
    ///
    /// # Errors
    /// An address cannot get a page; touching it would kill the program (SIGBUS).
    pub fn populate(&self) -> io::Result<()> {
        // SAFETY: the range is ours, and no byte of it changes.
        let populated = unsafe {
            madvise(
                self.window.base.as_ptr(),
                self.window.len,
                Advice::LinuxPopulateWrite,
            )
        };
        match populated {
            // Linux before 5.14 does not know it.
            Err(rustix::io::Errno::INVAL) => self.touch(),
            other => other?,
        }
        Ok(())
    }

    /// Makes the kernel put a page behind every address, by writing a zero into each.
    pub fn touch(&self) {
        let words = rustix::param::page_size() / size_of::<AtomicU64>();
        self.words()
            .iter()
            .step_by(words)
            .for_each(|word| word.store(0, Relaxed));
    }

    /// The memory as 64-bit words; bytes beyond the last whole word are left out.
    pub fn words(&self) -> &[AtomicU64] {
        let words = self.window.len / size_of::<AtomicU64>();
        // SAFETY: the window is page-aligned, mapped readable and writable from end to end (a
        // reservation becomes a mapping only when it is full) until `self` is dropped, and nobody
        // in this process reaches it but through these atomics.
        unsafe { std::slice::from_raw_parts(self.window.base.as_ptr().cast(), words) }
    }
}

/// What [`Mapping::advise`] says about transparent huge pages.
#[derive(Clone, Copy, Debug)]
pub enum HugePages {
    /// Use them wherever an aligned one fits (`MADV_HUGEPAGE`).
    Wanted,
    /// Do not (`MADV_NOHUGEPAGE`).
    Never,
}

/// An aligned stretch of a larger `mmap`, of which both are unmapped on drop.
#[derive(Debug)]
struct Window {
    base: NonNull<c_void>,
    len: usize,
    reserved: NonNull<c_void>,
    reserved_len: usize,
}

// SAFETY: a window is plain address space of the process, tied to no thread.
unsafe impl Send for Window {}
// SAFETY: through a shared window nothing can be done but reading its numbers.
unsafe impl Sync for Window {}

impl Window {
    fn reserve(len: usize, align: usize, shift: usize) -> io::Result<Self> {
        let too_long = || io::Error::from(rustix::io::Errno::NOMEM);
        let reserved_len = len.checked_add(align + shift).ok_or_else(too_long)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
        let reserved =
            unsafe { mmap_anonymous(ptr::null_mut(), reserved_len, ProtFlags::empty(), flags)? };
        let base = reserved.map_addr(|addr| addr.next_multiple_of(align) + shift);
        let (Some(base), Some(reserved)) = (NonNull::new(base), NonNull::new(reserved)) else {
            return Err(too_long());
        };
        Ok(Self {
            base,
            len,
            reserved,
            reserved_len,
        })
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: the range came from `mmap` in `reserve`, and whoever borrowed from it is gone.
        // It can only fail for a range that was never mapped.
        let _ = unsafe { munmap(self.reserved.as_ptr(), self.reserved_len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    const PAGE: usize = 4096;

    #[test]
    fn a_mapping_lies_where_it_was_asked_to() {
        for align in [PAGE, 2 << 20, 1 << 30] {
            let mapping = Mapping::anonymous(3 * PAGE, align).unwrap();
            assert_eq!(mapping.start().get() % align as u64, 0);
            assert_eq!(mapping.len(), 3 * PAGE);
            assert_eq!(mapping.words().len(), 3 * PAGE / 8);
        }
    }

    #[test]
    fn file_pages_lie_in_the_order_of_appending() {
        let file = rustix::fs::memfd_create("order", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 3 * PAGE as u64).unwrap();
        let pages = |order: [u64; 3]| {
            let mut reservation = Reservation::new(3 * PAGE, PAGE).unwrap();
            for page in order {
                reservation
                    .append_file(file.as_fd(), page * PAGE as u64, PAGE)
                    .unwrap();
            }
            reservation.finish()
        };
        let (straight, turned) = (pages([0, 1, 2]), pages([2, 0, 1]));
        for page in 0..3 {
            straight.words()[page * PAGE / 8].store(page as u64 + 7, Relaxed);
        }
        let seen = [0, 1, 2].map(|page| turned.words()[page * PAGE / 8].load(Relaxed));
        assert_eq!(seen, [9, 7, 8]);
    }

    /// Touching a page beyond the end of a file is SIGBUS.
    #[test]
    fn pages_that_cannot_be_had_are_an_error() {
        let file = rustix::fs::memfd_create("short", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, PAGE as u64).unwrap();
        let pages = |count: usize| {
            let mut reservation = Reservation::new(count * PAGE, PAGE).unwrap();
            let filled = reservation.append_file(file.as_fd(), 0, count * PAGE);
            filled.unwrap();
            reservation.finish().populate()
        };
        pages(1).unwrap();
        assert!(pages(2).is_err());
    }

    #[test]
    fn moved_memory_keeps_its_bytes_and_leaves_zeros() {
        let pages = |value: u64| {
            let memory = Mapping::anonymous(2 * PAGE, PAGE).unwrap();
            memory.words()[PAGE / 8].store(value, Relaxed);
            memory
        };
        let mut reservation = Reservation::shifted(4 * PAGE, 2 << 20, PAGE).unwrap();
        reservation.append_moved(pages(7)).unwrap();
        reservation.append_moved(pages(8)).unwrap();
        let moved = reservation.finish();
        assert_eq!(moved.start().get() % (2 << 20), PAGE as u64);
        let seen = [1, 3].map(|page| moved.words()[page * PAGE / 8].load(Relaxed));
        assert_eq!(seen, [7, 8]);
    }

    #[test]
    #[should_panic(expected = "filled whole")]
    fn half_a_reservation_is_no_mapping() {
        let mut reservation = Reservation::new(2 * PAGE, PAGE).unwrap();
        reservation.append_anonymous(PAGE).unwrap();
        reservation.finish();
    }

    #[test]
    #[should_panic(expected = "that are left")]
    fn a_reservation_takes_no_more_than_its_length() {
        let mut reservation = Reservation::new(PAGE, PAGE).unwrap();
        let _ = reservation.append_anonymous(2 * PAGE);
    }
}
