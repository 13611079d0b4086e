//! The drivers of Linux as data, by release: which page sizes they use, how they choose one, what limits them, how their
//! tables lie in memory.
//!
//! One file a driver: `device/mlx5.rs` says what mlx5 does in its first release that matters here, what each later release
//! changed ([`Change`]) and which bugs it had when ([`Bug`]), each with its file and function in the kernel. A new driver is a
//! new file and its line in [`CATALOGUE`].
//!
//! Where a device's firmware reports a value at run time, the one here is assumed, and says so in [`Traits::assumed`]; a scenario
//! can override it.
//!
//! ```
//! use umem_core::{device, kernel::Release};
//! let bnxt = device::find("bnxt_re").unwrap();
//! assert_eq!(bnxt.traits(Some(Release::new(5, 15, 0))).page_sizes.to_string(), "4K 2M");
//! assert_eq!(bnxt.traits(None).page_sizes.largest().unwrap().to_string(), "1G");
//! ```

use crate::{
    kernel::{Release, Since},
    table::{Policy, single::Choice},
};

mod access;
mod bnxt_re;
mod cxgb4;
mod efa;
mod erdma;
mod hfi1;
mod hns;
mod ionic;
mod irdma;
mod irdma_x722;
mod mana_ib;
mod mlx4;
mod mlx5;
mod mlx5_data_direct;
mod mthca;
mod ocrdma;
mod qedr;
mod rxe;
mod siw;
mod traits;
mod usnic;
mod vmw_pvrdma;

pub use access::{Access, OnDemand, RefusedAccess};
pub use traits::{
    Bug, Change, DmaBufs, EntryLimit, LengthLimit, Most, Scope, Symptoms, Traits, When,
};

/// The devices that a scenario can name.
pub static CATALOGUE: &[&DeviceProfile] = &[
    &mlx5::DRIVER,
    &mlx5_data_direct::DRIVER,
    &mlx4::DRIVER,
    &bnxt_re::DRIVER,
    &irdma::DRIVER,
    &irdma_x722::DRIVER,
    &efa::DRIVER,
    &hns::DRIVER,
    &erdma::DRIVER,
    &mana_ib::DRIVER,
    &ionic::DRIVER,
    &qedr::DRIVER,
    &ocrdma::DRIVER,
    &cxgb4::DRIVER,
    &mthca::DRIVER,
    &vmw_pvrdma::DRIVER,
    &usnic::DRIVER,
    &hfi1::DRIVER,
    &siw::DRIVER,
    &rxe::DRIVER,
];

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

/// The driver of that name.
pub fn find(name: &str) -> Option<&'static DeviceProfile> {
    CATALOGUE
        .iter()
        .find(|profile| profile.name == name)
        .copied()
}

#[cfg(test)]
mod tests;
