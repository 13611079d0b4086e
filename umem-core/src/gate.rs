//! What can stop a registration, and the error number that the program then sees.

use core::fmt;

/// A place where the kernel or the device can refuse a registration, in the order in which they come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gate {
    /// uverbs: what it takes of addresses and access flags.
    Uverbs,
    /// The driver, before it pins anything.
    Driver,
    /// The IOMMU's mapping.
    Map,
    /// The search for a page size.
    PageSize,
    /// The memory of the table.
    Table,
    /// The device's own resources.
    Firmware,
}

impl Gate {
    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uverbs => "uverbs",
            Self::Driver => "driver",
            Self::Map => "map",
            Self::PageSize => "page-size",
            Self::Table => "table",
            Self::Firmware => "firmware",
        }
    }
}

/// What `errno` says after `ibv_reg_mr()` returned NULL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Errno {
    /// No resource is left, or no memory.
    Enomem,
    /// An argument that the kernel or the device does not take.
    Einval,
    /// The device cannot do it.
    Eopnotsupp,
    /// A bad address; some drivers return it for every failure.
    Efault,
    /// The device failed.
    Eio,
    /// The table's root does not fit its page.
    Enobufs,
}

impl Errno {
    /// Its name in `errno.h`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enomem => "ENOMEM",
            Self::Einval => "EINVAL",
            Self::Eopnotsupp => "EOPNOTSUPP",
            Self::Efault => "EFAULT",
            Self::Eio => "EIO",
            Self::Enobufs => "ENOBUFS",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
