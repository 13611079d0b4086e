//! What a text says, and what the reader adds.

use super::{decided::Decided, mapping::Mapping};
use crate::{
    address::VirtAddr,
    gate::Errno,
    scenario::{Asked, Backing, ForkSupport, LayoutName, Memlock},
    size::Bytes,
};
use alloc::{string::String, vec::Vec};

/// The longest text that is read.
pub const MOST_BYTES: usize = 64 << 20;
/// The kernel's page, if no other is given.
pub(super) const PAGE: u64 = 4096;

/// The most registrations, and the most mappings, that are taken from a text.
pub const MOST_FOUND: usize = 1 << 16;

/// What the reader says in addition to the text; it overrides what the text says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// Where the region begins.
    pub va: Option<VirtAddr>,
    /// How long it is.
    pub length: Option<Bytes>,
    /// The pages that back it.
    pub page_size: Option<Bytes>,
    /// The kernel's page, if it is not 4K.
    pub kernel_page: Option<Bytes>,
    /// The device, by its name in the catalogue or in the kernel.
    pub device: Option<String>,
    /// The IOMMU by name, or "off".
    pub iommu: Option<String>,
    /// The kernel, as `uname -r` prints it.
    pub release: Option<String>,
    /// The limit on locked memory.
    pub memlock: Option<Memlock>,
    /// Whether the program has CAP_IPC_LOCK.
    pub privileged: Option<bool>,
    /// What libibverbs does about `fork()`.
    pub fork_support: Option<ForkSupport>,
    /// What backs the memory.
    pub backing: Option<Backing>,
    /// Whether it is a dma-buf, such as a GPU's memory.
    pub dma_buf: bool,
    /// How the frames lie; scattered, if nobody says.
    pub layout: Option<LayoutName>,
}

impl Given {
    /// The kernel's page in bytes: 4K, if no other is given.
    pub(super) fn kernel_page(&self) -> u64 {
        self.kernel_page.map_or(PAGE, |Bytes(page)| page)
    }
}

/// What a text says.
#[derive(Clone, Debug)]
pub struct Imported {
    /// A scenario, or a set where there are several registrations.
    pub asked: Asked,
    /// What the program saw, if the text says so.
    pub errno: Option<Errno>,
    /// What was inferred or assumed, a sentence each.
    pub notes: Vec<String>,
    /// What the text does not say, and need not.
    pub decided: Option<Decided>,
}

/// A registration that the text tells of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Found {
    /// The line, from 1 on.
    pub(super) line: usize,
    pub(super) address: Option<u64>,
    pub(super) length: Option<u64>,
    pub(super) access: Option<u64>,
    pub(super) errno: Option<Errno>,
    /// The RDMA device, as the kernel names it: "mlx5_0".
    pub(super) device: Option<String>,
    pub(super) dma_buf: bool,
}

/// Everything that the text says.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) found: Vec<Found>,
    pub(super) mappings: Vec<Mapping>,
    /// The limit on locked memory that a message names, in bytes.
    pub(super) memlock: Option<u64>,
    /// Whether a line speaks of registering at all.
    pub(super) mentioned: bool,
    /// What such a line says without naming a region.
    pub(super) errno: Option<Errno>,
    /// Whether it names a call that registers a dma-buf.
    pub(super) dma_buf: bool,
    /// What mlx5's firmware answered, as dmesg has it.
    pub(super) firmware: Option<String>,
    /// The device that the log names elsewhere.
    pub(super) device: Option<String>,
}
