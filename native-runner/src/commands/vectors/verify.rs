//! `umem vectors verify`.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use umem_core::{
    kernel::{GENERATIONS, KernelRules},
    scenario::{Problem, ScenarioError},
    vectors::Vector,
};

use super::lines::Lines;
use crate::exit::Exit;

/// Ask the rules what the kernel was asked, and compare
///
/// Each line of a file is a question with the kernel's answer. Prints how many of each kind held, and the first
/// mismatch in full.
///
/// Exit code: 0 all held, 1 something differed, 2 a file or line that is wrong.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// JSON lines, plain or compressed (.gz, .xz); - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// By the rules of this kernel of `umem list kernels`
    #[arg(long, value_name = "VERSION", default_value = KernelRules::newest().name)]
    rules: String,
}

impl Verify {
    /// Replays, and prints the verdict.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let Self { files, rules } = self;
        let rules = KernelRules::find(rules).ok_or_else(|| {
            let problem = Problem::Unknown {
                name: rules.clone(),
                known: GENERATIONS.iter().map(|rules| rules.name).collect(),
            };
            ScenarioError::new("--rules", problem)
        })?;
        let mut verdict = Verdict::default();
        for file in files {
            verdict.replay(file, rules)?;
        }
        verdict.print(out)
    }
}

/// How many vectors of a kind held, and how many there were.
#[derive(Clone, Copy, Default, Debug)]
struct Count {
    held: u64,
    differed: u64,
}

#[derive(Default, Debug)]
struct Verdict {
    kinds: BTreeMap<&'static str, Count>,
    first_mismatch: Option<String>,
}

impl Verdict {
    fn replay(&mut self, path: &Path, rules: &KernelRules) -> anyhow::Result<()> {
        let mut lines = Lines::open(path)?;
        let mut line = String::new();
        while lines.read(&mut line)? {
            if line.trim().is_empty() {
                continue;
            }
            let vector = Vector::from_json(&line).with_context(|| lines.place())?;
            let count = self.kinds.entry(vector.kind()).or_default();
            match vector.replay(rules) {
                Ok(()) => count.held += 1,
                Err(mismatch) => {
                    count.differed += 1;
                    self.first_mismatch.get_or_insert_with(|| {
                        format!("{}: {mismatch}\n{}", lines.place(), line.trim_end())
                    });
                }
            }
        }
        Ok(())
    }

    fn print(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let mut all = Count::default();
        for (kind, count) in &self.kinds {
            writeln!(
                out,
                "{kind:<6} {} held, {} differed",
                count.held, count.differed
            )?;
            all.held += count.held;
            all.differed += count.differed;
        }
        writeln!(out, "{} held, {} differed", all.held, all.differed)?;
        if let Some(mismatch) = &self.first_mismatch {
            writeln!(out, "\nthe first mismatch: {mismatch}")?;
        }
        anyhow::ensure!(
            all.held + all.differed > 0,
            "no vectors: the files are empty"
        );
        Ok(if all.differed == 0 {
            Exit::Held
        } else {
            Exit::Differed
        })
    }
}
