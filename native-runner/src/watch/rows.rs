//! Registrations as rows for people.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use umem_core::size::Bytes;

use super::{
    ledger::Released,
    line::{Line, Saved},
    verdict::Outcome,
};
use crate::screen::one_line;

/// After so many rows the headings stand again.
const HEADINGS_EVERY: u64 = 40;

/// Rows, one after the other.
#[derive(Debug, Default)]
pub struct Rows {
    written: u64,
}

impl Rows {
    /// A registration: a row, and below it what an operator must know.
    pub fn registration(&mut self, out: &mut dyn Write, line: &Line) -> io::Result<()> {
        self.headings(out)?;
        let time = line.time.get(11..19).unwrap_or(&line.time);
        let count = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        let page_size = line
            .page_size
            .map_or("-".to_owned(), |size| Bytes(size).to_string());
        let model = match (&line.refused, line.model.verdict) {
            (Some(refused), _) => refused.errno.clone(),
            (None, Outcome::Equal) => "equal".to_owned(),
            (None, Outcome::Differs) => "DIFFERS".to_owned(),
            (None, Outcome::NotComparable) => "-".to_owned(),
        };
        writeln!(
            out,
            "{time} {:>7} {:15} {:10} {:8} {:>9} {:>8} {:>7} {:>7} {:>5} {:>8} {:>9} {model}",
            line.pid,
            short(&line.comm, 15),
            short(&line.device, 10),
            line.kind,
            Bytes(line.length).to_string(),
            line.pages,
            count(line.scatter.as_ref().map(|list| list.count)),
            count(line.dma.as_ref().map(|list| list.count)),
            page_size,
            count(line.entries),
            took(line.duration_us),
        )?;
        for note in notes(line) {
            writeln!(out, "         {note}")?;
        }
        Ok(())
    }

    /// The end of a region.
    pub fn release(&mut self, out: &mut dyn Write, time: &str, end: &Released) -> io::Result<()> {
        self.headings(out)?;
        let time = time.get(11..19).unwrap_or(time);
        writeln!(
            out,
            "{time} {:>7} {:15} {:10} {:8} {:>9} after {}",
            end.pid,
            short(&end.comm, 15),
            short(&end.device, 10),
            "released",
            Bytes(end.length).to_string(),
            took(end.lived.as_nanos() as f64 / 1000.0)
        )
    }

    fn headings(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.written.is_multiple_of(HEADINGS_EVERY) {
            writeln!(
                out,
                "{:8} {:>7} {:15} {:10} {:8} {:>9} {:>8} {:>7} {:>7} {:>5} {:>8} {:>9} model",
                "time",
                "pid",
                "program",
                "device",
                "what",
                "length",
                "pages",
                "SG",
                "DMA",
                "page",
                "entries",
                "took"
            )?;
        }
        self.written += 1;
        Ok(())
    }
}

/// What an operator must know, a line each.
fn notes(line: &Line) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(refused) = &line.refused {
        notes.push(format!(
            "refused at {}: {}; {}",
            refused.gate.name(),
            refused.text,
            refused.way_out
        ));
    }
    match line.model.verdict {
        Outcome::Differs => notes.push(format!("differs from the rules: {}", line.model.text)),
        Outcome::NotComparable if line.refused.is_none() => {
            notes.push(format!("not compared: {}", line.model.text));
        }
        _ => {}
    }
    if let Some(list) = line.scatter.as_ref().filter(|list| list.missing > 0) {
        notes.push(format!("{} entries of the list were lost", list.missing));
    }
    notes.extend(line.why.last().map(|why| format!("why: {why}")));
    if let Some(advice) = line.advice.first() {
        let mut note = format!("would help: {}", advice.change);
        if let (Some(before), Some(after)) = (advice.before.entries, advice.after.entries) {
            let _ = write!(
                note,
                " ({before} → {after} entries; costs: {})",
                advice.cost
            );
        }
        notes.push(note);
    }
    if let Some(Saved::Not(why)) = &line.saved {
        notes.push(format!("not saved: {why}"));
    }
    notes.iter().map(one_line).collect()
}

/// A name of others on one line, cut to fit its column.
fn short(name: &str, most: usize) -> String {
    one_line(name).chars().take(most).collect()
}

/// Microseconds as people read them.
fn took(micros: f64) -> String {
    match micros {
        ..1e3 => format!("{micros:.0} µs"),
        1e3..1e6 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.1} s", micros / 1e6),
    }
}
