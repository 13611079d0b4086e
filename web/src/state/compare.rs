//! Two scenarios, one above the other: the fields edit one of them, the other waits here.

use super::{Field, Place, State, Texts};
use crate::{element::Shown, link, player::Player, scene::Scene};
use std::{collections::BTreeMap, rc::Rc};
use umem_core::scenario::{Scenario, ScenarioError};

/// What belongs to one of two scenarios.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// What its fields say.
    pub draft: Rc<Scenario>,
    /// The last that was right, worked out.
    pub scene: Rc<Scene>,
    texts: Texts,
    faults: Rc<BTreeMap<Field, String>>,
    origin: Option<&'static str>,
    preset: Option<&'static str>,
    pub(super) own: Option<Rc<str>>,
}

impl Side {
    fn new(scenario: Scenario) -> Result<Self, ScenarioError> {
        let draft = Rc::new(scenario);
        Ok(Self {
            scene: Rc::new(Scene::new(&draft)?),
            texts: Texts::of(&draft),
            own: link::to_scenario(&draft).map(Into::into),
            draft,
            faults: Rc::default(),
            origin: None,
            preset: None,
        })
    }
}

impl State {
    fn side(&self) -> Side {
        Side {
            draft: self.draft.clone(),
            scene: self.scene.clone(),
            texts: self.texts.clone(),
            faults: self.faults.clone(),
            origin: self.origin,
            preset: self.preset,
            own: self.own.clone(),
        }
    }

    /// The other of the two scenarios becomes the one that the fields edit.
    fn swapped(self) -> Self {
        let Some(other) = self.other.clone() else {
            return self;
        };
        let player = Player {
            moment: self.moment_in(&other.scene),
            chosen: None,
            until: None,
            ..self.player
        };
        Self {
            other: Some(Rc::new(self.side())),
            draft: other.draft.clone(),
            scene: other.scene.clone(),
            texts: other.texts.clone(),
            faults: other.faults.clone(),
            origin: other.origin,
            preset: other.preset,
            own: other.own.clone(),
            player,
            ..self
        }
    }

    pub(super) fn compared(self, on: bool) -> Self {
        let (other, place) = match on {
            // The copy is there to be changed.
            true => (Some(Rc::new(self.side())), Place::Lower),
            false => (None, Place::Upper),
        };
        Self {
            other,
            place,
            ..self
        }
        .addressed()
    }

    pub(super) fn paired(self, upper: Scenario, lower: Scenario) -> Self {
        let state = self.loaded(upper, None).beside(lower);
        // The fields, the reasons and the advice are those of the side that has more to mend.
        let total = |scene: &Scene| {
            scene
                .registration
                .table
                .as_ref()
                .map_or(u64::MAX, |table| table.total)
        };
        match &state.other {
            Some(other) if total(&other.scene) > total(&state.scene) => {
                let state = state.editing(Place::Lower);
                Self {
                    player: Player::finished(&state.scene),
                    ..state
                }
            }
            _ => state,
        }
    }

    /// With `lower` below what is shown now.
    pub(super) fn beside(self, lower: Scenario) -> Self {
        let state = Self {
            place: Place::Upper,
            other: None,
            ..self
        };
        match Side::new(lower) {
            Ok(side) => Self {
                other: Some(Rc::new(side)),
                ..state
            }
            .addressed(),
            Err(error) => Self {
                notice: Some(format!("There is nothing to compare with: {error}").into()),
                ..state
            },
        }
    }

    pub(super) fn editing(self, place: Place) -> Self {
        if self.other.is_none() || place == self.place {
            return self;
        }
        Self { place, ..self }.swapped()
    }

    /// The upper scene, and the lower if two are compared.
    pub fn scenes(&self) -> (Rc<Scene>, Option<Rc<Scene>>) {
        let (own, other) = (
            self.scene.clone(),
            self.other.as_ref().map(|side| side.scene.clone()),
        );
        match (self.place, other) {
            (Place::Lower, Some(upper)) => (upper, Some(own)),
            (_, other) => (own, other),
        }
    }

    /// The pictures that are seen: one, or the upper and the lower of two.
    pub(crate) fn pictures(&self) -> Vec<Shown> {
        let (upper, lower) = self.scenes();
        let shown = |scene: Rc<Scene>| Shown {
            player: Player {
                moment: self.moment_in(&scene),
                ..self.player
            },
            veiled: self.veiled(),
            scene,
        };
        [Some(upper), lower]
            .into_iter()
            .flatten()
            .map(shown)
            .collect()
    }

    /// The moment of `scene` at which its playhead is where that of the scene in the fields is.
    pub fn moment_in(&self, scene: &Rc<Scene>) -> f64 {
        if Rc::ptr_eq(scene, &self.scene) {
            return self.player.moment;
        }
        let moment = self.scene.steps.moment(self.player.moment);
        match (moment.step, moment.at()) {
            (Some(step), Some(at)) => scene.steps.reaching(step.stage, at),
            _ => scene.last(),
        }
    }
}
