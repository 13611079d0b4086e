//! The gates of a registration: those before the SG list by their own rules, those after it by the stages' results.

use super::{Registration, Table};
use crate::{
    device::Scope,
    evidence::{self, By, Evidence},
    gate::{Gate, GateAnswer, Verdict},
    kernel::Certainty,
    memory::Kind,
    size::Bytes,
    table::{Policy, Refusal, memory::Layout},
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

impl Registration {
    /// What each gate answers, in the order in which the region meets them, up to the first that refuses.
    ///
    /// ```
    /// use umem_core::{gate::Verdict, registration::Registration, scenario::presets};
    /// let mut scenario = presets::find("one-size").unwrap().scenario();
    /// scenario.process.privileged = Some(true);
    /// let gates = Registration::new(&scenario)?.gates();
    /// let names: Vec<_> = gates.iter().map(|gate| gate.gate.name()).collect();
    /// assert_eq!(names[..4], ["fork-support", "uverbs", "driver", "memlock"]);
    /// assert_eq!(gates[3].verdict, Verdict::Pass);
    /// # Ok::<(), umem_core::scenario::ScenarioError>(())
    /// ```
    pub fn gates(&self) -> Vec<GateAnswer> {
        let mut answers = self.question().request().answers();
        if answers.last().is_some_and(GateAnswer::refuses) {
            return answers;
        }
        let refusal = self.table().err();
        let refusing = refusal.and_then(Refusal::gate);
        for gate in [
            Gate::Gather,
            Gate::Map,
            Gate::PageSize,
            Gate::Table,
            Gate::Firmware,
        ] {
            let answer = match (refusal, refusing == Some(gate)) {
                (Some(refusal), true) => refused(gate, refusal),
                _ => self.passed(gate),
            };
            answers.push(self.proven(answer));
            if refusing == Some(gate) {
                break;
            }
        }
        answers
    }

    /// The evidence for each rule that decided the result, in the order of the stages; for a refused region, up to the rule that refuses
    /// it.
    ///
    /// A result is as certain as the [weakest](crate::evidence::weakest) of them.
    pub fn evidence(&self) -> Vec<Evidence> {
        let all = self.question().evidence();
        let Some(refusal) = self.table().err() else {
            return all;
        };
        let Some(last) = refusal.gate() else {
            return all;
        };
        let reached = all
            .into_iter()
            .filter(|line| decided_at(line.stage) <= last);
        let own = match refusal {
            Refusal::Stopped(answer) => Some(Evidence {
                stage: last.name(),
                by: answer.by,
                text: answer.source.clone().into_owned(),
            }),
            _ => None,
        };
        // A gate's answer replaces the rules of its stage.
        let others = reached.filter(|line| own.as_ref().is_none_or(|own| own.stage != line.stage));
        let mut lines: Vec<Evidence> = others.collect();
        lines.extend(own);
        lines
    }

    /// The [evidence](Self::evidence) in one sentence.
    pub fn how_sure(&self) -> String {
        let kernel = self.question().kernel();
        let yours = kernel.release.map(|release| match kernel.certainty {
            Certainty::Exact => release.to_string(),
            // What its number names is not what it has.
            _ => kernel.name.clone(),
        });
        evidence::summary(&self.evidence(), yours.as_deref())
    }

    fn passed(&self, gate: Gate) -> GateAnswer {
        match gate {
            Gate::Gather => GateAnswer::pass(gate, self.gathered()),
            Gate::Map => GateAnswer::pass(gate, self.mapped()),
            Gate::PageSize => GateAnswer::pass(gate, chosen(self.table().ok())),
            Gate::Table => GateAnswer::pass(gate, made(self.table().ok())),
            _ => self.firmware(),
        }
    }

    fn gathered(&self) -> String {
        let [one, many] = self.question().kind().entries();
        let entries = counted(self.scatter_count(), one, many);
        match self.question().kind() {
            Kind::Pages => format!(
                "{} join to {entries}",
                counted(self.pages(), "page", "pages")
            ),
            Kind::DmaBuf => format!("the exporter lists {entries}"),
            Kind::Odp => "no list is made: pages come when the NIC touches them".to_owned(),
        }
    }

    fn mapped(&self) -> String {
        let count = self.dma_count().unwrap_or(0);
        match self.mapping() {
            Some(mapping) => format!(
                "{} at IOVA {}, {} long",
                counted(count, "DMA segment", "DMA segments"),
                mapping.start,
                Bytes(mapping.length)
            ),
            None => "device addresses are physical ones".to_owned(),
        }
    }

    /// Only the firmware knows what the device has left; for some devices, users reported a limit.
    fn firmware(&self) -> GateAnswer {
        let device = self.question().device();
        let gate = Gate::Firmware;
        let Some(driver) = device.profile else {
            return GateAnswer::pass(gate, "the scenario's device has no further limit");
        };
        if driver.virt_dma || device.layout == Layout::None {
            return GateAnswer::pass(gate, format!("{} has no firmware", driver.name));
        }
        let total = self.table().map_or(0, |table| table.total);
        let page = self.question().mr().page;
        let all = device.entry_limits.iter();
        let known = all.filter(|limit| limit.scope == Scope::Device);
        match known.map(|limit| limit.entries(page)).min() {
            Some(most) => GateAnswer::pass(
                gate,
                format!(
                    "{total} of {most} entries that the device keeps of all regions together; other regions count, too"
                ),
            ),
            None => GateAnswer::unknown(
                gate,
                format!(
                    "what the firmware of {} has left is known to it alone",
                    driver.name
                ),
                "if it refuses, `dmesg | tail` has the reason (mlx5: \"CREATE_MKEY … syndrome\"); `rdma resource show` counts what is in \
                 use, `ibv_devinfo -v` prints the limits (max_mr, max_mr_size)",
            ),
        }
    }

    /// The answer, with the evidence of its stage.
    fn proven(&self, answer: GateAnswer) -> GateAnswer {
        let evidence = self.question().evidence();
        let stages: &[&str] = match answer.gate {
            Gate::Gather => &["gather"],
            Gate::Map => &["map"],
            Gate::PageSize => &["page-size", "cut"],
            Gate::Table => &["table", "driver"],
            _ => &["driver"],
        };
        // An answer claims no more than the weakest rule behind it.
        let found = evidence
            .into_iter()
            .filter(|line| stages.contains(&line.stage))
            .min_by_key(|line| line.by);
        let profile = self.question().device().profile;
        let assumed =
            profile.and_then(|driver| driver.traits(self.question().device().release).assumed);
        match (answer.gate, answer.verdict, assumed, found) {
            (Gate::Firmware, Verdict::Pass | Verdict::Refuse, Some(assumed), _) => {
                answer.by(By::Report, assumed)
            }
            (.., Some(Evidence { by, text, .. })) => answer.by(by, text),
            (.., None) => answer.by(By::Source, "the scenario's own device"),
        }
    }
}

/// The gate at which a line of evidence first matters.
fn decided_at(stage: &str) -> Gate {
    match stage {
        "pin" => Gate::Pin,
        "gather" => Gate::Gather,
        "map" => Gate::Map,
        // The driver's row has its sizes.
        "page-size" | "cut" | "driver" => Gate::PageSize,
        _ => Gate::Table,
    }
}

/// The answer of the gate that refuses.
fn refused(gate: Gate, refusal: &Refusal) -> GateAnswer {
    GateAnswer::refuse(
        gate,
        refusal.code(),
        refusal.errno(),
        refusal.cause(),
        refusal.way_out(),
    )
}

fn chosen(table: Option<&Table>) -> String {
    match table.map(|table| (table.policy, table.page_size)) {
        Some((_, Some(size))) => format!("every block is {size}"),
        Some((Policy::Unaligned, _)) => "an entry takes a segment of any length".to_owned(),
        Some(_) => "each entry is as large as it can be".to_owned(),
        None => "the driver needs none".to_owned(),
    }
}

fn made(table: Option<&Table>) -> String {
    match table {
        Some(table) if table.memory.bytes == 0 => format!(
            "{}, none of which the driver stores",
            counted(table.total, "entry", "entries")
        ),
        Some(table) => format!(
            "{}, {} bytes with directories and rounding",
            counted(table.total, "entry", "entries"),
            table.memory.bytes
        ),
        None => "the driver keeps no table".to_owned(),
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
