//! Debian's kernel, fetched by apt's own means and never installed: unpacked once, then kept under `target/lab`.

use super::archive::{Archive, Release};
use super::image;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// An unpacked kernel: `vmlinux` and `lib/modules/VERSION` in one folder.
pub struct Kernel {
    pub folder: PathBuf,
    /// Whose it is.
    pub release: Release,
    /// What `uname -r` says.
    pub version: String,
}

impl Kernel {
    /// The kernel as a plain ELF file.
    pub fn image(&self) -> PathBuf {
        self.folder.join("vmlinux")
    }

    /// Where its modules lie.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules").join(&self.version)
    }
}

/// The release's present kernel, downloaded unless it is there already.
pub fn get(sh: &Shell, release: Release) -> Result<Kernel> {
    let archive = Archive::new(sh, release)?;
    // Without lists apt knows no kernel; with old ones it knows one that the mirror has dropped.
    present(sh, &archive, release).or_else(|_| {
        archive.update(sh)?;
        present(sh, &archive, release)
    })
}

fn present(sh: &Shell, archive: &Archive, release: Release) -> Result<Kernel> {
    let package = archive
        .dependencies(sh, "linux-image-amd64")?
        .into_iter()
        .find(|package| package.starts_with("linux-image-"))
        .context("apt knows no kernel: `apt-cache depends linux-image-amd64` names none")?;
    let kernels = place::target().join("lab/kernels").join(release.name());
    place::sweep_drafts(&kernels);
    let folder = kernels.join(&package);
    if !folder.exists() {
        fetch(sh, archive, &package, &folder)?;
    }
    let version = package.trim_start_matches("linux-image-").to_owned();
    Ok(Kernel {
        folder,
        release,
        version,
    })
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

/// Writes the ELF kernel inside a bzImage to `to`.
fn unpack_image(sh: &Shell, bz_image: &Path, to: &Path) -> Result<()> {
    let image =
        fs::read(bz_image).with_context(|| format!("cannot read {}", bz_image.display()))?;
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
