//! What kernels and drivers got wrong.

use super::{Registration, lists::Lists};
use crate::{
    device::Symptoms,
    kernel::{BlockIterator, Interior, KernelRules},
    size::PageSize,
    table::{
        DriverBug, JoinedEntries, KernelBug, Mr, Refusal,
        single::{self, Choice, Single},
    },
};

impl Registration {
    /// Whether kernel or driver make a table that translates addresses falsely.
    pub(crate) fn is_wrong(&self) -> bool {
        self.table()
            .is_ok_and(|table| table.kernel_bug.is_some() || table.driver_bug.is_some())
    }
}

impl Lists {
    /// What is wrong with blocks of `size` as an old kernel chose and walked them; `endless`: its walk never ends. `mr` is the region, or as
    /// much of it as shows that.
    pub(super) fn kernel_bug(&self, mr: &Mr, size: PageSize, endless: bool) -> Option<KernelBug> {
        let (choice, rules) = (self.question.device().choice, self.question.rules());
        let settled = rules.interior == Interior::Discontinuities
            && rules.iterator == BlockIterator::AcrossEntries64;
        // A driver that walks its blocks by itself meets none of the kernel's bugs.
        if settled || choice.walk(rules) != rules {
            return None;
        }
        let kernel = self.question.kernel().name.clone();
        if endless {
            return Some(KernelBug::Hangs { kernel });
        }
        let seen = choice.seen(mr);
        if choice.is_best() && !single::is_sound(self.dma_of(mr), &seen, size) {
            return Some(KernelBug::WrongSize { kernel, size });
        }
        let newest = Single::new(self.dma_of(mr), &seen, size, KernelRules::newest());
        let old = Single::new(self.dma_of(mr), &seen, size, rules);
        (!JoinedEntries::new(newest).eq(JoinedEntries::new(old)))
            .then_some(KernelBug::WrongBlocks { kernel, size })
    }

    /// What is wrong with `entries` blocks of `size` that the driver made.
    ///
    /// # Errors
    /// The driver refuses the region because of its bug.
    pub(super) fn driver_bug(
        &self,
        size: PageSize,
        entries: u64,
    ) -> Result<Option<DriverBug>, Refusal> {
        let (mr, device) = (self.question.mr(), self.question.device());
        let Some(driver) = device.profile else {
            return Ok(None);
        };
        let symptoms = Symptoms {
            size,
            entries,
            blocks: single::block_count(mr, size),
            // If the driver passes the NIC's address on, the kernel is at fault.
            sound: device.choice == Choice::BEST
                || single::is_sound(self.dma_of(&self.walked()), mr, size),
            page: mr.page,
        };
        let Some(bug) = device.bugs().find(|bug| bug.when.strikes(&symptoms)) else {
            return Ok(None);
        };
        let told = DriverBug {
            driver: driver.name,
            about: bug.about,
            mended: bug.mended,
            release: device.release,
        };
        match bug.errno {
            None => Ok(Some(told)),
            Some(errno) => Err(Refusal::DriverBug {
                entries,
                size,
                gate: bug.when.gate(),
                errno,
                bug: told,
            }),
        }
    }
}
