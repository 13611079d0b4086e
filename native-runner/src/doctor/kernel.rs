//! The kernel: its modules, what can be read of it, and what may be loaded into it.

use std::{fs, path::Path};

use umem_core::size::Bytes;

use super::{Finding, Part};
use crate::{
    missing::Missing,
    probe::{Domain, Probe},
    recording::running,
    sysfs::{entries, name, text},
};

/// Which kernel it is.
pub fn release(release: &str, machine: &str) -> Finding {
    let page = Bytes(rustix::param::page_size() as u64);
    Finding::ok(
        "kernel",
        format!("Linux {release}, {machine}, pages of {page}"),
    )
}

/// Whether it is known by which rules this kernel works.
pub fn rules() -> Finding {
    let detail = match running::rules() {
        Ok(_) => "known: what the kernel itself builds is held against them".to_owned(),
        Err(why) => {
            format!("not known, so what the kernel itself builds is compared in part: {why}")
        }
    };
    Finding::ok("kernel rules", detail)
}

/// The modules that registering memory takes, and what each is for.
const MODULES: &[(&str, &str)] = &[
    ("ib_core", "there are no RDMA devices"),
    ("ib_uverbs", "programs cannot reach RDMA devices"),
];

/// Whether they are there.
pub fn modules(root: &Path, release: &str) -> Vec<Finding> {
    let known = Known::read(root, release);
    let finding = |&(module, prevents): &(&str, &str)| {
        let found = match (loaded(root, module), known.has(module)) {
            (true, _) => Ok("there".to_owned()),
            (false, true) => Err(Missing::module(module, prevents)),
            (false, false) => Err(Missing::infiniband(module, prevents)),
        };
        Finding::of(format!("module {module}"), found)
    };
    MODULES.iter().map(finding).collect()
}

/// Whether this kernel can be given soft-RoCE.
pub fn has_soft_roce(root: &Path, release: &str) -> bool {
    loaded(root, "rdma_rxe") || Known::read(root, release).has("rdma_rxe")
}

fn loaded(root: &Path, module: &str) -> bool {
    root.join("sys/module").join(module).exists()
}

/// The modules that this kernel has, loaded or not.
struct Known(String);

impl Known {
    fn read(root: &Path, release: &str) -> Self {
        let folder = root.join("lib/modules").join(release);
        let read = |file| fs::read_to_string(folder.join(file)).unwrap_or_default();
        Self(read("modules.dep") + &read("modules.builtin"))
    }

    fn has(&self, module: &str) -> bool {
        let is_it = |line: &str| {
            let file = line.split(':').next().unwrap_or_default();
            let file = file.rsplit('/').next().unwrap_or_default();
            file.split(".ko")
                .next()
                .unwrap_or_default()
                .replace('-', "_")
                == module
        };
        self.0.lines().any(is_it)
    }
}

/// Type information, by which BPF programs find their way in the kernel's structures.
pub fn btf(root: &Path) -> Finding {
    let folder = root.join("sys/kernel/btf");
    let found = match folder.join("vmlinux").exists() {
        true => Ok(match folder.join("ib_uverbs").exists() {
            true => "of the kernel and of ib_uverbs".to_owned(),
            false => "of the kernel; of ib_uverbs once that is loaded as a module".to_owned(),
        }),
        false => Err(Missing::btf()),
    };
    Finding::of("BTF", found)
}

/// What keeps foreign modules out of the kernel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Security {
    /// Whether the firmware loads signed systems only; `None` where it is no UEFI.
    secure_boot: Option<bool>,
    /// "none", "integrity" or "confidentiality"; `None` where the kernel has no lockdown.
    lockdown: Option<String>,
    /// Whether the kernel itself was told to take signed modules only.
    enforced: bool,
}

impl Security {
    /// Of the machine whose `/` is `root`.
    pub fn of(root: &Path) -> Self {
        let lockdown = text(root.join("sys/kernel/security/lockdown"));
        let chosen = |modes: String| {
            let (_, rest) = modes.split_once('[')?;
            Some(rest.split_once(']')?.0.to_owned())
        };
        Self {
            secure_boot: secure_boot(root),
            lockdown: lockdown.and_then(chosen),
            enforced: text(root.join("sys/module/module/parameters/sig_enforce")).as_deref()
                == Some("Y"),
        }
    }

    /// How far the kernel is locked down: "none", "integrity" or "confidentiality"; `None` where it cannot be.
    pub fn lockdown(&self) -> Option<&str> {
        self.lockdown.as_deref()
    }

