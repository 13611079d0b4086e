//! What a watcher knows of its machine besides what it sees.

use std::{collections::HashMap, path::PathBuf};

use umem_core::{
    kernel::KernelRules,
    scenario::{IommuSpec, KernelSpec},
    size::{Bytes, PageSize},
};

use crate::{pagemap::kernel_page, recording::running, sysfs};

/// A device, as far as its folder in sysfs tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// The catalogue's name of its driver.
    pub driver: Option<&'static str>,
    /// The catalogue's name of its IOMMU.
    pub iommu: Option<&'static str>,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    /// The kernel's page.
    pub page: PageSize,
    /// The kernel's rules, or why they are not known.
    pub rules: Result<KernelRules, String>,
    /// `uname -r`.
    pub release: String,
    /// The kernel as scenarios have it.
    kernel: KernelSpec,
    root: PathBuf,
    devices: HashMap<String, Facts>,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let page = kernel_page();
        let mut kernel = KernelSpec {
            page_size: Bytes(page.bytes()),
            ..KernelSpec::default()
        };
        if let Ok(name) = running::name() {
            kernel.set_release(name);
        }
        let release = rustix::system::uname();
        Self {
            page,
            rules: running::rules(),
            release: release.release().to_string_lossy().into_owned(),
            kernel,
            root: PathBuf::from("/"),
            devices: HashMap::new(),
        }
    }

    /// The kernel as scenarios have it.
    pub fn kernel(&self) -> KernelSpec {
        self.kernel.clone()
    }

    /// What is known of the device of this name, which may have come since.
    pub fn device(&mut self, name: &str) -> Facts {
        if !self.devices.contains_key(name) {
            let facts = |device: sysfs::RdmaDevice| {
                let iommu = match device.iommu.mode() {
                    IommuSpec::OFF | "identity" => None,
                    _ => device.iommu.unit(),
                };
                let driver = device.driver;
                (device.name, Facts { driver, iommu })
            };
            self.devices = sysfs::devices(&self.root).into_iter().map(facts).collect();
            // What has no folder is not looked for each time.
            self.devices.entry(name.to_owned()).or_default();
        }
        self.devices[name].clone()
    }
}

impl Machine {
    /// Against what is compared, in words.
    pub fn known(&self) -> String {
        match &self.rules {
            Ok(rules) => format!(
                " Linux {}, held against the rules of {}",
                self.release, rules.name
            ),
            Err(why) => format!(" Linux {}, without comparing: {why}", self.release),
        }
    }
}
