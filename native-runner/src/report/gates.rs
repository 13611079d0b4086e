//! The gates of a registration, printed.

use std::io::{self, Write};

use umem_core::{
    gate::{GateAnswer, Verdict},
    registration::Registration,
};

use crate::screen::one_line;

/// The gates that the region passed in one line, those of which nobody knows in another, and the one that refuses with its errno, its
/// cause and the way out; with `why`, what each answers and who says so.
pub fn gates(out: &mut impl Write, registration: &Registration, why: bool) -> io::Result<()> {
    let gates = registration.gates();
    writeln!(out, "\ngates")?;
    if why {
        return gates.iter().try_for_each(|gate| whole(out, gate));
    }
    let of = |verdict| {
        let gates = gates.iter().filter(move |gate| gate.verdict == verdict);
        gates.map(|gate| gate.gate.name()).collect::<Vec<_>>()
    };
    let (passed, unknown) = (of(Verdict::Pass), of(Verdict::Unknown));
    if !passed.is_empty() {
        writeln!(out, "  passed: {}", passed.join(", "))?;
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        writeln!(out, "  not known: {unknown} (--why says how to find out)")?;
    }
    match gates.last().filter(|gate| gate.refuses()) {
        Some(refusal) => refused(out, refusal),
        None => Ok(()),
    }
}

fn refused(out: &mut impl Write, gate: &GateAnswer) -> io::Result<()> {
    writeln!(out, "  {}", one_line(gate.stop()))?;
    match way_out(gate) {
        Some(way_out) => writeln!(out, "  what to do: {}", one_line(way_out)),
        None => Ok(()),
    }
}

fn whole(out: &mut impl Write, gate: &GateAnswer) -> io::Result<()> {
    let (name, text) = (gate.gate.name(), &gate.text);
    let answer = match gate.verdict {
        Verdict::Refuse => gate.stop(),
        Verdict::Pass => format!("{name}: {text}"),
        Verdict::Unknown => format!("{name}, not known: {text}"),
    };
    writeln!(out, "  {}", one_line(answer))?;
    if let Some(way_out) = way_out(gate) {
        let label = match gate.verdict {
            Verdict::Unknown => "how to find out",
            _ => "what to do",
        };
        writeln!(out, "    {label}: {}", one_line(way_out))?;
    }
    writeln!(out, "    {}: {}", gate.by.name(), one_line(&gate.source))
}

fn way_out(gate: &GateAnswer) -> Option<&str> {
    gate.way_out
        .as_deref()
        .filter(|way_out| !way_out.is_empty())
}
