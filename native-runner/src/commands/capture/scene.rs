//! What a capture is taken for: the machine's device and IOMMU, or those that were asked for.

use std::{fmt, path::Path, time::SystemTime};

use umem_core::{
    capture::{Assumed, Provenance},
    device, iommu,
    scenario::{DeviceSpec, IommuSpec, KernelSpec},
    size::Bytes,
};

use crate::{
    recording::running,
    sysfs::{self, RdmaDevice},
};

/// The device of captures on machines that show none.
const DEFAULT_DEVICE: &str = "mlx5";

/// Device and IOMMU.
#[derive(Debug)]
pub struct Scene {
    device: String,
    iommu: String,
    /// The RDMA device of this machine, if there is one.
    here: Option<RdmaDevice>,
    /// This kernel's page and release.
    kernel: KernelSpec,
    /// What nobody said and the machine did not show.
    assumed: Assumed,
}

impl Scene {
    /// Of the machine whose `/` is `root`. `device` is one of this machine or of the catalogue, `iommu` one of the
    /// catalogue or "off". With `scrub`, no sentence names a device of this machine.
    ///
    /// # Errors
    /// Names that are unknown, and what the machine does not tell: in words, with the option that answers.
    pub fn find(
        root: &Path,
        device: Option<&str>,
        iommu: Option<&str>,
        scrub: bool,
    ) -> Result<Self, String> {
        let mut devices = sysfs::devices(root);
        let mut assumed = Assumed::default();
        let named = |wanted: &str| devices.iter().position(|device| device.name == wanted);
        let (here, model) = match device {
            None => {
                let (index, choice) = preferred(&devices, scrub);
                assumed.device = choice;
                (index, None)
            }
            Some(wanted) => match (named(wanted), device::find(wanted)) {
                (Some(index), _) => (Some(index), None),
                (None, Some(profile)) => (None, Some(profile.name)),
                (None, None) => return Err(unknown_device(wanted, &devices)),
            },
        };
        let here = here.map(|index| devices.swap_remove(index));
        let device = match (&here, model) {
            (Some(here), _) => here.driver.ok_or_else(|| unknown_driver(here))?,
            (None, Some(model)) => model,
            (None, None) => {
                assumed.device = Some(format!(
                    "the device is {DEFAULT_DEVICE}, because no RDMA device is visible here (--device says another)"
                ));
                DEFAULT_DEVICE
            }
        };
        let iommu = match (iommu, &here) {
            (Some(name), _) if name == IommuSpec::OFF || iommu::find(name).is_some() => name,
            (Some(name), _) => return Err(unknown_iommu(name)),
            (None, Some(here)) => here.iommu.scenario_name().map_err(|why| {
                format!(
                    "{}: {why}; --iommu says it: off, {}",
                    here.name,
                    iommu_names()
                )
            })?,
            (None, None) => {
                assumed.iommu = Some(format!(
                    "there is no IOMMU, because {device} is not a device of this machine (--iommu says another)"
                ));
                IommuSpec::OFF
            }
        };
        let mut kernel = KernelSpec {
            page_size: Bytes(rustix::param::page_size() as u64),
            ..KernelSpec::default()
        };
        match running::name() {
            Ok(name) => kernel.set_release(name),
            Err(why) => {
                assumed.rules = Some(format!(
                    "the kernel follows the rules of Linux {}, the newest known, because {why} (umem plan --release takes \
                     others)",
                    kernel.rules
                ));
            }
        }
        Ok(Self {
            device: device.to_owned(),
            iommu: iommu.to_owned(),
            here,
            kernel,
            assumed,
        })
    }

    /// Whose table.
    pub fn device(&self) -> DeviceSpec {
        DeviceSpec::Name(self.device.clone())
    }

    /// What stands between.
    pub fn iommu(&self) -> IommuSpec {
        IommuSpec::Name(self.iommu.clone())
    }

    /// This kernel's pages and rules.
    pub fn kernel(&self) -> KernelSpec {
        self.kernel.clone()
    }

