//! A set of registrations, printed.

use std::io::{self, Write};

use umem_core::{
    set::{Planned, SetOutcome, SetPlan, SetReport, Total},
    size::Bytes,
};

use super::{gates, plan::plain_table};
use crate::screen::one_line;

/// The answer for people: the status, each member, the sums, where it ends, and what would help.
pub fn table(out: &mut impl Write, plan: &SetPlan, why: bool) -> io::Result<()> {
    writeln!(out, "{}", one_line(plan.status()))?;
    if let Some(name) = &plan.set().name {
        writeln!(out, "\n{}", one_line(name))?;
    }
    if let Some(first) = plan.members().first() {
        writeln!(out, "{}", one_line(first.registration.question().about()))?;
    }
    let origins = origins(plan);
    for sentence in &origins.common {
        writeln!(out, "{}", one_line(sentence))?;
    }
    let members = plain_table(
        ["regions", "registered", "length", "each", ""],
        plan.members().iter().map(member),
    );
    writeln!(out, "\n{}", members.trim_fmt())?;
    for (i, sentence) in &origins.own {
        writeln!(out, "registrations[{i}]: {}", one_line(sentence))?;
    }
    let Total {
        regions,
        pages,
        entries,
        bytes,
        memory,
    } = plan.total();
    writeln!(
        out,
        "\ntogether: {regions} regions, {pages} pages, {entries} entries of {bytes} bytes ({memory} with directories and rounding)"
    )?;
    match plan.budget() {
        Some(most) => writeln!(
            out,
            "budget: {entries} of {most} entries that the device keeps of all regions together"
        )?,
        None => writeln!(
            out,
            "budget: no limit of the device on all regions together is known"
        )?,
    }
    match plan.refusal() {
        Some(refusal) => {
            writeln!(out, "\nregion {} of {regions}", refusal.region)?;
            gates::refused(out, &refusal.answer)?;
        }
        None => match plan.unless_privileged() {
            Some(refusal) => {
                writeln!(
                    out,
                    "\nregion {} of {regions}, unless the process has CAP_IPC_LOCK (process.privileged is not given)",
                    refusal.region
                )?;
                gates::refused(out, &refusal.answer)?;
            }
            None => writeln!(out, "\nevery region passes the gates that are known")?,
        },
    }
    if why {
        for (i, member) in plan.members().iter().enumerate() {
            writeln!(out, "\nregistrations[{i}], each on its own")?;
            gates::each(out, &member.registration)?;
        }
    }
    let advice = plan.advice();
    if !advice.is_empty() {
        writeln!(out, "\nwhat would help")?;
    }
    for advice in advice {
        let gain = format!("{} → {}", outcome(&advice.before), outcome(&advice.after));
        writeln!(out, "  {gain}: {}", one_line(&advice.change))?;
        writeln!(out, "    costs: {}", one_line(&advice.cost))?;
    }
    Ok(())
}

/// Where the regions come from, if they were captured.
#[derive(Default)]
struct Origins {
    /// What holds for every region.
    common: Vec<String>,
    /// What holds for one, by its number.
    own: Vec<(usize, String)>,
}

fn origins(plan: &SetPlan) -> Origins {
    let each = plan.members().iter().map(|member| {
        let provenance = &member.registration.scenario().provenance;
        let sentences = provenance.as_ref().map(|provenance| provenance.sentences());
        sentences.unwrap_or_default()
    });
    let each: Vec<Vec<String>> = each.collect();
    let Some(first) = each.first() else {
        return Origins::default();
    };
    let everywhere = |sentence: &String| each.iter().all(|own| own.contains(sentence));
    let common: Vec<_> = first
        .iter()
        .filter(|one| everywhere(one))
        .cloned()
        .collect();
    let own = each.iter().enumerate().flat_map(|(i, own)| {
        let others = own.iter().filter(|sentence| !everywhere(sentence));
        others.map(move |sentence| (i, sentence.clone()))
    });
    Origins {
        own: own.collect(),
        common,
    }
}

fn member(planned: &Planned) -> [String; 5] {
    let scenario = planned.registration.scenario();
    let length: Bytes = scenario.region.length;
    [
        planned.count.to_string(),
        planned.registered.to_string(),
        length.to_string(),
        one_line(planned.registration.status()),
        one_line(scenario.name.as_deref().unwrap_or_default()),
    ]
}

/// "4 regions, 1048576 entries, refused at region 4".
fn outcome(outcome: &SetOutcome) -> String {
    let SetOutcome {
        regions,
        entries,
        refused_at,
    } = outcome;
    let regions = match regions {
        1 => "1 region".into(),
        regions => format!("{regions} regions"),
    };
    match refused_at {
        Some(region) => format!("{regions}, refused at region {region}"),
        None => format!("{regions}, {entries} entries"),
    }
}

/// The answer in the format of sets.
pub fn json(out: &mut impl Write, plan: &SetPlan) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &SetReport::new(plan))?;
    writeln!(out)
}
