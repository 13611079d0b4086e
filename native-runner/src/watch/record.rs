//! What the BPF programs tell: the records of `bpf/umem_watch.h` as values.

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// A registration, or the failure of one.
    Get(Box<Get>),
    /// A part of its list.
    Piece(Piece),
    /// `ib_umem_find_best_pgsz()` has answered.
    Best(Best),
    /// A driver has begun to walk a list in blocks.
    Blocks(Blocks),
    /// The system call that registered has returned.
    End(End),
    /// `ib_umem_release()`.
    Release(Release),
}

/// Who sent a record, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The process in the upper half, the thread in the lower.
    pub thread: u64,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
}

/// Which function registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `ib_umem_get()`.
    Pages,
    /// `ib_umem_odp_get()`.
    OnDemand,
    /// `ib_umem_dmabuf_get()`.
    DmaBuf,
}

/// A registration: `struct get`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Get {
    /// Who, and when it ended.
    pub origin: Origin,
    /// When it began.
    pub start: u64,
    /// The umem, or a negative errno as a pointer.
    pub umem: u64,
    /// The first byte.
    pub address: u64,
    /// In bytes.
    pub length: u64,
    /// `IB_ACCESS_…`.
    pub access: u32,
    /// `device.dma_parms.max_segment_size`, 0 where the device says nothing.
    pub max_segment: u64,
    /// `device.dma_parms.segment_boundary_mask`, the same.
    pub boundary_mask: u64,
    /// The addresses that the device can reach.
    pub dma_mask: u64,
    /// `iommu_domain.pgsize_bitmap`.
    pub domain_pages: u64,
    /// The address of the list.
    pub sgl: u64,
    /// `vmemmap_base`, 0 where it is not known.
    pub vmemmap_base: u64,
    /// Pages that the process had pinned before.
    pub pinned: u64,
    /// `RLIMIT_MEMLOCK` in bytes.
    pub memlock: u64,
    /// The effective capabilities, a bit each.
    pub capabilities: u64,
    /// The return addresses, from the inside out.
    pub stack: Vec<u64>,
    /// Which function.
    pub kind: Kind,
    /// Mapping for the device was reached.
    pub reached_mapping: bool,
    /// The device does DMA, rather than software for it.
    pub has_dma_device: bool,
    /// `iommu_domain.type`, where the device is in a group with a domain.
    pub domain_type: Option<u32>,
    /// How the list was copied; `None`: there is none.
    pub list: Option<ListHeader>,
    /// The device's name.
    pub name: String,
    /// The thread's name.
    pub comm: String,
}

impl Get {
    /// The errno of a failure, positive.
    pub fn errno(&self) -> Option<i32> {
        let value = self.umem.cast_signed();
        (-4095..0).contains(&value).then_some(-value as i32)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        (self.origin.thread >> 32) as u32
    }
}

/// What is known of a list besides its entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListHeader {
    /// Entries of the DMA list.
    pub nents: u32,
    /// Entries of the whole list.
    pub orig_nents: u32,
    /// Parts that were sent, or lost.
    pub pieces: u32,
    /// Parts that were lost.
    pub pieces_lost: u32,
    /// `sizeof(struct page)`.
    pub page_struct: u32,
    /// Where the fields of an entry are.
    pub layout: EntryLayout,
}

/// `struct scatterlist` as the running kernel has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryLayout {
    /// How long an entry is.
    pub size: u32,
    /// Of the page, with two bits of flags.
    pub page_link: u32,
    /// Where in the page it begins.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
    /// The device's address.
    pub dma_address: u32,
    /// Bytes for the device.
    pub dma_length: u32,
}

/// A part of a list: `struct piece`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Whose.
    pub origin: Origin,
    /// When the registration began: with the thread, this names it.
    pub start: u64,
    /// Which part, from 0.
    pub number: u32,
    /// How many entries.
    pub entries: u32,
    /// The entries.
    pub bytes: Vec<u8>,
}

/// `struct best`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Best {
    /// Who asked.
    pub origin: Origin,
    /// Of which umem.
    pub umem: u64,
    /// The sizes that the device has, as a bitmap.
    pub sizes: u64,
    /// The address that the NIC uses.
    pub virt: u64,
    /// The answer in bytes; 0: none fits.
    pub best: u64,
}

/// `struct blocks`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocks {
    /// Who walks.
    pub origin: Origin,
    /// Which list.
    pub sgl: u64,
    /// The size of its blocks in bytes.
    pub size: u64,
}

/// `struct end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Who.
    pub origin: Origin,
    /// When the registration began.
    pub start: u64,
    /// What the system call returns.
    pub result: i64,
}

/// `struct release`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Release {
    /// Who.
    pub origin: Origin,
    /// Of which umem.
    pub umem: u64,
}
