//! Scenarios as JSON.

use super::{Scenario, ScenarioError, ScenarioReader, set::Set, write::json};
use alloc::string::String;

impl Scenario {
    /// Reads a scenario. It is not [resolved](Scenario::resolve) yet.
    ///
    /// # Errors
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks; the field is named.
    pub fn from_json(json: &[u8]) -> Result<Self, ScenarioError> {
        let mut reader = ScenarioReader::new();
        reader.feed(json)?;
        reader.finish()
    }

    /// The shortest JSON that means this scenario: defaults are left out.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

impl Set {
    /// Reads a set. It is not planned yet.
    ///
    /// # Errors
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks; the field is named. A scenario of one region says
    /// that it is one.
    pub fn from_json(json: &[u8]) -> Result<Self, ScenarioError> {
        let mut reader = ScenarioReader::new();
        reader.feed(json)?;
        reader.finish_set()
    }

    /// The shortest JSON that means this set: defaults are left out.
    pub fn to_json(&self) -> String {
        json(self)
    }
}
