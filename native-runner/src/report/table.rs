//! A report for people: a block a buffer, as soon as it is checked, and the verdict in the last line.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use umem_core::size::Bytes;

use crate::check::{BufferReport, KernelReport, MemoryFacts, Report, Row, TrespassReport, Verdict};
use crate::screen::one_line;

/// What is checked with what.
pub fn heading(out: &mut dyn Write, device: Option<&str>) -> io::Result<()> {
    let kernel = rustix::system::uname();
    let page = Bytes(rustix::param::page_size() as u64);
    let release = kernel.release().to_string_lossy();
    writeln!(
        out,
        "Linux {release}, pages of {page}; {}\n",
        one_line(device.unwrap_or("no RDMA device"))
    )?;
    out.flush()
}

/// One buffer.
pub fn buffer(out: &mut dyn Write, buffer: &BufferReport) -> io::Result<()> {
    writeln!(out, "{}: {}", buffer.name, buffer.title)?;
    if let Some(memory) = &buffer.memory {
        writeln!(out, "{}", facts(memory))?;
        writeln!(out, "{}", rows(&buffer.rows))?;
    }
    for row in &buffer.kernel {
        if row.verdict == Verdict::Held {
            let KernelReport {
                target, compared, ..
            } = row;
            writeln!(out, "model = kernel held, {compared} answers: {target}")?;
        }
    }
    for (about, verdict) in buffer.verdicts() {
        if let Verdict::Differed(why) = verdict {
            writeln!(out, "DIFFERED: {about}: {why}")?;
        }
    }
    for why in skips(buffer) {
        writeln!(out, "skipped: {why}")?;
    }
    writeln!(out)?;
    out.flush()
}

/// What the device was to refuse.
fn trespasses(out: &mut dyn Write, trespasses: &[TrespassReport]) -> io::Result<()> {
    if trespasses.is_empty() {
        return Ok(());
    }
    writeln!(out, "what the device must refuse")?;
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["asked for", "must end with", "ended with", "refused"]);
    for trespass in trespasses {
        table.add_row([
            trespass.title.clone(),
            trespass.expected.to_string(),
            trespass
                .ended
                .map_or_else(|| "none of these".to_owned(), |ended| ended.to_string()),
            word(&trespass.verdict).to_owned(),
        ]);
    }
    writeln!(out, "{table}")?;
    for trespass in trespasses {
        if let Verdict::Differed(why) = &trespass.verdict {
            writeln!(out, "DIFFERED: {}: {why}", trespass.title)?;
        }
    }
    writeln!(out)
}

/// What is missing, how it was judged, and the verdict.
pub fn conclusion(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    trespasses(out, &report.trespasses)?;
    for missing in &report.missing {
        writeln!(out, "{missing}")?;
    }
    if !report.missing.is_empty() {
        writeln!(out)?;
    }
    let Report {
        held,
        differed,
        skipped,
        ..
    } = report;
    writeln!(out, "{held} held, {differed} differed, {skipped} skipped")
}

fn facts(memory: &MemoryFacts) -> String {
    let MemoryFacts {
        pages,
        runs,
        congruent,
    } = *memory;
    format!(
        "{pages} pages in {runs} {}; virtual and physical addresses agree modulo {}",
        if runs == 1 { "run" } else { "runs" },
        Bytes(congruent),
    )
}

fn rows(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "region",
        "policy",
        "entries",
        "model = frames",
        "data intact",
        "time",
    ]);
    let mut before = None;
    for row in rows {
        // A region is named once.
        let region = if before == Some(row.region) {
            String::new()
        } else {
            row.region.to_string()
        };
        before = Some(row.region);
        table.add_row([
            region,
            row.policy.name().to_owned(),
            row.status.clone(),
            word(&row.frames).to_owned(),
            word(&row.data).to_owned(),
            format!("{:.1} ms", row.milliseconds),
        ]);
    }
    let time = table.column_mut(5).expect("the table has six columns");
    time.set_cell_alignment(CellAlignment::Right);
    table
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::Differed(_) => "DIFFERED",
        Verdict::Skipped(_) => "skipped",
    }
}

/// Why the buffer, or levels of it, were skipped, each reason once.
fn skips(buffer: &BufferReport) -> Vec<&str> {
    let mut reasons: Vec<&str> = buffer.skipped.iter().map(String::as_str).collect();
    for (_, verdict) in buffer.verdicts() {
        if let Verdict::Skipped(why) = verdict
            && !reasons.contains(&why.as_str())
        {
            reasons.push(why);
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{missing::Missing, region::Region};
    use umem_core::table::Policy;

    fn row(policy: Policy, status: &str, data: Verdict) -> Row {
        let status = status.to_owned();
        Row {
            status,
            total: 2,
            frames: Verdict::Held,
            data,
            milliseconds: 12.34,
            ..Row::new(Region::new(4 << 10..4 << 20), policy)
        }
    }

    fn printed(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_buffer_is_a_block_with_its_reasons_below() {
        let memory = MemoryFacts {
            pages: 1024,
            runs: 1,
            congruent: 2 << 20,
        };
        let rows = vec![
            row(
                Policy::Single,
                "2 entries: 2 × 2M",
                Verdict::Differed("byte +0x0 is wrong".to_owned()),
            ),
            row(
                Policy::Unaligned,
                "1 entry: 1 × 4092K",
                Verdict::Skipped("no device".to_owned()),
            ),
        ];
        let report = BufferReport {
            name: "pair",
            title: "two pages",
            skipped: None,
            memory: Some(memory),
            rows,
            kernel: Vec::new(),
        };
        let expected = "\
pair: two pages
1024 pages in 1 run; virtual and physical addresses agree modulo 2M
┌──────────────┬───────────┬────────────────────┬────────────────┬─────────────┬─────────┐
│ region       ┆ policy    ┆ entries            ┆ model = frames ┆ data intact ┆    time │
╞══════════════╪═══════════╪════════════════════╪════════════════╪═════════════╪═════════╡
│ 4092K at +4K ┆ single    ┆ 2 entries: 2 × 2M  ┆ held           ┆ DIFFERED    ┆ 12.3 ms │
│              ┆ unaligned ┆ 1 entry: 1 × 4092K ┆ held           ┆ skipped     ┆ 12.3 ms │
└──────────────┴───────────┴────────────────────┴────────────────┴─────────────┴─────────┘
DIFFERED: 4092K at +4K, single, data: byte +0x0 is wrong
skipped: no device

";
        assert_eq!(printed(|out| buffer(out, &report)), expected);
    }

    #[test]
    fn the_last_line_is_the_verdict() {
        let mut report = Report::new(None);
        (report.held, report.differed, report.skipped) = (12, 0, 1);
        assert_eq!(
            printed(|out| conclusion(out, &report)),
            "12 held, 0 differed, 1 skipped\n"
        );
        report.missing.push(Missing::frame_permission());
        let text = printed(|out| conclusion(out, &report));
        assert!(
            text.starts_with("missing: the right to read frame numbers"),
            "{text}"
        );
        assert!(
            text.ends_with("\n\n12 held, 0 differed, 1 skipped\n"),
            "{text}"
        );
    }
}
