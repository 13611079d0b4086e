//! Where things are: the workspace and its target directory.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The workspace's root: the folder above this crate, wherever the clone lies.
pub fn workspace() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest)
        .parent()
        .expect("xtask lies inside the workspace")
        .to_owned()
}

/// Cargo's target directory: everything that is downloaded or built lives below it.
pub fn target() -> PathBuf {
    workspace().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Where what becomes `path` is made: no other process uses it, and none takes it for complete.
pub fn draft(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!("{DRAFT}{}", std::process::id()));
    draft.into()
}

/// Waits until no other process sets something up, and keeps others from it as long as the file lives. What is to be set up is asked for
/// again after it: the other may have done it.
pub fn set_up_alone() -> Result<File> {
    fs::create_dir_all(target())?;
    let path = target().join("set-up.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

const DRAFT: &str = ".draft-";

/// Removes the draft folders that killed processes have left in `folder`.
pub fn sweep_drafts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.rsplit_once(DRAFT));
        if process.is_some_and(|(_, process)| is_gone(OsStr::new(process))) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether there is no process of this number.
pub fn is_gone(process: &OsStr) -> bool {
    !Path::new("/proc").join(process).exists()
}

/// Makes the folder `to` what `from` is; files that are the same already stay untouched, and so do their times, by which
/// cargo tells whether `umem`, which carries the folder `static`, must be built again.
pub fn renew(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(to)? {
        let old = entry?;
        if !from.join(old.file_name()).exists() {
            if old.file_type()?.is_dir() {
                fs::remove_dir_all(old.path())?;
            } else {
                fs::remove_file(old.path())?;
            }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            renew(&entry.path(), &target)?;
        } else {
            renew_file(&target, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Makes the file `to` hold `contents`; one that does already stays untouched.
pub fn renew_file(to: &Path, contents: &[u8]) -> Result<()> {
    if fs::read(to).ok().as_deref() == Some(contents) {
        return Ok(());
    }
    fs::write(to, contents).with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::{draft, renew, sweep_drafts};
    use std::fs;

    #[test]
    fn drafts_of_the_dead_are_swept_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("umem-drafts-{}", std::process::id()));
        let own = draft(&folder.join("kernel"));
        // Beyond the largest process number that Linux has.
        let dead = folder.join("kernel.draft-4194305");
        let complete = folder.join("kernel");
        for path in [&own, &dead, &complete] {
            fs::create_dir_all(path).unwrap();
        }
        sweep_drafts(&folder);
        let left = [&own, &dead, &complete].map(|path| path.exists());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(left, [true, false, true]);
    }

    #[test]
    fn what_is_the_same_stays_untouched_and_what_is_gone_goes() {
        let root = std::env::temp_dir().join(format!("umem-renew-{}", std::process::id()));
        let (from, to) = (root.join("from"), root.join("to"));
        for (file, text) in [
            ("from/a", "1"),
            ("from/b/c", "2"),
            ("to/a", "1"),
            ("to/b/old", "3"),
            ("to/gone/d", "4"),
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        }
        let before = fs::metadata(to.join("a")).unwrap().modified().unwrap();
        renew(&from, &to).unwrap();
        let after = fs::metadata(to.join("a")).unwrap().modified().unwrap();
        let (new, old, gone) = (
            fs::read(to.join("b/c")),
            to.join("b/old").exists(),
            to.join("gone").exists(),
        );
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(before, after);
        assert_eq!(new.unwrap(), b"2");
        assert!(!old && !gone);
    }
}
