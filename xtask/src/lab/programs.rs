//! What runs in the guest: `umem`, and a few of Debian's programs with the libraries they need.

use super::architecture::Architecture;
use super::archive::{Archive, Release};
use super::cpio;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// Where the programs come from.
pub const PACKAGES: &[&str] = &[
    "busybox-static",
    "e2fsprogs",
    "iproute2",
    "ibverbs-utils",
    "ibverbs-providers",
    "libibverbs1",
    "librdmacm1",
];

/// The libraries that these want, and `umem` too: for another architecture they are unpacked as well.
const LIBRARIES: &[&str] = &[
    "libblkid1",
    "libc6",
    "libcom-err2",
    "libext2fs2",
    "libgcc-s1",
    "libmnl0",
    "libbsd0",
    "libmd0",
    "libcap2",
    "libelf1",
    "libbpf1",
    "zlib1g",
    "libzstd1",
    "libtirpc3",
    "libdb5.3",
    "libselinux1",
    "libpcre2-8-0",
    "libgssapi-krb5-2",
    "libkrb5-3",
    "libk5crypto3",
    "libkrb5support0",
    "libkeyutils1",
    "libssl3",
    "libxtables12",
    "libnl-3-200",
    "libnl-route-3-200",
    "libuuid1",
];

/// What cargo needs to build `umem` with the feature `rdma`: bindgen's libclang and cmake.
pub const BUILD_PACKAGES: &[&str] = &["g++", "libc6-dev", "cmake", "libclang-dev"];

const PROGRAMS: &[&str] = &[
    "mke2fs",
    "ip",
    "rdma",
    "ibv_devices",
    "ibv_devinfo",
    "ibv_rc_pingpong",
];

/// Opened by name at run time, so that no program's header tells of them: the verbs, and rxe's provider of them.
const OPENED: &[&str] = &["libibverbs.so.1", "librdmacm.so.1"];

/// Installs what building with the feature `rdma` needs.
pub fn require_build(sh: &Shell) -> Result<()> {
    crate::debian::require(sh, "building umem with RDMA", BUILD_PACKAGES)
}

/// Builds `umem` with everything it has for that architecture; returns its path.
///
/// It is linked dynamically: `rdma-mummy-sys` opens libibverbs at run time, which a static program cannot do.
pub fn build_umem(sh: &Shell, architecture: &Architecture) -> Result<PathBuf> {
    let (target, mut folder) = (architecture.rust.1, place::target());
    let mut cross: &[&str] = &[];
    let linker = format!(
        "CARGO_TARGET_{}_LINKER",
        target.to_uppercase().replace('-', "_")
    );
    let cross_target = ["--target", target];
    let _linker = (!architecture.is_here()).then(|| sh.push_env(linker, architecture.compiler()));
    if !architecture.is_here() {
        crate::page::tools::require_target(sh, target)?;
        folder.push(target);
        cross = &cross_target;
    }
    step(
        &format!("building umem with RDMA for {}", architecture.name),
        || {
            cmd!(
            sh,
            "cargo build --quiet --package native-runner --bin umem --features rdma --profile quick {cross...}"
        )
        .quiet()
        .run()?;
            Ok(folder.join("quick/umem"))
        },
    )
}

/// Debian's programs and libraries, in the folders where Debian has them.
pub struct Root {
    path: PathBuf,
    triplet: &'static str,
}

impl Root {
    /// This machine's own, which are installed, or another architecture's, unpacked once.
    pub fn of(sh: &Shell, architecture: &'static Architecture) -> Result<Self> {
        let triplet = architecture.triplet;
        if architecture.is_here() {
            return Ok(Root {
                path: "/".into(),
                triplet,
            });
        }
        let release = Release::Bookworm;
        let path = place::target().join("lab/programs").join(format!(
            "{}-{}",
            release.name(),
            architecture.debian
        ));
        if !path.exists() {
            let archive = Archive::of(sh, release, architecture.debian)?;
            let what = format!("downloading programs for {} (20 MB)", architecture.name);
            step(&what, || fetch(sh, &archive, &path))?;
        }
        Ok(Root { path, triplet })
    }

    /// A file in one of these folders.
    fn find(&self, folders: &[&str], name: &str) -> Result<PathBuf> {
        let files = folders
            .iter()
            .map(|folder| self.path.join(folder).join(name));
        files
            .into_iter()
            .find(|file| file.exists())
            .with_context(|| {
                format!(
                    "{name} is in none of Debian's folders below {}, though its package is there",
                    self.path.display()
                )
            })
    }

    fn program(&self, name: &str) -> Result<PathBuf> {
        self.find(&["usr/bin", "usr/sbin", "bin", "sbin"], name)
    }

    fn library(&self, name: &str) -> Result<PathBuf> {
        let folders = ["usr/lib", "lib"].map(|folder| format!("{folder}/{}", self.triplet));
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        self.find(&folders, name)
    }

