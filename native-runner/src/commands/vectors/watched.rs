//! `umem vectors watched`: what `umem watch` printed and saved, held against itself and against `umem plan`.

use std::{io::Write, path::PathBuf};

use serde_json::Value;
use umem_core::{registration::Registration, size::PageSize};

use super::lines::Lines;
use crate::{commands::source, exit::Exit};

/// Read what `umem watch` printed; plan what it saved, which must give the lists and tables that the kernel built
///
/// Exit code: 0 all held and nothing was lost, 1 something did not, 2 a file or line that is wrong.
#[derive(Debug, clap::Args)]
pub struct Watched {
    /// Lines of `umem watch --format json`, to the summary
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Fail unless there are just so many registrations of this length: BYTES=N
    #[arg(long, value_name = "BYTES=N", value_parser = expectation)]
    expect: Vec<(u64, u64)>,

    /// Fail unless so many captures were saved
    #[arg(long, value_name = "N", default_value_t = 0)]
    saved: u64,
}

fn expectation(text: &str) -> Result<(u64, u64), String> {
    let numbers = text.split_once('=');
    let numbers =
        numbers.and_then(|(bytes, count)| Some((bytes.parse().ok()?, count.parse().ok()?)));
    numbers.ok_or_else(|| "is not BYTES=N, two numbers".to_owned())
}

#[derive(Default)]
struct Found {
    lengths: Vec<u64>,
    equal: u64,
    planned: u64,
    wrong: Vec<String>,
    summary: Option<Value>,
}

impl Watched {
    /// Reads, plans, and tells.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let mut lines = Lines::open(&self.file)?;
        let (mut text, mut found) = (String::new(), Found::default());
        while lines.read(&mut text)? {
            let line: Value = serde_json::from_str(&text)
                .map_err(|error| anyhow::anyhow!("{}: {error}", self.file.display()))?;
            found.add(line)?;
        }
        for &(bytes, count) in &self.expect {
            let seen = found
                .lengths
                .iter()
                .filter(|length| **length == bytes)
                .count();
            writeln!(
                out,
                "{seen} of {count} registrations of {bytes} bytes were seen"
            )?;
            if seen as u64 != count {
                found.wrong.push(format!("{seen} of {count} were seen"));
            }
        }
        let lost = |name: &str| {
            found
                .summary
                .as_ref()
                .and_then(|summary| summary[name].as_u64())
        };
        for name in ["lost", "cut_lists", "differs"] {
            if lost(name) != Some(0) {
                found
                    .wrong
                    .push(format!("the summary's {name} is {:?}, not 0", lost(name)));
            }
        }
        if found.planned < self.saved {
            found.wrong.push(format!(
                "{} of {} captures were saved",
                found.planned, self.saved
            ));
        }
        writeln!(
            out,
            "{} registrations, {} equal to the rules, {} captures planned",
            found.lengths.len(),
            found.equal,
            found.planned
        )?;
        for wrong in found.wrong.iter().take(20) {
            writeln!(out, "{wrong}")?;
        }
        Ok(match found.wrong.is_empty() {
            true => Exit::Held,
            false => Exit::Differed,
        })
    }
}

impl Found {
    fn add(&mut self, line: Value) -> anyhow::Result<()> {
        match line["kind"].as_str() {
            Some("release" | "older") => return Ok(()),
            Some("summary") => {
                self.summary = Some(line);
                return Ok(());
            }
            _ => {}
        }
        self.lengths.extend(line["length"].as_u64());
        match line["model"]["verdict"].as_str() {
            Some("equal") => self.equal += 1,
            Some("not-comparable") => {}
            _ => self.wrong.push(line["model"].to_string()),
        }
        if let Some(file) = line["saved"]["file"].as_str() {
            self.planned += 1;
            let scenario = source::read(file.as_ref())?;
            let planned = Registration::new(&scenario)?;
            if let Some(differs) = differs(&planned, &line) {
                self.wrong.push(format!("{file}: {differs}"));
            }
        }
        Ok(())
    }
}

/// In what the plan of a capture differs from what the kernel built.
fn differs(planned: &Registration, line: &Value) -> Option<String> {
    let table = planned.table().ok();
    let size = table.and_then(|table| table.page_size).map(PageSize::bytes);
    let first = planned
        .dma()
        .next()
        .map(|segment| segment.start.to_string());
    let mut fields = vec![
        ("pages", line["pages"].clone(), Value::from(planned.pages())),
        (
            "scatter",
            line["scatter"]["count"].clone(),
            planned.scatter_count().into(),
        ),
        (
            "dma",
            line["dma"]["count"].clone(),
            planned.dma_count().ok().into(),
        ),
    ];
    // A device that told no sizes has the table that its driver makes, which was not seen.
    if !line["sizes"].is_null() {
        fields.push(("first", line["dma"]["first"].clone(), first.into()));
        fields.push(("page_size", line["page_size"].clone(), size.into()));
        fields.push((
            "entries",
            line["entries"].clone(),
            table.map(|table| table.total).into(),
        ));
    }
    let differs = fields.iter().find(|(_, kernel, plan)| kernel != plan);
    differs.map(|(name, kernel, plan)| {
        format!("{name}: the kernel built {kernel}, the plan has {plan}")
    })
}
