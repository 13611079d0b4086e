//! The gates by name, in the order in which a registration meets them.

/// Where libibverbs, the kernel or the device can refuse a registration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
pub enum Gate {
    /// libibverbs, which marks memory that `fork()` must not copy, before the kernel sees the call.
    ForkSupport,
    /// uverbs: the NIC's address, the rdma control group, the access flags.
    Uverbs,
    /// The driver, before it pins anything.
    Driver,
    /// `ib_umem_get()` before it pins: the range, and the limit on locked memory.
    Memlock,
    /// `pin_user_pages_fast()`.
    Pin,
    /// The scatter-gather list.
    Gather,
    /// The DMA mapping.
    Map,
    /// The search for a page size.
    PageSize,
    /// The memory of the table.
    Table,
    /// The device's own resources.
    Firmware,
}

impl Gate {
    /// All of them, in the order in which a registration meets them.
    pub const ALL: [Self; 10] = [
        Self::ForkSupport,
        Self::Uverbs,
        Self::Driver,
        Self::Memlock,
        Self::Pin,
        Self::Gather,
        Self::Map,
        Self::PageSize,
        Self::Table,
        Self::Firmware,
    ];

    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForkSupport => "fork-support",
            Self::Uverbs => "uverbs",
            Self::Driver => "driver",
            Self::Memlock => "memlock",
            Self::Pin => "pin",
            Self::Gather => "gather",
            Self::Map => "map",
            Self::PageSize => "page-size",
            Self::Table => "table",
            Self::Firmware => "firmware",
        }
    }

    /// What is checked there, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::ForkSupport => "libibverbs marks the memory for fork()",
            Self::Uverbs => "the address, the rdma control group, the access flags",
            Self::Driver => "the driver's own limits, before anything is pinned",
            Self::Memlock => "the range, and the limit on locked memory",
            Self::Pin => "every page is brought in and pinned",
            Self::Gather => "pages join to an SG list",
            Self::Map => "the list gets device addresses",
            Self::PageSize => "the driver chooses a page size",
            Self::Table => "the table gets memory",
            Self::Firmware => "the device takes the table",
        }
    }
}
