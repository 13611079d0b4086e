//! A folder of one run's own. It goes away with the run; what a killed run has left, the next one removes.

use crate::interrupt::{Interrupted, Watch};
use crate::place;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder. While it is there, signals are noted and not obeyed at once, so that it can be removed.
pub struct RunFolder {
    path: PathBuf,
    watch: Watch,
}

impl RunFolder {
    /// A new one.
    pub fn new() -> Result<Self> {
        let runs = place::target().join("lab/runs");
        sweep(&runs);
        // Before there is anything to clear away.
        let watch = Watch::begin()?;
        let path = runs.join(std::process::id().to_string());
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(RunFolder { path, watch })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it for the machine of this name.
    pub fn bay(&self, name: &str) -> Result<Bay<'_>> {
        let bay = Bay {
            path: self.path.join(name),
            watch: &self.watch,
        };
        // A second machine of that name follows the first.
        let _ = fs::remove_dir_all(&bay.path);
        fs::create_dir_all(bay.out())
            .with_context(|| format!("cannot create {}", bay.out().display()))?;
        Ok(bay)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// What one machine reads and writes.
pub struct Bay<'a> {
    path: PathBuf,
    watch: &'a Watch,
}

impl Bay<'_> {
    /// An error once somebody wants the run to end.
    pub fn check_interrupt(&self) -> Result<(), Interrupted> {
        self.watch.check()
    }

    /// The archive that it boots.
    pub fn initramfs(&self) -> PathBuf {
        self.path.join("initramfs.cpio")
    }

    /// Where the kernel's console is logged.
    pub fn console(&self) -> PathBuf {
        self.path.join("console.log")
    }

    /// What the guest sees as /out.
    pub fn out(&self) -> PathBuf {
        self.path.join("out")
    }

    /// Whether the guest's first process has begun: it says so on the console.
    pub fn booted(&self) -> bool {
        self.log().contains("lab: booted")
    }

    /// The console's last lines.
    pub fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.console()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Brings what the guest has left in /out to `folder`, each file whole or not at all.
    pub fn bring_home(&self, folder: &Path) -> Result<()> {
        bring(&self.out(), folder)
            .with_context(|| format!("cannot bring the guest's files to {}", folder.display()))
    }
}

fn bring(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            bring(&source, &target)?;
        } else {
            // The two may be on different file systems.
            let draft = place::draft(&target);
            fs::copy(&source, &draft).and_then(|_| fs::rename(&draft, &target))?;
        }
    }
    Ok(())
}

/// Removes the folders of processes that are no more.
fn sweep(runs: &Path) {
    for folder in fs::read_dir(runs).into_iter().flatten().flatten() {
        if place::is_gone(&folder.file_name()) {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bring, sweep};
    use std::fs;

    fn folder(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("umem-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn only_the_dead_are_swept() {
        let runs = folder("sweep");
        let own = runs.join(std::process::id().to_string());
        // Beyond the largest process number that Linux has.
        let dead = runs.join("4194305");
        for run in [&own, &dead] {
            fs::create_dir_all(run.join("intel")).unwrap();
        }
        sweep(&runs);
        let left = (own.exists(), dead.exists());
        fs::remove_dir_all(&runs).unwrap();
        assert_eq!(left, (true, false));
    }

    #[test]
    fn files_and_folders_come_home_over_older_ones() {
        let root = folder("home");
        let (from, to) = (root.join("from"), root.join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::write(from.join("a/one"), "new").unwrap();
        fs::create_dir_all(to.join("a")).unwrap();
        fs::write(to.join("a/one"), "old and longer").unwrap();
        fs::write(to.join("a/other"), "kept").unwrap();
        bring(&from, &to).unwrap();
        let read = |name: &str| fs::read_to_string(to.join(name)).unwrap();
        let (one, other) = (read("a/one"), read("a/other"));
        let count = fs::read_dir(to.join("a")).unwrap().count();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!((one.as_str(), other.as_str(), count), ("new", "kept", 2));
    }
}
