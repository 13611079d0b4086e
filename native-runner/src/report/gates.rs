//! The gates of a registration, printed.

use std::io::{self, Write};

use umem_core::{
    gate::{Gate, GateAnswer, Verdict},
    registration::Registration,
};

use crate::screen::one_line;

/// The gate that refuses with its errno, its cause and the way out; before it, those that the region passed in one line and those of
/// which nobody knows in another. With `why`, what each answers and who says so.
pub fn gates(out: &mut impl Write, registration: &Registration, why: bool) -> io::Result<()> {
    let gates = registration.gates();
    writeln!(out, "\ngates")?;
    if why {
        return each(out, registration);
    }
    let refusal = gates.last().filter(|gate| gate.refuses());
    let before = match refusal {
        Some(_) => "before it, ",
        None => "",
    };
    if let Some(refusal) = refusal {
        refused(out, refusal)?;
    }
    let of = |verdict| {
        let gates = gates.iter().filter(move |gate| gate.verdict == verdict);
        gates.map(|gate| gate.gate.name()).collect::<Vec<_>>()
    };
    let (passed, unknown) = (of(Verdict::Pass), of(Verdict::Unknown));
    if !passed.is_empty() {
        writeln!(out, "  {before}passed: {}", passed.join(", "))?;
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        writeln!(
            out,
            "  {before}not known: {unknown} (--why says how to find out)"
        )?;
    }
    match unless_privileged(registration) {
        Some(refusal) if refusal.gate == Gate::Memlock => writeln!(
            out,
            "  unless the process has CAP_IPC_LOCK: {}",
            one_line(refusal.stop())
        ),
        _ => Ok(()),
    }
}

/// What refuses the region if the process lacks CAP_IPC_LOCK, where the scenario does not say whether it has it.
fn unless_privileged(registration: &Registration) -> Option<GateAnswer> {
    let mut scenario = registration.scenario().clone();
    if scenario.process.privileged.is_some() {
        return None;
    }
    scenario.process.privileged = Some(false);
    let gates = scenario.gates_before_gathering().ok()?;
    gates.into_iter().find(GateAnswer::refuses)
}

/// What each gate answers and who says so: the one that refuses, then those before it in their order.
pub fn each(out: &mut impl Write, registration: &Registration) -> io::Result<()> {
    let mut gates = registration.gates();
    if let Some(refusal) = gates.pop_if(|gate| gate.refuses()) {
        whole(out, &refusal)?;
        if !gates.is_empty() {
            writeln!(out, "  before it, in this order")?;
        }
    }
    gates.iter().try_for_each(|gate| whole(out, gate))
}

/// Where a region is refused, and what to do.
pub fn refused(out: &mut impl Write, gate: &GateAnswer) -> io::Result<()> {
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
