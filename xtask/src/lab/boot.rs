//! From a machine to a verdict: QEMU runs, its output is passed on, its end is understood.

use super::kvm;
use super::machine::{Accel, Machine};
use super::run_folder::Bay;
use super::voice::{Stream, Voice};
use anyhow::{Context, Error, Result, anyhow};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Boots the machine and waits for its verdict, `timeout` seconds at most: the command's exit code.
///
/// On some hosts KVM opens and creates machines that then do not run, so the one true probe is the boot itself: a guest
/// that has not reached its first process in time is started again under TCG.
pub fn boot(machine: &Machine, bay: &Bay<'_>, voice: &Voice, timeout: Duration) -> Result<u8> {
    let attempt = |accel, patience| attempt(machine, accel, bay, voice, patience, timeout);
    let accel = match machine.accel {
        Accel::Auto if kvm::may_work() => match attempt(Accel::Kvm, kvm::PATIENCE)? {
            Ended::Verdict(code) => return Ok(code),
            Ended::Finally(error) => return Err(error),
            Ended::BeforeBooting(_) | Ended::Panicked(_) => {
                eprintln!("  (KVM is there but does not boot the guest: going on in software)");
                kvm::remember_failure()?;
                Accel::Tcg
            }
        },
        Accel::Auto => Accel::Tcg,
        accel => accel,
    };
    // While a kernel boots it patches its own code, and QEMU's TCG now and then runs half of a patched instruction. Nothing of
    // ours has run by then, so another boot hides nothing.
    for boot in 1..BOOTS {
        match attempt(accel, timeout)? {
            Ended::Panicked(error) => eprintln!(
                "  (boot {boot} of {BOOTS} at most: {error:#})\n  (none of the lab's programs ran by then: booting again)"
            ),
            ended => return ended.verdict(),
        }
    }
    attempt(accel, timeout)?.verdict()
}

/// So many times a kernel may be booted that panics before its first process.
const BOOTS: usize = 3;

/// How an attempt to boot ended.
enum Ended {
    /// The command ran; this is its exit code.
    Verdict(u8),
    /// The guest's first process was never reached.
    BeforeBooting(Error),
    /// Nor was it here: the guest's kernel ended by itself.
    Panicked(Error),
    /// It was reached, and something went wrong after.
    Finally(Error),
}

impl Ended {
    fn verdict(self) -> Result<u8> {
        match self {
            Ended::Verdict(code) => Ok(code),
            Ended::BeforeBooting(error) | Ended::Panicked(error) | Ended::Finally(error) => {
                Err(error)
            }
        }
    }
}

fn attempt(
    machine: &Machine,
    accel: Accel,
    bay: &Bay<'_>,
    voice: &Voice,
    patience: Duration,
    timeout: Duration,
) -> Result<Ended> {
    let start = Instant::now();
    let mut qemu = Qemu::start(machine, accel, bay)?;
    qemu.wait(bay, start + patience, || bay.booted())?;
    let booted = bay.booted();
    if !booted && patience < timeout {
        return Ok(Ended::BeforeBooting(anyhow!(
            "the guest did not boot within {} s",
            patience.as_secs()
        )));
    }
    // Only now, so that what a QEMU that cannot boot has to say does not disturb the attempt that follows.
    let readers = qemu.speak(voice);
    let in_time = qemu.wait(bay, start + timeout, || false)?;
    let status = qemu.end()?;
    for reader in readers {
        reader.join().expect("the reader does not panic");
    }

    let last = bay.last_words();
    let error = match bay.exit_code().filter(|_| status.success()) {
        Some(code) => return Ok(Ended::Verdict(code)),
        None if in_time && status.success() && !booted => {
            return Ok(Ended::Panicked(anyhow!(
                "the guest's kernel ended before its first process; its console ended:\n{last}"
            )));
        }
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

/// A QEMU that runs. It does not outlive this.
struct Qemu(Child);

impl Qemu {
    fn start(machine: &Machine, accel: Accel, bay: &Bay<'_>) -> Result<Self> {
        for file in [bay.console(), bay.verdict()] {
            fs::write(file, "")?;
        }
        // setpriv has QEMU killed when we die, however that happens. A terminal's Ctrl-C is for us alone.
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(machine.qemu())
            .args(machine.arguments(accel, bay))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Qemu)
            .context("cannot start setpriv (of the package util-linux)")
    }

    /// Passes on what it says.
    fn speak(&mut self, voice: &Voice) -> [thread::JoinHandle<()>; 2] {
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        [
            voice.pass_on(stdout.expect("is piped"), Stream::Out),
            voice.pass_on(stderr.expect("is piped"), Stream::Err),
        ]
    }

    /// Waits until it ends or `done` says so; false when `deadline` came first, an error when a signal did.
    fn wait(&mut self, bay: &Bay<'_>, deadline: Instant, done: impl Fn() -> bool) -> Result<bool> {
        while self.0.try_wait()?.is_none() && !done() {
            bay.check_interrupt()?;
            if Instant::now() > deadline {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(true)
    }

    /// Ends it, if it still runs.
    fn end(&mut self) -> Result<ExitStatus> {
        let _ = self.0.kill();
        Ok(self.0.wait()?)
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
