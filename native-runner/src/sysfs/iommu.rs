//! The IOMMU between a device and the memory.

use std::path::Path;

use umem_core::scenario::IommuSpec;

use super::{hardware_below, target, text};

/// What stands between a device and the memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Iommu {
    /// The type of the device's group's domain: "DMA", "DMA-FQ", "identity", …; `None` without a group.
    domain: Option<String>,
    /// The unit, as `/sys/class/iommu` calls it, where sysfs tells.
    unit: Option<String>,
    /// What the catalogue calls the unit.
    profile: Option<&'static str>,
    /// The folder of the hardware cannot be seen, so neither can its IOMMU.
    masked: bool,
}

impl Iommu {
    /// Of the device whose folder is `hardware`, on the machine whose `/` is `root`.
    ///
    /// The group is that of the device, or of the function that an auxiliary device is on: sub-functions (mlx5) do DMA
    /// through that. A PCI function without a group is not translated, whatever groups the bridges above it have.
    pub(super) fn of(hardware: &Path, root: &Path) -> Self {
        let Ok(folder) = hardware.canonicalize() else {
            return Self {
                masked: hardware.is_symlink(),
                ..Self::default()
            };
        };
        let grouped = hardware_below(&folder).find(|folder| folder.join("iommu_group").exists());
        let Some(folder) = grouped else {
            return Self::default();
        };
        let command_line = text(root.join("proc/cmdline")).unwrap_or_default();
        let unit = target(&folder.join("iommu"));
        Self {
            domain: text(folder.join("iommu_group/type")).or(Some("unknown".into())),
            profile: unit
                .as_deref()
                .and_then(|unit| catalogue_name(unit, &command_line)),
            unit,
            masked: false,
        }
    }

    /// How it treats the device, as the kernel calls it; "off" where there is none.
    pub fn mode(&self) -> &str {
        match (&self.domain, self.masked) {
            (Some(domain), _) => domain,
            (None, true) => "unknown",
            (None, false) => IommuSpec::OFF,
        }
    }

    /// Its name in scenarios, "off" where device addresses are physical ones.
    ///
    /// # Errors
    /// Why sysfs does not tell, in words.
    pub fn scenario_name(&self) -> Result<&'static str, String> {
        match self.mode() {
            // POWER maps without the kernel's IOMMU domains, and its devices are in groups all the same.
            _ if self.is_power() => Err("POWER maps through a table or its direct window, and sysfs does not say through which: plan with \
                     --iommu power, power-64k or power-direct"
                .into()),
            IommuSpec::OFF | "identity" => Ok(IommuSpec::OFF),
            "DMA" | "DMA-FQ" => self.profile.ok_or_else(|| match &self.unit {
                Some(unit) => format!("the IOMMU {unit} is not in the catalogue"),
                None => "an IOMMU translates, but sysfs does not say which".into(),
            }),
            "blocked" => Err("the IOMMU blocks the device: it cannot reach any memory now".into()),
            "unmanaged" => Err("the device's IOMMU group belongs to VFIO or the like".into()),
            "unknown" if self.masked => Err("the device's folder in sysfs cannot be seen".into()),
            other => Err(format!(
                "the type of the device's IOMMU group is \"{other}\", which does not say how it translates"
            )),
        }
    }

    fn is_power(&self) -> bool {
        cfg!(target_arch = "powerpc64") && self.domain.is_some()
    }

    /// The catalogue's name of the unit, whether it translates or not.
    pub fn unit(&self) -> Option<&'static str> {
        self.profile
    }
}

/// What the catalogue calls the unit that is `unit` in `/sys/class/iommu`.
///
/// `dmar0` (intel/dmar.c), `ivhd0` (amd/init.c), `smmu3.0x…` (arm-smmu-v3.c; SMMUv2 is `smmu.0x…`),
/// `apple-dart.…` [linux 7.2].
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
        ("smmu3.", granule),
        ("virtio", "virtio"),
        ("apple-dart", "dart"),
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

    fn domain(name: &str, unit: &str) -> Iommu {
        let unit = format!("-> x/{unit}");
        of(&[("device/iommu_group/type", name), ("device/iommu", &unit)])
    }

    #[test]
    fn the_domain_decides_and_the_unit_names_it() {
        assert_eq!(domain("DMA\n", "ivhd0").scenario_name(), Ok("amd-v1"));
        let v2 = of(&[
            ("device/iommu_group/type", "DMA-FQ\n"),
            ("device/iommu", "-> x/ivhd0"),
            ("proc/cmdline", "quiet amd_iommu=pgtbl_v2\n"),
        ]);
        assert_eq!(v2.scenario_name(), Ok("amd-v2"));
        let identity = domain("identity\n", "ivhd0");
        assert_eq!(
            (identity.mode(), identity.scenario_name()),
            ("identity", Ok("off"))
        );
        assert_eq!(identity.unit(), Some("amd-v1"));
        let none = of(&[("device/class", "0\n")]);
        assert_eq!((none.mode(), none.scenario_name()), ("off", Ok("off")));
    }

    #[test]
    fn what_sysfs_does_not_tell_is_not_guessed() {
        for (iommu, words) in [
            (
                of(&[("device/iommu_group/type", "DMA-FQ\n")]),
                "sysfs does not say which",
            ),
            (
                domain("DMA\n", "smmu.0x5000"),
                "smmu.0x5000 is not in the catalogue",
            ),
            (domain("blocked\n", "dmar0"), "blocks the device"),
            (domain("unmanaged\n", "dmar0"), "VFIO"),
            (domain("unknown\n", "x"), "\"unknown\""),
            (of(&[("device/iommu_group/name", "7\n")]), "\"unknown\""),
            (of(&[("device", "-> ../../../nowhere")]), "cannot be seen"),
        ] {
            let why = iommu.scenario_name().unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn a_sub_function_is_behind_the_iommu_of_its_parent() {
        let iommu = of(&[
            ("pci0/0000:c1:00.0/iommu_group/type", "DMA-FQ\n"),
            ("pci0/0000:c1:00.0/iommu", "-> x/dmar0"),
            (
                "pci0/0000:c1:00.0/mlx5_core.sf.4/subsystem",
                "-> ../../bus/auxiliary",
            ),
            ("device", "-> pci0/0000:c1:00.0/mlx5_core.sf.4"),
        ]);
        assert_eq!(iommu.scenario_name(), Ok("vt-d"));
        let bridge = of(&[
            ("pci0/0000:c0:00.0/iommu_group/type", "DMA-FQ\n"),
            (
                "pci0/0000:c0:00.0/0000:c1:00.0/subsystem",
                "-> ../../bus/pci",
            ),
            ("device", "-> pci0/0000:c0:00.0/0000:c1:00.0"),
        ]);
        assert_eq!(bridge.scenario_name(), Ok("off"));
    }

    #[test]
    fn every_unit_named_is_in_the_catalogue() {
        for unit in [
            "dmar1",
            "ivhd0",
            "smmu3.0x2b400000",
            "virtio0",
            "apple-dart.231304000.iommu",
        ] {
            let name = catalogue_name(unit, "").expect(unit);
            assert!(umem_core::iommu::find(name).is_some(), "{name}");
        }
        assert_eq!(catalogue_name("exynos", ""), None);
    }
}
