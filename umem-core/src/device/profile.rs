//! A driver: what it does in each release.

use super::{Bug, Change, Traits};
use crate::{
    kernel::{Release, Since},
    table::{Policy, single::Choice},
};

/// An RDMA driver of Linux.
#[derive(Debug)]
pub struct DeviceProfile {
    /// The driver's name, and the device's in scenarios.
    pub name: &'static str,
    /// Whose device it is.
    pub title: &'static str,
    /// What the driver calls its table.
    pub table: &'static str,
    /// What the table costs beyond its entries, in words.
    pub layout: &'static str,
    /// Whether "DMA addresses" are kernel virtual ones: software devices never see an IOMMU.
    pub virt_dma: bool,
    /// The first release that has the driver; `None` if that is older than the rules here.
    pub first: Option<Since>,
    /// What it does in its first release, or in 5.2.
    pub base: Traits,
    /// What later releases changed, oldest first.
    pub changes: &'static [Change],
    /// The bugs that it has or had.
    pub bugs: &'static [Bug],
}

impl DeviceProfile {
    /// The policy of every driver in mainline.
    pub const POLICY: Policy = Policy::Single;

    /// Whether `release` has the driver; `None` is the newest.
    pub fn is_in(&self, release: Option<Release>) -> bool {
        match (&self.first, release) {
            (Some(first), Some(release)) => first.is_in(release),
            _ => true,
        }
    }

    /// What the driver does in `release`; `None` is the newest.
    pub fn traits(&self, release: Option<Release>) -> Traits {
        let has = |change: &&Change| release.is_none_or(|release| change.since.is_in(release));
        let changes = self.changes.iter().filter(has);
        changes.fold(self.base, |traits, change| (change.apply)(traits))
    }

    /// Whether it takes the kernel's page in `release`, whatever the memory.
    pub fn takes_the_kernel_page(&self, release: Option<Release>) -> bool {
        matches!(
            self.traits(release).choice,
            Choice::KernelPage | Choice::PagesOfLength
        )
    }
}
