//! The IOMMU between a device and the memory.

use std::path::Path;

use umem_core::scenario::IommuSpec;

use super::{target, text};

/// What stands between a device and the memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Iommu {
    /// The type of the device's group's domain: "DMA", "DMA-FQ", "identity", …; `None` without a group.
    domain: Option<String>,
    /// The catalogue's name of the unit, where sysfs tells which it is.
    unit: Option<&'static str>,
}

impl Iommu {
    /// Of the device whose folder is `hardware`, on the machine whose `/` is `root`.
    pub(super) fn of(hardware: &Path, root: &Path) -> Self {
        let command_line = text(root.join("proc/cmdline")).unwrap_or_default();
        let unit =
            target(&hardware.join("iommu")).and_then(|unit| catalogue_name(&unit, &command_line));
        Self {
            domain: text(hardware.join("iommu_group/type")),
            unit,
        }
    }

    /// How it treats the device, as the kernel calls it; "off" where there is none.
    pub fn mode(&self) -> &str {
        self.domain.as_deref().unwrap_or(IommuSpec::OFF)
    }

    /// Whether device addresses are other than physical ones.
    pub fn translates(&self) -> bool {
        self.domain
            .as_deref()
            .is_some_and(|domain| domain != "identity")
    }

    /// Its name in scenarios. One that translates, and that sysfs does not tell more of, is taken for VT-d.
    pub fn scenario_name(&self) -> &'static str {
        match self.translates() {
            true => self.unit.unwrap_or("vt-d"),
            false => IommuSpec::OFF,
        }
    }

    /// The catalogue's name of the unit, whether it translates or not.
    pub fn unit(&self) -> Option<&'static str> {
        self.unit
    }
}

/// What the catalogue calls the unit that is `unit` in `/sys/class/iommu`.
///
/// `dmar0` (intel/dmar.c), `ivhd0` (amd/init.c), `smmu3.0x…` (arm-smmu-v3.c), `riscv-iommu@…` [linux 7.2].
fn catalogue_name(unit: &str, command_line: &str) -> Option<&'static str> {
    let amd = if command_line.contains("pgtbl_v2") {
        "amd-v2"
    } else {
        "amd-v1"
    };
    let granule = match rustix::param::page_size() {
        0x4000 => "smmuv3-16k",
        0x1_0000 => "smmuv3-64k",
        _ => "smmuv3-4k",
    };
    [
        ("dmar", "vt-d"),
        ("ivhd", amd),
        ("smmu3", granule),
        ("riscv", "riscv"),
        ("virtio", "virtio"),
    ]
    .into_iter()
    .find_map(|(prefix, name)| unit.starts_with(prefix).then_some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    fn of(files: &[(&str, &str)]) -> Iommu {
        let folder = Folder::new(files);
        Iommu::of(&folder.path().join("device"), folder.path())
    }

    #[test]
    fn the_domain_decides_and_the_unit_names_it() {
        let amd = [
            ("device/iommu_group/type", "DMA\n"),
            ("device/iommu", "-> x/ivhd0"),
        ];
        assert_eq!(of(&amd).scenario_name(), "amd-v1");
        let v2 = [
            amd[0],
            amd[1],
            ("proc/cmdline", "quiet amd_iommu=pgtbl_v2\n"),
        ];
        assert_eq!(of(&v2).scenario_name(), "amd-v2");
        let identity = of(&[("device/iommu_group/type", "identity\n"), amd[1]]);
        assert_eq!(
            (identity.mode(), identity.scenario_name()),
            ("identity", "off")
        );
        assert_eq!(identity.unit(), Some("amd-v1"));
        let none = of(&[]);
        assert_eq!((none.mode(), none.scenario_name()), ("off", "off"));
        let unknown = of(&[("device/iommu_group/type", "DMA-FQ\n")]);
        assert_eq!(unknown.scenario_name(), "vt-d");
    }

    #[test]
    fn every_unit_named_is_in_the_catalogue() {
        for unit in [
            "dmar1",
            "ivhd0",
            "smmu3.0x2b400000",
            "riscv-iommu@1000",
            "virtio0",
        ] {
            let name = catalogue_name(unit, "").expect(unit);
            assert!(umem_core::iommu::find(name).is_some(), "{name}");
        }
        assert_eq!(catalogue_name("exynos", ""), None);
    }
}
