//! Files in huge pages of hugetlbfs.

use std::{io, os::fd::OwnedFd};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};

/// A file of `len` bytes in huge pages of one size, all allocated: a multiple of that size.
///
/// # Errors
/// The pages cannot be had. That is met here, not by the signal (SIGBUS) that touching them would bring.
pub fn filled(size: MemfdFlags, len: usize) -> io::Result<OwnedFd> {
    let file = memfd_create("umem", MemfdFlags::CLOEXEC | MemfdFlags::HUGETLB | size)?;
    ftruncate(&file, len as u64)?;
    fallocate(&file, FallocateFlags::empty(), 0, len as u64)?;
    Ok(file)
}
