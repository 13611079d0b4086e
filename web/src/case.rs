//! A question of a public report, which the address asks for by name. The reports are data, `docs/cases`.

use crate::edit;
use umem_core::{
    scenario::{Asked, Scenario},
    set::Set,
};

/// A question of a public report.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// The fragment that asks for it, without its `#`.
    pub fragment: String,
    /// The symptom that was reported.
    pub title: String,
    /// What is asked about it.
    pub question: String,
    /// The scenario or the set.
    pub asked: Asked,
}

impl Case {
    /// Whether this is what it asks: `scenario`, which is one of a `set` or by itself.
    pub fn is_of(&self, scenario: &Scenario, set: Option<&Set>) -> bool {
        match (&self.asked, set) {
            (Asked::Scenario(asked), None) => edit::same_question(asked, scenario),
            (Asked::Set(asked), Some(set)) => **asked == *set,
            _ => false,
        }
    }
}
