//! The programs that come with a kernel's headers, made to run on an older Debian than theirs.
//!
//! Built for the release that they come from, they want its C library. That is unpacked beside them, and each is
//! started by a script through its own loader: no chroot, and nothing installed.

use super::archive::Archive;
use super::words::quoted;
use anyhow::Result;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use xshell::Shell;

/// The release's libraries that the programs of `kbuild` (a package) want, unpacked below `draft`; then the programs below it
/// are put behind scripts. `root` is where `draft` will lie in the end.
pub fn relocate(
    sh: &Shell,
    archive: &Archive,
    kbuild: &str,
    draft: &Path,
    root: &Path,
) -> Result<()> {
    let mut libraries = archive.dependencies(sh, kbuild)?;
    libraries.retain(|name| name.starts_with("lib") || name == "zlib1g");
    // libelf's own.
    libraries.push("libzstd1".to_owned());
    let theirs = Archive::new(sh, archive.release.libraries())?;
    theirs.unpack_current(sh, &libraries, draft)?;
    for program in programs(&draft.join("usr/lib").join(kbuild))? {
        let mut own = program.clone().into_os_string();
        own.push(".elf");
        fs::rename(&program, own)?;
        fs::write(&program, script(root))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Each is told the name that it was called by: objtool finds the program that it stands for beside it.
fn script(root: &Path) -> String {
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let loader = quoted(&libraries.join("ld-linux-x86-64.so.2").display().to_string());
    let libraries = quoted(&libraries.display().to_string());
    format!(
        "#!/bin/sh\nexec {loader} --library-path {libraries} --argv0 \"$0\" \"$0.elf\" \"$@\"\n"
    )
}

/// The executable ELF files below `folder`.
fn programs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = fs::symlink_metadata(&path)?;
        if kind.is_dir() {
            found.extend(programs(&path)?);
        } else if kind.is_file() && kind.permissions().mode() & 0o111 != 0 {
            let mut magic = [0; 4];
            let read = fs::File::open(&path)?.read_exact(&mut magic);
            if read.is_ok() && magic == *b"\x7fELF" {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{programs, script};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn programs_are_told_from_scripts_and_data() {
        let here = std::env::current_exe().unwrap();
        let found = programs(here.parent().unwrap()).unwrap();
        assert!(found.contains(&here));
        assert!(
            found
                .iter()
                .all(|path| path.extension().is_none_or(|end| end != "d"))
        );
    }

    #[test]
    fn a_program_is_started_through_its_own_loader_wherever_it_lies() {
        let name = format!("umem it's a \"$HOME\" {}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let libraries = root.join("usr/lib/x86_64-linux-gnu");
        fs::create_dir_all(&libraries).unwrap();
        // By another program: what we have open for writing when another test forks cannot be run (ETXTBSY).
        let copy = |from: &str, to: &Path| {
            let copied = Command::new("cp").arg(from).arg(to).status().unwrap();
            assert!(copied.success());
        };
        for library in ["ld-linux-x86-64.so.2", "libc.so.6"] {
            copy(&format!("/lib/x86_64-linux-gnu/{library}"), &libraries);
        }
        copy("/bin/echo", &root.join("program.elf"));
        let program = root.join("program");
        fs::write(&program, script(&root)).unwrap();
        let said = Command::new("sh")
            .arg(&program)
            .args(["a  b", "it's"])
            .output();
        fs::remove_dir_all(&root).unwrap();
        let said = said.unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stderr), "");
        assert_eq!(String::from_utf8_lossy(&said.stdout), "a  b it's\n");
    }
}
