//! A QEMU that is unpacked beside the lab's other downloads, and not installed: one that is newer than Debian 12's own, from its backports;
//! or Debian's own, where installing it would take another package away. The libraries that it wants are installed.

use super::architecture::Architecture;
use super::archive::{Archive, Release};
use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::Shell;

/// A QEMU that lies in a folder.
pub struct UnpackedQemu {
    folder: PathBuf,
}

impl UnpackedQemu {
    /// The newer one, for x86-64, whose libraries are those of the older. Downloaded and unpacked once.
    pub fn newer(sh: &Shell) -> Result<Self> {
        // What the emulated machine starts from (SeaBIOS) is of the same age.
        let packages = [
            "qemu-system-x86",
            "qemu-system-common",
            "qemu-system-data",
            "seabios",
        ];
        Self::get(
            sh,
            Release::BookwormBackports,
            "qemu",
            &packages.map(String::from),
        )
    }

    /// Debian's own, of this package.
    pub fn own(sh: &Shell, package: &str) -> Result<Self> {
        let archive = Archive::new(sh, Release::Bookworm)?;
        let mut packages = vec![package.to_owned()];
        packages.extend(parts(&archive.dependencies(sh, package)?).map(String::from));
        Self::get(sh, Release::Bookworm, package, &packages)
    }

    fn get(sh: &Shell, release: Release, name: &str, packages: &[String]) -> Result<Self> {
        let name = format!("{name}-{}", release.name());
        let folder = place::target().join("lab/programs").join(name);
        if !folder.exists() {
            let what = format!("downloading and unpacking QEMU of {}", release.name());
            step(&what, || fetch(sh, release, packages, &folder))?;
        }
        Ok(UnpackedQemu { folder })
    }

    /// The program that emulates this architecture.
    pub fn program(&self, architecture: &Architecture) -> PathBuf {
        self.folder.join("usr/bin").join(architecture.qemu)
    }

    /// Where its data lie, in QEMU's words.
    pub fn data(&self) -> impl Iterator<Item = String> {
        DATA.into_iter().flat_map(|name| {
            let folder = self.folder.join("usr").join(name);
            ["-L".to_owned(), folder.display().to_string()]
        })
    }
}

/// Where Debian has what machines start from.
const DATA: [&str; 4] = ["share/qemu", "share/seabios", "share/slof", "lib/ipxe/qemu"];

/// The libraries among the packages that QEMU depends on.
pub fn libraries(dependencies: &[String]) -> impl Iterator<Item = &str> {
    let all = dependencies.iter().map(String::as_str);
    all.filter(|name| is_library(name))
}

/// The others: what machines start from, and what all of Debian's QEMUs share.
fn parts(dependencies: &[String]) -> impl Iterator<Item = &str> {
    let all = dependencies.iter().map(String::as_str);
    all.filter(|name| !is_library(name))
}

fn is_library(name: &str) -> bool {
    name.starts_with("lib") || name == "zlib1g"
}

fn fetch(sh: &Shell, release: Release, packages: &[String], folder: &Path) -> Result<()> {
    let archive = Archive::new(sh, release)?;
    let draft = place::draft(folder);
    let unpacked = archive.unpack_current(sh, packages, &draft);
    let named = unpacked.and_then(|()| Ok(fs::rename(&draft, folder)?));
    let _ = fs::remove_dir_all(&draft);
    named.with_context(|| format!("no QEMU can be had from {}", release.name()))
}

#[cfg(test)]
mod tests {
    use super::{libraries, parts};

    #[test]
    fn libraries_are_told_from_what_machines_start_from() {
        let all = [
            "libslirp0",
            "zlib1g",
            "qemu-system-data",
            "seabios",
            "ipxe-qemu",
        ];
        let all = all.map(String::from);
        assert_eq!(libraries(&all).collect::<Vec<_>>(), ["libslirp0", "zlib1g"]);
        let parts: Vec<_> = parts(&all).collect();
        assert_eq!(parts, ["qemu-system-data", "seabios", "ipxe-qemu"]);
    }
}
