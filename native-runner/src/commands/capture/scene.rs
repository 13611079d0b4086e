//! What a capture is taken for: the machine's device and IOMMU, or those that were asked for.

use std::{fmt, path::Path, time::SystemTime};

use umem_core::{
    capture::Provenance,
    device, iommu,
    scenario::{DeviceSpec, IommuSpec, KernelSpec},
    size::Bytes,
};

use crate::sysfs::{self, RdmaDevice};

/// The device of scenarios without any other.
const DEFAULT_DEVICE: &str = "mlx5";

/// Device and IOMMU.
#[derive(Debug)]
pub struct Scene {
    device: String,
    iommu: String,
    /// The RDMA device of this machine, if there is one.
    here: Option<RdmaDevice>,
}

impl Scene {
    /// Of the machine whose `/` is `root`. `device` is one of this machine or of the catalogue, `iommu` one of the
    /// catalogue or "off".
    ///
    /// # Errors
    /// Names that are unknown, in words.
    pub fn find(root: &Path, device: Option<&str>, iommu: Option<&str>) -> Result<Self, String> {
        let mut devices = sysfs::devices(root);
        let named = |wanted: &str| devices.iter().position(|device| device.name == wanted);
        let (here, model) = match device {
            None => (devices.first().map(|_| 0), None),
            Some(wanted) => match (named(wanted), device::find(wanted)) {
                (Some(index), _) => (Some(index), None),
                (None, Some(profile)) => (None, Some(profile.name)),
                (None, None) => return Err(unknown_device(wanted, &devices)),
            },
        };
        let here = here.map(|index| devices.swap_remove(index));
        let driver = here.as_ref().and_then(|device| device.driver);
        let behind = here
            .as_ref()
            .map_or(IommuSpec::OFF, |here| here.iommu.scenario_name());
        Ok(Self {
            device: model.or(driver).unwrap_or(DEFAULT_DEVICE).to_owned(),
            iommu: match iommu {
                None => behind.to_owned(),
                Some(name) if name == IommuSpec::OFF || iommu::find(name).is_some() => {
                    name.to_owned()
                }
                Some(name) => return Err(unknown_iommu(name)),
            },
            here,
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

    /// This kernel's pages, by the newest rules: stable kernels carry later fixes, so a release number tells little
    /// of them, and `umem plan --rules` asks others.
    pub fn kernel(&self) -> KernelSpec {
        KernelSpec {
            page_size: Bytes(rustix::param::page_size() as u64),
            ..KernelSpec::default()
        }
    }

    /// Where and when, now.
    pub fn provenance(&self, rebased: bool) -> Provenance {
        let now = SystemTime::now();
        Provenance {
            kernel: rustix::system::uname()
                .release()
                .to_string_lossy()
                .into_owned(),
            page_size: Bytes(rustix::param::page_size() as u64),
            device: self.here.as_ref().map(|device| device.name.clone()),
            iommu_mode: self
                .here
                .as_ref()
                .map(|device| device.iommu.mode().to_owned()),
            time: humantime::format_rfc3339_seconds(now).to_string(),
            rebased,
        }
    }
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
    let here: Vec<&str> = here.iter().map(|device| device.name.as_str()).collect();
    let catalogue: Vec<&str> = device::CATALOGUE
        .iter()
        .map(|profile| profile.name)
        .collect();
    let here = match here.as_slice() {
        [] => "this machine has none".to_owned(),
        names => format!("this machine has {}", names.join(", ")),
    };
    format!(
        "--device: \"{name}\" is not known here; {here}, the catalogue has {}",
        catalogue.join(", ")
    )
}

fn unknown_iommu(name: &str) -> String {
    let names: Vec<&str> = iommu::CATALOGUE
        .iter()
        .map(|profile| profile.name)
        .collect();
    format!(
        "--iommu: \"{name}\" is not known here; there are off, {}",
        names.join(", ")
    )
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
            ("sys/class/infiniband/rxe0/parent", "eth0\n"),
        ])
    }

    #[test]
    fn the_machine_answers_for_what_was_not_asked() {
        let folder = machine();
        let scene = |device, iommu| Scene::find(folder.path(), device, iommu).unwrap();
        let words = |device, iommu| scene(device, iommu).to_string();
        assert_eq!(words(None, None), "bnxt0 (bnxt_re) behind amd-v1");
        assert_eq!(words(Some("rxe0"), None), "rxe0 (rxe) without an IOMMU");
        assert_eq!(words(Some("efa"), None), "efa without an IOMMU");
        assert_eq!(words(None, Some("off")), "bnxt0 (bnxt_re) without an IOMMU");
        let provenance = scene(None, None).provenance(true);
        assert_eq!(provenance.iommu_mode.as_deref(), Some("DMA"));
        assert!(provenance.time.ends_with('Z') && provenance.time.len() == 20);
        assert_eq!(scene(Some("efa"), None).provenance(true).device, None);
    }

    #[test]
    fn a_machine_without_anything_has_the_defaults() {
        let folder = Folder::new(&[]);
        let scene = Scene::find(folder.path(), None, None).unwrap();
        assert_eq!(scene.to_string(), "mlx5 without an IOMMU");
    }

    #[test]
    fn unknown_names_are_answered_with_the_known() {
        let folder = machine();
        let error = |device, iommu| Scene::find(folder.path(), device, iommu).unwrap_err();
        let device = error(Some("mlx9"), None);
        assert!(device.contains("this machine has bnxt0, rxe0"), "{device}");
        assert!(device.contains("the catalogue has mlx5,"), "{device}");
        assert!(error(None, Some("vtd")).contains("there are off, vt-d,"));
    }
}
