//! What a device of this machine says of itself and of its live regions, and what it does not say.
//!
//! | module | what it does |
//! |---|---|
//! | [`limits`] | what `query_device` tells, and how much of that can be believed |
//! | [`regions`] | live regions by netlink, and the processes that own them |
//! | [`translation`], [`vtd`] | the IOMMU between it and the memory; VT-d's own tables |
//! | [`search`], `memory` | the real limits, found by registering |
//! | [`mod@file`] | all that as a device of scenarios |

mod file;
mod limits;
#[cfg(feature = "rdma")]
mod memory;
mod regions;
mod search;
mod translation;
mod vtd;

use std::path::Path;

use serde::Serialize;

use crate::{
    missing::Missing,
    nldev::{self, Nldev, Pool},
    sysfs::{self, RdmaDevice},
};

pub use file::device_file;
pub use limits::Limits;
#[cfg(feature = "rdma")]
pub use memory::search_device;
pub use regions::{Live, LiveRegion, Pins, live};
pub use search::{Found, Refused, Searched};
pub use translation::Translation;

/// All that is known of one device.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// What this machine calls it.
    pub device: String,
    /// The catalogue's name of its driver.
    pub driver: Option<&'static str>,
    /// What the kernel calls the driver of its hardware.
    pub hardware_driver: Option<String>,
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// `uname -r`.
    pub kernel: String,
    /// What it advertises; `None`: `not_told` says why.
    pub limits: Option<Limits>,
    /// Its live regions; `None`: `not_told` says why.
    pub regions: Option<Vec<LiveRegion>>,
    /// The processes that own some of these.
    pub processes: Vec<Pins>,
    /// Regions that wait to be used again.
    pub pools: Vec<Pool>,
    /// Between it and the memory.
    pub iommu: Translation,
    /// What was found by registering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// What could not be known, and how it could.
    pub not_told: Vec<String>,
}

/// The device called `name`, or the first.
///
/// # Errors
/// There is none, or none of that name.
pub fn choose(root: &Path, name: Option<&str>) -> Result<RdmaDevice, Missing> {
    let devices = sysfs::devices(root);
    let names: Vec<_> = devices.iter().map(|device| device.name.clone()).collect();
    let found = match name {
        Some(name) => devices.into_iter().find(|device| device.name == name),
        None => devices.into_iter().next(),
    };
    found.ok_or_else(|| match name {
        Some(name) if !names.is_empty() => Missing::device(
            format!("an RDMA device named {name}"),
            format!("one of: {}", names.join(", ")),
        ),
        _ => Missing::rdma_device(true),
    })
}

/// Looks at `device` without changing anything.
pub fn inspect(root: &Path, device: &RdmaDevice) -> Inspection {
    let mut not_told = Vec::new();
    let limits = limits::of(device);
    let limits = limits.map_err(|missing| {
        not_told.push(format!(
            "limits (query_device): needs {}; {}",
            missing.what, missing.way_out
        ));
    });
    let mut inspection = Inspection {
        device: device.name.clone(),
        driver: device.driver,
        hardware_driver: device.hardware_driver.clone(),
        firmware: limits
            .as_ref()
            .ok()
            .and_then(|limits| limits.firmware.clone()),
        kernel: rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned(),
        limits: limits.ok(),
        regions: None,
        processes: Vec::new(),
        pools: Vec::new(),
        iommu: translation::of(root, &device.iommu, &mut not_told),
        found: None,
        not_told,
    };
    if let Err(error) = inspection.ask() {
        let way_out = match error.raw_os_error() {
            Some(libc::EPROTONOSUPPORT) => "modprobe ib_core",
            _ => "rdma resource show mr",
        };
        let told = format!("live regions (rdma netlink): {error}; see: {way_out}");
        inspection.not_told.push(told);
    }
    inspection
}

impl Inspection {
    /// Asks by netlink.
    fn ask(&mut self) -> std::io::Result<()> {
        let mut kernel = Nldev::open()?;
        let devices = kernel.devices()?;
        let Some(device) = devices
            .into_iter()
            .find(|device| device.name == self.device)
        else {
            let why = format!(
                "live regions: {} is not in this network namespace; see: rdma system, ip netns exec",
                self.device
            );
            self.not_told.push(why);
            return Ok(());
        };
        let nldev::Device {
            index, firmware, ..
        } = device;
        self.firmware = self.firmware.take().or(firmware);
        let live = live(&mut kernel, index, self.driver)?;
        self.not_told.extend(live.not_told);
        self.processes = live.processes;
        self.regions = Some(live.regions);
        match kernel.pools(index) {
            Ok(pools) => self.pools = pools,
            Err(error) => self.not_told.push(format!(
                "pools of regions that wait to be used again: Linux before 7.1 tells none ({error})"
            )),
        }
        Ok(())
    }
}
