//! The RDMA devices in `/sys/class/infiniband`.

use std::path::Path;

use umem_core::device::DeviceProfile;

use super::{Iommu, entries, hardware_below, name, target, text};

/// A device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RdmaDevice {
    /// What this machine calls it: "mlx5_0".
    pub name: String,
    /// The catalogue's name of its driver; `None` for one that the catalogue lacks.
    pub driver: Option<&'static str>,
    /// What the kernel calls the driver of its hardware, where it has any.
    pub hardware_driver: Option<String>,
    /// Its ports, in order.
    pub ports: Vec<Port>,
    /// The IOMMU between it and the memory.
    pub iommu: Iommu,
}

/// A port of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// Its number, from 1.
    pub number: String,
    /// "ACTIVE", "DOWN", …
    pub state: String,
    /// "Ethernet" or "InfiniBand".
    pub link_layer: String,
    /// "100 Gb/sec (4X EDR)".
    pub rate: String,
    /// The network interface of a RoCE or iWARP port.
    pub interface: Option<String>,
}

/// The devices of the machine whose `/` is `root`, by name.
pub fn devices(root: &Path) -> Vec<RdmaDevice> {
    entries(root.join("sys/class/infiniband"))
        .iter()
        .map(|folder| RdmaDevice::read(folder, root))
        .collect()
}

/// Drivers of hardware by which a device's driver is known, and what the catalogue calls that.
///
/// The `device` of an RDMA device is the PCI (or auxiliary) device under it, whose driver is the network's in most.
const DRIVERS: &[(&str, &str)] = &[
    ("mlx5_core", "mlx5"),
    ("mlx5_core.sf", "mlx5"),
    ("mlx4_core", "mlx4"),
    ("bnxt_en", "bnxt_re"),
    ("ice", "irdma"),
    // X722, GEN1, which the driver called i40iw until 5.13.
    ("i40e", "irdma-x722"),
    ("idpf", "irdma"),
    ("hns3", "hns"),
    ("mana", "mana_ib"),
    ("qede", "qedr"),
    ("be2net", "ocrdma"),
    ("ib_mthca", "mthca"),
    ("usnic_verbs", "usnic"),
];

impl RdmaDevice {
    fn read(folder: &Path, root: &Path) -> Self {
        let hardware = folder.join("device");
        let driver = driver(folder);
        let software = driver.is_some_and(|driver| driver.virt_dma);
        Self {
            name: name(folder),
            driver: driver.map(|driver| driver.name),
            hardware_driver: target(&hardware.join("driver")),
            ports: entries(folder.join("ports"))
                .iter()
                .map(|port| Port::read(port))
                .collect(),
            // Software devices never see an IOMMU, whatever hardware sends their packets.
            iommu: if software {
                Iommu::default()
            } else {
                Iommu::of(&hardware, root)
            },
        }
    }
}

/// The driver of the device at `folder`, as far as sysfs tells.
fn driver(folder: &Path) -> Option<&'static DeviceProfile> {
    // Software devices need no hardware: rxe names its network interface, siw is an RNIC (node type 4).
    if folder.join("parent").exists() {
        return umem_core::device::find("rxe");
    }
    let hardware = folder.join("device");
    if !hardware.is_symlink() && !hardware.exists() {
        let kind = text(folder.join("node_type"))?;
        return umem_core::device::find("siw").filter(|_| kind.starts_with('4'));
    }
    // An auxiliary device may have a driver of its own, which is known by that of the function below it.
    let hardware = hardware.canonicalize().ok()?;
    hardware_below(&hardware).find_map(|folder| {
        let driver = target(&folder.join("driver"))?;
        let known = DRIVERS.iter().find(|(name, _)| *name == driver);
        umem_core::device::find(known.map_or(driver.as_str(), |(_, name)| name))
    })
}

impl RdmaDevice {
    /// Whether any of its ports can send.
    pub fn is_active(&self) -> bool {
        self.ports.iter().any(Port::is_active)
    }
}

