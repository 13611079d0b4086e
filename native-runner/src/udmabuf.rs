//! Memory of this process as a dma-buf: the kernel's udmabuf, which exports parts of files in memory.

use std::{
    ffi::c_void,
    fs::File,
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::Path,
};

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};

/// The device that makes them.
const PATH: &str = "/dev/udmabuf";

/// Whether this machine has udmabuf.
pub fn is_there() -> bool {
    Path::new(PATH).exists()
}

/// A part of a file in memory, in whole pages.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// A memfd that is sealed against shrinking.
    pub file: &'a OwnedFd,
    /// Where the part begins in it.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// Exports the parts, one after the other, as one buffer: `UDMABUF_CREATE_LIST`.
///
/// # Errors
/// EINVAL: a file without the seal, a part that is not whole pages, or more than udmabuf's parameters `list_limit` and `size_limit_mb`
/// allow.
pub fn export(parts: &[Part<'_>]) -> io::Result<OwnedFd> {
    let device = File::options().read(true).write(true).open(PATH)?;
    let item = |part: &Part<'_>| Item {
        memfd: part.file.as_raw_fd() as u32,
        pad: 0,
        offset: part.offset,
        size: part.length,
    };
    // `struct udmabuf_create_list` ends with its items: the head has the layout of none of them, so words do.
    let count = u32::try_from(parts.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut words = vec![u64::from(CLOSE_ON_EXEC) | u64::from(count) << 32];
    if cfg!(target_endian = "big") {
        words[0] = words[0].rotate_left(32);
    }
    for Item {
        memfd,
        pad,
        offset,
        size,
    } in parts.iter().map(item)
    {
        let head = [memfd.to_ne_bytes(), pad.to_ne_bytes()].concat();
        let head = head.try_into().expect("two words of 4 bytes");
        words.extend([u64::from_ne_bytes(head), offset, size]);
    }
    // SAFETY: `words` has as many items as its head says, and lives until the call returns.
    Ok(unsafe { ioctl(&device, CreateList(&mut words)) }?)
}

/// `struct udmabuf_create_item`.
struct Item {
    memfd: u32,
    pad: u32,
    offset: u64,
    size: u64,
}

/// `UDMABUF_FLAGS_CLOEXEC`.
const CLOSE_ON_EXEC: u32 = 1;

/// `UDMABUF_CREATE_LIST`: the flags, the number of items, and the items.
struct CreateList<'a>(&'a mut Vec<u64>);

// SAFETY: the opcode is that of linux/udmabuf.h, whose size is the head's alone; the pointer is to head and items. What it returns is a
// new file descriptor, which nobody else has.
unsafe impl Ioctl for CreateList<'_> {
    type Output = OwnedFd;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::write::<u64>(b'u', 0x43)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }

    unsafe fn output_from_ptr(fd: IoctlOutput, _: *mut c_void) -> rustix::io::Result<OwnedFd> {
        // SAFETY: the call succeeded, so that this is the buffer's descriptor.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
