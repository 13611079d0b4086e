//! The evidence for a result: who confirmed each rule on the way.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// The evidence for one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evidence {
    /// The stage of the registration.
    pub stage: &'static str,
    /// Who says so.
    pub by: By,
    /// Which kernel, report or source.
    pub text: String,
}

/// Who says that a rule is so, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub enum By {
    /// A mail that no kernel followed.
    Proposed,
    /// The kernel's source, read and transcribed, but not run.
    Source,
    /// A public report of what a kernel did.
    Report,
    /// A running kernel that answered.
    Lab,
}

impl By {
    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Source => "source",
            Self::Report => "report",
            Self::Lab => "lab",
        }
    }
}

/// The weakest line: a result claims no more than this.
pub fn weakest(evidence: &[Evidence]) -> Option<&Evidence> {
    evidence.iter().min_by_key(|line| line.by)
}

impl core::fmt::Display for Evidence {
    /// "gather: lab: Linux 6.12.117, arm64, 16K pages".
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}: {}", self.stage, self.by.name(), self.text)
    }
}

/// The evidence in one sentence, for a status line.
pub fn summary(evidence: &[Evidence]) -> String {
    let Some(weakest) = weakest(evidence) else {
        return String::new();
    };
    let stages = |by: By| {
        let stages: Vec<_> = evidence
            .iter()
            .filter(|line| line.by == by)
            .map(|line| line.stage)
            .collect();
        stages.join(", ")
    };
    match weakest.by {
        By::Lab => "Every rule on the way was confirmed by a running kernel.".to_string(),
        By::Report => format!(
            "By reports: {}; the rest by a running kernel.",
            stages(By::Report)
        ),
        By::Source => format!("From source, asked of no kernel: {}.", stages(By::Source)),
        By::Proposed => match &*stages(By::Proposed) {
            "map" => "A proposal: no kernel places a range like this.".to_string(),
            _ => "A proposal: no kernel cuts a table like this.".to_string(),
        },
    }
}