impl Port {
    fn read(folder: &Path) -> Self {
        let read = |file: &str| text(folder.join(file)).unwrap_or_default();
        let state = read("state");
        Self {
            number: name(folder),
            // "4: ACTIVE"
            state: state
                .split_once(": ")
                .map_or(state.as_str(), |(_, word)| word)
                .to_owned(),
            link_layer: read("link_layer"),
            rate: read("rate"),
            interface: text(folder.join("gid_attrs/ndevs/0")),
        }
    }

    /// Whether it can send.
    pub fn is_active(&self) -> bool {
        self.state == "ACTIVE"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    const MLX5: &str = "sys/class/infiniband/mlx5_0/";
    const RXE: &str = "sys/class/infiniband/rxe0/";

    fn machine(files: &[(&str, &str, &str)]) -> Vec<RdmaDevice> {
        let paths: Vec<String> = files.iter().map(|(a, b, _)| format!("{a}{b}")).collect();
        let files: Vec<(&str, &str)> = paths
            .iter()
            .zip(files)
            .map(|(path, (_, _, text))| (path.as_str(), *text))
            .collect();
        devices(Folder::new(&files).path())
    }

    #[test]
    fn a_device_is_known_by_the_driver_of_its_hardware() {
        let found = machine(&[
            (
                MLX5,
                "device/driver",
                "-> ../../../bus/pci/drivers/mlx5_core",
            ),
            (MLX5, "device/iommu_group/type", "DMA-FQ\n"),
            (MLX5, "device/iommu", "-> ../../virtual/iommu/dmar0"),
            (MLX5, "node_type", "1: CA\n"),
            (MLX5, "ports/1/state", "4: ACTIVE\n"),
            (MLX5, "ports/1/link_layer", "InfiniBand\n"),
            (MLX5, "ports/1/rate", "100 Gb/sec (4X EDR)\n"),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].driver),
            ("mlx5_0", Some("mlx5"))
        );
        assert!(found[0].ports[0].is_active());
        assert_eq!(found[0].ports[0].rate, "100 Gb/sec (4X EDR)");
        assert_eq!(found[0].iommu.mode(), "DMA-FQ");
        assert_eq!(found[0].iommu.scenario_name(), Ok("vt-d"));
    }

    #[test]
    fn an_auxiliary_device_is_known_by_what_it_is_on() {
        let device = "device/driver";
        let found = machine(&[
            (
                "sys/class/infiniband/a0/",
                "device",
                "-> ../../../devices/pci/0/aux.1",
            ),
            ("sys/devices/pci/0/", "driver", "-> x/i40e"),
            ("sys/devices/pci/0/aux.1/", "driver", "-> x/some_aux"),
            ("sys/devices/pci/0/aux.1/", "subsystem", "-> x/auxiliary"),
            ("sys/class/infiniband/b0/", device, "-> x/novel"),
        ]);
        assert_eq!(found[0].driver, Some("irdma-x722"));
        assert_eq!(found[0].hardware_driver.as_deref(), Some("some_aux"));
        assert_eq!(
            (found[1].driver, found[1].hardware_driver.as_deref()),
            (None, Some("novel"))
        );
    }

    #[test]
    fn software_devices_are_told_apart() {
        let siw = "sys/class/infiniband/siw0/";
        let found = machine(&[
            (RXE, "parent", "dummy0\n"),
            (RXE, "node_type", "1: CA\n"),
            (RXE, "ports/1/state", "1: DOWN\n"),
            (RXE, "ports/1/gid_attrs/ndevs/0", "dummy0\n"),
            (siw, "node_type", "4: RNIC\n"),
            ("sys/class/infiniband/zzz/", "node_type", "1: CA\n"),
        ]);
        let drivers: Vec<_> = found.iter().map(|device| device.driver).collect();
        assert_eq!(drivers, [Some("rxe"), Some("siw"), None]);
        assert!(!found[0].ports[0].is_active());
        assert_eq!(found[0].ports[0].interface.as_deref(), Some("dummy0"));
        assert_eq!(found[0].iommu.scenario_name(), Ok("off"));
    }

    #[test]
    fn every_driver_named_is_in_the_catalogue() {
        for (_, name) in DRIVERS {
            assert!(umem_core::device::find(name).is_some(), "{name}");
        }
    }
}
