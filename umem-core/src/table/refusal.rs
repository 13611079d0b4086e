//! Why there is no table: what the kernel or the device refuses.
//!
//! A new reason is a variant of [`Refusal`], its [code](Refusal::code) and its sentence, all in this file.

use super::{DriverBug, KernelBug};
use crate::{
    address::DmaAddr,
    gate::{Errno, Gate, GateAnswer},
    iommu::MapError,
    size::{Bytes, PageSize, PageSizes},
};
use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
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
    /// The region is longer than the device registers at once in blocks of the size that was chosen.
    TooLong {
        /// The region's length.
        length: u64,
        /// The device's limit.
        most: u64,
        /// The size of those blocks.
        block: PageSize,
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
    /// A gate before the SG list refuses the region.
    Stopped(Box<GateAnswer>),
    /// The region registers, but the driver keeps no table.
    NoTable {
        /// The driver.
        driver: &'static str,
    },
    /// The driver refuses what a correct one would register.
    DriverBug {
        /// How many entries would do.
        entries: u64,
        /// Their size.
        size: PageSize,
        /// Where the registration stops.
        gate: Gate,
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
            Self::Stopped(answer) => match answer.code {
                Some(code) => code,
                None => "refused",
            },
            Self::NoTable { .. } => "no-table",
            Self::DriverBug { .. } => "driver-bug",
        }
    }

    /// Where the registration stops, if that is known.
    pub const fn gate(&self) -> Option<Gate> {
        match self {
            Self::Map { .. } => Some(Gate::Map),
            Self::Stopped(answer) => Some(answer.gate),
            // Limits of a page size are checked when the driver has chosen one.
            Self::TooLong { .. }
            | Self::NoneFits { .. }
            | Self::NoSizes
            | Self::NoExactTiling { .. } => Some(Gate::PageSize),
            Self::DriverBug { gate, .. } => Some(*gate),
            Self::TooManyEntries { gate, .. } => Some(*gate),
            Self::NoTable { .. } => None,
        }
    }

    /// What the program sees, if that is known.
    pub const fn errno(&self) -> Option<Errno> {
        match self {
            Self::Map { errno, .. }
            | Self::TooLong { errno, .. }
            | Self::DriverBug { errno, .. }
            | Self::TooManyEntries { errno, .. } => Some(*errno),
            Self::NoneFits { errno, .. } => *errno,
            Self::Stopped(answer) => answer.errno,
            _ => None,
        }
    }

    /// Where the registration stops and what the program sees: "refused at memlock (EPERM)"; `None` where it registers without a table.
    pub fn stopped_at(&self) -> Option<String> {
        let gate = self.gate()?.name();
        Some(match (self, self.errno()) {
            (_, Some(errno)) => format!("refused at {gate} ({errno})"),
            // No kernel has rules that refuse like this.
            (Self::NoSizes | Self::NoExactTiling { .. }, None) => format!("refused at {gate}"),
            (_, None) => format!("stopped at {gate}, without an errno"),
        })
    }

    /// Where the registration stops, with what errno, and why, in one line without the way out: "refused at page-size (EINVAL): …".
    pub fn stop(&self) -> String {
        let cause = self.cause();
        match self.stopped_at() {
            Some(place) => format!("{place}: {cause}"),
            None => cause,
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

impl Refusal {
    /// What is refused and why: a sentence without a full stop.
    pub fn cause(&self) -> String {
        match self {
            Self::Map { error, .. } => error.to_string(),
            Self::Stopped(answer) => answer.text.clone(),
            Self::TooLong {
                length,
                most,
                block,
                ..
            } => format!(
                "the device registers at most {} at once in pages of {block}, and the region has {}",
                Bytes(*most),
                Bytes(*length)
            ),
            Self::NoSizes => "the device offers no page size".into(),
            Self::NoneFits { sizes, errno, .. } => {
                let then = match errno {
                    Some(_) => "",
                    None => ", and this driver then divides by 0",
                };
                format!("none of the device's page sizes ({sizes}) fits the whole region{then}")
            }
            Self::NoExactTiling {
                smallest,
                holds,
                reach,
                pinned,
                reaches_before,
            } => {
                let outside = match reaches_before {
                    true => format!("begins at {reach}, before the pinned pages begin at {pinned}"),
                    false => format!("ends at {reach}, after the pinned pages end at {pinned}"),
                };
                format!(
                    "no exact tiling: the device's smallest page is {smallest}, and the {smallest} block that holds DMA address \
                     {holds} {outside}"
                )
            }
            Self::TooManyEntries {
                total, most, whose, ..
            } => {
                format!("the table would have {total} entries, and {whose} takes at most {most}")
            }
            Self::NoTable { driver } => format!(
                "{driver} has no table: it maps the region at its virtual address in an IOMMU domain of its own, and registers it"
            ),
            Self::DriverBug {
                entries, size, bug, ..
            } => format!("{entries} pages of {size} would do, but the driver refuses them. {bug}"),
        }
    }

    /// What would help; empty where the cause says it all.
    pub fn way_out(&self) -> String {
        match self {
            Self::Stopped(answer) => answer.way_out.clone().unwrap_or_default(),
            Self::TooLong { .. } => "split it".into(),
            Self::NoSizes => "give it at least one".into(),
            Self::NoneFits { .. } => {
                "back it with larger pages, align it, or let the device use smaller ones".into()
            }
            Self::NoExactTiling { smallest, .. } => {
                format!("align the region to {smallest}, or let the device use smaller pages")
            }
            Self::TooManyEntries { why, .. } => (*why).into(),
            Self::Map { .. } | Self::NoTable { .. } | Self::DriverBug { .. } => String::new(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Stopped(answer) = self {
            return answer.fmt(f);
        }
        f.write_str(&self.cause())?;
        if let Some(errno) = self.errno() {
            write!(f, " ({errno})")?;
        }
        match self.way_out() {
            way_out if way_out.is_empty() => Ok(()),
            way_out => write!(f, ": {way_out}"),
        }
    }
}

impl core::error::Error for Refusal {}
