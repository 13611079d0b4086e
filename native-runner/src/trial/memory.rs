//! Memory of every kind that a program may try to register. It stays until the process ends, which is soon.

use std::{ffi::c_void, fs, io, os::fd::AsFd, os::fd::OwnedFd, ptr};

use rdma_mummy_sys::ibv_access_flags as Flag;
use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap},
};
use umem_core::device::Access;

/// The bit of `enum ibv_access_flags`.
pub(super) fn flag(access: Access) -> u32 {
    match access {
        Access::LocalWrite => Flag::IBV_ACCESS_LOCAL_WRITE.0,
        Access::RemoteWrite => Flag::IBV_ACCESS_REMOTE_WRITE.0,
        Access::RemoteRead => Flag::IBV_ACCESS_REMOTE_READ.0,
        Access::RemoteAtomic => Flag::IBV_ACCESS_REMOTE_ATOMIC.0,
        Access::MwBind => Flag::IBV_ACCESS_MW_BIND.0,
        Access::ZeroBased => Flag::IBV_ACCESS_ZERO_BASED.0,
        Access::OnDemand => Flag::IBV_ACCESS_ON_DEMAND.0,
        Access::Hugetlb => Flag::IBV_ACCESS_HUGETLB.0,
        // Of later headers than the crate's.
        Access::FlushGlobal => 1 << 8,
        Access::FlushPersistent => 1 << 9,
        Access::RelaxedOrdering => Flag::IBV_ACCESS_RELAXED_ORDERING.0,
    }
}

const READ_WRITE: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

/// Anonymous memory with these rights.
pub(super) fn anonymous(length: usize, rights: ProtFlags) -> io::Result<u64> {
    map(length, rights, MapFlags::PRIVATE, None)
}

/// Anonymous memory to read and write.
pub(super) fn plain(length: usize) -> io::Result<u64> {
    anonymous(length, READ_WRITE)
}

/// Two pages of hugetlb memory of 2M each.
pub(super) fn huge_pages() -> io::Result<u64> {
    map(
        4 << 20,
        READ_WRITE,
        MapFlags::PRIVATE | MapFlags::HUGETLB | MapFlags::HUGE_2MB,
        None,
    )
}

/// A file in memory of `size` bytes, mapped MAP_SHARED for `length`.
pub(super) fn file(size: u64, length: usize, rights: ProtFlags) -> io::Result<u64> {
    let file = memfd_create("umem-trial", MemfdFlags::CLOEXEC)?;
    ftruncate(&file, size)?;
    map(length, rights, MapFlags::SHARED, Some(file))
}

/// Three pages of which the one in the middle is not mapped.
pub(super) fn with_a_hole(page: usize) -> io::Result<u64> {
    let start = plain(3 * page)?;
    // SAFETY: the page is our own, and nobody knows it yet.
    unsafe { munmap(pointer(start).wrapping_byte_add(page), page) }?;
    Ok(start)
}

/// A page of a PCI device's registers.
pub(super) fn registers(page: usize) -> io::Result<u64> {
    let none = || io::Error::other("no PCI device lets its memory be mapped");
    let devices = fs::read_dir("/sys/bus/pci/devices").map_err(|_| none())?;
    let mut files = devices
        .flatten()
        .map(|device| device.path().join("resource0"));
    let mapped = files.find_map(|path| {
        let file = fs::File::options().read(true).write(true).open(path).ok()?;
        map(page, READ_WRITE, MapFlags::SHARED, Some(file.into())).ok()
    });
    mapped.ok_or_else(none)
}

/// A page that only this process sees: `memfd_secret()`.
pub(super) fn secret(page: usize) -> io::Result<u64> {
    // SAFETY: the call takes flags, and returns a descriptor that nobody else has.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0);
    let fd = fd.ok_or_else(|| {
        io::Error::other(format!("memfd_secret(): {}", io::Error::last_os_error()))
    })?;
    // SAFETY: as above.
    let file = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) };
    ftruncate(&file, page as u64)?;
    map(page, READ_WRITE, MapFlags::SHARED, Some(file))
}

/// A page that `MADV_GUARD_INSTALL` guards.
pub(super) fn guarded(page: usize) -> io::Result<u64> {
    const MADV_GUARD_INSTALL: i32 = 102;
    let start = plain(page)?;
    // SAFETY: the page is our own, and nobody knows it yet.
    match unsafe { libc::madvise(pointer(start), page, MADV_GUARD_INSTALL) } {
        0 => Ok(start),
        _ => Err(io::Error::other(
            "this kernel has no guard pages (Linux 6.13)",
        )),
    }
}

/// [vvar].
pub(super) fn vvar() -> io::Result<u64> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let line = maps.lines().find(|line| line.ends_with("[vvar]"));
    let start = line.and_then(|line| u64::from_str_radix(line.split_once('-')?.0, 16).ok());
    start.ok_or_else(|| io::Error::other("this process has no [vvar]"))
}

/// A file of 64K on a file system that is mounted with the option `dax`, mapped MAP_SHARED.
pub(super) fn fsdax(length: usize) -> io::Result<u64> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let place = mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, options) = (words.next()?, words.nth(1)?);
        let dax = |option: &str| option == "dax" || option == "dax=always";
        options.split(',').any(dax).then(|| place.to_owned())
    });
    let place = place.ok_or_else(|| io::Error::other("no file system is mounted with -o dax"))?;
    on_disk(&place, length)
}

/// A file on ext4 that is mounted without it, mapped MAP_SHARED.
pub(super) fn ext4(length: usize) -> io::Result<u64> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let place = mounts.lines().find_map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        (words.get(2) == Some(&"ext4") && !words.get(3)?.contains("dax"))
            .then(|| words[1].to_owned())
    });
    let place = place.ok_or_else(|| io::Error::other("no ext4 is mounted"))?;
    on_disk(&place, length)
}

fn on_disk(place: &str, length: usize) -> io::Result<u64> {
    let file = tempfile::tempfile_in(place)?;
    file.set_len(length as u64)?;
    map(length, READ_WRITE, MapFlags::SHARED, Some(file.into()))
}

fn map(
    length: usize,
    rights: ProtFlags,
    flags: MapFlags,
    file: Option<OwnedFd>,
) -> io::Result<u64> {
    // SAFETY: the kernel chooses the place, so that nothing is replaced. The bytes are never read or written by this program.
    let start = unsafe {
        match &file {
            Some(file) => mmap(ptr::null_mut(), length, rights, flags, file.as_fd(), 0),
            None => mmap_anonymous(ptr::null_mut(), length, rights, flags),
        }
    }?;
    Ok(start.expose_provenance() as u64)
}

fn pointer(address: u64) -> *mut c_void {
    ptr::with_exposed_provenance_mut(address as usize)
}
