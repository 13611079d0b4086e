//! A newer QEMU than Debian 12's own, from its backports, unpacked beside the lab's other downloads. Nothing is installed: the libraries
//! that it wants are those of the QEMU that is.

use super::architecture::Architecture;
use super::archive::{Archive, Release};
use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::Shell;

/// Its packages for x86-64. What the emulated machine starts from (SeaBIOS) is of the same age.
const PACKAGES: [&str; 4] = [
    "qemu-system-x86",
    "qemu-system-common",
    "qemu-system-data",
    "seabios",
];

/// A QEMU that lies in a folder.
pub struct NewerQemu {
    folder: PathBuf,
}

impl NewerQemu {
    /// Downloads and unpacks it, once.
    pub fn get(sh: &Shell) -> Result<Self> {
        let folder = place::target().join("lab/programs/qemu-bookworm-backports");
        if !folder.exists() {
            step("downloading and unpacking a newer QEMU (13 MB)", || {
                fetch(sh, &folder)
            })?;
        }
        Ok(NewerQemu { folder })
    }

    /// The program that emulates this architecture.
    pub fn program(&self, architecture: &Architecture) -> PathBuf {
        self.folder.join("usr/bin").join(architecture.qemu)
    }

    /// Where its data lie, in QEMU's words.
    pub fn data(&self) -> impl Iterator<Item = String> {
        ["qemu", "seabios"].into_iter().flat_map(|name| {
            let folder = self.folder.join("usr/share").join(name);
            ["-L".to_owned(), folder.display().to_string()]
        })
    }
}

fn fetch(sh: &Shell, folder: &Path) -> Result<()> {
    let archive = Archive::new(sh, Release::BookwormBackports)?;
    let draft = place::draft(folder);
    let unpacked = archive.unpack_current(sh, &PACKAGES.map(String::from), &draft);
    let named = unpacked.and_then(|()| Ok(fs::rename(&draft, folder)?));
    let _ = fs::remove_dir_all(&draft);
    named.context("no newer QEMU can be had from bookworm-backports")
}
