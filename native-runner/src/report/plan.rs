//! A registration, printed.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use umem_core::{
    advice::assumed_start,
    cost::costs,
    exhibits::{Exhibit, exhibits},
    explain::{limits, picture},
    memory::Kind,
    registration::{Registration, Table as Cut},
    report::Report,
    scatter,
    scenario::DEFAULT_VA,
    size::Bytes,
    table::{DriverBug, EntryRun, KernelBug, Policy, Refusal},
};

use super::{advice::advised, gates::gates, saw::saw};
use crate::screen::one_line;

/// A table without lines, its columns as wide as they need to be.
pub fn plain_table<const N: usize>(
    heading: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(heading);
    rows.for_each(|row| {
        table.add_row(row);
    });
    table
}

fn right_aligned<const N: usize>(mut table: Table, columns: [usize; N]) -> Table {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The answer for people. It begins with the page's status line, and what the program saw follows.
pub fn table(out: &mut impl Write, registration: &Registration, why: bool) -> io::Result<()> {
    writeln!(out, "{}", one_line(registration.status()))?;
    let question = registration.question();
    if let Some(name) = &registration.scenario().name {
        writeln!(out, "\n{}", one_line(name))?;
    }
    writeln!(out, "{}", one_line(question.about()))?;
    if let Some(provenance) = &registration.scenario().provenance {
        for sentence in provenance.sentences() {
            writeln!(out, "{}", one_line(sentence))?;
        }
    }
    if let Some(errno) = registration.scenario().process.saw {
        saw(out, registration, errno)?;
    }
    // A region that a gate before the SG list refuses has no stages, no table, and nothing to compare.
    if let Err(Refusal::Stopped(_)) = registration.table() {
        gates(out, registration, why)?;
        advised(out, registration)?;
        return how_sure(out, registration, why);
    }
    writeln!(out)?;
    let batch = scatter::batch_pages(question.mr().page);
    let dma = match (registration.dma_count(), registration.mapping()) {
        (Ok(count), Some(mapping)) => [
            count.to_string(),
            format!("IOVA {} + {}", mapping.start, Bytes(mapping.length)),
        ],
        (Ok(count), None) => [
            count.to_string(),
            "device addresses are physical ones".into(),
        ],
        (Err(refusal), _) => ["none".into(), one_line(refusal.to_string())],
    };
    let entries = match registration.table() {
        Ok(table) => [
            table.total.to_string(),
            format!(
                "{} policy, {} bytes of table",
                table.policy.name(),
                table.bytes
            ),
        ],
        Err(refusal) => {
            let errno = refusal
                .errno()
                .map_or(String::new(), |errno| format!(" ({errno})"));
            ["none".into(), format!("refused: {}{errno}", refusal.code())]
        }
    };
    let memory = match registration.table() {
        Ok(table) if table.memory.bytes == 0 => [
            "none".into(),
            "the driver stores no entries of this region".into(),
        ],
        Ok(table) => [
            plural(table.memory.levels.into(), "level", "levels"),
            format!("{} bytes with directories and rounding", table.memory.bytes),
        ],
        Err(_) => ["none".into(), String::new()],
    };
    let pages = registration.pages();
    let [_, several] = question.kind().entries();
    let rows = [
        [
            "pages",
            &pages.to_string(),
            &match question.kind().unpinned() {
                None => format!(
                    "of {}, pinned in {} of {batch}",
                    question.mr().page,
                    plural(pages.div_ceil(batch), "batch", "batches")
                ),
                Some(why) => format!("of {}, {why}", question.mr().page),
            },
        ],
        [
            several,
            &registration.scatter_count().to_string(),
            &match question.kind() {
                Kind::Pages => format!(
                    "segments of at most {:#x} bytes",
                    question.device().max_segment
                ),
                Kind::DmaBuf => format!(
                    "of a buffer of {}, which is mapped whole",
                    Bytes(question.memory().length())
                ),
                Kind::Odp => "nothing is gathered".into(),
            },
        ],
        ["DMA segments", &dma[0], &dma[1]],
        ["entries", &entries[0], &entries[1]],
        ["table memory", &memory[0], &memory[1]],
    ];
    let stages = plain_table(
        ["stage", "count", ""],
        rows.iter().map(|row| row.map(String::from)),
    );
    writeln!(out, "{}", right_aligned(stages, [1]).trim_fmt())?;
    let (kernel_bug, driver_bug) = bugs(registration);
    if let Some(bug) = kernel_bug {
        writeln!(out, "\nkernel bug: {bug}")?;
    }
    if let Some(bug) = driver_bug {
        writeln!(out, "\ndriver bug: {bug}")?;
    }
    gates(out, registration, why)?;
    if why {
        writeln!(out, "\nwhy")?;
        if let Some(examples) = examples(registration) {
            writeln!(out, "  {examples}")?;
        }
        if let Some(picture) = picture(registration) {
            writeln!(out, "  picture: {}", one_line(picture.text()))?;
        }
        for limit in limits(registration) {
            writeln!(out, "  {}: {}", limit.code, one_line(&limit.text))?;
        }
        if question.device().policy == Policy::Mixed {
            tried(out, registration)?;
        }
    }
    let costs = if why { costs(registration) } else { Vec::new() };
    if !costs.is_empty() {
        writeln!(out, "\nwhat it costs, as others measured")?;
    }
    for cost in costs {
        writeln!(out, "  {}", one_line(cost))?;
    }
    writeln!(out, "\nthe same region, other ways")?;
    let others = Policy::ALL.map(|policy| {
        let (total, how) = match registration.alternative(policy) {
            Ok(table) => (
                table.total.to_string(),
                table
                    .page_size
                    .map_or_else(String::new, |size| format!("of {size}")),
            ),
            Err(refusal) => ("none".into(), refusal.code().into()),
        };
        [policy.name().into(), total, how]
    });
    let others = right_aligned(
        plain_table(["policy", "entries", ""], others.into_iter()),
        [1],
    );
    writeln!(out, "{}", others.trim_fmt())?;
    advised(out, registration)?;
    how_sure(out, registration, why)
}

/// What is known of the kernel, and who says that the rules are so.
fn how_sure(out: &mut impl Write, registration: &Registration, why: bool) -> io::Result<()> {
    let question = registration.question();
    let evidence = registration.evidence();
    writeln!(out, "\nhow sure")?;
    if let Some(assumed) = assumed_start(registration) {
        writeln!(out, "  {}", one_line(assumed))?;
    }
    rules(out, registration)?;
    writeln!(out, "  {}", registration.how_sure())?;
    if is_also_the_single_size(registration) {
        writeln!(
            out,
            "  With its one page size, {}, Linux' single size gives the same table.",
            question.device().page_sizes
        )?;
    }
    for line in evidence.iter().filter(|_| why) {
        writeln!(out, "  {}", one_line(line))?;
    }
    Ok(())
}

/// What is known of the kernel, and what other rules that it may have would answer.
fn rules(out: &mut impl Write, registration: &Registration) -> io::Result<()> {
    let kernel = registration.question().kernel();
    let own = registration.status();
    let possible = registration.by_possible_rules();
    let count = possible.len();
    let mut others: Vec<(String, Vec<String>)> = Vec::new();
    for (rules, status) in possible.into_iter().filter(|(_, status)| *status != own) {
        match others.iter_mut().find(|(known, _)| *known == status) {
            Some((_, names)) => names.push(rules.to_string()),
            None => others.push((status, vec![rules.to_string()])),
        }
    }
    if kernel.release.is_none() {
        return Ok(());
    }
    if count > 0 && others.is_empty() {
        return writeln!(
            out,
            "  {}; {} sets of rules that it may have agree",
            one_line(kernel.in_short()),
            match count {
                2 => "both".into(),
                count => format!("all {count}"),
            }
        );
    }
    writeln!(out, "  {}", one_line(kernel.text()))?;
    for (status, names) in others {
        let names = names.join(", or of ");
        writeln!(out, "  by the rules of {names}: {}", one_line(status))?;
    }
    Ok(())
}

/// Whether a mixed device has one size alone, no larger than the kernel's page: what a mail proposed is then what Linux does.
fn is_also_the_single_size(registration: &Registration) -> bool {
    let question = registration.question();
    let device = question.device();
    let one = device.page_sizes.smallest() == device.page_sizes.largest();
    let small = device.page_sizes.largest() <= Some(question.mr().page);
    let total = |table: Cut| table.total;
    device.policy == Policy::Mixed
        && one
        && small
        && registration.table().is_ok_and(|table| {
            registration.alternative(Policy::Single).map(total) == Ok(table.total)
        })
}

/// Which addresses nobody gave, so that those that are printed are examples.
fn examples(registration: &Registration) -> Option<String> {
    let scenario = registration.scenario();
    let (region, memory) = (&scenario.region, &scenario.memory);
    let not_given = [
        (
            "region.va",
            region.va == DEFAULT_VA && region.hca_address.is_none(),
        ),
        (
            "memory.start",
            memory.start.is_none() && memory.extents.is_none(),
        ),
    ];
    let names = not_given.into_iter().filter(|(_, is_not)| *is_not);
    let names: Vec<_> = names.map(|(name, _)| name).collect();
    let were = match names.len() {
        0 => return None,
        1 => "was",
        _ => "were",
    };
    Some(format!(
        "addresses are examples: {} {were} not given",
        names.join(" and ")
    ))
}

/// The mail's own code and first idea, tried on this region.
fn tried(out: &mut impl Write, registration: &Registration) -> io::Result<()> {
    let exhibits = exhibits(registration);
    if !exhibits.is_empty() {
        writeln!(out, "\nthe mail's own code, tried here")?;
    }
    for Exhibit {
        about,
        tally,
        stopped,
        ..
    } in exhibits
    {
        writeln!(out, "  {about}: {tally}")?;
        if let Some(why) = stopped {
            writeln!(out, "    and there it stops: {why}")?;
        }
    }
    Ok(())
}

/// What kernel and driver get wrong.
fn bugs(registration: &Registration) -> (Option<&KernelBug>, Option<&DriverBug>) {
    match registration.table() {
        Ok(table) => (table.kernel_bug.as_ref(), table.driver_bug.as_ref()),
        Err(refusal) => (refusal.kernel_bug(), refusal.driver_bug()),
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Every entry, one a line, as they are found.
pub fn entries_table(out: &mut impl Write, registration: &Registration) -> io::Result<()> {
    writeln!(out, "\n{:>18}  {:>18}  {:>10}", "offset", "address", "size")?;
    for entry in registration.entries().flat_map(EntryRun::entries) {
        writeln!(
            out,
            "{:>18}  {:>18}  {:>10}",
            entry.offset,
            entry.address.to_string(),
            Bytes(entry.size).to_string()
        )?;
    }
    Ok(())
}

/// The answer in the registration format; with `entries` as its last key, streamed.
pub fn json(out: &mut impl Write, registration: &Registration, entries: bool) -> io::Result<()> {
    let report =
        serde_json::to_string_pretty(&Report::new(registration)).map_err(io::Error::from)?;
    if !entries {
        return writeln!(out, "{report}");
    }
    // The object stays open for a list that may be longer than memory.
    let open = report
        .trim_end()
        .strip_suffix('}')
        .unwrap_or(&report)
        .trim_end();
    write!(out, "{open},\n  \"entries\": [")?;
    for (i, entry) in registration
        .entries()
        .flat_map(EntryRun::entries)
        .enumerate()
    {
        write!(out, "{}", if i == 0 { "\n    " } else { ",\n    " })?;
        serde_json::to_writer(&mut *out, &entry)?;
    }
    writeln!(out, "\n  ]\n}}")
}
