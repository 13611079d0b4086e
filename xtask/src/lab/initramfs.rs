//! The guest's whole world, packed into one archive: made anew for each run, in a fraction of a second.

use super::cpio::Archive;
use super::kernel::Kernel;
use super::probe::Modules;
use super::programs::{self, Root};
use super::{modules, words};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use xshell::{Shell, cmd};

/// The guest's first process.
const INIT: &str = include_str!("guest.sh");

/// What all guests with this kernel have; `ours` are our modules, where they could be built.
pub fn base(
    sh: &Shell,
    kernel: &Kernel,
    root: &Root,
    umem: &Path,
    ours: Option<&Modules>,
) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for folder in [
        "/proc", "/sys", "/dev", "/tmp", "/root", "/in", "/out", "/etc",
    ] {
        archive.folder(folder);
    }
    archive.file("/init", INIT.as_bytes());
    programs::pack(sh, root, umem, &mut archive)?;
    let (first, later) = modules::load_order(kernel)?;
    for (folder, files) in [("modules", first), ("later", later)] {
        for (place, file) in files.iter().enumerate() {
            let (name, content) = module(sh, &kernel.modules().join(file))?;
            archive.file(format!("/lab/{folder}/{place:02}-{name}"), &content);
        }
    }
    if let Some(ours) = ours {
        // After all modules that it uses.
        archive.file("/lab/modules/99-umem_probe.ko", &fs::read(&ours.probe)?);
        archive.file("/lab/watch/umem_register.ko", &fs::read(&ours.register)?);
    }
    Ok(archive.finish())
}

/// Writes the archive of a guest that runs `command`: the kernel unpacks one archive after the other.
pub fn write(base: &[u8], command: &[String], to: &Path) -> Result<()> {
    let mut archive = Archive::default();
    archive.file("/lab/command", script(command).as_bytes());
    fs::write(to, [base, &archive.finish()].concat())
        .with_context(|| format!("cannot write {}", to.display()))
}

/// A module's name and content, unpacked where the kernel's package has it packed.
fn module(sh: &Shell, file: &Path) -> Result<(String, Vec<u8>)> {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .context("a module's file has a name")?;
    match name.strip_suffix(".xz") {
        Some(name) => Ok((
            name.to_owned(),
            cmd!(sh, "xz --decompress --stdout {file}")
                .quiet()
                .output()?
                .stdout,
        )),
        None => Ok((
            name.to_owned(),
            fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
        )),
    }
}

/// A shell script that runs exactly these words.
fn script(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|word| words::quoted(word)).collect();
    words.join(" ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::script;

    #[test]
    fn words_reach_the_guest_as_they_are() {
        let words = ["printf", "%s|", "it's", "$HOME", "a b"].map(String::from);
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(script(&words))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "it's|$HOME|a b|");
    }
}
