//! The running kernel: its name, and the rules that its answers are judged by.
//!
//! A name tells the rules only if it says exactly which commits the kernel has: those of mainline and stable releases, and of
//! Debian's, since Debian patches none of this code. Any other kernel may carry any of these commits, so it is not judged.

use std::{fs, path::Path};

use umem_core::kernel::{Certainty, Kernel, KernelRules, Release};

/// What to call this kernel in a scenario, or why its name says nothing about its rules.
pub fn name() -> Result<String, String> {
    replaced(Path::new("/"))?;
    let (release, version) = uname();
    Ok(kernel(&release, &version)?.name)
}

/// The release of this kernel, as far as its name tells: of a vendor's, the one that it is based on.
pub fn release() -> Option<Release> {
    let (release, version) = uname();
    kernel(&release, &version).ok()?.release
}

/// The rules of this kernel, or why they are not known.
pub fn rules() -> Result<KernelRules, String> {
    replaced(Path::new("/"))?;
    let (release, version) = uname();
    exact(&kernel(&release, &version)?)
}

fn uname() -> (String, String) {
    let uname = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    (text(uname.release()), text(uname.version()))
}

/// The kernel with this `uname -r` and `uname -v`. Debian says its release in `-v`, everyone else in `-r`.
fn kernel(release: &str, version: &str) -> Result<Kernel, String> {
    let debian = version
        .rsplit_once(" Debian ")
        .and_then(|(_, debian)| Kernel::named(&format!("Debian {debian}")).ok())
        .and_then(|kernel| kernel.release)
        .map(|release| release.to_string());
    let name = debian.as_deref().unwrap_or(release);
    Kernel::named(name).map_err(|error| format!("Linux {name} {error}"))
}

fn exact(kernel: &Kernel) -> Result<KernelRules, String> {
    match kernel.certainty {
        Certainty::Exact => Ok(kernel.rules),
        Certainty::Vendor | Certainty::Unknown => Err(kernel.text()),
    }
}

/// An error if a module from elsewhere, such as NVIDIA's OFED, replaces the kernel's own code. The kernel marks such modules
/// (taint, "O").
fn replaced(root: &Path) -> Result<(), String> {
    for module in ["ib_core", "ib_uverbs"] {
        let taint = fs::read_to_string(root.join("sys/module").join(module).join("taint"));
        if taint.is_ok_and(|taint| taint.contains('O')) {
            return Err(format!(
                "the module {module} was built outside of this kernel, so its version says nothing about it"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    const PLAIN: &str = "#1 SMP PREEMPT_DYNAMIC Mon Jan  5 10:00:00 UTC 2026";

    #[test]
    fn debian_names_its_release_in_the_version() {
        let named = |release, version| {
            let version = format!("#1 SMP PREEMPT_DYNAMIC Debian {version} (2026-11-01)");
            let kernel = kernel(release, &version).unwrap();
            (kernel.name.clone(), exact(&kernel).is_ok())
        };
        assert_eq!(
            named("6.1.0-55-amd64", "6.1.192-1"),
            ("6.1.192".into(), true)
        );
        assert_eq!(
            named("6.12.95+deb12-amd64", "6.12.95-1~bpo12+1"),
            ("6.12.95".into(), true)
        );
    }

    #[test]
    fn only_exact_kernels_are_judged() {
        let exact = |release| kernel(release, PLAIN).and_then(|kernel| exact(&kernel));
        for release in ["5.10.262", "6.1.68", "6.12.31", "7.3.4"] {
            assert!(exact(release).is_ok(), "{release}");
        }
        for (release, words) in [
            ("6.8.0-84-generic", "is Ubuntu's kernel, based on Linux 6.8"),
            ("5.14.0-427.el9.x86_64", "RHEL 9"),
            ("6.12.4-arch1-1", "is a vendor's or self-built kernel"),
            ("6.18.44-fc-v657", "is a vendor's or self-built kernel"),
            ("6.15.0-rc1", "release candidate"),
            ("7.5.0", "newer than 7.3"),
            ("4.19.1", "older than 5.2"),
            ("", "is not a kernel's name"),
        ] {
            let error = exact(release).unwrap_err();
            assert!(error.contains(words), "{release}: {error}");
        }
    }

    #[test]
    fn modules_from_elsewhere_are_seen() {
        let taint = |text: &str| {
            let folder = Folder::new(&[
                ("sys/module/ib_core/taint", "\n"),
                ("sys/module/ib_uverbs/taint", text),
            ]);
            replaced(folder.path())
        };
        assert_eq!(taint("\n"), Ok(()));
        assert!(taint("OE\n").unwrap_err().contains("ib_uverbs"));
        assert_eq!(replaced(Folder::new(&[]).path()), Ok(()));
    }
}