    /// Where and when, now; without the device's name if `scrub` is set.
    pub fn provenance(&self, scrub: bool) -> Provenance {
        let now = SystemTime::now();
        let here = self.here.as_ref();
        Provenance {
            kernel: rustix::system::uname()
                .release()
                .to_string_lossy()
                .into_owned(),
            page_size: Bytes(rustix::param::page_size() as u64),
            device: here.filter(|_| !scrub).map(|here| here.name.clone()),
            iommu_mode: here.map(|here| here.iommu.mode().to_owned()),
            time: humantime::format_rfc3339_seconds(now).to_string(),
            assumed: self.assumed.clone(),
            ..Provenance::default()
        }
    }
}

/// The first device with an active port, or else the first; and that it was a choice, if it was one.
fn preferred(devices: &[RdmaDevice], scrub: bool) -> (Option<usize>, Option<String>) {
    let active = devices.iter().position(RdmaDevice::is_active);
    let Some(index) = active.or((!devices.is_empty()).then_some(0)) else {
        return (None, None);
    };
    let choice = match (devices.len(), scrub) {
        (1, _) => None,
        (count, true) => Some(format!(
            "the device is one of the {count} that this machine has"
        )),
        (_, false) => Some(format!(
            "the device is {}, the first {}of {} (--device says another)",
            devices[index].name,
            if active.is_some() {
                "with an active port "
            } else {
                ""
            },
            names(devices)
        )),
    };
    (Some(index), choice)
}

fn names(devices: &[RdmaDevice]) -> String {
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    names.join(", ")
}

/// "mlx5_0 (mlx5) behind vt-d".
impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.here {
            Some(here) => write!(f, "{} ({})", here.name, self.device)?,
            None => f.write_str(&self.device)?,
        }
        match self.iommu.as_str() {
            IommuSpec::OFF => f.write_str(" without an IOMMU"),
            name => write!(f, " behind {name}"),
        }
    }
}

fn unknown_device(name: &str, here: &[RdmaDevice]) -> String {
    let here = match here {
        [] => "this machine has none".to_owned(),
        devices => format!("this machine has {}", names(devices)),
    };
    format!(
        "--device: \"{name}\" is not known here; {here}, the catalogue has {}",
        device_names()
    )
}

fn unknown_driver(here: &RdmaDevice) -> String {
    let driver = here.hardware_driver.as_deref().unwrap_or("unknown");
    format!(
        "the driver of {} ({driver}) is not in the catalogue; --device says which device it is like: {}",
        here.name,
        device_names()
    )
}

fn device_names() -> String {
    let names: Vec<&str> = device::CATALOGUE
        .iter()
        .map(|profile| profile.name)
        .collect();
    names.join(", ")
}

fn unknown_iommu(name: &str) -> String {
    format!(
        "--iommu: \"{name}\" is not known here; there are off, {}",
        iommu_names()
    )
}

