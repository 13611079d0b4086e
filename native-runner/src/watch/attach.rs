//! A BPF program joined to an event of tracefs: `perf_event_open()` and two ioctls, which no crate has for this kind of event.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

/// `PERF_TYPE_TRACEPOINT`
const TRACEPOINT: u32 = 2;
/// `PERF_ATTR_SIZE_VER0`
const ATTRIBUTE_SIZE: u32 = 64;
/// `PERF_FLAG_FD_CLOEXEC`
const CLOSE_ON_EXEC: libc::c_ulong = 8;
/// `PERF_EVENT_IOC_SET_BPF`: `_IOW('$', 8, __u32)`
const SET_BPF: u64 = 0x4004_2408;
/// `PERF_EVENT_IOC_ENABLE`: `_IO('$', 0)`
const ENABLE: u64 = 0x2400;

/// The beginning of `struct perf_event_attr`, as its first version had it.
#[repr(C)]
#[derive(Debug, Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    /// Sampling, flags, wakeups and breakpoints, none of which are wanted.
    rest: [u64; 6],
}

const _: () = assert!(size_of::<Attributes>() == ATTRIBUTE_SIZE as usize);

/// A program that runs whenever its event happens, on every CPU, until this is dropped.
#[derive(Debug)]
pub struct Attached {
    _event: OwnedFd,
}

impl Attached {
    /// Joins `program`, of the type kprobe, to the event with this number.
    ///
    /// # Errors
    /// The kernel does not allow it.
    pub fn new(event: u64, program: BorrowedFd<'_>) -> io::Result<Self> {
        let attributes = Attributes {
            kind: TRACEPOINT,
            size: ATTRIBUTE_SIZE,
            config: event,
            ..Attributes::default()
        };
        let (every_process, cpu, no_group) =
            (-1 as libc::pid_t, 0 as libc::c_int, -1 as libc::c_int);
        // SAFETY: the kernel reads `size` bytes of `attributes`, which is that long and lives on; it writes nothing.
        let event = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                every_process,
                cpu,
                no_group,
                CLOSE_ON_EXEC,
            )
        };
        let event = match i32::try_from(event) {
            // SAFETY: the call returned a descriptor that is new and nobody else's.
            Ok(event @ 0..) => unsafe { OwnedFd::from_raw_fd(event) },
            _ => return Err(io::Error::last_os_error()),
        };
        control(&event, SET_BPF, program.as_raw_fd())?;
        control(&event, ENABLE, 0)?;
        Ok(Self { _event: event })
    }
}

fn control(event: &OwnedFd, request: u64, argument: i32) -> io::Result<()> {
    // SAFETY: both requests take a number by value, and touch no memory of ours.
    let result = unsafe { libc::ioctl(event.as_raw_fd(), request as _, argument) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
