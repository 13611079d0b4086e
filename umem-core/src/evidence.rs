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

/// The evidence in one sentence, for a status line. It names the stages that it speaks of, and says if `yours`, the release of the kernel
/// that the question is about, is not among those that answered.
pub fn summary(evidence: &[Evidence], yours: Option<&str>) -> String {
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
        By::Lab => format!(
            "Confirmed by running kernels{}: {}.",
            which(evidence, yours),
            stages(By::Lab)
        ),
        By::Report => format!(
            "By reports: {}; the rest by running kernels{}.",
            stages(By::Report),
            which(evidence, yours)
        ),
        By::Source => format!("From source, asked of no kernel: {}.", stages(By::Source)),
        By::Proposed => match &*stages(By::Proposed) {
            "map" => "A proposal: no kernel places a range like this.".to_string(),
            _ => "A proposal: no kernel cuts a table like this.".to_string(),
        },
    }
}

/// The kernels that confirmed all that running kernels confirmed: " (6.1.192, 6.12.95), not by yours".
fn which(evidence: &[Evidence], yours: Option<&str>) -> String {
    let lab = || evidence.iter().filter(|line| line.by == By::Lab);
    let mut all: Vec<&str> = lab()
        .next()
        .into_iter()
        .flat_map(Evidence::releases)
        .collect();
    all.retain(|release| lab().all(|line| line.releases().any(|other| other == *release)));
    let mut which = match &all[..] {
        [] => String::new(),
        all => format!(" ({})", all.join(", ")),
    };
    if yours.is_some_and(|yours| !all.contains(&yours)) {
        which.push_str(", not by yours");
    }
    which
}

impl Evidence {
    /// The point releases that its text names.
    fn releases(&self) -> impl Iterator<Item = &str> {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let words = self.text.split([' ', ',']);
        words.filter(move |word| word.split('.').count() == 3 && word.split('.').all(is_number))
    }
}