    /// Whether a module must be signed to be loaded.
    pub fn signed_only(&self) -> bool {
        self.enforced || !matches!(self.lockdown.as_deref(), None | Some("none"))
    }
}

/// The variable SecureBoot: four bytes of attributes, then 1 or 0 [UEFI 2.10, 3.3].
fn secure_boot(root: &Path) -> Option<bool> {
    let variables = entries(root.join("sys/firmware/efi/efivars"));
    let variable = variables
        .iter()
        .find(|path| name(path).starts_with("SecureBoot-"))?;
    Some(fs::read(variable).ok()?.get(4) == Some(&1))
}

/// Says whether a module must be signed. That is no lack: the probe says what it prevents.
pub fn security(security: &Security) -> Finding {
    let boot = match security.secure_boot {
        Some(true) => "Secure Boot on",
        Some(false) => "Secure Boot off",
        None => "no Secure Boot",
    };
    let lockdown = security.lockdown.as_deref().unwrap_or("none");
    let modules = match security.signed_only() {
        true => "modules must be signed",
        false => "any module can be loaded",
    };
    Finding::ok(
        "module signatures",
        format!("{boot}, lockdown {lockdown}: {modules}"),
    )
}

/// The module that asks the kernel.
pub fn probe(security: &Security) -> Finding {
    let found = match Probe::open() {
        Ok(probe) => Ok(match probe.pci_domain() {
            Some(Domain::Translated) => "loaded, with a PCI device behind an IOMMU that translates",
            Some(Domain::Identity) => "loaded, with a PCI device behind an IOMMU in identity mode",
            Some(Domain::Tables(_)) => "loaded, with a PCI device behind POWER's table",
            Some(Domain::Window) => "loaded, with a PCI device in POWER's direct window",
            Some(_) => "loaded, with a PCI device and no IOMMU",
            None => "loaded, without a PCI device of its own",
        }
        .to_owned()),
        // Not there, and not to be had by insmod alone.
        Err(missing) if security.signed_only() && missing == Missing::probe() => {
            Err(Missing::signed_probe())
        }
        Err(missing) => Err(missing),
    };
    Finding::of("probe", found).part(Part::Probe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::State, sysfs::Folder};

    fn way_out(finding: &Finding) -> &str {
        match &finding.state {
            State::Lacking(missing) => &missing.way_out,
            State::Ok { detail } => panic!("{detail}"),
        }
    }

    #[test]
    fn a_module_is_there_or_loadable_or_not_to_be_had() {
        let folder = Folder::new(&[
            ("sys/module/ib_core/refcnt", "2\n"),
            (
                "lib/modules/6.1/modules.dep",
                "kernel/drivers/infiniband/core/ib_uverbs.ko.xz: kernel/ib_core.ko.xz\n",
            ),
        ]);
        let findings = modules(folder.path(), "6.1");
        assert!(findings[0].is_ok());
        assert_eq!(way_out(&findings[1]), "modprobe ib_uverbs");
        let elsewhere = modules(folder.path(), "6.2");
        assert!(
            way_out(&elsewhere[1]).contains("cargo xtask lab"),
            "{elsewhere:?}"
        );
    }

    #[test]
    fn signatures_are_demanded_by_lockdown_or_by_the_kernel() {
        let of = |files: &[(&str, &str)]| Security::of(Folder::new(files).path());
        let efi = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
        let lockdown = "sys/kernel/security/lockdown";
        let locked = of(&[
            (efi, "\x06\0\0\0\x01"),
            (lockdown, "none [integrity] confidentiality\n"),
        ]);
        assert!(locked.signed_only());
        let words = format!("{:?}", security(&locked));
        assert!(
            words.contains("Secure Boot on, lockdown integrity: modules must be signed"),
            "{words}"
        );
        assert!(!of(&[(efi, "\x06\0\0\0\0"), (lockdown, "[none] integrity\n")]).signed_only());
        assert!(of(&[("sys/module/module/parameters/sig_enforce", "Y\n")]).signed_only());
        assert_eq!(of(&[]), Security::default());
    }

    #[test]
    fn btf_is_told_from_none() {
        let with = Folder::new(&[("sys/kernel/btf/vmlinux", "x")]);
        assert!(btf(with.path()).is_ok());
        assert!(way_out(&btf(Folder::new(&[]).path())).contains("CONFIG_DEBUG_INFO_BTF"));
    }
}
