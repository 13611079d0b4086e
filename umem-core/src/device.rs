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

mod access;
mod bnxt_re;
mod cxgb4;
mod driven;
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
mod profile;
mod qedr;
mod rxe;
mod siw;
mod traits;
mod usnic;
mod vmw_pvrdma;

pub use access::{Access, OnDemand, RefusedAccess};
pub use driven::Device;
pub use profile::DeviceProfile;
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

/// The driver of that name.
pub fn find(name: &str) -> Option<&'static DeviceProfile> {
    CATALOGUE
        .iter()
        .find(|profile| profile.name == name)
        .copied()
}

#[cfg(test)]
mod tests;
