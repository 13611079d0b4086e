//! `umem capture --pid N`: what a process has that could be captured.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use umem_core::size::Bytes;

use super::Trouble;
use crate::{
    process::{Area, Process},
    screen::one_line,
};

/// Prints the mappings, those with most in memory first.
pub fn print(
    out: &mut dyn Write,
    process: &Process,
    mut areas: Vec<Area>,
) -> Result<io::Result<()>, Trouble> {
    if areas.is_empty() {
        return Err(Trouble::Machine(format!(
            "process {} has no memory of its own: it is a kernel thread, or has ended",
            process.pid()
        )));
    }
    areas.sort_by_key(|area| std::cmp::Reverse(area.resident));
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["range", "size", "in memory", "in swap", "name"]);
    for area in &areas {
        table.add_row([
            format!("{:#x}-{:#x}", area.start, area.end),
            Bytes(area.end - area.start).to_string(),
            amount(area.resident),
            amount(area.swapped),
            one_line(&area.name),
        ]);
    }
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (1..=3).contains(&number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(writeln!(
        out,
        "process {} ({})\n{}\n\ncapture one of them with --range RANGE, or --mapping NAME",
        process.pid(),
        one_line(process.name()),
        table.trim_fmt()
    ))
}

fn amount(bytes: Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| Bytes(bytes).to_string())
}
