//! What a watch saw in all.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;
use umem_core::size::Bytes;

use super::{line::Line, source::Losses, verdict::Outcome};
use crate::screen::one_line;

/// So many of the largest tables are kept.
const WORST: usize = 10;

/// Sums over all registrations.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// "summary".
    kind: &'static str,
    /// Registrations, those that were refused among them.
    pub registrations: u64,
    /// Ends of regions that were seen to begin.
    pub released: u64,
    /// Ends of regions that are older than the watch.
    pub released_older: u64,
    /// Regions that lived when the watch began.
    pub older: u64,
    /// Kernel pages of those that succeeded.
    pub pages: u64,
    /// Entries of their tables, where these are known.
    pub entries: u64,
    /// How many were equal to the rules, differed, and were not comparable.
    pub equal: u64,
    /// The same.
    pub differs: u64,
    /// The same.
    pub not_comparable: u64,
    /// Refusals by gate.
    pub refused: BTreeMap<&'static str, u64>,
    /// Regions that have smaller pages than they could, and how many entries the best change to each would save.
    pub improvable: u64,
    /// The same.
    pub savable_entries: u64,
    /// The change that would save most in all.
    best_changes: BTreeMap<String, u64>,
    /// The largest tables.
    worst: Vec<Worst>,
    /// Registrations that may be lost.
    pub lost: u64,
    /// Lists that are cut.
    pub cut_lists: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Worst {
    entries: u64,
    length: u64,
    page_size: Option<u64>,
    pid: u32,
    comm: String,
    device: String,
}

impl Summary {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            kind: "summary",
            ..Self::default()
        }
    }

    /// A registration was told.
    pub fn add(&mut self, line: &Line) {
        self.registrations += 1;
        match line.model.verdict {
            Outcome::Equal => self.equal += 1,
            Outcome::Differs => self.differs += 1,
            Outcome::NotComparable => self.not_comparable += 1,
        }
        if let Some(refused) = &line.refused {
            *self.refused.entry(refused.gate.name()).or_default() += 1;
            return;
        }
        self.pages += line.pages;
        self.cut_lists += u64::from(line.scatter.as_ref().is_some_and(|list| list.missing > 0));
        let Some(entries) = line.entries else { return };
        self.entries += entries;
        if let Some(advice) = line.advice.first() {
            self.improvable += 1;
            let after = advice.after.entries.unwrap_or(entries);
            let saved = entries.saturating_sub(after);
            self.savable_entries += saved;
            *self.best_changes.entry(advice.change.clone()).or_default() += saved;
        }
        let worst = Worst {
            entries,
            length: line.length,
            page_size: line.page_size,
            pid: line.pid,
            comm: line.comm.clone(),
            device: line.device.clone(),
        };
        let place = self
            .worst
            .partition_point(|other| other.entries >= worst.entries);
        self.worst.insert(place, worst);
        self.worst.truncate(WORST);
    }

    /// What was lost on the way, at the end.
    pub fn lose(&mut self, losses: Losses) {
        self.lost = losses.registrations();
    }

    /// For programs.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    /// For people.
    pub fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\n{} registrations, {} pages, {} entries; {} regions released, and {} older ones",
            self.registrations, self.pages, self.entries, self.released, self.released_older
        )?;
        writeln!(
            out,
            "held against the rules: {} equal, {} different, {} not comparable",
            self.equal, self.differs, self.not_comparable
        )?;
        for (gate, count) in &self.refused {
            writeln!(out, "refused at {gate}: {count}")?;
        }
        if self.improvable > 0 {
            writeln!(
                out,
                "{} regions could have larger pages: {} of {} entries would go",
                self.improvable, self.savable_entries, self.entries
            )?;
            let best = self.best_changes.iter().max_by_key(|(_, saved)| **saved);
            if let Some((change, saved)) = best {
                writeln!(
                    out,
                    "what would help most: {} ({saved} entries)",
                    one_line(change)
                )?;
            }
        }
        if self.worst.len() > 1 {
            writeln!(out, "the largest tables:")?;
        }
        for worst in self.worst.iter().filter(|_| self.worst.len() > 1) {
            let size = worst
                .page_size
                .map_or(String::new(), |size| Bytes(size).to_string());
            writeln!(
                out,
                "  {:>9} × {size:4} {:>9}  {} ({}) on {}",
                worst.entries,
                Bytes(worst.length).to_string(),
                one_line(&worst.comm),
                worst.pid,
                one_line(&worst.device)
            )?;
        }
        match (self.lost, self.cut_lists) {
            (0, 0) => writeln!(out, "nothing was lost"),
            (lost, cut) => writeln!(out, "LOST: {lost} records; {cut} lists are cut"),
        }
    }
}
