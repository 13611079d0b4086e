//! A kernel's headers, for building a module against it: unpacked once, never installed.

use super::archive::Archive;
use super::host_tools;
use super::kernel::Kernel;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::Shell;

/// The folder to build modules in, downloaded unless it is there already.
pub fn get(sh: &Shell, kernel: &Kernel) -> Result<PathBuf> {
    let package = format!("linux-headers-{}", kernel.version);
    let folder = place::target()
        .join("lab/kernels")
        .join(kernel.system.release.name())
        .join(&package);
    if !folder.exists() {
        let system = kernel.system;
        let archive = Archive::of(sh, system.release, system.architecture.debian)?;
        fetch(sh, &archive, &package, &folder)?;
    }
    Ok(folder.join("usr/src").join(package))
}

fn fetch(sh: &Shell, archive: &Archive, package: &str, folder: &Path) -> Result<()> {
    let draft = place::draft(folder);
    let result = step(
        &format!("downloading and unpacking {package} (14 MB)"),
        || {
            let mut packages = archive.dependencies(sh, package)?;
            // The headers of all flavours, and the programs that build; not the kernel, not the compiler.
            let (kbuild, rest): (Vec<_>, Vec<_>) = packages
                .drain(..)
                .partition(|name| name.starts_with("linux-kbuild-"));
            packages.extend(
                rest.into_iter()
                    .filter(|name| name.starts_with("linux-headers-")),
            );
            packages.push(package.to_owned());
            archive.unpack(sh, &packages, &draft)?;
            // The programs that build run on this machine, whatever the kernel's architecture.
            let here = Archive::new(sh, archive.release)?;
            here.unpack_current(sh, &kbuild, &draft)?;
            if !archive.release.is_built_here() {
                for kbuild in &kbuild {
                    host_tools::relocate(sh, &here, kbuild, &draft, folder)?;
                }
            }
            relocate(&draft.join("usr/src").join(package), folder)?;
            fs::rename(&draft, folder)
                .with_context(|| format!("cannot move the headers to {}", folder.display()))
        },
    );
    let _ = fs::remove_dir_all(&draft);
    result
}

/// The Makefile names folders by their absolute paths: `root` goes before them.
fn relocate(headers: &Path, root: &Path) -> Result<()> {
    let makefile = headers.join("Makefile");
    let text = fs::read_to_string(&makefile)
        .with_context(|| format!("cannot read {}", makefile.display()))?;
    fs::write(&makefile, relocated(&text, root))?;
    Ok(())
}

fn relocated(makefile: &str, root: &Path) -> String {
    // `include /usr/src/…`, and from Linux 7 on `KBUILD_OUTPUT=/usr/src/…`.
    [" ", "="].iter().fold(makefile.to_owned(), |text, before| {
        text.replace(
            &format!("{before}/usr/src/"),
            &format!("{before}{}/usr/src/", root.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::relocated;
    use std::path::Path;

    #[test]
    fn folders_are_found_below_the_root() {
        assert_eq!(
            relocated(
                "KBUILD_OUTPUT=/usr/src/h-amd64\ninclude /usr/src/h-common/Makefile\n",
                Path::new("/k")
            ),
            "KBUILD_OUTPUT=/k/usr/src/h-amd64\ninclude /k/usr/src/h-common/Makefile\n"
        );
    }
}
