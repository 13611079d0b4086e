//! What a device tells of itself and of its live regions, for people.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use umem_core::size::Bytes;

use crate::{
    inspect::{Found, Inspection, Limits, LiveRegion, Refused, Translation},
    nldev::Owner,
    screen::one_line,
};

/// More regions than anybody reads; JSON has them all.
const MOST_ROWS: usize = 40;

/// The whole.
pub fn table(out: &mut dyn Write, inspection: &Inspection) -> io::Result<()> {
    let Inspection {
        device,
        driver,
        hardware_driver,
        firmware,
        kernel,
        ..
    } = inspection;
    let driver = driver.map_or_else(
        || "a driver that the catalogue lacks".to_owned(),
        str::to_owned,
    );
    let below = hardware_driver
        .as_deref()
        .map_or_else(String::new, |below| format!(" on {below}"));
    let firmware = firmware
        .as_deref()
        .map_or_else(String::new, |version| format!(", firmware {version}"));
    writeln!(
        out,
        "{}",
        one_line(format_args!(
            "{device}: {driver}{below}{firmware}; Linux {kernel}"
        ))
    )?;
    if let Some(told) = &inspection.limits {
        limits(out, told)?;
    }
    translation(out, &inspection.iommu)?;
    if let Some(live) = &inspection.regions {
        regions(out, inspection, live)?;
    }
    for pool in &inspection.pools {
        writeln!(
            out,
            "pool for {} entries: {} waiting, {} in use, {} at most",
            pool.blocks, pool.waiting, pool.in_use, pool.most_in_use
        )?;
    }
    if let Some(found) = &inspection.found {
        searched(out, found)?;
    }
    for why in &inspection.not_told {
        writeln!(out, "not told: {}", one_line(why))?;
    }
    Ok(())
}

fn limits(out: &mut dyn Write, limits: &Limits) -> io::Result<()> {
    let longest = match (limits.max_mr_size, limits.max_mr_size_is_enforced) {
        (None, _) => "of any length".to_owned(),
        (Some(size), true) => format!("of {} at most", Bytes(size)),
        (Some(size), false) => format!("of {} as it advertises", Bytes(size)),
    };
    writeln!(
        out,
        "limits: {} regions, each {longest}; page sizes {}",
        limits.max_mr,
        limits.page_sizes_in_words()
    )?;
    for note in &limits.notes {
        writeln!(out, "  {note}")?;
    }
    Ok(())
}

fn translation(out: &mut dyn Write, iommu: &Translation) -> io::Result<()> {
    let name = iommu.name.filter(|name| *name != iommu.mode);
    let name = name.map_or_else(String::new, |name| format!(" (in scenarios: {name})"));
    writeln!(out, "IOMMU: {}{name}", one_line(&iommu.mode))?;
    for range in &iommu.reserved {
        writeln!(
            out,
            "  reserved: {} to {}, {}",
            range.first,
            range.last,
            one_line(&range.kind)
        )?;
    }
    let Some(table) = &iommu.table else {
        return Ok(());
    };
    let sizes: Vec<_> = table
        .by_size
        .iter()
        .map(|(size, count)| format!("{count} × {}", Bytes(*size)))
        .collect();
    writeln!(
        out,
        "  its table maps {} in {} stretches, by {}: {} as the rules have it, {} finer (several mappings, or not joined), {} not",
        Bytes(table.bytes),
        table.runs,
        sizes.join(" + "),
        table.equal,
        table.finer,
        table.differs.len()
    )?;
    for what in &table.differs {
        writeln!(out, "  DIFFERS: {what}")?;
    }
    Ok(())
}

fn regions(out: &mut dyn Write, inspection: &Inspection, live: &[LiveRegion]) -> io::Result<()> {
    let bytes = live
        .iter()
        .fold(0u64, |sum, region| sum.saturating_add(region.length));
    writeln!(
        out,
        "live regions: {}, {} together",
        live.len(),
        Bytes(bytes)
    )?;
    if live.is_empty() {
        return Ok(());
    }
    let mut longest: Vec<_> = live.iter().collect();
    longest.sort_by_key(|region| std::cmp::Reverse(region.length));
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "number",
        "length",
        "owner",
        "page size",
        "from",
        "its driver adds",
    ]);
    for region in longest.iter().take(MOST_ROWS) {
        let size = region.page_size.as_ref();
        let told: Vec<_> = region
            .told
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        table.add_row([
            region.number.to_string(),
            Bytes(region.length).to_string(),
            owner(region),
            size.map_or_else(
                || "not told".to_owned(),
                |size| Bytes(size.bytes).to_string(),
            ),
            size.map_or_else(String::new, |size| size.source.clone()),
            one_line(told.join(", ")),
        ]);
    }
    for column in 0..2 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{table}")?;
    if live.len() > MOST_ROWS {
        writeln!(
            out,
            "the longest {MOST_ROWS} of {}; --format json has all",
            live.len()
        )?;
    }
    for process in &inspection.processes {
        let pinned = match process.pinned {
            Some(bytes) => format!("{} pinned, with all its devices", Bytes(bytes)),
            None => "what it has pinned cannot be seen".to_owned(),
        };
        writeln!(
            out,
            "{} ({}): {} regions, {} with this device; {pinned}",
            one_line(&process.comm),
            process.pid,
            process.regions,
            Bytes(process.bytes)
        )?;
    }
    Ok(())
}

fn owner(region: &LiveRegion) -> String {
    let comm = region.comm.as_deref().unwrap_or_default();
    match &region.owner {
        Owner::Process(pid) => one_line(format_args!("{comm} ({pid})")),
        Owner::Kernel(name) => one_line(format_args!("kernel: {name}")),
        Owner::Elsewhere => "another PID namespace".to_owned(),
    }
}

fn searched(out: &mut dyn Write, found: &Found) -> io::Result<()> {
    writeln!(out, "found by registering, up to {}:", Bytes(found.most))?;
    let end = |refused: &Option<Refused>| match refused {
        Some(refused) => format!("{} is refused: {}", Bytes(refused.bytes), refused.text),
        None => "more was not tried".to_owned(),
    };
    for searched in &found.by_page_size {
        writeln!(
            out,
            "  memory in pages of {}: the longest region is {} ({}); all together {} ({})",
            Bytes(searched.page_size),
            Bytes(searched.largest),
            end(&searched.too_long),
            Bytes(searched.budget),
            end(&searched.too_much)
        )?;
    }
    for why in &found.skipped {
        writeln!(out, "  skipped: {}", one_line(why))?;
    }
    Ok(())
}

/// As one JSON object.
pub fn json(out: &mut dyn Write, inspection: &Inspection) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, inspection)?;
    writeln!(out)
}
