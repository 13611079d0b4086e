//! A set in the state: the fields edit one of its registrations, and what that shares with the others.

use super::{Field, Origin, Side, State};
use crate::{door::behind, link, many::Many, more::MORE};
use std::rc::Rc;
use umem_core::{
    scenario::{Problem, ScenarioError},
    set::Set,
};

impl State {
    /// A set out of a file, of what the address names, or of a piece of advice.
    pub(super) fn taken_all(self, set: &Set, origin: Option<Origin>) -> Self {
        match many(set, None) {
            Ok(many) => {
                let side = self.of_all(many);
                self.arrived(side, origin)
            }
            Err(error) => self.unshown(&error, origin),
        }
    }

    /// The registration of a set that is seen.
    pub(super) fn of_all(&self, many: Many) -> Result<Side, ScenarioError> {
        let mut side = self.here.another(many.scenario(), None)?;
        side.many = Some(Rc::new(many));
        side.name_itself();
        Ok(side)
    }

    /// Another registration of the set.
    pub(super) fn seeing(self, number: usize) -> Self {
        let Some(many) = self.here.many.as_ref().map(|many| many.seeing(number)) else {
            return self;
        };
        match self.of_all(many) {
            Ok(mut side) => {
                (side.loaded, side.changed) = (self.here.loaded, self.here.changed);
                side.reported(self.here.case.clone());
                self.with(side).addressed()
            }
            Err(error) => self.unshown(&error, None),
        }
    }
}

/// Works a set out; what is wrong with it, and where.
pub(super) fn many(set: &Set, seen: Option<usize>) -> Result<Many, ScenarioError> {
    let more =
        behind(&MORE).map_err(|problem| ScenarioError::new("", Problem::Other(problem.into())))?;
    (more.many)(set, seen)
}

impl Side {
    /// After an edit that is right: the set has it, too.
    pub(super) fn put_back(&mut self) {
        let Some(many) = &self.many else { return };
        if !Rc::ptr_eq(&self.draft, &self.scene.scenario) || many.scenario() == *self.draft {
            return;
        }
        match self::many(&many.with(&self.draft), Some(many.seen)) {
            Ok(many) => self.many = Some(Rc::new(many)),
            // Another registration of the set does not take what they share.
            Err(error) => {
                Rc::make_mut(&mut self.faults).set(Field::of(error.field()), error.to_string());
            }
        }
    }

    /// By itself, whatever set it is of.
    pub(super) fn alone(mut self) -> Self {
        if self.many.take().is_some() {
            self.name_itself();
        }
        self
    }

    /// With the fragment that asks for the scene, whatever the fields say that is wrong.
    pub(super) fn name_itself(&mut self) {
        self.own = match (self.as_question(), &self.many, self.preset()) {
            (Some(fragment), ..) => Ok(fragment.into()),
            (None, Some(many), _) => link::to_set(many.set(), many.seen).map(Into::into),
            (None, None, Some(preset)) => Ok(link::to_preset(preset).into()),
            (None, None, None) => link::to_scenario(&self.scene.scenario).map(Into::into),
        };
    }
}
