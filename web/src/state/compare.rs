//! Two scenarios, one above the other: the fields edit one of them, the other waits.

use super::{Pairing, Place, Side, State};
use crate::{
    edit,
    player::{Player, Shown},
    scene::Scene,
};
use std::{mem, rc::Rc};
use umem_core::{
    diagram::Lanes,
    scenario::{DeviceSpec, IommuSpec, Scenario},
    table::Policy,
};

/// The comparisons that people ask for.
pub const PAIRINGS: [Pairing; 4] = [
    Pairing {
        title: "Linux 5.10 and 7.2",
        upper: |scenario| scenario.kernel.rules = "5.10".into(),
        lower: |scenario| scenario.kernel.rules = "7.2".into(),
    },
    Pairing {
        title: "IOMMU off and on",
        upper: |scenario| scenario.iommu = IommuSpec::default(),
        lower: |scenario| scenario.iommu = IommuSpec::Name("vt-d".into()),
    },
    Pairing {
        title: "mlx5 and irdma",
        upper: |scenario| scenario.device = DeviceSpec::Name("mlx5".into()),
        lower: |scenario| scenario.device = DeviceSpec::Name("irdma".into()),
    },
    Pairing {
        title: "Mixed and single",
        upper: |scenario| edit::set_policy(scenario, Policy::Mixed),
        lower: |scenario| edit::set_policy(scenario, Policy::Single),
    },
];

impl State {
    /// The other of the two scenarios becomes the one that the fields edit.
    fn swapped(mut self) -> Self {
        let Some(there) = &mut self.there else {
            return self;
        };
        mem::swap(&mut self.here, there);
        let left = there.scene.clone();
        self.player = Player {
            moment: aligned(&left, self.player.moment, &self.here.scene),
            chosen: None,
            until: None,
            ..self.player
        };
        self
    }

    pub(super) fn compared(self, on: bool) -> Self {
        // What is compared is one region: a set is left behind, where the browser's Back leads.
        let state = match on && self.here.many.is_some() {
            true => self.going(),
            false => self,
        };
        let (here, there, place) = match on {
            true => {
                let upper = state.here.alone();
                // The copy is there to be changed.
                (upper.clone().unreported(), Some(upper), Place::Lower)
            }
            false => (state.here, None, Place::Upper),
        };
        Self {
            here,
            there,
            place,
            ..state
        }
        .addressed()
    }

    pub(super) fn paired(self, pairing: Pairing) -> Self {
        let of = |change: fn(&mut Scenario)| {
            let mut scenario = (*self.here.scene.scenario).clone();
            change(&mut scenario);
            scenario
        };
        let (upper, lower) = (of(pairing.upper), of(pairing.lower));
        let mut upper = match self.here.another(upper, None) {
            Ok(upper) => upper,
            Err(error) => return self.unshown(&error, None),
        };
        (upper.loaded, upper.changed) = (self.here.loaded, true);
        let state = self.with(upper).beside(lower);
        // The fields, the reasons and the advice are those of the side that has more to mend.
        let total = |scene: &Scene| {
            scene
                .registration()
                .table()
                .map_or(u64::MAX, |table| table.total)
        };
        match &state.there {
            Some(there) if total(&there.scene) > total(&state.here.scene) => {
                let state = state.editing(Place::Lower);
                Self {
                    player: Player::finished(&state.here.scene),
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
            there: None,
            ..self
        };
        match Side::beside(lower, &state.here.scene) {
            Ok(side) => Self {
                there: Some(side),
                ..state
            }
            .addressed(),
            Err(error) => Self {
                notice: Some(format!("There is nothing to compare with: {error}").into()),
                ..state
            }
            .addressed(),
        }
    }

    pub(super) fn editing(self, place: Place) -> Self {
        if self.there.is_none() || place == self.place {
            return self;
        }
        Self { place, ..self }.swapped().addressed()
    }

    /// The upper scene, and the lower if two are compared.
    pub fn scenes(&self) -> (Rc<Scene>, Option<Rc<Scene>>) {
        let here = self.here.scene.clone();
        let there = self.there.as_ref().map(|side| side.scene.clone());
        match (self.place, there) {
            (Place::Lower, Some(upper)) => (upper, Some(here)),
            (_, there) => (here, there),
        }
    }

    /// The pictures that are seen: one, or the upper and the lower of two.
    pub(crate) fn pictures(&self) -> Vec<Shown> {
        let (upper, lower) = self.scenes();
        let compact = lower.is_some();
        let differing = lower.as_ref().and_then(|lower| {
            let lanes = self.player.lanes;
            Lanes::of(|lane| lanes.contains(lane) && upper.differs(lower, lane))
        });
        let shown = |scene: Rc<Scene>| Shown {
            player: Player {
                moment: self.moment_in(&scene),
                compact,
                ..self.player
            },
            veiled: self.veiled(),
            differing,
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
        aligned(&self.here.scene, self.player.moment, scene)
    }
}

/// The moment of `other` at which its playhead is where that of `scene` is at `moment`.
fn aligned(scene: &Rc<Scene>, moment: f64, other: &Rc<Scene>) -> f64 {
    if Rc::ptr_eq(scene, other) {
        return moment;
    }
    let now = scene.steps().moment(moment);
    match (now.step, now.at()) {
        (Some(step), Some(at)) => other.steps().reaching(step.stage, at),
        _ => other.last(),
    }
}
