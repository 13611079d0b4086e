//! What a level of a check came to.

use serde::Serialize;

/// Whether what was looked at is as the model says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "lowercase")]
pub enum Verdict {
    /// It is as the model says.
    Held,
    /// It is not; in words, what.
    Differed(String),
    /// It was not looked at; why.
    Skipped(String),
}

impl From<Result<(), String>> for Verdict {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Differed, |()| Self::Held)
    }
}
