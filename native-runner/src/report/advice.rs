//! What would help, printed; or why nothing would.

use std::io::{self, Write};

use umem_core::{
    advice::{Outcome, advice, why_none},
    registration::Registration,
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
        let entries = |outcome: &Outcome| match outcome.entries {
            Some(entries) => entries.to_string(),
            None => "refused".into(),
        };
        let gain = format!("{} → {}", entries(&advice.before), entries(&advice.after));
        writeln!(out, "  {gain}: {}", one_line(&advice.change))?;
        writeln!(
            out,
            "  {:width$}  costs: {}",
            "",
            one_line(&advice.cost),
            width = gain.chars().count()
        )?;
    }
    Ok(())
}
