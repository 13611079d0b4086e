//! A static `umem` with its manual pages, completions, licences, and what the GPL asks for beside its BPF programs, as one archive.

use super::VERSION;
use super::copy_into;
use super::static_build::StaticTarget;
use crate::bpf;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::Result;
use std::fs;
use std::path::Path;
use xshell::{Shell, cmd};

/// The shells that `umem completions` knows and Debian has, with what each wants the file to be called.
pub const SHELLS: &[(&str, &str)] = &[("bash", "umem"), ("zsh", "_umem"), ("fish", "umem.fish")];

/// Packs `umem`, built for `target`, into `out`; `here` is one that runs on this machine.
pub fn pack(sh: &Shell, target: &StaticTarget, umem: &Path, here: &Path, out: &Path) -> Result<()> {
    let name = format!("umem-{VERSION}-linux-{}", target.machine);
    step(&format!("packing {name}"), || {
        let folder = place::target().join("static").join(&name);
        sh.remove_path(&folder)?;
        fs::create_dir_all(&folder)?;
        copy_into(umem, &folder)?;
        help(sh, here, &folder.join("man"), &folder.join("completions"))?;
        licences(target.machine, &folder)?;
        let (archive, above) = (
            out.join(format!("{name}.tar.gz")),
            place::target().join("static"),
        );
        // Whoever packs it and when: the same bytes.
        run_quietly(cmd!(
            sh,
            "tar --create --gzip --file {archive} --directory {above} --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 {name}"
        ))
    })
}

/// The licences of `umem`, and the source of its BPF programs, where it carries any on the machine.
pub fn licences(machine: &str, folder: &Path) -> Result<()> {
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy_into(&place::workspace().join(licence), folder)?;
    }
    let programs = folder.join("bpf");
    for file in bpf::source(machine)? {
        fs::create_dir_all(&programs)?;
        copy_into(&file, &programs)?;
    }
    Ok(())
}

/// The manual pages and completions: the same for every processor, so they are written by a `umem` that runs here.
pub fn help(sh: &Shell, umem: &Path, pages: &Path, completions: &Path) -> Result<()> {
    cmd!(sh, "{umem} man {pages}").quiet().run()?;
    fs::create_dir_all(completions)?;
    for (shell, file) in SHELLS {
        let script = cmd!(sh, "{umem} completions {shell}").quiet().read()?;
        fs::write(completions.join(file), script)?;
    }
    Ok(())
}
