//! Runs of the lab that are interrupted, killed, stopped or not alone: no process, mount, folder or half-written file stays.
//!
//! They boot VMs, so they are asked for: `cargo xtask test --only lab-kill`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A run, and what it has said so far.
struct Run {
    xtask: Child,
    said: PathBuf,
    /// Where its guest's files are to go.
    home: PathBuf,
}

impl Run {
    /// `cargo xtask lab KIND --out … ARGUMENTS`; the name tells it from other runs of this test.
    fn start(name: &str, kind: &str, arguments: &[&str]) -> Self {
        let home = std::env::temp_dir().join(format!("umem-killed-{}-{name}", std::process::id()));
        let said = home.with_extension("log");
        let log = fs::File::create(&said).unwrap();
        let xtask = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["lab", kind, "--out"])
            .arg(&home)
            .args(arguments)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        Run { xtask, said, home }
    }

    /// Its folder, for as long as it runs.
    fn folder(&self) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let runs = workspace.join(target).join("lab/runs");
        runs.join(self.xtask.id().to_string())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Waits until the guest has begun to write a file, and not ended.
    fn wait_for_half_a_file(&mut self) {
        let half = self.folder().join("off/out/half");
        wait("the guest writes", || {
            assert!(self.xtask.try_wait().unwrap().is_none(), "{}", self.said());
            half.exists()
        });
    }

    /// The machines that run for it.
    fn machines(&self) -> Vec<u32> {
        let folder = format!("{}/", self.folder().display());
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers
            .filter(|process| {
                let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line);
                line.contains("qemu-system") && line.contains(&folder)
            })
            .collect()
    }

    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait("the run ends", || {
            status = self.xtask.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Nothing of it is left, nor did anything half-written come home.
    fn assert_clean(&self) {
        wait("no machine is left", || self.machines().is_empty());
        assert!(!self.folder().exists(), "{}", self.folder().display());
        assert!(!self.home.exists(), "{}", self.home.display());
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        for folder in [self.folder(), self.home.clone()] {
            let folder = folder.display().to_string();
            assert!(!mounts.contains(&folder), "{mounts}");
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.xtask.kill();
        let _ = self.xtask.wait();
        let _ = fs::remove_file(&self.said);
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// Writes, and does not come to an end.
const HALF: [&str; 4] = ["--", "sh", "-c", "echo half >/out/half; sleep 600"];

/// How long a busy host may take to boot a machine that waits for others.
const PATIENCE: Duration = Duration::from_secs(900);

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        sleep(Duration::from_millis(50));
    }
}

/// Sends a signal to a process, or to a group of them if the number is negative.
fn signal(signal: &str, process: i64) {
    let status = Command::new("kill")
        .args(["-s", signal, "--", &process.to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
#[ignore = "boots VMs"]
fn a_check_behind_both_iommus_that_is_interrupted() {
    let mut run = Run::start("ctrl-c", "check", &[]);
    wait("both machines run", || {
        assert!(run.xtask.try_wait().unwrap().is_none(), "{}", run.said());
        run.machines().len() == 2
    });
    // As a terminal does it: to the whole group.
    signal("INT", -i64::from(run.xtask.id()));
    assert_eq!(run.end().code(), Some(130), "{}", run.said());
    run.assert_clean();
}

#[test]
#[ignore = "boots VMs"]
fn a_run_that_is_asked_to_end() {
    let mut run = Run::start("term", "run", &HALF);
    run.wait_for_half_a_file();
    signal("TERM", run.xtask.id().into());
    assert_eq!(run.end().code(), Some(143), "{}", run.said());
    run.assert_clean();
}

#[test]
#[ignore = "boots VMs"]
fn a_machine_that_is_killed() {
    let mut run = Run::start("qemu", "run", &HALF);
    run.wait_for_half_a_file();
    let machines = run.machines();
    assert_eq!(machines.len(), 1, "{machines:?}");
    signal("KILL", machines[0].into());
    assert_eq!(run.end().code(), Some(101), "{}", run.said());
    assert!(run.said().contains("without a verdict"), "{}", run.said());
    run.assert_clean();
}

#[test]
#[ignore = "boots VMs"]
fn a_kernel_that_ends_before_its_first_process_is_booted_again() {
    let mut run = Run::start("panic", "run", &["--append", "rdinit=/none", "--", "true"]);
    assert_eq!(run.end().code(), Some(101), "{}", run.said());
    let said = run.said();
    assert!(said.contains("boot 2 of 3 at most"), "{said}");
    assert!(said.contains("Kernel panic"), "{said}");
    run.assert_clean();
}

#[test]
#[ignore = "boots VMs"]
fn a_check_that_takes_too_long() {
    let mut run = Run::start("timeout", "check", &["--timeout", "3"]);
    assert_eq!(run.end().code(), Some(101), "{}", run.said());
    assert!(run.said().contains("within 3 s"), "{}", run.said());
    run.assert_clean();
}

#[test]
#[ignore = "boots VMs"]
fn a_run_that_is_killed_takes_its_machine_along_and_the_next_sweeps() {
    let mut run = Run::start("kill", "run", &HALF);
    run.wait_for_half_a_file();
    signal("KILL", run.xtask.id().into());
    assert_eq!(run.end().code(), None);
    wait("no machine is left", || run.machines().is_empty());
    assert!(run.folder().exists());
    let mut next = Run::start("next", "run", &["--", "true"]);
    assert_eq!(next.end().code(), Some(0), "{}", next.said());
    run.assert_clean();
}

#[test]
#[ignore = "boots VMs"]
fn runs_at_the_same_time() {
    let mut runs = ["3", "7"].map(|code| {
        let script = format!("echo {code} >/out/code; exit {code}");
        (code, Run::start(code, "run", &["--", "sh", "-c", &script]))
    });
    for (code, run) in &mut runs {
        assert_eq!(
            run.end().code().unwrap().to_string(),
            *code,
            "{}",
            run.said()
        );
        let files: Vec<_> = fs::read_dir(&run.home).unwrap().flatten().collect();
        assert_eq!(files.len(), 1);
        assert_eq!(fs::read_to_string(files[0].path()).unwrap().trim(), *code);
        assert!(!run.folder().exists());
    }
}
