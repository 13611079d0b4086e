//! What is published, tried as those who take it would.

use super::done::Done;
use crate::debian;
use crate::dist::static_build::TARGETS;
use crate::dist::{Dist, VERSION};
use crate::place;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// What it is tried with, as (program, Debian's package).
const PROGRAMS: &[(&str, &str)] = &[
    ("qemu-aarch64-static", "qemu-user-static"),
    ("unshare", "util-linux"),
];

/// Makes all of it, and tries it below a folder of its own.
pub fn dist(sh: &Shell) -> Result<Done> {
    let out = place::target().join("dist");
    let all = Dist::everything(out.clone());
    // Together: whoever installs them by hand is asked once.
    let packages = [all.packages(), debian::of_absent(PROGRAMS)].concat();
    debian::require(sh, "trying what is published", &packages)?;
    all.make(sh)?;
    for file in [
        "umem.cdx.json",
        "SHA256SUMS",
        "site/index.html",
        "site/book/index.html",
        "site/_headers",
    ] {
        ensure!(out.join(file).is_file(), "target/dist has no {file}");
    }
    let trial = place::target().join("dist-trial");
    sh.remove_path(&trial)?;
    fs::create_dir_all(&trial)?;
    {
        let _there = sh.push_dir(&out);
        cmd!(sh, "sha256sum --check --strict --quiet SHA256SUMS").run()?;
    }
    let tried = binaries(sh, &out, &trial).and_then(|()| package(sh, &out, &trial));
    sh.remove_path(&trial)?;
    tried.map(|()| Done::All)
}

/// The mail's example is right wherever the program runs.
const RIGHT: &str = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";

/// Each in a folder that holds nothing else and is its `/`; of other processors, as their emulator runs it.
fn binaries(sh: &Shell, out: &Path, trial: &Path) -> Result<()> {
    for target in TARGETS {
        let name = format!("umem-{VERSION}-linux-{}", target.machine);
        let archive = out.join(format!("{name}.tar.gz"));
        cmd!(sh, "tar --extract --file {archive} --directory {trial}").run()?;
        let folder = trial.join(&name);
        let umem = folder.join("umem");
        let said = match target.machine == std::env::consts::ARCH {
            true => cmd!(
                sh,
                "unshare --map-root-user --root {folder} /umem plan --preset mail"
            ),
            false => {
                let emulator = target.emulator;
                cmd!(sh, "{emulator} {umem} plan --preset mail")
            }
        };
        let said = said.read()?;
        ensure!(said.contains(RIGHT), "{name} says: {said}");
        for file in ["man/umem-plan.1", "completions/umem", "LICENSE-MIT"] {
            ensure!(folder.join(file).exists(), "{name} has no {file}");
        }
        // Of these machines it alone has BPF programs.
        let is_to_have = target.machine == "x86_64";
        for file in ["bpf/COPYING", "bpf/umem_watch.bpf.c", "bpf/umem_watch.h"] {
            let has = folder.join(file).exists();
            ensure!(has == is_to_have, "{name} has {file}: {has}");
        }
        eprintln!("  {name}: the mail's example is right");
    }
    Ok(())
}

/// Installed into a root of its own and removed again: nothing of it stays.
fn package(sh: &Shell, out: &Path, trial: &Path) -> Result<()> {
    let deb = only(out, "deb")?;
    let root = trial.join("root");
    fs::create_dir_all(root.join("var/lib/dpkg/updates"))?;
    fs::create_dir_all(root.join("var/lib/dpkg/info"))?;
    fs::write(root.join("var/lib/dpkg/status"), "")?;
    let dpkg = |sh: &Shell, words: &[&str]| {
        // What it depends on lies in the machine's own root.
        cmd!(sh, "dpkg --root={root} --force-depends --force-script-chrootless --log=/dev/null {words...}")
            .ignore_stderr()
            .ignore_stdout()
            .run()
    };
    dpkg(sh, &["--install", &deb.display().to_string()])?;
    let umem = root.join("usr/bin/umem");
    let said = cmd!(sh, "{umem} plan --preset mail").read()?;
    ensure!(said.contains(RIGHT), "the package's umem says: {said}");
    let verbs = cmd!(sh, "{umem} doctor").ignore_status().read()?;
    ensure!(
        !verbs.contains("built without"),
        "the package's umem has no verbs: {verbs}"
    );
    for file in [
        "usr/share/man/man1/umem-plan.1.gz",
        "usr/share/bash-completion/completions/umem",
        "usr/share/doc/umem/copyright",
        "usr/share/doc/umem/LICENSE-MIT",
        "usr/share/doc/umem/bpf/umem_watch.bpf.c",
        "usr/share/doc/umem/bpf/COPYING",
        "usr/lib/systemd/system/umem-watch.service",
    ] {
        ensure!(root.join(file).exists(), "the package has no {file}");
    }
    dpkg(sh, &["--purge", "umem"])?;
    ensure!(!umem.exists(), "the package leaves {}", umem.display());
    eprintln!("  the package: installed, run, removed");
    Ok(())
}

/// The one file with this ending.
fn only(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut found = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == ending));
    let first = found.next();
    let first = first.with_context(|| format!("{} has no .{ending}", folder.display()))?;
    ensure!(found.next().is_none(), "{} has several", folder.display());
    Ok(first)
}
