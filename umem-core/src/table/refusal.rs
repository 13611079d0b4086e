//! Why there is no table: what the kernel or the device refuses.
//!
//! A new reason is a variant of [`Refusal`], its [code](Refusal::code) and its sentence, all in this file.

use super::{DriverBug, KernelBug};
use crate::{
    address::DmaAddr,
    gate::{Errno, Gate},
    iommu::MapError,
    kernel::{Release, Since},
    memory::Kind,
    size::{Bytes, PageSize, PageSizes},
};
use core::fmt;

/// Why there is no table. Lengths are in bytes.
///
/// [`code`](Self::code) is for programs; [`Display`](fmt::Display) says what was refused, where, and what would help.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The IOMMU cannot map the list.
    Map {
        /// Why not.
        error: MapError,
        /// What the driver makes of it.
        errno: Errno,
        /// What the kernel gets wrong when it fails.
        bug: Option<KernelBug>,
    },
    /// The region is longer than the device registers at once.
    TooLong {
        /// The region's length.
        length: u64,
        /// The device's limit.
        most: u64,
        /// The blocks that it holds for; `None`: for all.
        block: Option<PageSize>,
        /// What the program sees.
        errno: Errno,
    },
    /// The device offers no page size at all.
    NoSizes,
    /// None of the device's page sizes fits the whole region.
    NoneFits {
        /// The device's page sizes.
        sizes: PageSizes,
        /// What the program sees. `None`: the driver does not check that a size was found.
        errno: Option<Errno>,
        /// What an old kernel does instead of refusing.
        bug: Option<KernelBug>,
    },
    /// Blocks of the smallest size would leave the pinned pages.
    NoExactTiling {
        /// The device's smallest page.
        smallest: PageSize,
        /// The device address that such a block must hold.
        holds: DmaAddr,
        /// Where the block begins or ends, outside of the pinned pages.
        reach: DmaAddr,
        /// Where the pinned pages begin or end there.
        pinned: DmaAddr,
        /// Whether the block begins before them, or else ends after them.
        reaches_before: bool,
    },
    /// The table would have more entries than the device holds.
    TooManyEntries {
        /// How many it would have.
        total: u64,
        /// The limit.
        most: u64,
        /// What it is a limit of.
        whose: &'static str,
        /// Where the registration stops.
        gate: Gate,
        /// What the program sees.
        errno: Errno,
        /// What runs out, and what would help.
        why: &'static str,
    },
    /// The kernel has no such driver.
    NotInThisKernel {
        /// The driver.
        driver: &'static str,
        /// The kernel.
        release: Release,
        /// When the driver came.
        first: Option<Since>,
    },
    /// The driver does not take memory of this kind.
    KindNotTaken {
        /// The driver.
        driver: &'static str,
        /// The memory.
        kind: Kind,
        /// The first release in which it does, if there is one.
        since: Option<Since>,
        /// What the program sees.
        errno: Errno,
    },
    /// The region registers, but the driver keeps no table.
    NoTable {
        /// The driver.
        driver: &'static str,
    },
    /// The driver refuses what a right one would register.
    DriverBug {
        /// How many entries would do.
        entries: u64,
        /// Their size.
        size: PageSize,
        /// What the program sees.
        errno: Errno,
        /// What it gets wrong.
        bug: DriverBug,
    },
}

