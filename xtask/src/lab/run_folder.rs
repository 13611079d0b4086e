//! A folder of one run's own. It goes away with the run; what a killed run has left, the next one removes.

use super::guest_files;
use super::words::harmless;
use crate::interrupt::{Interrupted, Watch};
use crate::place;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt;
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
        // Of a dead process that had our number.
        let _ = fs::remove_dir_all(&path);
        // Its guests are root, and what they make in it this machine has: it is nobody's but ours.
        fs::create_dir_all(&runs)
            .and_then(|()| fs::DirBuilder::new().mode(0o700).create(&path))
            .with_context(|| format!("cannot create {}", path.display()))?;
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

    /// Where the guest leaves its command's exit code.
    pub fn verdict(&self) -> PathBuf {
        self.path.join("verdict")
    }

    /// The exit code, if the guest has left one.
    pub fn exit_code(&self) -> Option<u8> {
        exit_code(&head(&self.verdict()))
    }

    /// What the guest sees as /out.
    pub fn out(&self) -> PathBuf {
        self.path.join("out")
    }

    /// Whether the guest's first process has begun: it says so on the console.
    pub fn booted(&self) -> bool {
        head(&self.console()).contains("lab: booted")
    }

    /// The console's last lines.
    pub fn last_words(&self) -> String {
        let log = tail(&self.console());
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }

    /// Brings what the guest, which has ended, has left in /out to `folder`.
    pub fn bring_home(&self, folder: &Path) -> Result<()> {
        for behind in guest_files::bring(&self.out(), folder)? {
            eprintln!("left behind: {behind}, and only files and folders are taken");
        }
        Ok(())
    }
}

/// The exit code in what a guest has left: a number, on a line of its own.
fn exit_code(text: &str) -> Option<u8> {
    text.strip_suffix('\n')?.parse().ok()
}

/// How much of a console is read: a guest may fill it as it likes.
const HEAD: u64 = 1 << 20;
const TAIL: u64 = 64 << 10;

/// The beginning of a log.
fn head(log: &Path) -> String {
    part(log, SeekFrom::Start(0), HEAD).unwrap_or_default()
}

/// The end of a log, harmless to a terminal.
fn tail(log: &Path) -> String {
    let length = fs::metadata(log).map_or(0, |about| about.len());
    let text = part(log, SeekFrom::Start(length.saturating_sub(TAIL)), TAIL);
    harmless(&text.unwrap_or_default())
}

fn part(log: &Path, from: SeekFrom, most: u64) -> std::io::Result<String> {
    let mut log = File::open(log)?;
    log.seek(from)?;
    let mut bytes = Vec::new();
    log.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
    use super::{HEAD, RunFolder, TAIL, exit_code, head, sweep, tail};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn folder(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("umem-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_verdict_is_a_whole_number_and_nothing_else() {
        for (text, code) in [("0\n", Some(0)), ("3\n", Some(3)), ("255\n", Some(255))] {
            assert_eq!(exit_code(text), code);
        }
        for text in ["", "0", "\n", "256\n", "-1\n", "0\n1\n", "panic\n"] {
            assert_eq!(exit_code(text), None, "{text:?}");
        }
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
    fn other_users_cannot_enter_a_run() {
        let run = RunFolder::new().unwrap();
        let mode = fs::metadata(run.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn of_a_console_as_much_is_read_as_people_want() {
        let folder = folder("console");
        let log = folder.join("console.log");
        let mut text = "lab: booted\n".to_owned();
        text += &"x".repeat(HEAD as usize);
        text += "\n\x1b[2Jthe end\n";
        fs::write(&log, text).unwrap();
        let (first, last) = (head(&log), tail(&log));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(first.len() as u64, HEAD);
        assert!(first.starts_with("lab: booted"));
        assert!(last.len() as u64 <= TAIL + 16, "{}", last.len());
        assert!(last.ends_with("x\n\\u{1b}[2Jthe end\n"));
        assert_eq!((head(&log), tail(&log)), (String::new(), String::new()));
    }
}
