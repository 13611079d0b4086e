//! Which kernel is booted: an architecture, a page size, and the Debian release that it comes from.

use super::Options;
use super::architecture::{ARCHITECTURES, Architecture, Flavour, Iommu};
use super::archive::Release;
use anyhow::{Context, Result, anyhow, bail};

/// A kernel of Debian's, and the architecture that it is for.
#[derive(Clone, Copy, Debug)]
pub struct System {
    pub architecture: &'static Architecture,
    pub flavour: &'static Flavour,
    pub release: Release,
}

impl System {
    /// The one that the options name; where they leave something open, Debian's default.
    ///
    /// # Errors
    /// There is no such kernel; which there are.
    pub fn of(options: &Options) -> Result<Self> {
        let architecture = Architecture::named(&options.arch).with_context(|| {
            let names: Vec<_> = ARCHITECTURES.iter().map(|known| known.name).collect();
            format!("--arch {}: the lab has {}", options.arch, names.join(", "))
        })?;
        let page = options.page.unwrap_or(architecture.flavours[0].page);
        let wanted = |flavour: &&Flavour| {
            let has = |release| flavour.releases.contains(&release);
            flavour.page == page && options.kernel.is_none_or(has)
        };
        let flavour = architecture.flavours.iter().find(wanted);
        let flavour = flavour.with_context(|| no_such_kernel(architecture))?;
        Ok(System {
            architecture,
            flavour,
            release: options.kernel.unwrap_or(flavour.releases[0]),
        })
    }

    /// The machines that the word after `--iommu` means; those of `default` if there is none.
    pub fn machines(
        &self,
        named: Option<&str>,
        default: Default<'_>,
    ) -> Result<Vec<&'static Iommu>> {
        let architecture = self.architecture;
        let all = || architecture.machines.iter().collect();
        match (named, default) {
            (Some("all"), _) | (None, Default::All) => Ok(all()),
            (Some("both"), _) | (None, Default::Checked) => Ok(architecture.checked()),
            (None, Default::Recorded) => Ok(architecture.checked()[..1].to_vec()),
            (None, Default::Plain) => Ok(architecture.machines.iter().take(1).collect()),
            (Some(name), _) | (None, Default::Named(name)) => {
                let machine = architecture.machine(name);
                Ok(vec![machine.ok_or_else(|| self.no_such_machine(name))?])
            }
        }
    }

    fn no_such_machine(&self, name: &str) -> anyhow::Error {
        let architecture = self.architecture;
        let names: Vec<_> = architecture.machines.iter().map(|one| one.name).collect();
        anyhow!(
            "--iommu {name}: {} has {}; `both` is {}, `all` is each of them",
            architecture.name,
            names.join(", "),
            architecture.checked.join(" and ")
        )
    }

    /// An error unless this is of the architecture that a task is about.
    pub fn require(&self, name: &str, task: &str) -> Result<()> {
        if self.architecture.name != name {
            bail!("{task} is about {name}: leave --arch out");
        }
        Ok(())
    }
}

/// Which machines there are where none are named.
#[derive(Clone, Copy, Debug)]
pub enum Default<'a> {
    /// All of them.
    All,
    /// Those that a check boots.
    Checked,
    /// The one that records vectors.
    Recorded,
    /// The one with nothing between its devices and memory.
    Plain,
    /// That one.
    Named(&'a str),
}

fn no_such_kernel(architecture: &Architecture) -> String {
    let known = architecture.flavours.iter().map(|flavour| {
        let releases: Vec<_> = flavour.releases.iter().map(|one| one.name()).collect();
        format!("{}: {}", flavour.page.name(), releases.join(", "))
    });
    format!(
        "Debian has no such kernel for {}; it has pages of {}",
        architecture.name,
        known.collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::architecture::Page;

    fn system(arch: &str, page: Option<Page>, kernel: Option<Release>) -> Result<System> {
        System::of(&Options {
            arch: arch.to_owned(),
            page,
            kernel,
            ..Options::default()
        })
    }

    #[test]
    fn what_is_left_open_is_debians_default() {
        for (arch, page, kernel, package, release) in [
            ("x86-64", None, None, "linux-image-amd64", "bookworm"),
            ("arm64", None, None, "linux-image-arm64", "bookworm"),
            (
                "arm64",
                Some(Page::K16),
                None,
                "linux-image-arm64-16k",
                "bookworm-backports",
            ),
            ("ppc64le", None, None, "linux-image-powerpc64le", "bookworm"),
            (
                "ppc64le",
                None,
                Some(Release::Trixie),
                "linux-image-powerpc64le-64k",
                "trixie",
            ),
            (
                "ppc64le",
                Some(Page::K4),
                None,
                "linux-image-powerpc64le",
                "bookworm-backports",
            ),
        ] {
            let system = system(arch, page, kernel).unwrap();
            assert_eq!(system.flavour.package, package);
            assert_eq!(system.release.name(), release);
        }
    }

    #[test]
    fn what_there_is_not_is_said_with_what_there_is() {
        let said = |system: Result<System>| format!("{:#}", system.unwrap_err());
        assert!(said(system("mips", None, None)).contains("arm64, ppc64le"));
        let error = said(system("arm64", Some(Page::K64), None));
        assert!(error.contains("4K: bookworm, "), "{error}");
        let error = said(system("arm64", Some(Page::K16), Some(Release::Bookworm)));
        assert!(error.contains("16K: bookworm-backports"), "{error}");
        let arm = system("arm64", None, None).unwrap();
        let error = arm.machines(Some("intel"), Default::Plain).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("arm64 has off, smmuv3, virtio, identity"),
            "{error}"
        );
    }

    #[test]
    fn machines_are_named_or_the_tasks_own() {
        let names = |arch: &str, named: Option<&str>, default| -> Vec<&str> {
            let system = system(arch, None, None).unwrap();
            let machines = system.machines(named, default).unwrap();
            machines.iter().map(|machine| machine.name).collect()
        };
        assert_eq!(names("x86-64", None, Default::Plain), ["off"]);
        assert_eq!(
            names("x86-64", Some("both"), Default::Plain),
            ["intel", "amd"]
        );
        assert_eq!(names("arm64", None, Default::Recorded), ["smmuv3"]);
        assert_eq!(names("ppc64le", None, Default::Checked)[0], "power");
        assert_eq!(names("ppc64le", Some("all"), Default::Plain).len(), 3);
        assert_eq!(
            names("ppc64le", Some("power-64k"), Default::All),
            ["power-64k"]
        );
    }
}
