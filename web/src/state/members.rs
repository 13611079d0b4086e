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
                // What the address itself names stands where the address stands.
                let state = match origin {
                    Some(Origin::Source) => self,
                    _ => self.going(),
                };
                state.of_all(many, origin).addressed()
            }
            Err(error) => Self {
                notice: Some(format!("The set cannot be worked out: {error}.").into()),
                loading: None,
                ..self
            },
        }
    }

    /// The registration of a set that is seen.
    pub(super) fn of_all(self, many: Many, origin: Option<Origin>) -> Self {
        let mut state = self.loaded(many.scenario(), None);
        state.here.loaded = origin;
        state.here.many = Some(Rc::new(many));
        state.here.name_itself();
        state
    }

    /// Another registration of the set.
    pub(super) fn seeing(self, number: usize) -> Self {
        match self.here.many.as_ref().map(|many| many.seeing(number)) {
            Some(many) => {
                let (origin, case) = (self.here.loaded, self.here.case.clone());
                let mut state = self.of_all(many, origin);
                state.here.reported(case);
                state.addressed()
            }
            None => self,
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

    /// With the fragment that asks for the scene, if the fields say the same.
    pub(super) fn name_itself(&mut self) {
        if !Rc::ptr_eq(&self.draft, &self.scene.scenario) {
            return;
        }
        self.own = match (self.as_question(), &self.many, self.preset()) {
            (Some(fragment), ..) => Some(fragment.into()),
            (None, Some(many), _) => link::to_set(many.set(), many.seen).map(Into::into),
            (None, None, Some(preset)) => Some(link::to_preset(preset).into()),
            (None, None, None) => link::to_scenario(&self.draft).map(Into::into),
        };
    }
}
