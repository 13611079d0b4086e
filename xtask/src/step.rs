//! Steps: what takes long says what it does, and how long it took.

use anyhow::{Result, bail};
use std::time::Instant;
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
    let start = Instant::now();
    let result = work()?;
    eprintln!("✓ {what}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(result)
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
