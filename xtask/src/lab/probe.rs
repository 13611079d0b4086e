//! Our kernel modules, built against the guest's kernel: `umem_probe`, and `umem_register`, which only watching needs.

use super::headers;
use super::kernel::Kernel;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// What builds it.
pub const PACKAGES: &[&str] = &["make", "libc6-dev", "libelf1"];

/// The modules' files.
pub struct Modules {
    /// `umem_probe`
    pub probe: PathBuf,
    /// `umem_register`
    pub register: PathBuf,
}

/// The modules, each built unless its sources are those of the last time.
pub fn build(sh: &Shell, kernel: &Kernel) -> Result<Modules> {
    require_simple(&place::target())?;
    let headers = headers::get(sh, kernel)?;
    let module = |folder| build_one(sh, kernel, &headers, folder);
    Ok(Modules {
        probe: module("probe")?,
        register: module("register")?,
    })
}

/// The module whose sources are in that folder of native-runner, and which is called after it.
fn build_one(sh: &Shell, kernel: &Kernel, headers: &Path, source: &str) -> Result<PathBuf> {
    let folder = place::target()
        .join("lab")
        .join(source)
        .join(&kernel.version);
    let name = format!("umem_{source}");
    let module = folder.join(format!("{name}.ko"));
    let from = place::workspace().join("native-runner").join(source);
    let changed = copy_changed(&from, &folder)?;
    if changed || !module.exists() {
        step(
            &format!("building the module {name} for {}", kernel.version),
            || {
                // A build that fails leaves no module of older sources behind.
                let _ = fs::remove_file(&module);
                // The compiler that the kernel was built with may not be here, and the one that is here may not know all
                // its options.
                let architecture = kernel.system.architecture;
                let (compiler, name) = (architecture.compiler(), architecture.kernel);
                let prefix = compiler.trim_end_matches("gcc");
                let own = architecture.make;
                run_quietly(cmd!(
                    sh,
                    "make -C {folder} KDIR={headers} ARCH={name} CC={compiler} CROSS_COMPILE={prefix} CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= {own...}"
                ))
            },
        )?;
    }
    Ok(module)
}

/// The kernel's makefiles split paths at spaces and colons, and the shell reads the rest.
fn require_simple(folder: &Path) -> Result<()> {
    let simple = |c: char| c.is_alphanumeric() || "/._-+,@%=".contains(c);
    ensure!(
        folder.to_str().is_some_and(|path| path.chars().all(simple)),
        "the kernel's makefiles cannot work in {}: set CARGO_TARGET_DIR to a folder without spaces, colons and quotes",
        folder.display()
    );
    Ok(())
}

/// Copies the files that differ; tells whether any did.
fn copy_changed(from: &Path, to: &Path) -> Result<bool> {
    fs::create_dir_all(to)?;
    let mut changed = false;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let file = entry?.path();
        let source = file
            .extension()
            .is_none_or(|extension| extension == "c" || extension == "h");
        if !file.is_file() || !source {
            continue;
        }
        let copy = to.join(file.file_name().context("a file in a folder has a name")?);
        let content = fs::read(&file)?;
        if fs::read(&copy).ok().as_ref() != Some(&content) {
            fs::write(&copy, content)?;
            changed = true;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::{copy_changed, require_simple};
    use std::fs;

    #[test]
    fn folders_that_make_would_misread_are_refused_with_the_way_out() {
        use std::path::Path;
        assert!(require_simple(Path::new("/some/a-b_c.1/target")).is_ok());
        for folder in ["/a b", "/a:b", "/it's", "/$HOME"] {
            let error = require_simple(Path::new(folder)).unwrap_err().to_string();
            assert!(error.contains("CARGO_TARGET_DIR"), "{error}");
        }
    }

    #[test]
    fn only_sources_that_changed_are_copied() {
        let root = std::env::temp_dir().join(format!("umem-probe-{}", std::process::id()));
        let (from, to) = (root.join("from"), root.join("to"));
        fs::create_dir_all(&from).unwrap();
        for file in ["a.c", "a.h", "Makefile", "README.md", "a.o"] {
            fs::write(from.join(file), file).unwrap();
        }
        let first = copy_changed(&from, &to).unwrap();
        let again = copy_changed(&from, &to).unwrap();
        fs::write(from.join("a.h"), "other").unwrap();
        let after = copy_changed(&from, &to).unwrap();
        let mut copied: Vec<_> = fs::read_dir(&to)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        copied.sort();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!((first, again, after), (true, false, true));
        assert_eq!(copied, ["Makefile", "a.c", "a.h"]);
    }
}
