//! A report for people: a block a buffer, as soon as it is checked, and the verdict in the last line.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use umem_core::size::Bytes;

use crate::check::{BufferReport, KernelReport, MemoryFacts, PolicyReport, Report, Verdict};

/// What is checked with what.
pub fn heading(out: &mut dyn Write, device: Option<&str>) -> io::Result<()> {
    let kernel = rustix::system::uname();
    let page = Bytes(rustix::param::page_size() as u64);
    let release = kernel.release().to_string_lossy();
    writeln!(
        out,
        "Linux {release}, pages of {page}; {}\n",
        device.unwrap_or("no RDMA device")
    )?;
    out.flush()
}

/// One buffer.
pub fn buffer(out: &mut dyn Write, buffer: &BufferReport) -> io::Result<()> {
    writeln!(out, "{}: {}", buffer.name, buffer.title)?;
    if let Some(memory) = &buffer.memory {
        writeln!(out, "{}", facts(memory))?;
        writeln!(out, "{}", rows(&buffer.policies))?;
    }
    for row in &buffer.kernel {
        kernel(out, row)?;
    }
    if let Some(why) = &buffer.skipped {
        writeln!(out, "skipped: {why}")?;
    }
    for row in &buffer.policies {
        for (level, verdict) in [("frames", &row.frames), ("data", &row.data)] {
            if let Verdict::Differed(why) = verdict {
                writeln!(out, "{}, {level}: {why}", row.policy.name())?;
            }
        }
    }
    for why in skips(buffer) {
        writeln!(out, "skipped: {why}")?;
    }
    writeln!(out)?;
    out.flush()
}

/// What the kernel built for one device.
fn kernel(out: &mut dyn Write, row: &KernelReport) -> io::Result<()> {
    let KernelReport {
        target, compared, ..
    } = row;
    match &row.verdict {
        Verdict::Held => writeln!(out, "model = kernel held, {compared} answers: {target}"),
        Verdict::Differed(why) => writeln!(out, "model = kernel DIFFERED: {target}: {why}"),
        Verdict::Skipped(_) => Ok(()),
    }
}

/// What is missing, how it was judged, and the verdict.
pub fn conclusion(out: &mut dyn Write, report: &Report) -> io::Result<()> {
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
        offset,
        length,
        pages,
        runs,
        congruent,
        registered,
    } = *memory;
    format!(
        "{} of {} at +{}: {pages} pages in {runs} {}; virtual and physical addresses agree modulo {}",
        if registered {
            "registered region"
        } else {
            "region (not registered)"
        },
        Bytes(length),
        Bytes(offset),
        if runs == 1 { "run" } else { "runs" },
        Bytes(congruent),
    )
}

fn rows(policies: &[PolicyReport]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["policy", "entries", "model = frames", "data intact", "time"]);
    for row in policies {
        table.add_row([
            row.policy.name().to_owned(),
            row.status.clone(),
            word(&row.frames).to_owned(),
            word(&row.data).to_owned(),
            format!("{:.1} ms", row.milliseconds),
        ]);
    }
    let time = table.column_mut(4).expect("the table has five columns");
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

/// Why levels of this buffer were skipped, each reason once.
fn skips(buffer: &BufferReport) -> Vec<&str> {
    let mut reasons: Vec<&str> = Vec::new();
    for verdict in buffer
        .policies
        .iter()
        .flat_map(|row| [&row.frames, &row.data])
        .chain(buffer.kernel.iter().map(|row| &row.verdict))
    {
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
    use crate::missing::Missing;
    use umem_core::table::Policy;

    fn row(policy: Policy, status: &str, data: Verdict) -> PolicyReport {
        let status = status.to_owned();
        PolicyReport {
            policy,
            status,
            total: 2,
            by_size: Vec::new(),
            frames: Verdict::Held,
            data,
            milliseconds: 12.34,
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
            offset: 4096,
            length: 4092 << 10,
            pages: 1023,
            runs: 1,
            congruent: 2 << 20,
            registered: true,
        };
        let policies = vec![
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
            policies,
            kernel: Vec::new(),
        };
        let expected = "\
pair: two pages
registered region of 4092K at +4K: 1023 pages in 1 run; virtual and physical addresses agree modulo 2M
┌───────────┬────────────────────┬────────────────┬─────────────┬─────────┐
│ policy    ┆ entries            ┆ model = frames ┆ data intact ┆    time │
╞═══════════╪════════════════════╪════════════════╪═════════════╪═════════╡
│ single    ┆ 2 entries: 2 × 2M  ┆ held           ┆ DIFFERED    ┆ 12.3 ms │
│ unaligned ┆ 1 entry: 1 × 4092K ┆ held           ┆ skipped     ┆ 12.3 ms │
└───────────┴────────────────────┴────────────────┴─────────────┴─────────┘
single, data: byte +0x0 is wrong
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
