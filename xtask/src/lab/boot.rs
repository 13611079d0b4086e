//! From a machine to a verdict: QEMU runs, its output is passed on, its end is understood.

use super::kvm;
use super::machine::{Accel, Machine};
use crate::place;
use anyhow::{Context, Error, Result, anyhow};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A folder of one run's own; it goes away with the run.
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// A new one.
    pub fn new() -> Result<Self> {
        let runs = place::target().join("lab/runs");
        sweep(&runs);
        let folder = runs.join(std::process::id().to_string());
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(RunFolder(folder))
    }

    /// Where the guest's archive is written.
    pub fn initramfs(&self) -> PathBuf {
        self.0.join("initramfs.cpio")
    }

    /// Where the kernel's console is logged.
    pub fn console(&self) -> PathBuf {
        self.0.join("console.log")
    }

    /// Whether the guest's first process has begun: it says so on the console.
    fn booted(&self) -> bool {
        self.log().contains("lab: booted")
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.console()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The console's last lines.
    fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

/// Removes what runs that were killed have left.
fn sweep(runs: &Path) {
    for folder in fs::read_dir(runs).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(folder.file_name()).exists() {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Boots the machine and waits for its verdict, `timeout` seconds at most: the command's exit code.
///
/// On some hosts KVM opens and creates machines that then do not run, so the one true probe is the boot itself: a guest
/// that has not reached its first process in time is started again under TCG.
pub fn boot(machine: &Machine, run: &RunFolder, timeout: u64) -> Result<u8> {
    let timeout = Duration::from_secs(timeout);
    match machine.accel {
        Accel::Auto if kvm::may_work() => {
            match attempt(machine, Accel::Kvm, run, kvm::PATIENCE, timeout)? {
                Ended::Verdict(code) => Ok(code),
                Ended::Finally(error) => Err(error),
                Ended::BeforeBooting(_) => {
                    eprintln!("  (KVM is there but does not boot the guest: going on in software)");
                    kvm::remember_failure()?;
                    attempt(machine, Accel::Tcg, run, timeout, timeout)?.verdict()
                }
            }
        }
        Accel::Auto => attempt(machine, Accel::Tcg, run, timeout, timeout)?.verdict(),
        accel => attempt(machine, accel, run, timeout, timeout)?.verdict(),
    }
}

/// How an attempt to boot ended.
enum Ended {
    /// The command ran; this is its exit code.
    Verdict(u8),
    /// The guest's first process was never reached.
    BeforeBooting(Error),
    /// It was reached, and something went wrong after.
    Finally(Error),
}

impl Ended {
    fn verdict(self) -> Result<u8> {
        match self {
            Ended::Verdict(code) => Ok(code),
            Ended::BeforeBooting(error) | Ended::Finally(error) => Err(error),
        }
    }
}

fn attempt(
    machine: &Machine,
    accel: Accel,
    run: &RunFolder,
    patience: Duration,
    timeout: Duration,
) -> Result<Ended> {
    let start = Instant::now();
    fs::write(run.console(), "")?;
    // setpriv has QEMU killed when we die, however that happens.
    let mut qemu = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "qemu-system-x86_64"])
        .args(machine.arguments(accel, &run.initramfs(), &run.console()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start setpriv (of the package util-linux)")?;
    let (stdout, stderr) = (
        qemu.stdout.take().expect("is piped"),
        qemu.stderr.take().expect("is piped"),
    );

    wait(&mut qemu, start + patience, || run.booted())?;
    let booted = run.booted();
    if !booted && patience < timeout {
        end(&mut qemu)?;
        return Ok(Ended::BeforeBooting(anyhow!(
            "the guest did not boot within {} s",
            patience.as_secs()
        )));
    }
    // Only now, so that what a QEMU that cannot boot has to say does not disturb the attempt that follows.
    let readers = [
        pass_on(stdout, std::io::stdout()),
        pass_on(stderr, std::io::stderr()),
    ];
    let in_time = wait(&mut qemu, start + timeout, || false)?;
    let status = end(&mut qemu)?;
    for reader in readers {
        reader.join().expect("the reader does not panic");
    }

    let last = run.last_words();
    let error = match status.code().and_then(verdict) {
        Some(code) => return Ok(Ended::Verdict(code)),
        None if in_time => anyhow!(
            "the guest ended without a verdict (QEMU: {status}); its console ended:\n{last}"
        ),
        None => anyhow!(
            "the guest did not finish within {} s and was stopped (more: --timeout); its console ended:\n{last}",
            timeout.as_secs()
        ),
    };
    Ok(if booted {
        Ended::Finally(error)
    } else {
        Ended::BeforeBooting(error)
    })
}

/// Waits until the process ends or `done` says so; false when `deadline` came first.
fn wait(process: &mut Child, deadline: Instant, done: impl Fn() -> bool) -> Result<bool> {
    while process.try_wait()?.is_none() && !done() {
        if Instant::now() > deadline {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(true)
}

/// Ends the process, if it still runs.
fn end(process: &mut Child) -> Result<ExitStatus> {
    let _ = process.kill();
    Ok(process.wait()?)
}

/// The command's exit code, out of QEMU's: the guest writes 64 + code to isa-debug-exit, which doubles it and adds one.
fn verdict(qemu: i32) -> Option<u8> {
    (qemu & 1 == 1 && (129..=255).contains(&qemu)).then(|| (qemu >> 1) as u8 - 64)
}

/// Copies everything that comes, as it comes.
fn pass_on(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to
                .write_all(&buffer[..count])
                .and_then(|()| to.flush())
                .is_err()
            {
                break;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn qemus_own_failures_are_no_verdict() {
        assert_eq!(
            (verdict(129), verdict(131), verdict(135), verdict(255)),
            (Some(0), Some(1), Some(3), Some(63))
        );
        assert_eq!(
            (verdict(0), verdict(1), verdict(127), verdict(130)),
            (None, None, None, None)
        );
    }
}
