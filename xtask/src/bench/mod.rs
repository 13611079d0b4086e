//! `cargo xtask bench`: umem-core beside its peers, natively and in a browser; `umem capture` beside its; and the page's frames.
//!
//! `core` is the program `umem-bench`, which times its paths and draws their table itself. `browser` has it and a browser take turns,
//! `captures` two programs that look at one process; what those two measure is drawn by `table`. `instructions` counts instead.

mod browser;
mod captures;
mod instructions;
mod table;

use crate::page;
use crate::page::browser::Page;
use crate::place;
use crate::step::{MachineCannot, step};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use xshell::{Shell, cmd};

pub use browser::agree;
pub use instructions::compare;

/// What is measured.
#[derive(Args)]
pub struct Bench {
    /// What is measured; if nothing is named, core, browser and captures, as far as this machine can
    #[arg(value_enum)]
    subjects: Vec<Subject>,
    /// How often everything that is compared runs
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Of core and browser only this section: blocks, frames, summaries or places
    #[arg(long)]
    section: Option<String>,
    /// Write the table of core into the book's page (docs/src/speed.md) as well
    #[arg(long, conflicts_with_all = ["section", "instructions"])]
    write: bool,
    /// Count instructions instead, and compare them with those that are checked in
    #[arg(long, conflicts_with_all = ["subjects", "rounds", "section"])]
    instructions: bool,
    /// Check in what was counted: from here on it is what is asked for
    #[arg(long, requires = "instructions")]
    record: bool,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// The rules (tables, coalescing, summaries), beside the kernel's loops in C and what memory allows
    Core,
    /// The same as wasm in Chromium, beside itself natively
    Browser,
    /// `umem capture`, beside the kernel tree's thpmaps
    Captures,
    /// The page: its first picture, and its frames
    Web,
}

impl Bench {
    pub fn run(self, sh: &Shell) -> Result<ExitCode> {
        if self.record {
            instructions::record(sh)?;
        } else if self.instructions {
            compare(sh)?;
        } else if self.subjects.is_empty() {
            for subject in [Subject::Core, Subject::Browser, Subject::Captures] {
                match self.measure(sh, subject) {
                    Err(error) if error.is::<MachineCannot>() => println!("skipped: {error:#}"),
                    measured => measured?,
                }
            }
        } else {
            for subject in &self.subjects {
                self.measure(sh, *subject)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn measure(&self, sh: &Shell, subject: Subject) -> Result<()> {
        let (rounds, section) = (self.rounds.to_string(), self.section.as_deref());
        match subject {
            Subject::Core => {
                println!("\numem-core, beside the kernel's loops in C and what memory allows:\n");
                let program = build(sh)?;
                let measuring = cmd!(sh, "{program} table {rounds} {section...}").quiet();
                if self.write {
                    let table = measuring.read()?;
                    println!("{table}");
                    write(&table)?;
                } else {
                    measuring.run()?;
                }
            }
            Subject::Browser => {
                println!("\numem-core as wasm in Chromium, beside itself natively:\n");
                print!("{}", browser::table(sh, &rounds, section)?);
            }
            Subject::Captures => {
                println!("\numem capture, beside the kernel tree's thpmaps:\n");
                print!("{}", captures::table(sh, &rounds)?);
            }
            Subject::Web => {
                page::browser::with_page(sh, Page::ToBuild, "measuring the page", || {
                    cmd!(sh, "node bench.mjs").run()
                })?
            }
        }
        Ok(())
    }
}

/// Puts the table where the book's page has one.
fn write(table: &str) -> Result<()> {
    let page = place::workspace().join("docs/src/speed.md");
    let text = fs::read_to_string(&page).with_context(|| format!("no {}", page.display()))?;
    place::renew_file(&page, with_table(&text, table)?.as_bytes())
}

const BEGIN: &str = "<!-- measured: `cargo xtask bench core --write` -->\n";
const END: &str = "<!-- /measured -->";

/// The page with another table between its marks.
fn with_table(page: &str, table: &str) -> Result<String> {
    let marks = page
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marks.context("docs/src/speed.md has lost the marks of its table")?;
    Ok(format!("{before}{BEGIN}{}\n{END}{after}", table.trim_end()))
}

/// Builds the benchmark as `umem` is built for release, and tells where it is.
fn build(sh: &Shell) -> Result<PathBuf> {
    step("building the benchmark", || {
        Ok(
            cmd!(sh, "cargo build --quiet --release --package umem-bench")
                .quiet()
                .run()?,
        )
    })?;
    Ok(place::target().join("release/umem-bench"))
}

#[cfg(test)]
mod tests {
    use super::with_table;

    #[test]
    fn the_table_of_the_page_is_replaced_and_nothing_else() {
        let page = include_str!("../../../docs/src/speed.md");
        let written = with_table(page, "| new |\n").unwrap();
        assert!(written.contains("--write` -->\n| new |\n<!-- /measured -->\n"));
        assert_eq!(with_table(&written, "| new |").unwrap(), written);
        assert!(written.starts_with("# How fast\n") && !written.contains("a table of 2^26"));
        assert!(with_table("# no marks", "| new |").is_err());
    }
}
