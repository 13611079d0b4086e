//! What the device refuses: what it has not, what is too long, what has too many entries.

use super::Registration;
use crate::{
    device::Scope,
    gate::{Errno, Gate},
    kernel::NoneFits,
    scenario::Question,
    size::{Bytes, PageSize},
    table::{Refusal, memory::Layout},
};
use alloc::{format, string::String};

impl Registration {
    /// A kernel without the driver registers nothing, and usnic has no table to speak of.
    pub(super) fn driver_is_there(&self) -> Result<(), Refusal> {
        let device = &self.question.device;
        if let (Some(driver), Some(release)) = (device.missing(), device.release) {
            let since = driver.first.map_or(String::new(), |first| {
                format!(": it came with Linux {}", first.first_after(release))
            });
            return Err(Refusal::new(
                "not-in-this-kernel",
                format_args!("Linux {release} has no {}{since}", driver.name),
            ));
        }
        match (device.layout, device.profile) {
            (Layout::None, Some(driver)) => Err(Refusal::new(
                "no-table",
                format_args!(
                    "{} has no table: it maps the region at its virtual address in an IOMMU domain of its own, and registers it",
                    driver.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Whether the device takes a region of this length in blocks of `block`; `None` is before any block is known.
    pub(super) fn length_fits(&self, block: Option<PageSize>) -> Result<(), Refusal> {
        let Question { device, mr, .. } = &self.question;
        let limit = device
            .length_limits
            .iter()
            .find(|limit| limit.block == block && mr.length > limit.most);
        let Some(limit) = limit else {
            return Ok(());
        };
        let blocks = block.map_or(String::new(), |size| format!(" in pages of {size}"));
        Err(Refusal::new(
            "too-long",
            format_args!(
                "the device registers at most {} at once{blocks}, and the region has {}: split it",
                Bytes(limit.most),
                Bytes(mr.length)
            ),
        )
        .at(Gate::Driver, limit.errno))
    }

    /// Whether a table of `total` entries can be made.
    pub(super) fn entries_fit(&self, total: u64) -> Result<(), Refusal> {
        let Question { device, mr, .. } = &self.question;
        let most = |limit: &&crate::device::EntryLimit| limit.entries(mr.page);
        let exceeded = device
            .entry_limits
            .iter()
            .filter(|limit| total > most(limit));
        // What comes first stops the registration.
        let Some(limit) = exceeded.min_by_key(|limit| (limit.gate, most(limit))) else {
            return Ok(());
        };
        let scope = match limit.scope {
            Scope::Region => "one table",
            Scope::Device => "the device",
            Scope::FirstTry => "a first attempt",
        };
        Err(Refusal::new(
            "too-many-entries",
            format_args!(
                "the table would have {total} entries, and {scope} takes at most {} ({}): {}",
                limit.entries(mr.page),
                limit.errno,
                limit.why
            ),
        )
        .at(limit.gate, limit.errno))
    }

    /// The size that the driver takes for all blocks, or why there is none.
    pub(super) fn best_page_size(&self) -> Result<PageSize, Refusal> {
        let Question { device, kernel, .. } = &self.question;
        self.single_size(|_| ()).ok_or_else(|| {
            let errno = device.none_fits;
            let sizes = device.page_sizes;
            Refusal {
                kernel_bug: (kernel.rules.none_fits == NoneFits::Undefined).then(|| {
                    format!("Linux {} computes rounddown_pow_of_two(0) here, which C leaves undefined", kernel.name)
                }),
                driver_bug: errno.is_none().then(|| {
                    "the driver does not check that a size was found, and divides by 0".into()
                }),
                ..Refusal::new(
                    "no-page-size",
                    format_args!(
                        "none of the device's page sizes ({sizes}) fits the whole region, and drivers then refuse it ({}): back it with \
                         larger pages, align it, or let the device use smaller ones",
                        errno.unwrap_or(Errno::Einval)
                    ),
                )
                .at(Gate::PageSize, errno)
            }
        })
    }
}