impl Refusal {
    /// Its name, for programs: `no-exact-tiling`, `no-page-size`, `too-many-entries`, ….
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Map { .. } => "iommu-map-failed",
            Self::TooLong { .. } => "too-long",
            Self::NoSizes | Self::NoneFits { .. } => "no-page-size",
            Self::NoExactTiling { .. } => "no-exact-tiling",
            Self::TooManyEntries { .. } => "too-many-entries",
            Self::NotInThisKernel { .. } => "not-in-this-kernel",
            Self::KindNotTaken { .. } => "kind-not-taken",
            Self::NoTable { .. } => "no-table",
            Self::DriverBug { .. } => "driver-bug",
        }
    }

    /// Where the registration stops, if that is known.
    pub const fn gate(&self) -> Option<Gate> {
        match self {
            Self::Map { .. } => Some(Gate::Map),
            Self::TooLong { .. } | Self::DriverBug { .. } => Some(Gate::Driver),
            Self::NoneFits { .. } => Some(Gate::PageSize),
            Self::TooManyEntries { gate, .. } => Some(*gate),
            // Only ON_DEMAND is asked for by an access flag, which uverbs checks.
            Self::KindNotTaken { kind, .. } => Some(match kind {
                Kind::Odp => Gate::Uverbs,
                Kind::Pages | Kind::DmaBuf => Gate::Driver,
            }),
            _ => None,
        }
    }

    /// What the program sees, if that is known.
    pub const fn errno(&self) -> Option<Errno> {
        match self {
            Self::Map { errno, .. }
            | Self::TooLong { errno, .. }
            | Self::DriverBug { errno, .. }
            | Self::KindNotTaken { errno, .. }
            | Self::TooManyEntries { errno, .. } => Some(*errno),
            Self::NoneFits { errno, .. } => *errno,
            _ => None,
        }
    }

    /// What the driver gets wrong.
    pub const fn driver_bug(&self) -> Option<&DriverBug> {
        match self {
            Self::DriverBug { bug, .. } => Some(bug),
            _ => None,
        }
    }

    /// What an old kernel gets wrong on the way.
    pub const fn kernel_bug(&self) -> Option<&KernelBug> {
        match self {
            Self::Map { bug, .. } | Self::NoneFits { bug, .. } => bug.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map { error, .. } => error.fmt(f),
            Self::TooLong {
                length,
                most,
                block,
                ..
            } => {
                write!(f, "the device registers at most {} at once", Bytes(*most))?;
                if let Some(size) = block {
                    write!(f, " in pages of {size}")?;
                }
                write!(f, ", and the region has {}: split it", Bytes(*length))
            }
            Self::NoSizes => f.write_str("the device offers no page size: give it at least one"),
            Self::NoneFits { sizes, errno, .. } => {
                write!(
                    f,
                    "none of the device's page sizes ({sizes}) fits the whole region, and "
                )?;
                match errno {
                    Some(errno) => write!(f, "drivers then refuse it ({errno})")?,
                    None => f.write_str("this driver then divides by 0")?,
                }
                f.write_str(
                    ": back it with larger pages, align it, or let the device use smaller ones",
                )
            }
            Self::NoExactTiling {
                smallest,
                holds,
                reach,
                pinned,
                reaches_before,
            } => {
                let (begins, before) = match reaches_before {
                    true => ("begins", "before the pinned pages begin"),
                    false => ("ends", "after the pinned pages end"),
                };
                write!(
                    f,
                    "no exact tiling: the device's smallest page is {smallest}, and the {smallest} block that holds DMA address {holds} \
                     {begins} at {reach}, {before} at {pinned}; align the region to {smallest}, or let the device use smaller pages"
                )
            }
            Self::TooManyEntries {
                total,
                most,
                whose,
                errno,
                why,
                ..
            } => write!(
                f,
                "the table would have {total} entries, and {whose} takes at most {most} ({errno}): {why}"
            ),
            Self::NotInThisKernel {
                driver,
                release,
                first,
            } => {
                write!(f, "Linux {release} has no {driver}")?;
                match first {
                    Some(first) => {
                        write!(f, ": it came with Linux {}", first.first_after(*release))
                    }
                    None => Ok(()),
                }
            }
            Self::KindNotTaken {
                driver,
                kind,
                since,
                errno,
            } => {
                let what = match kind {
                    Kind::Pages => "pages",
                    Kind::DmaBuf => "dma-bufs",
                    Kind::Odp => "memory on demand",
                };
                write!(f, "{driver} takes no {what} here ({errno}): ")?;
                match since {
                    Some(since) => write!(f, "it does since Linux {}", since.mainline()),
                    None => f.write_str(match kind {
                        Kind::Pages | Kind::DmaBuf => {
                            "no release of it does; register pages of the process instead"
                        }
                        Kind::Odp => "no release of it does; register without on-demand paging",
                    }),
                }
            }
            Self::NoTable { driver } => write!(
                f,
                "{driver} has no table: it maps the region at its virtual address in an IOMMU domain of its own, and registers it"
            ),
            Self::DriverBug {
                entries,
                size,
                errno,
                bug,
            } => write!(
                f,
                "{entries} pages of {size} would do, but the driver refuses them ({errno}). {bug}"
            ),
        }
    }
}

impl core::error::Error for Refusal {}
