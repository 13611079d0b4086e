//! What kernels and drivers got wrong.

use super::{Entries, Registration, Table};
use crate::{
    device::Symptoms,
    gate::Gate,
    kernel::{BlockIterator, Interior, KernelRules},
    scenario::Question,
    size::PageSize,
    table::{
        JoinedEntries, Refusal,
        single::{self, Choice, Single},
    },
};
use alloc::{format, string::String};

impl Registration {
    /// Whether kernel or driver make a table that translates addresses falsely.
    pub(crate) fn is_wrong(&self) -> bool {
        let bugs = |table: &Table| table.kernel_bug.is_some() || table.driver_bug.is_some();
        self.table.as_ref().is_ok_and(bugs)
    }

    /// What is wrong with blocks of `size` as an old kernel chose and walked them.
    pub(super) fn kernel_bug(&self, size: PageSize, walked: &Entries<'_>) -> Option<String> {
        let Question {
            mr, kernel, device, ..
        } = &self.question;
        let (rules, name) = (&kernel.rules, &kernel.name);
        let settled = rules.interior == Interior::Discontinuities
            && rules.iterator == BlockIterator::AcrossEntries64;
        // A driver that walks its blocks by itself meets none of the kernel's bugs.
        if settled || device.choice.walk(rules) != rules {
            return None;
        }
        if walked.is_endless() {
            return Some(format!(
                "Linux {} hangs here: its block iterator's 32-bit position never reaches the end of a segment",
                name
            ));
        }
        let seen = device.choice.seen(mr);
        if device.choice.is_best() && !single::is_sound(self.dma(), &seen, size) {
            return Some(format!(
                "Linux {} chose {size}, and pages of {size} translate some of the region's addresses falsely",
                name
            ));
        }
        let newest = Single::new(self.dma(), &seen, size, KernelRules::newest());
        let old = Single::new(self.dma(), &seen, size, rules);
        (!JoinedEntries::new(newest).eq(JoinedEntries::new(old))).then(|| {
            format!("Linux {} walks the {size} blocks of this list wrongly: its table has other addresses, or another number of them, than it must", name)
        })
    }

    /// What is wrong with `entries` blocks of `size` that the driver made.
    ///
    /// # Errors
    /// The driver refuses the region because of its bug.
    pub(super) fn driver_bug(
        &self,
        size: PageSize,
        entries: u64,
    ) -> Result<Option<String>, Refusal> {
        let Question { mr, device, .. } = &self.question;
        let Some(driver) = device.profile else {
            return Ok(None);
        };
        let symptoms = Symptoms {
            size,
            entries,
            blocks: single::block_count(mr, size),
            // Where the driver passes the NIC's address on, what is wrong is the kernel's.
            sound: device.choice == Choice::BEST || single::is_sound(self.dma(), mr, size),
            page: mr.page,
        };
        let Some(bug) = device.bugs().find(|bug| bug.when.strikes(&symptoms)) else {
            return Ok(None);
        };
        let mended = match (&bug.mended, device.release) {
            (Some(mended), Some(release)) => {
                format!("mended in Linux {}", mended.first_after(release))
            }
            (Some(mended), None) => format!("mended in Linux {mended}"),
            (None, _) => "not mended up to Linux 7.3".into(),
        };
        let text = format!("{}: {}; {mended}", driver.name, bug.about);
        let Some(errno) = bug.errno else {
            return Ok(Some(text));
        };
        Err(Refusal {
            driver_bug: Some(text.clone()),
            ..Refusal::new(
                "driver-bug",
                format_args!("{entries} pages of {size} would do, but the driver refuses them ({errno}). {text}"),
            )
            .at(Gate::Driver, errno)
        })
    }
}
