//! The BPF programs of `umem watch`: built by Debian's clang, and committed, so that building `umem` takes no clang.

use crate::debian;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// Debian 12's, by version: another clang makes another object.
const PACKAGES: &[&str] = &["clang-14", "llvm-14", "libbpf-dev"];

/// The sources' folder, in which the object lies as well.
fn folder() -> PathBuf {
    place::workspace().join("native-runner/bpf")
}

const SOURCE: &str = "umem_watch.bpf.c";
const OBJECT: &str = "umem_watch.x86-64.bpf.o";

const FLAGS: &[&str] = &[
    "-O2",
    "-g",
    "-target",
    "bpf",
    "-mcpu=v3",
    "-D__TARGET_ARCH_x86",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-fdebug-compilation-dir=.",
];

/// The source of what `umem` carries on a machine (as `uname -m` calls it), and its licence: the GPL has whoever passes the object on pass on
/// these as well. Nothing where there is no object.
pub fn source(machine: &str) -> Result<Vec<PathBuf>> {
    let object = format!("umem_watch.{}.bpf.o", machine.replace('_', "-"));
    if !folder().join(object).exists() {
        return Ok(Vec::new());
    }
    let mut files = vec![place::workspace().join("native-runner/probe/COPYING")];
    for entry in fs::read_dir(folder())? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_none_or(|end| end != "o"));
    Ok(files)
}

/// Builds the object in the place of the one that is committed.
pub fn build(sh: &Shell) -> Result<()> {
    let object = made(sh)?;
    let path = folder().join(OBJECT);
    fs::write(&path, &object).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("{}: {} bytes", path.display(), object.len());
    Ok(())
}

/// An error unless the object that is committed is what its source makes.
pub fn check(sh: &Shell) -> Result<()> {
    let path = folder().join(OBJECT);
    let committed = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        committed == made(sh)?,
        "{} is not what {SOURCE} and its headers make: cargo xtask bpf builds it",
        path.display()
    );
    Ok(())
}

/// The object, built from its sources. No path of this machine is in it.
fn made(sh: &Shell) -> Result<Vec<u8>> {
    debian::require(sh, "building the BPF programs", PACKAGES)?;
    let object = place::target().join("bpf").join(OBJECT);
    fs::create_dir_all(object.parent().context("it lies in a folder")?)?;
    let _folder = sh.push_dir(folder());
    step("building the BPF programs", || {
        let flags = FLAGS;
        cmd!(sh, "clang-14 {flags...} -c {SOURCE} -o {object}")
            .quiet()
            .run()?;
        // DWARF goes, BTF stays.
        cmd!(sh, "llvm-strip-14 -g {object}").quiet().run()?;
        Ok(())
    })?;
    Ok(fs::read(object)?)
}
