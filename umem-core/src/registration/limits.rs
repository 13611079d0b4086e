//! What the device refuses: a region that is too long, a table with too many entries.

use super::lists::Lists;
use crate::{
    device::Scope,
    kernel::NoneFits,
    size::PageSize,
    table::{KernelBug, Refusal, memory::Layout},
};

impl Lists {
    /// Whether the gates before the SG list let the region through, and there is a table behind them.
    pub(super) fn is_let_through(&self) -> Result<(), Refusal> {
        if let Some(refusal) = self.stopped() {
            return Err(refusal.clone());
        }
        let device = self.question.device();
        match (device.layout, device.profile) {
            (Layout::None, Some(driver)) => Err(Refusal::NoTable {
                driver: driver.name,
            }),
            _ => Ok(()),
        }
    }

    /// Whether the device takes a region of this length in blocks of `block`.
    pub(super) fn length_fits(&self, block: PageSize) -> Result<(), Refusal> {
        let length = self.question.mr().length;
        let mut limits = self.question.device().length_limits.iter();
        match limits.find(|limit| limit.block == Some(block) && length > limit.most) {
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