    /// Rxe's provider of verbs, and the file that names it.
    fn provider(&self) -> Result<[PathBuf; 2]> {
        let folder = self
            .path
            .join("usr/lib")
            .join(self.triplet)
            .join("libibverbs");
        let files = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
        let is_it = |file: &PathBuf| {
            let name = file.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("librxe-"))
        };
        let found = files.flatten().map(|file| file.path()).find(is_it);
        let found = found.with_context(|| format!("no librxe in {}", folder.display()))?;
        Ok([found, self.find(&["etc/libibverbs.d"], "rxe.driver")?])
    }

    /// Where the guest has a file of this root.
    fn inside(&self, file: &Path) -> PathBuf {
        let within = file.strip_prefix(&self.path).unwrap_or(file);
        Path::new("/").join(within)
    }
}

fn fetch(sh: &Shell, archive: &Archive, path: &Path) -> Result<()> {
    let draft = place::draft(path);
    let packages: Vec<String> = [PACKAGES, LIBRARIES]
        .concat()
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    let unpacked = archive.unpack_current(sh, &packages, &draft);
    let named = unpacked.and_then(|()| Ok(fs::rename(&draft, path)?));
    let _ = fs::remove_dir_all(&draft);
    named
}

/// Puts the guest's programs, and what they load, into the archive under the paths that they have in Debian.
pub fn pack(sh: &Shell, root: &Root, umem: &Path, archive: &mut cpio::Archive) -> Result<()> {
    let mut add = |inside: &Path, file: &Path| -> Result<()> {
        let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        archive.file(inside, &content);
        Ok(())
    };
    add(Path::new("/bin/umem"), umem)?;
    add(Path::new("/bin/busybox"), &root.program("busybox")?)?;
    let mut waiting = vec![umem.to_owned()];
    for name in PROGRAMS {
        waiting.push(root.program(name)?);
    }
    for name in OPENED {
        waiting.push(root.library(name)?);
    }
    waiting.extend(root.provider()?);
    let mut known = BTreeSet::from([umem.to_owned()]);
    while let Some(file) = waiting.pop() {
        if file != umem {
            add(&root.inside(&file), &file)?;
        }
        // The name behind the link tells the version.
        if let Some(name) = file.file_name().and_then(|name| name.to_str())
            && OPENED.contains(&name)
        {
            let versioned = fs::canonicalize(&file)?;
            add(
                &root.inside(&file.with_file_name(versioned.file_name().unwrap_or_default())),
                &file,
            )?;
        }
        // For what is no ELF file it fails, and prints nothing that is needed.
        let said = cmd!(sh, "readelf --wide --dynamic --program-headers {file}");
        let said = said.quiet().ignore_stderr().ignore_status().read()?;
        let needs = Needs::of(&said);
        for name in needs.libraries {
            let library = root.library(name)?;
            if known.insert(library.clone()) {
                waiting.push(library);
            }
        }
        // The loader has a path of its own, whatever it is a link to.
        if let Some(loader) = needs.loader.map(Path::new)
            && known.insert(loader.to_owned())
        {
            let name = loader.file_name().and_then(|name| name.to_str());
            add(loader, &root.library(name.context("a loader has a name")?)?)?;
        }
    }
    Ok(())
}

/// What a program asks for when it starts.
#[derive(Debug, PartialEq, Eq)]
struct Needs<'a> {
    libraries: Vec<&'a str>,
    loader: Option<&'a str>,
}

impl<'a> Needs<'a> {
    /// By `readelf`'s lines: `(NEEDED) Shared library: [libc.so.6]`, `[Requesting program interpreter: /lib/ld-linux-aarch64.so.1]`.
    fn of(readelf: &'a str) -> Self {
        let bracketed = |line: &'a str, before: &str| {
            let (_, rest) = line.split_once(before)?;
            rest.split_once(']').map(|(name, _)| name)
        };
        let needed = |line: &'a str| {
            let name =
                bracketed(line, "Shared library: [").filter(|_| line.contains("(NEEDED)"))?;
            // A loader that is needed by name is the one that is there.
            (!name.starts_with("ld-linux") && !name.starts_with("ld64")).then_some(name)
        };
        Needs {
            libraries: readelf.lines().filter_map(needed).collect(),
            loader: readelf
                .lines()
                .find_map(|line| bracketed(line, "program interpreter: ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Needs;

    #[test]
    fn readelf_tells_libraries_and_loader() {
        let said = "  INTERP         0x000318 0x0318 0x0318 0x00001c 0x00001c R   0x1\n\
                    \x20     [Requesting program interpreter: /lib64/ld64.so.2]\n\
                    \x200x0001 (NEEDED)             Shared library: [libgcc_s.so.1]\n\
                    \x200x0001 (NEEDED)             Shared library: [libc.so.6]\n\
                    \x200x0001 (NEEDED)             Shared library: [ld64.so.2]\n\
                    \x200x000e (SONAME)             Library soname: [libx.so.1]\n";
        let needs = Needs {
            libraries: vec!["libgcc_s.so.1", "libc.so.6"],
            loader: Some("/lib64/ld64.so.2"),
        };
        assert_eq!(Needs::of(said), needs);
        let none = Needs {
            libraries: vec![],
            loader: None,
        };
        assert_eq!(Needs::of(""), none);
    }
}