fn iommu_names() -> String {
    let names: Vec<&str> = iommu::CATALOGUE
        .iter()
        .map(|profile| profile.name)
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    fn machine() -> Folder {
        Folder::new(&[
            ("sys/class/infiniband/bnxt0/device/driver", "-> x/bnxt_en"),
            (
                "sys/class/infiniband/bnxt0/device/iommu_group/type",
                "DMA\n",
            ),
            ("sys/class/infiniband/bnxt0/device/iommu", "-> x/ivhd0"),
            ("sys/class/infiniband/bnxt0/ports/1/state", "1: DOWN\n"),
            ("sys/class/infiniband/rxe0/parent", "eth0\n"),
            ("sys/class/infiniband/rxe0/ports/1/state", "4: ACTIVE\n"),
        ])
    }

    #[test]
    fn the_machine_answers_for_what_was_not_asked() {
        let folder = machine();
        let scene = |device, iommu| Scene::find(folder.path(), device, iommu, false).unwrap();
        let words = |device, iommu| scene(device, iommu).to_string();
        assert_eq!(words(Some("bnxt0"), None), "bnxt0 (bnxt_re) behind amd-v1");
        assert_eq!(words(Some("efa"), None), "efa without an IOMMU");
        assert_eq!(
            words(Some("bnxt0"), Some("off")),
            "bnxt0 (bnxt_re) without an IOMMU"
        );
        let provenance = scene(Some("bnxt0"), None).provenance(false);
        assert_eq!(provenance.device.as_deref(), Some("bnxt0"));
        assert_eq!(provenance.iommu_mode.as_deref(), Some("DMA"));
        assert!(provenance.time.ends_with('Z') && provenance.time.len() == 20);
        assert_eq!(
            scene(Some("bnxt0"), None).provenance(true).device,
            None,
            "scrubbed"
        );
        assert_eq!(scene(Some("efa"), None).provenance(false).device, None);
    }

    /// What was assumed of device and IOMMU.
    fn assumed(folder: &Folder, device: Option<&str>, iommu: Option<&str>) -> [Option<String>; 2] {
        let assumed = Scene::find(folder.path(), device, iommu, false)
            .unwrap()
            .assumed;
        [assumed.device, assumed.iommu]
    }

    #[test]
    fn a_device_with_an_active_port_goes_first_and_the_choice_is_said() {
        let folder = machine();
        let scene = Scene::find(folder.path(), None, None, false).unwrap();
        assert_eq!(scene.to_string(), "rxe0 (rxe) without an IOMMU");
        let [device, iommu] = assumed(&folder, None, None);
        let words = "the device is rxe0, the first with an active port of bnxt0, rxe0 (--device says another)";
        assert_eq!((device.as_deref(), iommu), (Some(words), None));
        assert_eq!(assumed(&folder, Some("rxe0"), None), [None, None]);
        let [device, iommu] = assumed(&folder, Some("efa"), None);
        assert_eq!(device, None);
        assert!(iommu.unwrap().starts_with("there is no IOMMU, because efa"));
        assert_eq!(assumed(&folder, Some("efa"), Some("off")), [None, None]);
        let scrubbed = Scene::find(folder.path(), None, None, true).unwrap();
        let told = format!("{:?} {:?}", scrubbed.assumed, scrubbed.provenance(true));
        assert!(!told.contains("rxe0") && !told.contains("bnxt0"), "{told}");
        assert!(
            told.contains("one of the 2 that this machine has"),
            "{told}"
        );
    }

    #[test]
    fn a_machine_without_anything_has_the_defaults_and_they_are_said() {
        let folder = Folder::new(&[]);
        let scene = Scene::find(folder.path(), None, None, false).unwrap();
        assert_eq!(scene.to_string(), "mlx5 without an IOMMU");
        let [device, iommu] = assumed(&folder, None, None).map(Option::unwrap);
        assert!(
            device.contains("no RDMA device is visible here"),
            "{device}"
        );
        assert!(iommu.contains("there is no IOMMU"), "{iommu}");
    }

    #[test]
    fn what_the_machine_does_not_tell_is_a_question() {
        let folder = Folder::new(&[
            ("sys/class/infiniband/new0/device/driver", "-> x/novel"),
            ("sys/class/infiniband/arm0/device/driver", "-> x/mlx5_core"),
            (
                "sys/class/infiniband/arm0/device/iommu_group/type",
                "DMA-FQ\n",
            ),
            ("sys/class/infiniband/arm0/device/iommu", "-> x/smmu.0x1000"),
        ]);
        let error =
            |device, iommu| Scene::find(folder.path(), Some(device), iommu, false).unwrap_err();
        let driver = error("new0", None);
        assert!(
            driver.contains("new0 (novel)") && driver.contains("--device says"),
            "{driver}"
        );
        let iommu = error("arm0", None);
        assert!(
            iommu.contains("smmu.0x1000") && iommu.contains("--iommu says it: off, vt-d"),
            "{iommu}"
        );
        let told = Scene::find(folder.path(), Some("arm0"), Some("smmuv3-4k"), false).unwrap();
        assert_eq!(told.to_string(), "arm0 (mlx5) behind smmuv3-4k");
    }

    #[test]
    fn unknown_names_are_answered_with_the_known() {
        let folder = machine();
        let error = |device, iommu| Scene::find(folder.path(), device, iommu, false).unwrap_err();
        let device = error(Some("mlx9"), None);
        assert!(device.contains("this machine has bnxt0, rxe0"), "{device}");
        assert!(device.contains("the catalogue has mlx5,"), "{device}");
        assert!(error(Some("rxe0"), Some("vtd")).contains("there are off, vt-d,"));
    }
}
