//! `umem vectors gates`: registrations that are made to be refused.

use std::{io::Write, process::Command};

use anyhow::Context;

use crate::{
    exit::Exit,
    trial::{CASES, Case, Outcome},
};

/// Register what cannot be registered, and compare the errno with the rules
///
/// Each case has a process of its own. For a test machine: some give up rights, or make a control group.
///
/// Exit code: 0 each errno was foretold, 1 one was not.
#[derive(Debug, clap::Args)]
pub struct Gates {
    /// The device, of the driver rxe
    #[arg(long, value_name = "NAME", default_value = "rxe0")]
    device: String,

    /// Try this one alone, in this process
    #[arg(long, value_name = "CASE", hide = true)]
    only: Option<String>,
}

/// The exit code of a case that could not be tried.
const SKIPPED: i32 = 4;

impl Gates {
    /// Tries them all, or one.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        if let Some(name) = &self.only {
            let case = CASES.iter().find(|case| case.name == *name);
            return self.attempt(
                case.with_context(|| format!("there is no case {name}"))?,
                out,
            );
        }
        let (mut held, mut differed, mut skipped) = (0, 0, 0);
        for case in CASES {
            let output = Command::new(std::env::current_exe()?)
                .args([
                    "vectors",
                    "gates",
                    "--device",
                    &self.device,
                    "--only",
                    case.name,
                ])
                .envs(case.environment.iter().map(|name| (name, "1")))
                .output()
                .context("cannot start a process for a case")?;
            let words = String::from_utf8_lossy(&output.stdout);
            write!(out, "{words}")?;
            match output.status.code() {
                Some(0) => held += 1,
                Some(SKIPPED) => skipped += 1,
                Some(1) => differed += 1,
                _ => {
                    differed += 1;
                    let error = String::from_utf8_lossy(&output.stderr);
                    writeln!(out, "{:<36} {}: {}", case.name, output.status, error.trim())?;
                }
            }
        }
        writeln!(out, "{held} held, {differed} differed, {skipped} skipped")?;
        Ok(match differed {
            0 => Exit::Held,
            _ => Exit::Differed,
        })
    }

    fn attempt(&self, case: &Case, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let name = case.name;
        match case.attempt(&self.device)? {
            Outcome::Held(what) => writeln!(out, "{name:<36} {what}")?,
            Outcome::Differed { rules, kernel } => {
                writeln!(
                    out,
                    "{name:<36} the kernel says {kernel}, the rules say {rules}"
                )?;
                return Ok(Exit::Differed);
            }
            Outcome::Skipped(why) => {
                writeln!(out, "{name:<36} skipped: {why}")?;
                out.flush()?;
                std::process::exit(SKIPPED);
            }
        }
        Ok(Exit::Held)
    }
}
