//! What a gate answers.

use super::{Errno, Gate};
use crate::evidence::By;
use alloc::{borrow::Cow, format, string::String};
use core::fmt;

/// Whether a gate lets a registration through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub enum Verdict {
    /// It does.
    Pass,
    /// It refuses: the registration ends here.
    Refuse,
    /// What decides it is not known.
    Unknown,
}

impl Verdict {
    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Refuse => "refuse",
            Self::Unknown => "unknown",
        }
    }
}

/// What one gate answers: the verdict, the cause, the way out, and who says that the rule is so.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GateAnswer {
    /// Which gate.
    pub gate: Gate,
    /// Whether the region passes.
    pub verdict: Verdict,
    /// The rule that refuses, for programs: `memlock-zero`, `read-only`, ….
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub code: Option<&'static str>,
    /// What the program sees; `None` where it passes, and where the process is killed instead.
    pub errno: Option<Errno>,
    /// What was checked and found: a sentence without a full stop.
    pub text: String,
    /// What to do about a refusal; how to find out what is unknown.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub way_out: Option<String>,
    /// Who says that the rule is so.
    pub by: By,
    /// Which kernels, reports or sources.
    pub source: Cow<'static, str>,
}

impl GateAnswer {
    /// The region passes.
    pub(crate) fn pass(gate: Gate, text: impl Into<String>) -> Self {
        Self {
            gate,
            verdict: Verdict::Pass,
            code: None,
            errno: None,
            text: text.into(),
            way_out: None,
            by: By::Source,
            source: Cow::Borrowed(""),
        }
    }

    /// The region is refused with `errno`.
    pub(crate) fn refuse(
        gate: Gate,
        code: &'static str,
        errno: impl Into<Option<Errno>>,
        text: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Refuse,
            code: Some(code),
            errno: errno.into(),
            way_out: Some(way_out.into()),
            ..Self::pass(gate, text)
        }
    }

    /// What decides is not known; `settle` finds out.
    pub(crate) fn unknown(gate: Gate, text: impl Into<String>, settle: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Unknown,
            way_out: Some(settle.into()),
            ..Self::pass(gate, text)
        }
    }

    /// The same answer, with its evidence.
    pub(crate) fn by(self, by: By, source: impl Into<Cow<'static, str>>) -> Self {
        let source = source.into();
        Self { by, source, ..self }
    }

    /// Where the registration ends, with what errno, and why, in one line without the way out: "refused at memlock (EPERM): …".
    pub fn stop(&self) -> String {
        let (gate, text) = (self.gate.name(), &self.text);
        match self.errno {
            Some(errno) => format!("refused at {gate} ({errno}): {text}"),
            None => format!("stopped at {gate}, without an errno: {text}"),
        }
    }

    /// Whether the registration ends here.
    pub fn refuses(&self) -> bool {
        self.verdict == Verdict::Refuse
    }
}

/// "the limit on locked memory is 0 (EPERM): raise it …".
impl fmt::Display for GateAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(errno) = self.errno {
            write!(f, " ({errno})")?;
        }
        match &self.way_out {
            Some(way_out) => write!(f, ": {way_out}"),
            None => Ok(()),
        }
    }
}
