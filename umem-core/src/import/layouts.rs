//! What the answer depends on that no such text says: where the frames lie.

use super::Imported;
use crate::{
    registration::Registration,
    scenario::{Asked, LayoutName, Scenario, ScenarioError},
};
use alloc::string::String;

/// The status lines for the two extremes of where frames can lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layouts {
    /// As the scenario has them.
    pub imported: String,
    /// If all are adjacent.
    pub adjacent: String,
}

impl Imported {
    /// Both answers, where they differ; `None` for a set. Takes as long as two registrations.
    ///
    /// # Errors
    /// What is wrong with the scenario.
    pub fn layouts(&self) -> Result<Option<Layouts>, ScenarioError> {
        let Asked::Scenario(scenario) = &self.asked else {
            return Ok(None);
        };
        let mut adjacent = (**scenario).clone();
        adjacent.memory.layout = Some(LayoutName::Contiguous);
        let status = |scenario: &Scenario| Registration::new(scenario).map(|it| it.status());
        let both = Layouts {
            imported: status(scenario)?,
            adjacent: status(&adjacent)?,
        };
        Ok((both.imported != both.adjacent).then_some(both))
    }
}
