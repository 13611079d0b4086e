//! What registering takes here, beside what others have measured.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use umem_core::size::Bytes;

use crate::{
    screen::one_line,
    timing::{Line, Measured, Times},
};

/// As one JSON object.
pub fn json(out: &mut dyn Write, times: &Times) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, times)?;
    writeln!(out)
}

/// A row for each kind of pages.
pub fn table(out: &mut dyn Write, times: &Times) -> io::Result<()> {
    writeln!(out, "Linux {}; {}", times.kernel, one_line(&times.device))?;
    if times.emulated {
        writeln!(
            out,
            "the processor is emulated: good for comparing, not as a machine's times"
        )?;
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "memory",
        "to",
        "µs a region",
        "µs for each 4K",
        "the line is off by up to",
        "others: a region",
        "others: each 4K",
    ]);
    for measured in &times.kinds {
        let lines = [
            ("register", &measured.register, true),
            ("release", &measured.release, false),
        ];
        for (to, line, first) in lines {
            table.add_row(row(measured, to, line, first));
        }
    }
    for column in 2..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{table}")?;
    for measured in &times.kinds {
        let lengths: Vec<_> = measured
            .lengths
            .iter()
            .map(|shortest| Bytes(shortest.length).to_string())
            .collect();
        writeln!(
            out,
            "{}: the shortest times of {}",
            measured.pages,
            lengths.join(", ")
        )?;
    }
    for why in &times.skipped {
        writeln!(out, "skipped: {}", one_line(why))?;
    }
    let mut told: Vec<&str> = Vec::new();
    for measured in &times.kinds {
        for sources in [measured.others.page_sources, measured.others.region_sources] {
            if !told.contains(&sources) {
                told.push(sources);
            }
        }
    }
    for sources in told {
        writeln!(out, "others: {sources}")?;
    }
    Ok(())
}

fn row(measured: &Measured, to: &str, line: &Line, first: bool) -> [String; 7] {
    let others = |(least, most): (f64, f64)| format!("{} to {}", short(least), short(most));
    let when = |text: String| if first { text } else { String::new() };
    [
        when(measured.pages.to_owned()),
        to.to_owned(),
        short(line.region_us),
        short(line.page_us),
        format!("{:.0} %", line.worst * 100.0),
        when(others(measured.others.region_us)),
        when(others(measured.others.page_us)),
    ]
}

/// Three digits that say something.
fn short(number: f64) -> String {
    let text = match number {
        100.0.. => format!("{number:.0}"),
        1.0.. => format!("{number:.2}"),
        0.01.. => format!("{number:.3}"),
        _ => format!("{number:.5}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let shown: Vec<_> = [0.0, 0.000_71, 0.007, 0.0712, 1.234, 99.9, 1900.0]
            .into_iter()
            .map(short)
            .collect();
        assert_eq!(
            shown,
            ["0", "0.00071", "0.007", "0.071", "1.23", "99.9", "1900"]
        );
    }
}
