//! The IOMMU between a device and the memory.

use std::path::Path;

use umem_core::scenario::IommuSpec;

use super::{Reserved, hardware_below, name, reserved, target, text};

/// What stands between a device and the memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Iommu {
    /// The type of the device's group's domain: "DMA", "DMA-FQ", "identity", …; `None` without a group.
    domain: Option<String>,
    /// The unit, as `/sys/class/iommu` calls it, where sysfs tells.
    unit: Option<String>,
    /// What the catalogue calls the unit.
    profile: Option<&'static str>,
    /// Why it is none or another, where that is not plain.
    unclear: Option<String>,
    /// The folder of the hardware cannot be seen, so neither can its IOMMU.
    masked: bool,
    /// The addresses that no mapping gets.
    reserved: Vec<Reserved>,
    /// The function whose group it is, as its bus calls it: "0000:3b:00.0".
    function: Option<String>,
    /// The unit's capability register, of VT-d.
    capabilities: Option<u64>,
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
        let mut iommu = Self {
            domain: text(folder.join("iommu_group/type")).or(Some("unknown".into())),
            profile: unit
                .as_deref()
                .and_then(|unit| catalogue_name(unit, &command_line)),
            unclear: None,
            unit,
            masked: false,
            reserved: reserved::of(
                &text(folder.join("iommu_group/reserved_regions")).unwrap_or_default(),
            ),
            function: Some(name(folder)),
            capabilities: text(folder.join("iommu/intel-iommu/cap"))
                .and_then(|register| u64::from_str_radix(&register, 16).ok()),
        };
        if iommu.profile == Some("vt-d") && has_first_stage(folder) {
            match scalable_mode(root, &command_line) {
                Some(true) => iommu.profile = Some("vt-d-first-stage"),
                Some(false) => {}
                None => {
                    iommu.profile = None;
                    iommu.unclear = Some(
                        "this VT-d translates by its first stage where Linux runs it in scalable mode, and neither the kernel's command \
                         line nor /boot/config says whether it does: plan with --iommu vt-d-first-stage or vt-d"
                            .to_owned(),
                    );
                }
            }
        }
        iommu
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
                     --iommu power, power-4k, power-64k or power-direct"
                .into()),
            IommuSpec::OFF | "identity" => Ok(IommuSpec::OFF),
            "DMA" | "DMA-FQ" => self.profile.ok_or_else(|| match &self.unit {
                _ if self.unclear.is_some() => self.unclear.clone().unwrap_or_default(),
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

    /// The addresses that no mapping of the device's group gets.
    pub fn reserved(&self) -> &[Reserved] {
        &self.reserved
    }

    /// The function whose group it is, as its bus calls it; `None` without a group.
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// VT-d's capability register.
    pub fn capabilities(&self) -> Option<u64> {
        self.capabilities
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

/// Whether this device's VT-d unit has scalable mode and a first stage: bits 43 (SMTS) and 47 (FLTS) of its ECAP register.
fn has_first_stage(device: &Path) -> bool {
    let register = text(device.join("iommu/intel-iommu/ecap")).unwrap_or_default();
    let bits = u64::from_str_radix(register.trim(), 16).unwrap_or(0);
    bits >> 43 & 1 == 1 && bits >> 47 & 1 == 1
}

/// Whether Linux runs such units in scalable mode, in which mappings of the kernel take the first stage: by the last word about it on
/// the command line, else as the kernel was built. `None`: neither tells.
///
/// `intel_iommu_setup()`, `first_level_by_default()` [intel/iommu.c of linux 6.1]; `sm_supported()` and
/// `intel_iommu_domain_alloc_first_stage()` [linux 7.2].
fn scalable_mode(root: &Path, command_line: &str) -> Option<bool> {
    let options = command_line
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix("intel_iommu="))
        .flat_map(|value| value.split(','));
    let mut by_words = options.filter_map(|option| match option {
        "sm_on" => Some(true),
        "sm_off" => Some(false),
        _ => None,
    });
    by_words.next_back().or_else(|| {
        let release = text(root.join("proc/sys/kernel/osrelease"))?;
        let built = text(root.join("boot").join(format!("config-{}", release.trim())))?;
        Some(
            built
                .lines()
                .any(|line| line == "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON=y"),
        )
    })
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

    /// The register as QEMU 10's VT-d has it with `x-scalable-mode=on,x-flts=on`, and as real ones without a first stage have it.
    #[test]
    fn the_first_stage_translates_where_linux_runs_it_in_scalable_mode() {
        const BOTH: &str = "880000f00f4a\n";
        let config = "boot/config-6.8.0";
        for (ecap, words, built, expected) in [
            (
                BOTH,
                "quiet intel_iommu=on,sm_on",
                "",
                Ok("vt-d-first-stage"),
            ),
            (BOTH, "intel_iommu=sm_on intel_iommu=sm_off", "", Ok("vt-d")),
            ("f0101a\n", "intel_iommu=on,sm_on", "", Ok("vt-d")),
            (
                BOTH,
                "quiet",
                "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON=y\n",
                Ok("vt-d-first-stage"),
            ),
            (
                BOTH,
                "quiet",
                "# CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON is not set\n",
                Ok("vt-d"),
            ),
            (BOTH, "quiet", "", Err(())),
        ] {
            let mut files = vec![
                ("device/iommu_group/type", "DMA-FQ\n"),
                ("units/dmar0/intel-iommu/ecap", ecap),
                ("device/iommu", "-> ../units/dmar0"),
                ("proc/cmdline", words),
                ("proc/sys/kernel/osrelease", "6.8.0\n"),
            ];
            if !built.is_empty() {
                files.push((config, built));
            }
            let named = of(&files).scenario_name();
            if expected.is_err() {
                let why = named.clone().unwrap_err();
                assert!(why.contains("--iommu vt-d-first-stage or vt-d"), "{why}");
            }
            assert_eq!(named.map_err(|_| ()), expected, "{words} {built}");
        }
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
