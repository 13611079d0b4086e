//! What `query_device` tells, and how much of that can be believed.

use serde::Serialize;
use umem_core::{
    device::DeviceProfile,
    kernel::Release,
    size::{Bytes, PageSizes},
};

use crate::{missing::Missing, nic::Advertised, recording::running, sysfs::RdmaDevice};

/// What a device advertises, and how much of that can be believed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Limits {
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// The longest region in bytes; `None`: it names no limit.
    pub max_mr_size: Option<u64>,
    /// Whether its driver refuses longer ones. What does not is advice.
    pub max_mr_size_is_enforced: bool,
    /// The most regions.
    pub max_mr: u64,
    /// The page sizes that it names, in bytes, ascending.
    pub page_sizes: Vec<u64>,
    /// Whether its tables use them all.
    pub page_sizes_are_used: bool,
    /// What else is to be known of these.
    pub notes: Vec<String>,
}

/// Drivers whose `page_size_cap` is what `ib_umem_find_best_pgsz()` gets [linux 7.2, read]; hns since 6.9.
const TRUTHFUL: &[&str] = &[
    "bnxt_re",
    "irdma",
    "irdma-x722",
    "erdma",
    "mana_ib",
    "ionic",
    "efa",
    "hns",
];
/// Drivers that refuse longer regions than `max_mr_size`.
const ENFORCED: &[&str] = &[
    "efa",
    "erdma",
    "irdma",
    "irdma-x722",
    "vmw_pvrdma",
    "bnxt_re",
];

impl Limits {
    /// What is `told` of a device of this driver, on this kernel.
    pub fn new(told: Advertised, driver: Option<&DeviceProfile>, release: Option<Release>) -> Self {
        let is_among = |list: &[&str]| driver.is_some_and(|driver| list.contains(&driver.name));
        let fixed = driver.is_some_and(|driver| driver.takes_the_kernel_page(release));
        let no_table = driver.is_some_and(|driver| driver.virt_dma);
        let used = is_among(TRUTHFUL) && !fixed;
        let mut notes = Vec::new();
        if no_table {
            notes.push("a device of software: it has no table, and names any size".to_owned());
        } else if fixed {
            notes.push(
                "its driver takes the kernel's page alone, whatever sizes it names".to_owned(),
            );
        } else if !used {
            notes.push(
                "its driver chooses among other sizes than it names: umem list devices says which"
                    .to_owned(),
            );
        }
        if driver.is_some_and(|driver| driver.name.starts_with("irdma")) {
            notes.push("the number of regions is what is left, not what there is".to_owned());
        }
        let enforced = is_among(ENFORCED);
        let max_mr_size = Some(told.max_mr_size).filter(|size| *size != 0 && *size < 1 << 63);
        if max_mr_size.is_some() && !enforced {
            notes.push(
                "the longest region is advice: its driver registers longer ones. To find the real limit: --limits".to_owned(),
            );
        }
        Self {
            firmware: told.firmware,
            max_mr_size,
            max_mr_size_is_enforced: enforced,
            max_mr: told.max_mr,
            page_sizes: PageSizes::from_bits(told.page_size_cap)
                .iter()
                .map(|size| size.bytes())
                .collect(),
            page_sizes_are_used: used,
            notes,
        }
    }

    /// The page sizes in words: "4K 2M 1G", or "4K to 2G" where none is left out.
    pub fn page_sizes_in_words(&self) -> String {
        let words = |size: &u64| Bytes(*size).to_string();
        match self.page_sizes.as_slice() {
            [] => "none named".to_owned(),
            [first, .., last]
                if last / first == 1 << (self.page_sizes.len() - 1)
                    && self.page_sizes.len() > 3 =>
            {
                format!("{} to {}, each power of two", words(first), words(last))
            }
            sizes => sizes.iter().map(words).collect::<Vec<_>>().join(" "),
        }
    }
}

/// What the device tells.
pub fn of(device: &RdmaDevice) -> Result<Limits, Missing> {
    let told = advertised(&device.name)?;
    let driver = device.driver.and_then(umem_core::device::find);
    Ok(Limits::new(told, driver, running::release()))
}

#[cfg(feature = "rdma")]
fn advertised(name: &str) -> Result<Advertised, Missing> {
    crate::verbs::Bare::open(name)?.advertised()
}

#[cfg(not(feature = "rdma"))]
fn advertised(_name: &str) -> Result<Advertised, Missing> {
    Err(Missing::verbs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(driver: &str, max_mr_size: u64, page_size_cap: u64) -> Limits {
        let told = Advertised {
            firmware: None,
            max_mr_size,
            max_mr: 1 << 20,
            page_size_cap,
        };
        Limits::new(told, umem_core::device::find(driver), None)
    }

    #[test]
    fn what_can_be_believed_depends_on_the_driver() {
        let ionic = limits("ionic", 2 << 30, 0x4020_1000);
        assert!(ionic.page_sizes_are_used && !ionic.max_mr_size_is_enforced);
        assert_eq!(ionic.page_sizes_in_words(), "4K 2M 1G");
        assert!(
            ionic.notes.iter().any(|note| note.contains("advice")),
            "{ionic:?}"
        );
        let efa = limits("efa", 96 << 30, 0x4020_1000);
        assert!(
            efa.max_mr_size_is_enforced && efa.notes.is_empty(),
            "{efa:?}"
        );
        // It advertises sizes that it never uses.
        let qedr = limits("qedr", 1 << 40, 0xffff_f000);
        assert!(!qedr.page_sizes_are_used);
        assert!(qedr.notes[0].contains("kernel's page alone"), "{qedr:?}");
        let mlx5 = limits("mlx5", u64::MAX, !0xfff);
        assert_eq!(mlx5.max_mr_size, None);
        assert!(mlx5.notes[0].contains("other sizes"), "{mlx5:?}");
        assert_eq!(mlx5.page_sizes_in_words(), "4K to 8192P, each power of two");
        let rxe = limits("rxe", 0, 0);
        assert_eq!(rxe.page_sizes_in_words(), "none named");
        assert!(rxe.notes[0].contains("software"), "{rxe:?}");
    }
}
