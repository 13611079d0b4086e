//! What the element does where nobody leads it: scenarios of its own, and moments by their names.

use super::{END, Widget, lower};
use crate::{
    limit::LARGEST,
    player::{Player, Shown},
    scene::Scene,
};
use std::{cell::RefCell, rc::Rc};
use umem_core::{
    diagram::Stage,
    scenario::{Scenario, ScenarioError, presets},
};
use wasm_bindgen::prelude::*;

impl Widget {
    fn show(&self, scenario: Scenario) -> Result<(), ScenarioError> {
        let scene = Rc::new(Scene::new(&Rc::new(scenario))?);
        let mut shown = self.shown.borrow_mut();
        shown.player = Player {
            speed: shown.player.speed,
            pace: shown.player.pace,
            lanes: shown.player.lanes,
            ..Player::finished(&scene)
        };
        shown.scene = scene;
        Ok(())
    }
}

#[wasm_bindgen]
impl Widget {
    /// The mail's example, finished.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        let mail = Rc::new(presets::PRESETS[0].scenario());
        let Ok(scene) = Scene::new(&mail) else {
            unreachable!("presets are right, as their tests show");
        };
        Self::of(Rc::new(RefCell::new(Shown::of(Rc::new(scene)))), None)
    }

    /// Shows a preset, finished.
    ///
    /// # Errors
    /// That there is no preset of this name, and which there are.
    pub fn preset(&self, name: &str) -> Result<(), JsError> {
        let preset = presets::find(name).ok_or_else(|| {
            let names: Vec<_> = presets::PRESETS.iter().map(|preset| preset.name).collect();
            JsError::new(&format!(
                "there is no preset \"{name}\": there are {}",
                names.join(", ")
            ))
        })?;
        Ok(self.show(preset.scenario())?)
    }

    /// Shows a scenario, finished: JSON of the scenario format.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn scenario(&self, json: &[u8]) -> Result<(), JsError> {
        Ok(self.show(Scenario::from_json(json)?)?)
    }

    /// The step of that name; in another scene, the one that works there in the same stage. A stage alone is its first step.
    pub fn named(&self, name: &str) -> Option<f64> {
        let shown = self.shown.borrow();
        let (stage, offset) = name.split_once(':').unwrap_or((name, ""));
        if stage == END {
            return Some(shown.scene.last());
        }
        let stage = Stage::ALL
            .into_iter()
            .find(|known| lower(*known) == stage)?;
        match offset {
            "" => Some(shown.scene.steps().first_of(stage) as f64),
            offset => {
                let offset: i64 = offset.parse().ok()?;
                Some(shown.scene.steps().reaching(stage, offset as f64).floor())
            }
        }
    }

    /// The longest scenario that is read, in bytes.
    pub fn longest(&self) -> f64 {
        LARGEST as f64
    }

    /// The scenario, as JSON.
    pub fn asked(&self) -> String {
        self.shown.borrow().scene.scenario.to_json()
    }
}

impl Default for Widget {
    fn default() -> Self {
        Self::new()
    }
}
