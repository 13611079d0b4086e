//! Debian's package archive as one release has it, asked by apt with lists of its own: the system's apt is left alone.

use super::architecture::Architecture;
use crate::debian;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Cmd, Shell, cmd};

/// A Debian release whose kernel the lab can boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Release {
    /// Debian 12, Linux 6.1
    Bookworm,
    /// Debian 12's newer kernel, Linux 6.12
    BookwormBackports,
    /// Debian 13, Linux 6.12
    Trixie,
    /// Debian 13's newer kernel
    TrixieBackports,
    /// What becomes Debian 14
    Forky,
    /// Debian unstable
    Sid,
}

impl Release {
    /// Its name, as on the command line.
    pub fn name(self) -> String {
        self.to_possible_value()
            .expect("no release is hidden")
            .get_name()
            .to_owned()
    }

    /// Whether its kernel's own build tools run on Debian 12 and later: then modules for it must build.
    pub fn is_built_here(self) -> bool {
        matches!(self, Release::Bookworm | Release::BookwormBackports)
    }

    /// The release whose libraries its programs want: backports have but what was ported back.
    pub fn libraries(self) -> Release {
        match self {
            Release::BookwormBackports => Release::Bookworm,
            Release::TrixieBackports => Release::Trixie,
            own => own,
        }
    }

    /// The suites that hold its kernel: those of the archive, then those of its security updates.
    fn suites(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Release::Bookworm => (&["bookworm"], &["bookworm-security"]),
            Release::BookwormBackports => (&["bookworm-backports"], &[]),
            Release::Trixie => (&["trixie"], &["trixie-security"]),
            Release::TrixieBackports => (&["trixie-backports"], &[]),
            Release::Forky => (&["forky"], &[]),
            Release::Sid => (&["sid"], &[]),
        }
    }

    /// Its lines for apt, from where this machine has its own packages.
    fn sources(self, mirrors: &Mirrors) -> String {
        let line = |archive: &str, suite: &&str| {
            format!("deb [signed-by={KEYRING}] {archive} {suite} main\n")
        };
        let (main, security) = self.suites();
        let main = main.iter().map(|suite| line(&mirrors.main, suite));
        let security = security.iter().map(|suite| line(&mirrors.security, suite));
        main.chain(security).collect()
    }
}

/// Where this machine has Debian's packages from.
struct Mirrors {
    main: String,
    security: String,
}

impl Mirrors {
    fn of_this_machine(sh: &Shell) -> Result<Self> {
        let ours = ["--format", "$(REPO_URI)", "Created-By: Packages"];
        let said = cmd!(sh, "apt-get indextargets {ours...}").quiet().read()?;
        Self::among(&said)
            .context("apt on this machine knows no archive whose address ends in /debian")
    }

    /// The archives among the addresses that apt has, one a line.
    fn among(said: &str) -> Option<Self> {
        let ending = |name: &str| {
            let address = |line: &&str| line.trim_end_matches('/').ends_with(name);
            said.lines().map(str::trim).find(address).map(str::to_owned)
        };
        let main = ending("/debian")?;
        // A mirror that has the one has the other beside it.
        let beside = || format!("{}-security", main.trim_end_matches('/'));
        Some(Mirrors {
            security: ending("/debian-security").unwrap_or_else(beside),
            main,
        })
    }
}

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt's view of one release.
pub struct Archive {
    /// `None`: this very system is of that release and architecture, and its own lists serve.
    private: Option<PathBuf>,
    /// As Debian calls it.
    architecture: &'static str,
    /// Whose it is.
    pub release: Release,
}

impl Archive {
    /// The release's archive for this machine's own architecture. Nothing is downloaded before something is asked.
    pub fn new(sh: &Shell, release: Release) -> Result<Self> {
        let here = Architecture::of_this_machine();
        Archive::of(sh, release, here.map_or("amd64", |here| here.debian))
    }

    /// The same for any architecture, as Debian calls it. dpkg's own architectures stay as they are.
    pub fn of(sh: &Shell, release: Release, architecture: &'static str) -> Result<Self> {
        let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let here = Architecture::of_this_machine().is_some_and(|here| here.debian == architecture);
        if here && codename(&system) == Some(&release.name()) {
            return Ok(Archive {
                private: None,
                architecture,
                release,
            });
        }
        let name = match here {
            true => release.name(),
            false => format!("{}-{architecture}", release.name()),
        };
        let folder = place::target().join("lab/apt").join(name);
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(
            folder.join("sources.list"),
            release.sources(&Mirrors::of_this_machine(sh)?),
        )
        .with_context(|| format!("cannot write below {}", folder.display()))?;
        Ok(Archive {
            private: Some(folder),
            architecture,
            release,
        })
    }

