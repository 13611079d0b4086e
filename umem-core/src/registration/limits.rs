//! What the device refuses: a driver that is not there, a region that is too long, a table with too many entries.

use super::lists::Lists;
use crate::{
    device::{DmaBufs, Scope, Traits},
    gate::Errno,
    kernel::{NoneFits, Since},
    memory::Kind,
    size::PageSize,
    table::{KernelBug, Refusal, memory::Layout},
};

/// Since when `ib_check_mr_access()` tells that a device has no on-demand paging from wrong flags: between 6.1.192, whose `EINVAL` was
/// measured, and 6.12.95.
const ON_DEMAND_EOPNOTSUPP: Since = Since::new(6, 2);

impl Lists {
    /// A kernel without the driver registers nothing, and usnic has no table to speak of.
    pub(super) fn driver_is_there(&self) -> Result<(), Refusal> {
        let device = self.question.device();
        if let (Some(driver), Some(release)) = (device.missing(), device.release) {
            return Err(Refusal::NotInThisKernel {
                driver: driver.name,
                release,
                first: driver.first,
            });
        }
        self.kind_is_taken()?;
        match (device.layout, device.profile) {
            (Layout::None, Some(driver)) => Err(Refusal::NoTable {
                driver: driver.name,
            }),
            _ => Ok(()),
        }
    }

    /// Whether the driver takes memory of this kind.
    fn kind_is_taken(&self) -> Result<(), Refusal> {
        let (device, kind) = (self.question.device(), self.question.kind());
        let taken = |traits: &Traits| match kind {
            Kind::Pages => true,
            Kind::DmaBuf => traits.dma_buf != DmaBufs::Refused,
            Kind::Odp => traits.odp,
        };
        let Some(driver) = device.profile else {
            return Ok(());
        };
        if taken(&driver.traits(device.release)) {
            return Ok(());
        }
        let later = driver.changes.iter().filter(|change| {
            let release = change.since.mainline();
            taken(&driver.traits(Some(release)))
        });
        Err(Refusal::KindNotTaken {
            driver: driver.name,
            kind,
            since: later.map(|change| change.since).next(),
            errno: match device.release {
                Some(release) if kind == Kind::Odp && !ON_DEMAND_EOPNOTSUPP.is_in(release) => {
                    Errno::Einval
                }
                _ => Errno::Eopnotsupp,
            },
        })
    }

    /// Whether the device takes a region of this length in blocks of `block`; `None` is before any block is known.
    pub(super) fn length_fits(&self, block: Option<PageSize>) -> Result<(), Refusal> {
        let length = self.question.mr().length;
        let mut limits = self.question.device().length_limits.iter();
        match limits.find(|limit| limit.block == block && length > limit.most) {
            None => Ok(()),
            Some(limit) => Err(Refusal::TooLong {
                length,
                most: limit.most,
                block,
                errno: limit.errno,
            }),
        }
    }

    /// Whether a table of `total` entries can be made.
    pub(super) fn entries_fit(&self, total: u64) -> Result<(), Refusal> {
        let page = self.question.mr().page;
        let limits = self.question.device().entry_limits.iter();
        let exceeded = limits.filter(|limit| total > limit.entries(page));
        // What comes first stops the registration.
        match exceeded.min_by_key(|limit| (limit.gate, limit.entries(page))) {
            None => Ok(()),
            Some(limit) => Err(Refusal::TooManyEntries {
                total,
                most: limit.entries(page),
                whose: match limit.scope {
                    Scope::Region => "one table",
                    Scope::Device => "the device",
                    Scope::FirstTry => "a first attempt",
                },
                gate: limit.gate,
                errno: limit.errno,
                why: limit.why,
            }),
        }
    }

    /// The size that the driver takes for all blocks, or why there is none.
    pub(super) fn best_page_size(&self) -> Result<PageSize, Refusal> {
        let (device, rules) = (self.question.device(), self.question.rules());
        self.single_size(|_| ()).ok_or_else(|| Refusal::NoneFits {
            sizes: device.page_sizes,
            errno: device.none_fits,
            bug: (rules.none_fits == NoneFits::Undefined).then(|| KernelBug::Undefined {
                kernel: self.question.kernel().name.clone(),
            }),
        })
    }
}
