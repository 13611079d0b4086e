//! What would help, printed; or why nothing would.

use std::io::{self, Write};

use umem_core::{
    advice::{Outcome, advice, why_none},
    registration::Registration,
    size::Bytes,
};

use crate::screen::one_line;

/// A line for each change with what it gains, and one with what it costs.
pub fn advised(out: &mut impl Write, registration: &Registration) -> io::Result<()> {
    let advice = advice(registration);
    if advice.is_empty() {
        return writeln!(
            out,
            "\nwhat would help: nothing\n  {}",
            one_line(why_none(registration))
        );
    }
    writeln!(out, "\nwhat would help")?;
    for advice in advice {
        let gain = match (advice.before.entries, advice.after.entries) {
            (Some(before), Some(after)) => format!("{before} → {after}"),
            _ => format!("refused → registers, with {}", entries(&advice.after)),
        };
        writeln!(out, "  {gain}: {}", one_line(&advice.change))?;
        writeln!(out, "    costs: {}", one_line(&advice.cost))?;
    }
    Ok(())
}

/// "10485760 entries of 4K".
fn entries(outcome: &Outcome) -> String {
    let count = match outcome.entries {
        Some(1) => "1 entry".into(),
        Some(entries) => format!("{entries} entries"),
        None => "no table".into(),
    };
    match outcome.page_size {
        Some(size) => format!("{count} of {}", Bytes(size)),
        None => count,
    }
}
