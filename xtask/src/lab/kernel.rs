//! Debian's kernel, fetched by apt's own means and never installed: unpacked once, then kept under `target/lab`.

use super::archive::Archive;
use super::image;
use super::system::System;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// An unpacked kernel: `vmlinux` and `lib/modules/VERSION` in one folder.
pub struct Kernel {
    pub folder: PathBuf,
    /// Which it is.
    pub system: System,
    /// What `uname -r` says.
    pub version: String,
}

impl Kernel {
    /// The kernel, as QEMU boots it.
    pub fn image(&self) -> PathBuf {
        self.folder.join("vmlinux")
    }

    /// Where its modules lie.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules").join(&self.version)
    }
}

/// The system's present kernel, downloaded unless it is there already.
pub fn get(sh: &Shell, system: System) -> Result<Kernel> {
    let archive = Archive::of(sh, system.release, system.architecture.debian)?;
    // Without lists apt knows no kernel; with old ones it knows one that the mirror has dropped.
    present(sh, &archive, system).or_else(|_| {
        archive.update(sh)?;
        present(sh, &archive, system)
    })
}

fn present(sh: &Shell, archive: &Archive, system: System) -> Result<Kernel> {
    let flavour = system.flavour.package;
    let packages = archive.kernels(sh, flavour)?;
    let kernels = place::target()
        .join("lab/kernels")
        .join(system.release.name());
    place::sweep_drafts(&kernels);
    let mut failure = None;
    // The archive may list what it has not: then an older one serves.
    for package in packages {
        let folder = kernels.join(&package);
        let fetched = match folder.exists() {
            true => Ok(()),
            false => fetch(sh, archive, &package, &folder),
        };
        match fetched {
            Ok(()) => {
                return Ok(Kernel {
                    version: package.trim_start_matches("linux-image-").to_owned(),
                    folder,
                    system,
                });
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| {
        anyhow!("apt knows no kernel: nothing of Debian's depends on one as {flavour} does")
    }))
}

/// Downloads and unpacks `package` beside `folder`, and gives it that name only when it is complete.
fn fetch(sh: &Shell, archive: &Archive, package: &str, folder: &Path) -> Result<()> {
    let draft = place::draft(folder);
    let result = step(
        &format!("downloading and unpacking {package} (70 to 110 MB)"),
        || {
            let version = package.trim_start_matches("linux-image-");
            // From Linux 7 on the image, the modules and their lists lie in packages of their own.
            let mut packages = archive.dependencies(sh, package)?;
            let parts = ["linux-base-", "linux-binary-", "linux-modules-"];
            packages.retain(|name| parts.iter().any(|part| name.starts_with(part)));
            packages.push(package.to_owned());
            archive.unpack(sh, &packages, &draft)?;
            // Newer packages have the modules under /usr/lib, the newest the image too.
            if draft.join("usr/lib/modules").exists() {
                fs::create_dir_all(draft.join("lib"))?;
                fs::rename(draft.join("usr/lib/modules"), draft.join("lib/modules"))?;
            }
            let images = [
                draft.join(format!("boot/vmlinuz-{version}")),
                draft.join(format!("lib/modules/{version}/vmlinuz")),
                // POWER's, an ELF file.
                draft.join(format!("boot/vmlinux-{version}")),
            ];
            let image = images.iter().find(|image| image.exists());
            unpack_image(
                sh,
                image.context("the package has no vmlinuz where kernels have theirs")?,
                &draft.join("vmlinux"),
            )?;
            run_quietly(cmd!(sh, "/sbin/depmod --basedir {draft} {version}"))?;
            fs::rename(&draft, folder)
                .with_context(|| format!("cannot move the kernel to {}", folder.display()))
        },
    );
    let _ = fs::remove_dir_all(&draft);
    result
}

/// Writes the kernel to `to` as QEMU boots it: of x86's image the ELF file inside, any other as it is.
fn unpack_image(sh: &Shell, packed: &Path, to: &Path) -> Result<()> {
    let image = fs::read(packed).with_context(|| format!("cannot read {}", packed.display()))?;
    if !image::is_bz_image(&image) {
        return Ok(fs::rename(packed, to)?);
    }
    let (program, stream) = image::payload(&image)?;
    let packed = to.with_extension("packed");
    fs::write(&packed, stream)?;
    let elf = cmd!(sh, "{program} --decompress --stdout {packed}")
        .quiet()
        .output()?
        .stdout;
    fs::remove_file(&packed)?;
    fs::write(to, elf)?;
    Ok(())
}
