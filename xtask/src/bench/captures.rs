//! `umem capture` in turns with the kernel tree's own tool that looks where a process's memory lies, `tools/mm/thpmaps`.

use super::table;
use crate::debian;
use crate::lab::{Archive, Release};
use crate::place;
use crate::step::{MachineCannot, step};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

const PURPOSE: &str = "measuring captures beside thpmaps";

/// Measures, and draws the table.
pub fn table(sh: &Shell, rounds: &str) -> Result<String> {
    // What thpmaps reads: the one is for root alone, and not every kernel is built with both.
    for file in [
        "/proc/kpageflags",
        "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
    ] {
        File::open(file)
            .map_err(|error| MachineCannot(format!("{PURPOSE} needs to read {file}: {error}")))?;
    }
    let packages = ["python3-numpy", "xz-utils"];
    debian::require(sh, PURPOSE, &packages)?;
    let thpmaps = thpmaps(sh)?;
    step("compiling umem", || {
        Ok(
            cmd!(sh, "cargo build --quiet --release --package native-runner")
                .quiet()
                .run()?,
        )
    })?;
    let umem = place::target().join("release/umem");
    let script = place::workspace().join("xtask/src/bench/captures.py");
    let output = cmd!(sh, "/usr/bin/python3 {script} {umem} {thpmaps} {rounds}")
        .quiet()
        .ignore_status()
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => eprint!("{said}"),
        Some(3) => return Err(MachineCannot(said.trim().to_owned()).into()),
        _ => bail!("{} failed: {}", script.display(), said.trim()),
    }
    let measured = String::from_utf8(output.stdout).context("the script prints UTF-8")?;
    table::draw(&measured, ["umem capture", "thpmaps"], None)
}

/// The tool, out of Debian's package of the kernel's source. It is under GPL-2.0, so it stays below `target`.
fn thpmaps(sh: &Shell) -> Result<PathBuf> {
    let file = place::target().join("peers/thpmaps");
    if !file.exists() {
        let draft = place::draft(&file);
        let result = step(
            &format!("downloading {SOURCE} (153 MB) for the one file thpmaps"),
            || fetch(sh, &draft, &file),
        );
        let _ = fs::remove_dir_all(&draft);
        result.map_err(|error| {
            MachineCannot(format!("{PURPOSE} needs thpmaps from {SOURCE}: {error:#}"))
        })?;
    }
    Ok(file)
}

/// The package with it, and the folder in that.
const SOURCE: &str = "linux-source-6.12";

fn fetch(sh: &Shell, draft: &Path, file: &Path) -> Result<()> {
    let archive = Archive::new(sh, Release::Bookworm)?;
    archive.update(sh)?;
    archive.unpack(sh, &[SOURCE.to_owned()], draft)?;
    let sources = draft.join(format!("usr/src/{SOURCE}.tar.xz"));
    let member = format!("{SOURCE}/tools/mm/thpmaps");
    // To the file's first occurrence: there is one, and behind it much to unpack.
    cmd!(
        sh,
        "tar --extract --xz --file {sources} --directory {draft} --occurrence {member}"
    )
    .quiet()
    .run()?;
    let member = draft.join(member);
    fs::rename(&member, file)
        .with_context(|| format!("cannot move {} to {}", member.display(), file.display()))
}
