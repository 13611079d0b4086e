//! Steps: what takes long says what it does, and how long it took.

use anyhow::{Result, bail};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use xshell::Cmd;

/// This machine lacks something that the task needs; the message says what, and how to get it. Exit code 3.
#[derive(Debug)]
pub struct MachineCannot(pub String);

impl std::fmt::Display for MachineCannot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MachineCannot {}

/// Says what is being done, does it, and says how long it took. Speaks on stderr: stdout belongs to the task.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("» {what} …");
    let number = begun(what);
    let result = work();
    let took = ended(number);
    let result = result?;
    eprintln!("✓ {what}: {:.1} s", took.as_secs_f64());
    Ok(result)
}

/// A step of this process.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done, as the terminal says it.
    pub what: String,
    began: Instant,
    took: Option<Duration>,
}

impl Step {
    /// How long it took, or has taken so far.
    pub fn time(&self) -> Duration {
        self.took.unwrap_or_else(|| self.began.elapsed())
    }

    /// Whether it has ended, well or not.
    pub fn has_ended(&self) -> bool {
        self.took.is_some()
    }
}

/// All of them so far, in the order in which they began.
static STEPS: Mutex<Vec<Step>> = Mutex::new(Vec::new());

/// The steps of this process so far, in the order in which they began.
pub fn so_far() -> Vec<Step> {
    steps().clone()
}

/// Nothing panics while it holds them, so they are whole.
fn steps() -> MutexGuard<'static, Vec<Step>> {
    STEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begun(what: &str) -> usize {
    let mut steps = steps();
    steps.push(Step {
        what: what.to_owned(),
        began: Instant::now(),
        took: None,
    });
    steps.len() - 1
}

fn ended(number: usize) -> Duration {
    let step = &mut steps()[number];
    let took = step.began.elapsed();
    step.took = Some(took);
    took
}

/// Runs a chatty command in silence; only when it fails is what it said shown.
pub fn run_quietly(command: Cmd<'_>) -> Result<()> {
    let said = command.to_string();
    let output = command.quiet().ignore_status().output()?;
    if output.status.success() {
        return Ok(());
    }
    eprint!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    bail!(
        "`{said}` failed ({}); what it printed stands above",
        output.status
    )
}
