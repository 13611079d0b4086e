//! What the doctor found, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::doctor::{Ability, Finding, State};

/// As one JSON object.
pub fn json(out: &mut dyn Write, findings: &[Finding], abilities: &[Ability]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        findings: &'a [Finding],
        abilities: &'a [Ability],
    }
    let report = Report {
        findings,
        abilities,
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

/// A line a finding; below what lacks, what that prevents and the command that provides it. Then what can be done.
pub fn table(out: &mut dyn Write, findings: &[Finding], abilities: &[Ability]) -> io::Result<()> {
    let width = findings
        .iter()
        .map(|finding| finding.name.chars().count())
        .max()
        .unwrap_or(0);
    for Finding { name, state, .. } in findings {
        match state {
            State::Ok { detail } => writeln!(out, "OK       {name:width$}  {detail}")?,
            State::Lacking(missing) => {
                writeln!(out, "LACKING  {name:width$}  {}", missing.prevents)?;
                writeln!(out, "         {:width$}  needs {}", "", missing.what)?;
                writeln!(out, "         {:width$}  way out: {}", "", missing.way_out)?;
            }
        }
    }
    if abilities.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nwhat can be done here")?;
    let width = abilities
        .iter()
        .map(|ability| ability.name.len())
        .max()
        .unwrap_or(0);
    for Ability { name, about, needs } in abilities {
        match needs.as_slice() {
            [] => writeln!(out, "yes      {name:width$}  {about}")?,
            needs => writeln!(
                out,
                "no       {name:width$}  {about}; lacking: {}",
                needs.join(", ")
            )?,
        }
    }
    Ok(())
}
