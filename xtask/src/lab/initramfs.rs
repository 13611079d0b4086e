//! The guest's whole world, packed into one archive: made anew for each run, in a fraction of a second.

use super::cpio::Archive;
use super::kernel::Kernel;
use super::{modules, probe, programs};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use xshell::{Shell, cmd};

/// The guest's first process.
const INIT: &str = include_str!("guest.sh");

/// Writes the archive that boots, sets up the lab and runs `command`.
pub fn write(sh: &Shell, kernel: &Kernel, command: &[String], to: &Path) -> Result<()> {
    let umem = programs::build_umem(sh)?;
    let mut archive = Archive::default();
    for folder in ["/proc", "/sys", "/dev", "/tmp", "/root", "/out", "/etc"] {
        archive.folder(folder);
    }
    archive.file("/init", INIT.as_bytes());
    archive.file("/lab/command", script(command).as_bytes());
    programs::pack(sh, &umem, &mut archive)?;
    for (place, file) in modules::load_order(kernel)?.iter().enumerate() {
        let (name, content) = module(sh, &kernel.modules().join(file))?;
        archive.file(format!("/lab/modules/{place:02}-{name}"), &content);
    }
    // After all modules that it uses.
    match probe::build(sh, kernel) {
        Ok(module) => archive.file("/lab/modules/99-umem_probe.ko", &fs::read(module)?),
        Err(error) if kernel.release.is_built_here() => return Err(error),
        Err(error) => eprintln!(
            "skipped: the module umem_probe, and all that asks it: it cannot be built for {} here: {error:#}",
            kernel.version
        ),
    }
    fs::write(to, archive.finish()).with_context(|| format!("cannot write {}", to.display()))
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
    let quoted: Vec<_> = command
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    quoted.join(" ") + "\n"
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
