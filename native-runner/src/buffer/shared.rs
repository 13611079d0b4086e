//! Memory that is a file's: it lies as the kernel happens to lay it.

use std::{io, os::fd::AsFd};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};

use super::{LENGTH, Unavailable};
use crate::mapping::{Mapping, Reservation};

/// A file that has no name but in /proc.
pub fn memfd() -> Result<Mapping, Unavailable> {
    let file = memfd_create("umem-check", MemfdFlags::CLOEXEC)?;
    ftruncate(&file, LENGTH as u64)?;
    whole(&file)
}

/// Anonymous memory that would be shared with child processes.
pub fn anonymous() -> Result<Mapping, Unavailable> {
    let mut buffer = Reservation::new(LENGTH, LENGTH)?;
    buffer.append_shared(LENGTH)?;
    populated(buffer)
}

/// A file of the file system of temporary files, which has lost its name already.
pub fn file() -> Result<Mapping, Unavailable> {
    let file = tempfile::tempfile()?;
    // A full disk is better met here than by the signal that touching a page would bring.
    match fallocate(&file, FallocateFlags::empty(), 0, LENGTH as u64) {
        Err(rustix::io::Errno::OPNOTSUPP) => io::copy(
            &mut io::Read::take(io::repeat(0), LENGTH as u64),
            &mut &file,
        )
        .map(drop)?,
        other => other?,
    }
    whole(&file)
}

fn whole(file: &impl AsFd) -> Result<Mapping, Unavailable> {
    let mut buffer = Reservation::new(LENGTH, LENGTH)?;
    buffer.append_file(file.as_fd(), 0, LENGTH)?;
    populated(buffer)
}

fn populated(buffer: Reservation) -> Result<Mapping, Unavailable> {
    let buffer = buffer.finish();
    buffer.populate()?;
    Ok(buffer)
}
