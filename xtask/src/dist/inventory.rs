//! What the folder holds, and what that is made of.

use crate::page::tools;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// The names in a folder, sorted; of a folder in it, with a slash.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let mut name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            name.push('/');
        }
        names.push(name);
    }
    names.sort_unstable();
    Ok(names)
}

/// Every crate that `umem`, with RDMA, is made of: version, licence, checksum. CycloneDX, JSON.
pub fn bill_of_materials(sh: &Shell, out: &Path) -> Result<()> {
    tools::require_cargo_cyclonedx(sh)?;
    let _path = sh.push_env("PATH", tools::path()?);
    step("listing what umem is made of", || {
        let workspace = place::workspace();
        let manifest = workspace.join("native-runner/Cargo.toml");
        let listed = run_quietly(cmd!(
            sh,
            "cargo cyclonedx --manifest-path {manifest} --features rdma --format json --override-filename umem.cdx"
        ));
        let copied = listed.and_then(|()| {
            let bill = workspace.join("native-runner").join(BILL);
            fs::copy(&bill, out.join(BILL)).with_context(|| format!("no {}", bill.display()))?;
            Ok(())
        });
        // It writes beside the manifest of every member of the workspace. What is made lies elsewhere, our own copy with it.
        let sources = subfolders(&workspace)?.into_iter();
        for folder in sources.filter(|folder| *folder != place::target()) {
            for member in subfolders(&folder)?.into_iter().chain([folder]) {
                let _ = fs::remove_file(member.join(BILL));
            }
        }
        copied
    })
}

/// What `--override-filename umem.cdx` becomes.
const BILL: &str = "umem.cdx.json";

fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.flatten();
    let paths = entries.map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_dir()).collect())
}

/// `SHA256SUMS`, as `sha256sum --check` reads it: of every file below the folder.
pub fn checksums(out: &Path) -> Result<()> {
    let mut files = Vec::new();
    below(out, "", &mut files)?;
    files.sort_unstable();
    let mut sums = String::new();
    for file in files {
        let digest = Sha256::digest(fs::read(out.join(&file))?);
        for byte in digest {
            write!(sums, "{byte:02x}").expect("a String takes all");
        }
        writeln!(sums, "  {file}").expect("a String takes all");
    }
    Ok(fs::write(out.join("SHA256SUMS"), sums)?)
}

fn below(folder: &Path, within: &str, files: &mut Vec<String>) -> Result<()> {
    for name in names(folder)? {
        let path = format!("{within}{name}");
        match name.strip_suffix('/') {
            Some(folder_name) => below(&folder.join(folder_name), &path, files)?,
            None => files.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{checksums, names};
    use std::fs;
    use std::process::Command;

    #[test]
    fn sha256sum_agrees() {
        let out = std::env::temp_dir().join(format!("umem-sums-{}", std::process::id()));
        fs::create_dir_all(out.join("site/book")).unwrap();
        fs::write(out.join("a b"), "x").unwrap();
        fs::write(out.join("site/book/index.html"), "y").unwrap();
        checksums(&out).unwrap();
        let check = Command::new("sha256sum")
            .args(["--check", "--strict", "SHA256SUMS"])
            .current_dir(&out)
            .output()
            .unwrap();
        let listed = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
        let found = names(&out).unwrap();
        fs::remove_dir_all(&out).unwrap();
        assert!(check.status.success(), "{check:?}");
        assert_eq!(listed.lines().count(), 2);
        assert_eq!(found, ["SHA256SUMS", "a b", "site/"]);
    }
}
