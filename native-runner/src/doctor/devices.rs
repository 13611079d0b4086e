//! RDMA devices, their ports, and the IOMMU between them and the memory.

use std::path::Path;

use umem_core::size::Bytes;

use super::{Finding, Part};
use crate::{
    missing::Missing,
    sysfs::{self, Port, RdmaDevice, entries, name},
};

/// A finding a device, and one a port; or that there are none, and whether `soft_roce` could be one.
pub fn all(root: &Path, soft_roce: bool) -> Vec<Finding> {
    let devices = sysfs::devices(root);
    if devices.is_empty() {
        let missing = Missing::rdma_device(soft_roce);
        return vec![Finding::lacking("RDMA device", missing)];
    }
    let page = Bytes(rustix::param::page_size() as u64);
    devices.iter().flat_map(|device| of(device, page)).collect()
}

/// Of one device, on a kernel with pages of `page`.
fn of(device: &RdmaDevice, page: Bytes) -> Vec<Finding> {
    let driver = device.driver.unwrap_or("a driver that the catalogue lacks");
    let iommu = device.iommu.mode();
    // Measured at 16K and 64K, Linux 6.1 and 6.12.
    let refuses = match driver == "rxe" && page.0 > 4096 {
        true => format!(
            "; with pages of {page} it refuses a zero-based region that begins inside a page (EINVAL)"
        ),
        false => String::new(),
    };
    let mut findings = vec![Finding::ok(
        format!("device {}", device.name),
        format!("{driver}, IOMMU {iommu}{refuses}"),
    )];
    findings.extend(device.ports.iter().map(|port| of_port(device, port)));
    findings
}

fn of_port(device: &RdmaDevice, port: &Port) -> Finding {
    let Port {
        number,
        state,
        link_layer,
        rate,
        interface,
    } = port;
    let place = format!("{} port {number}", device.name);
    let found = match port.is_active() {
        true => Ok(format!("active, {link_layer}, {rate}")),
        false => Err(Missing::active_port(
            &place,
            state,
            link_layer,
            interface.as_deref(),
        )),
    };
    Finding::of(place, found)
}

/// Whether this program can use a device.
pub fn verbs() -> Finding {
    Finding::of("verbs", usable()).part(Part::Verbs)
}

#[cfg(feature = "rdma")]
fn usable() -> Result<String, Missing> {
    use crate::nic::Nic as _;
    crate::verbs::Device::open(None).map(|device| device.describe())
}

#[cfg(not(feature = "rdma"))]
fn usable() -> Result<String, Missing> {
    Err(Missing::verbs())
}

/// What the machine's IOMMU does, to the first device that has one.
pub fn iommu(root: &Path) -> Finding {
    let units: Vec<String> = entries(root.join("sys/class/iommu"))
        .iter()
        .map(|unit| name(unit))
        .collect();
    let devices = sysfs::devices(root);
    let groups = entries(root.join("sys/kernel/iommu_groups")).len();
    let found = match devices.iter().find(|device| device.iommu.unit().is_some()) {
        Some(device) => Ok(format!("{} for {}", device.iommu.mode(), device.name)),
        None if groups > 0 && units.is_empty() && cfg!(target_arch = "powerpc64") => Ok(format!(
            "{groups} groups behind POWER's tables or in its direct window: sysfs does not say which, the probe does; behind a table a \
             mapping whose segment boundary is shorter than one entry hangs the processor, so nothing here asks for one"
        )),
        None if groups > 0 => Ok(format!(
            "{groups} groups ({}), with no RDMA device among them",
            units.join(", ")
        )),
        None if !units.is_empty() => Err(Missing::grouped_devices(&units)),
        None => Err(Missing::any_iommu()),
    };
    Finding::of("IOMMU", found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::State, sysfs::Folder};

    const RXE: &str = "sys/class/infiniband/rxe0";

    fn machine(port: &str) -> Folder {
        let (parent, state) = (format!("{RXE}/parent"), format!("{RXE}/ports/1/state"));
        let (link, interface) = (
            format!("{RXE}/ports/1/link_layer"),
            format!("{RXE}/ports/1/gid_attrs/ndevs/0"),
        );
        Folder::new(&[
            (&parent, "eth7"),
            (&state, port),
            (&link, "Ethernet"),
            (&interface, "eth7"),
        ])
    }

    #[test]
    fn a_port_is_active_or_its_interface_is_to_be_set_up() {
        let findings = all(machine("4: ACTIVE").path(), false);
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().all(Finding::is_ok));
        match &all(machine("1: DOWN").path(), false)[1].state {
            State::Lacking(missing) => {
                assert!(missing.what.contains("rxe0 port 1 (DOWN)"), "{missing}");
                let advice = &missing.way_out;
                assert!(advice.contains("ip link show eth7"), "{missing}");
                // Whether somebody else's port is to be up, and by which address, is not ours to say.
                assert!(
                    !advice.contains("dev eth7") && !advice.contains("eth7 up"),
                    "{missing}"
                );
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_device_soft_roce_is_offered_where_the_kernel_has_it() {
        let folder = Folder::new(&[
            ("sys/class/net/lo/operstate", "unknown"),
            ("sys/class/net/ens3/operstate", "up\n"),
        ]);
        let words = |soft_roce| format!("{:?}", all(folder.path(), soft_roce));
        assert!(words(true).contains("type dummy"), "{}", words(true));
        // Soft-RoCE on a NIC that is in use would open a port (UDP 4791) to its network.
        assert!(!words(true).contains("ens3"), "{}", words(true));
        assert!(!words(false).contains("netdev"), "{}", words(false));
    }

    #[test]
    fn what_rxe_refuses_where_pages_are_large_is_said() {
        let folder = machine("4: ACTIVE");
        let devices = sysfs::devices(folder.path());
        let words = |page| format!("{:?}", of(&devices[0], Bytes(page)));
        assert!(words(65536).contains("pages of 64K"), "{}", words(65536));
        assert!(words(65536).contains("EINVAL"), "{}", words(65536));
        assert!(!words(4096).contains("EINVAL"), "{}", words(4096));
    }

    #[test]
    fn an_iommu_that_linux_left_alone_is_told() {
        let folder = Folder::new(&[("sys/class/iommu/virtio0/device", "-> x/virtio0")]);
        let words = format!("{:?}", iommu(folder.path()));
        assert!(words.contains("virtio0"), "{words}");
        assert!(words.contains("granule"), "{words}");
        assert!(!iommu(folder.path()).is_ok());
    }

    #[test]
    fn an_iommu_is_told_by_what_it_does_to_a_device() {
        let device = "sys/class/infiniband/mlx5_0/device";
        let (group, unit) = (
            format!("{device}/iommu_group/type"),
            format!("{device}/iommu"),
        );
        let driver = format!("{device}/driver");
        let folder = Folder::new(&[
            (&group, "identity"),
            (&unit, "-> x/dmar0"),
            (&driver, "-> x/mlx5_core"),
        ]);
        let words = format!("{:?}", iommu(folder.path()));
        assert!(words.contains("identity for mlx5_0"), "{words}");
        let none = Folder::new(&[]);
        assert!(!iommu(none.path()).is_ok() && !all(none.path(), false)[0].is_ok());
    }
}
