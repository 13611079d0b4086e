//! What runs in the guest: `umem`, and a few of Debian's programs with the libraries they need.

use super::cpio::Archive;
use crate::step::step;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// Where the programs come from.
pub const PACKAGES: &[&str] = &[
    "busybox-static",
    "iproute2",
    "ibverbs-utils",
    "ibverbs-providers",
    "libibverbs1",
    "librdmacm1",
];

/// What cargo needs to build `umem` with the feature `rdma`: bindgen's libclang and cmake.
pub const BUILD_PACKAGES: &[&str] = &["g++", "libc6-dev", "cmake", "libclang-dev"];

const PROGRAMS: &[&str] = &[
    "ip",
    "rdma",
    "ibv_devices",
    "ibv_devinfo",
    "ibv_rc_pingpong",
];

/// Opened by name at run time, so that `ldd` does not tell of them: the verbs, and rxe's provider of them.
const DLOPENED: &[(&str, &str)] = &[
    ("libibverbs1", "libibverbs.so.1"),
    ("librdmacm1", "librdmacm.so.1"),
    ("ibverbs-providers", "librxe-"),
    ("ibverbs-providers", "/rxe.driver"),
];

/// Installs what building with the feature `rdma` needs.
pub fn require_build(sh: &Shell) -> Result<()> {
    crate::debian::require(sh, "building umem with RDMA", BUILD_PACKAGES)
}

/// Builds `umem` with everything it has; returns its path.
pub fn build_umem(sh: &Shell) -> Result<PathBuf> {
    step("building umem with RDMA", || {
        cmd!(
            sh,
            "cargo build --quiet --package native-runner --bin umem --features rdma --profile quick"
        )
        .quiet()
        .run()?;
        Ok(crate::place::target().join("quick/umem"))
    })
}

/// Puts the guest's programs, and what they load, into the archive under the paths that they have here.
pub fn pack(sh: &Shell, umem: &Path, archive: &mut Archive) -> Result<()> {
    let mut files = BTreeSet::from([umem.to_owned()]);
    for program in PROGRAMS {
        files.insert(find(program)?);
    }
    for (package, part) in DLOPENED {
        let owned = cmd!(sh, "dpkg-query --listfiles {package}")
            .quiet()
            .read()?;
        let found = owned
            .lines()
            .filter(|file| file.contains(part))
            .map(PathBuf::from);
        files.extend(found);
    }
    let mut libraries = BTreeSet::new();
    for file in &files {
        // For what is no dynamic program `ldd` fails and prints nothing to load.
        let said = cmd!(sh, "ldd {file}")
            .quiet()
            .ignore_stderr()
            .ignore_status()
            .read()?;
        libraries.extend(loaded(&said).map(PathBuf::from));
    }
    for file in files.union(&libraries) {
        let inside = if file == umem {
            Path::new("/bin/umem")
        } else {
            file
        };
        archive.file(
            inside,
            &fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
        );
    }
    let busybox = find("busybox")?;
    archive.file("/bin/busybox", &fs::read(busybox)?);
    Ok(())
}

/// Where a program is, as Debian has it.
fn find(program: &str) -> Result<PathBuf> {
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists())
        .with_context(|| format!("the program {program} is in none of Debian's folders, though its package is installed"))
}

/// The files among `ldd`'s lines: `name => /path (0x…)`, or the loader's own `/path (0x…)`.
fn loaded(ldd: &str) -> impl Iterator<Item = &str> {
    ldd.lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::loaded;

    #[test]
    fn ldd_lines_yield_their_files() {
        let said = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        assert_eq!(
            loaded(said).collect::<Vec<_>>(),
            [
                "/lib/x86_64-linux-gnu/libc.so.6",
                "/lib64/ld-linux-x86-64.so.2"
            ]
        );
        assert_eq!(loaded("\tnot a dynamic executable\n").count(), 0);
    }
}
