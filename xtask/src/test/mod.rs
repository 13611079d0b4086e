//! `cargo xtask test`: parts, each with its own set-up, two at a time where they do not disturb each other; and a table of verdicts at the end.

mod code;
mod dist;
mod done;
mod lab;
mod lanes;
mod part;
mod report;
mod site;

use crate::interrupt::Interrupted;
use crate::step::MachineCannot;
use anyhow::{Context, Result, ensure};
use clap::Args;
use part::Part;
use report::{Report, Verdict};
use std::fs;
use std::path::PathBuf;
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
    /// Run one part after the other, and show what each says while it says it
    #[arg(long)]
    in_turn: bool,
    /// An earlier part of the same run has built the page
    #[arg(long, hide = true)]
    page_is_built: bool,
    /// Where the process of a single part says how it ended
    #[arg(long, hide = true, value_name = "FILE")]
    verdict: Option<PathBuf>,
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
        let report = match parts.as_slice() {
            [part] => self.alone(sh, *part)?,
            _ if self.in_turn => self.in_turn(sh, &parts)?,
            _ => lanes::run(parts, if self.full { &["--full"] } else { &[] })?,
        };
        if self.verdict.is_none() {
            print!("{report}");
        }
        Ok(match report.failed() {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }

    /// One part, which says at its end how it ended to whoever began it.
    fn alone(&self, sh: &Shell, part: Part) -> Result<Report> {
        let report = self.in_turn(sh, &[part])?;
        if let (Some(file), Some(verdict)) = (&self.verdict, report.verdicts().next()) {
            fs::write(file, verdict.to_string())
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(report)
    }

    /// One part after the other, in this process.
    fn in_turn(&self, sh: &Shell, parts: &[Part]) -> Result<Report> {
        let cases = if self.full { "100000" } else { "10000" };
        let _cases = sh.push_env("PROPTEST_CASES", cases);
        let _full = self.full.then(|| sh.push_env("UMEM_FULL", "1"));
        let mut report = Report::default();
        for &part in parts {
            let start = Instant::now();
            if self.verdict.is_none() {
                eprintln!("\n═══ {part}: {} ═══", part.about());
            }
            let page_is_built = self.page_is_built || report.has_built_the_page();
            let verdict = match part.run(sh, page_is_built) {
                Ok(done) => Verdict::Passed(done),
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) if error.is::<MachineCannot>() => Verdict::Skipped(format!("{error:#}")),
                Err(error) => Verdict::Failed(format!("{error:#}")),
            };
            if self.verdict.is_none() {
                eprintln!("{part}: {verdict}");
            }
            report.add(part, start.elapsed(), verdict);
        }
        Ok(report)
    }

    fn wants(&self, part: Part) -> bool {
        let asked = match self.only.is_empty() {
            true => self.full || !part.is_long(),
            false => self.only.contains(&part),
        };
        asked && !self.skip.contains(&part)
    }
}
