//! `cargo xtask test`: parts in order, each with its own set-up, and a table of verdicts at the end.

mod dist;
mod lab;
mod part;
mod report;

use crate::interrupt::Interrupted;
use crate::step::MachineCannot;
use anyhow::{Result, ensure};
use clap::Args;
use part::Part;
use report::{Report, Verdict};
use std::process::ExitCode;
use std::time::Instant;
use xshell::Shell;

/// What is tested.
#[derive(Args)]
pub struct Test {
    /// Add what takes long: ten times as many random cases in every property test, Firefox, WebKit, the npm package in a bundler, every machine of the lab
    #[arg(long)]
    full: bool,
    /// Run only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// Leave these parts out
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    skip: Vec<Part>,
}

impl Test {
    /// Runs the parts; fails when one of them does. What this machine cannot test is skipped by name.
    pub fn run(self, sh: &Shell) -> Result<ExitCode> {
        let parts: Vec<Part> = Part::ALL
            .iter()
            .copied()
            .filter(|part| self.wants(*part))
            .collect();
        ensure!(!parts.is_empty(), "--only and --skip leave no part to run");
        let cases = if self.full { "100000" } else { "10000" };
        let _cases = sh.push_env("PROPTEST_CASES", cases);
        let _full = self.full.then(|| sh.push_env("UMEM_FULL", "1"));

        let mut report = Report::default();
        for part in parts {
            eprintln!("\n═══ {part}: {} ═══", part.about());
            let start = Instant::now();
            let verdict = match part.run(sh) {
                Ok(done) => Verdict::Passed(done),
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) if error.is::<MachineCannot>() => Verdict::Skipped(format!("{error:#}")),
                Err(error) => Verdict::Failed(format!("{error:#}")),
            };
            eprintln!("{part}: {verdict}");
            report.add(part, start.elapsed(), verdict);
        }
        print!("{report}");
        Ok(if report.failed() == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn wants(&self, part: Part) -> bool {
        let asked = match self.only.is_empty() {
            true => self.full || !part.is_long(),
            false => self.only.contains(&part),
        };
        asked && !self.skip.contains(&part)
    }
}