    /// Refreshes its lists.
    pub fn update(&self, sh: &Shell) -> Result<()> {
        if self.private.is_none() {
            return debian::update(sh);
        }
        step(
            &format!(
                "asking Debian's archive about {} ({})",
                self.release.name(),
                self.architecture
            ),
            || self.refresh(sh),
        )
    }

    /// One list of several may not be had while the mirror is being renewed: the others serve.
    fn refresh(&self, sh: &Shell) -> Result<()> {
        let refreshed = run_quietly(self.with_lists(cmd!(sh, "apt-get update --quiet")));
        let any = || self.with_lists(cmd!(sh, "apt-cache pkgnames linux-image-"));
        match refreshed {
            Err(error) if any().quiet().read()?.is_empty() => Err(error),
            Err(error) => {
                eprintln!("  (going on with the lists that came: {error:#})");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The kernels of the package `flavour`, such as linux-image-arm64: the newest first, then older ones that the archive lists as well.
    pub fn kernels(&self, sh: &Shell, flavour: &str) -> Result<Vec<String>> {
        let about = cmd!(sh, "apt-cache show {flavour}");
        let about = self.with_lists(about).quiet().ignore_stderr();
        let names = self.with_lists(cmd!(sh, "apt-cache pkgnames linux-image-"));
        Ok(kernels(
            &about.ignore_status().read()?,
            &names.quiet().read()?,
            flavour.trim_start_matches("linux-image-"),
        ))
    }

    /// The packages that `package` depends on.
    pub fn dependencies(&self, sh: &Shell, package: &str) -> Result<Vec<String>> {
        let said = self
            .with_lists(cmd!(sh, "apt-cache depends {package}"))
            .quiet()
            .ignore_stderr()
            .read()?;
        Ok(dependencies(&said).map(String::from).collect())
    }

    /// Downloads `packages` and unpacks them into `folder`. They are not installed.
    pub fn unpack(&self, sh: &Shell, packages: &[String], folder: &Path) -> Result<()> {
        let debs = folder.join("debs");
        fs::create_dir_all(&debs)?;
        let _there = sh.push_dir(&debs);
        run_quietly(self.with_lists(cmd!(sh, "apt-get download --quiet {packages...}")))?;
        for deb in sh.read_dir(&debs)? {
            run_quietly(cmd!(sh, "dpkg-deb --extract {deb} {folder}"))?;
        }
        Ok(sh.remove_path(&debs)?)
    }

    /// The same. Without lists apt knows no package, and with old ones it knows one that the mirror has dropped: then they are renewed.
    pub fn unpack_current(&self, sh: &Shell, packages: &[String], folder: &Path) -> Result<()> {
        if self.has_lists() && self.unpack(sh, packages, folder).is_ok() {
            return Ok(());
        }
        self.update(sh)?;
        self.unpack(sh, packages, folder)
    }

    /// Whether apt knows any package of it.
    fn has_lists(&self) -> bool {
        let Some(folder) = &self.private else {
            return true;
        };
        let lists = fs::read_dir(folder.join("lists")).into_iter().flatten();
        lists
            .flatten()
            .any(|list| list.file_name().to_string_lossy().contains("_Packages"))
    }

    fn with_lists<'a>(&self, command: Cmd<'a>) -> Cmd<'a> {
        let Some(folder) = &self.private else {
            return command;
        };
        let option = |name: &str, path: PathBuf| format!("--option={name}={}", path.display());
        command.args([
            option("Dir::Etc::sourcelist", folder.join("sources.list")),
            option("Dir::Etc::sourceparts", "/dev/null".into()),
            option("Dir::State::lists", folder.join("lists")),
            option("Dir::Cache", folder.join("cache")),
            format!("--option=APT::Architecture={}", self.architecture),
            format!("--option=APT::Architectures={}", self.architecture),
        ])
    }
}

/// The release that `/etc/os-release` names.
fn codename(os_release: &str) -> Option<&str> {
    os_release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
}

/// The kernels that the package's records (`about`, each version's) depend on, in their order, and then the others of `names` that
/// end like them, the newest first.
fn kernels(about: &str, names: &str, flavour: &str) -> Vec<String> {
    let depends = about.lines().filter_map(|line| {
        let first = line.strip_prefix("Depends: ")?.split([' ', ',']).next()?;
        first.starts_with("linux-image-").then(|| first.to_owned())
    });
    let mut found: Vec<String> = depends.collect();
    // linux-image-VERSION-FLAVOUR, where the version begins with a digit.
    let ends = |name: &&str| {
        let version = name
            .strip_prefix("linux-image-")
            .and_then(|rest| rest.strip_suffix(flavour)?.strip_suffix('-'));
        version.is_some_and(|version| {
            version.starts_with(|c: char| c.is_ascii_digit()) && is_version(version)
        })
    };
    let mut others: Vec<_> = names.lines().filter(ends).map(str::to_owned).collect();
    others.sort_by_key(|name| std::cmp::Reverse(numbers(name)));
    found.extend(others);
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found
}

/// Whether it is "6.1.0-50" or "6.12.107+deb13", with no flavour of its own.
fn is_version(version: &str) -> bool {
    let parts = version.split('-').skip(1);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.into_iter().all(is_number)
}

/// The numbers in a name, to sort by.
fn numbers(name: &str) -> Vec<u64> {
    let parts = name.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

/// The packages among the lines of `apt-cache depends`.
fn dependencies(said: &str) -> impl Iterator<Item = &str> {
    said.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
}

#[cfg(test)]
mod tests {
    use super::{Mirrors, Release, codename, dependencies, kernels};

    #[test]
    fn dependencies_are_told_from_all_else() {
        let said = "linux-image-amd64\n  PreDepends: dpkg\n  Depends: linux-base\n  Depends: linux-image-6.1.0-56-amd64\n  Suggests: x\n";
        assert_eq!(
            dependencies(said).collect::<Vec<_>>(),
            ["linux-base", "linux-image-6.1.0-56-amd64"]
        );
    }

    #[test]
    fn older_kernels_are_there_where_the_newest_is_not() {
        let about = "Version: 6.12.117-1\nDepends: linux-image-6.12.117+deb13-powerpc64le (= 6.12.117-1)\n\n\
                     Version: 6.12.95-1\nDepends: linux-image-6.12.95+deb12-powerpc64le (= 6.12.95-1)\n";
        let names = "linux-image-6.12.95+deb12-powerpc64le\nlinux-image-6.12.107+deb13-powerpc64le-64k\n\
                     linux-image-6.12.107+deb13-powerpc64le\nlinux-image-6.12.107+deb13-powerpc64le-dbg\nlinux-image-powerpc64le\n\
                     linux-image-6.12.117+deb13-powerpc64le\n";
        assert_eq!(
            kernels(about, names, "powerpc64le"),
            [
                "linux-image-6.12.117+deb13-powerpc64le",
                "linux-image-6.12.95+deb12-powerpc64le",
                "linux-image-6.12.107+deb13-powerpc64le"
            ]
        );
        assert_eq!(
            kernels("", names, "powerpc64le-64k"),
            ["linux-image-6.12.107+deb13-powerpc64le-64k"]
        );
        let signed = "linux-image-6.1.0-50-amd64\nlinux-image-6.1.0-50-cloud-amd64\nlinux-image-6.1.0-9-amd64\n";
        assert_eq!(
            kernels("", signed, "amd64"),
            ["linux-image-6.1.0-50-amd64", "linux-image-6.1.0-9-amd64"]
        );
    }

    #[test]
    fn security_updates_come_from_their_own_archive() {
        let mirrors =
            Mirrors::among("http://a.example/debian-security/\nhttp://a.example/debian/\n")
                .unwrap();
        let sources = |release: Release| release.sources(&mirrors);
        assert!(
            sources(Release::Bookworm)
                .contains("http://a.example/debian-security/ bookworm-security main\n")
        );
        assert!(sources(Release::Sid).ends_with("http://a.example/debian/ sid main\n"));
        assert_eq!(sources(Release::Sid).lines().count(), 1);
        assert!(Mirrors::among("http://a.example/ubuntu/").is_none());
        assert_eq!(Release::BookwormBackports.name(), "bookworm-backports");
        assert_eq!(
            codename("ID=debian\nVERSION_CODENAME=bookworm\n"),
            Some("bookworm")
        );
    }
}
