//! The lab's module `umem_register`: memory registered for QEMU's PCI device, as a driver registers it for its own.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

/// `struct umem_register`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Question {
    address: u64,
    length: u64,
    virt: u64,
    sizes: u64,
    access: u32,
    dma_buf: i32,
    unused: u32,
    nents: u32,
    best: u64,
}

const REGISTER: Opcode = opcode::read_write::<Question>(b'U', 0x40);

/// The module's device. What it has registered is released when it is dropped, or registers again.
#[derive(Debug)]
pub struct Registrar(File);

impl Registrar {
    /// Opens it.
    ///
    /// # Errors
    /// The module is not loaded.
    pub fn open() -> io::Result<Self> {
        File::options()
            .read(true)
            .write(true)
            .open("/dev/umem_register")
            .map(Self)
    }

    /// Registers `length` bytes from `address` for local writes, for a device with these page sizes.
    pub fn register(&self, address: u64, length: u64, sizes: u64) -> io::Result<()> {
        self.ask(address, length, sizes, -1)
    }

    /// The same of a whole dma-buf.
    pub fn register_dma_buf(
        &self,
        buffer: BorrowedFd<'_>,
        length: u64,
        sizes: u64,
    ) -> io::Result<()> {
        self.ask(0, length, sizes, buffer.as_raw_fd())
    }

    fn ask(&self, address: u64, length: u64, sizes: u64, dma_buf: i32) -> io::Result<()> {
        let mut question = Question {
            address,
            length,
            virt: address,
            sizes,
            // IB_ACCESS_LOCAL_WRITE
            access: 1,
            dma_buf,
            ..Question::default()
        };
        // SAFETY: the module reads and writes one question, which lives until the call returns. It pins the memory, and the device is
        // never told to write there.
        unsafe { ioctl(&self.0, Updater::<REGISTER, _>::new(&mut question)) }?;
        Ok(())
    }
}
