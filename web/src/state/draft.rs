//! The draft: what the fields say becomes a scene if it is right, and messages if not.

use super::{Field, State, Texts};
use crate::{
    edit,
    link::{self, Asked},
    scene::Scene,
};
use std::{collections::BTreeMap, rc::Rc};
use umem_core::{
    diagram::View,
    scenario::{Scenario, presets},
    size::Bytes,
};

impl State {
    pub(super) fn asked(self, asked: Asked) -> Self {
        match asked {
            Asked::Nothing => self,
            Asked::Preset(preset) => self.loaded(preset.scenario(), Some(preset.name)),
            Asked::Scenario(scenario) => self.loaded(*scenario, None),
            Asked::Unreadable(problem) => {
                let mail = &presets::PRESETS[0];
                Self {
                    notice: Some(format!("{problem} This is the mail's example instead.").into()),
                    ..self.loaded(mail.scenario(), Some(mail.name))
                }
            }
        }
    }

    /// Another scenario as a whole: shown finished, and from afar.
    pub(super) fn loaded(self, scenario: Scenario, origin: Option<&'static str>) -> Self {
        let texts = Texts::of(&scenario);
        let state = Self {
            texts,
            draft: Rc::new(scenario),
            origin,
            notice: None,
            playing: false,
            ..self
        };
        let state = state.settled();
        Self {
            moment: state.scene.last(),
            chosen: None,
            sight: None,
            ..state
        }
    }

    /// Changes the draft, and works it out.
    pub(super) fn edited(self, edit: impl FnOnce(&mut Scenario)) -> Self {
        let mut draft = (*self.draft).clone();
        edit(&mut draft);
        Self {
            draft: Rc::new(draft),
            ..self
        }
        .settled()
    }

    /// Reads what is typed, proves the draft, and works it out if it is right. If not, the last picture stays.
    fn settled(mut self) -> Self {
        let mut draft = (*self.draft).clone();
        let mut faults = BTreeMap::new();
        for (field, text, value) in [
            (Field::Offset, &self.texts.offset, &mut draft.region.offset),
            (Field::Length, &self.texts.length, &mut draft.region.length),
        ] {
            match text.trim().parse::<Bytes>() {
                Ok(bytes) => *value = bytes,
                Err(error) => _ = faults.insert(field, format!("\"{}\" {error}", text.trim())),
            }
        }
        if let Some(text) = &self.texts.iova
            && let Err(problem) = edit::set_iova(&mut draft, text)
        {
            faults.insert(Field::Iova, problem);
        }
        let shown = self
            .origin
            .and_then(presets::find)
            .map(|preset| (preset, preset.scenario()))
            .filter(|(_, scenario)| edit::same_question(scenario, &draft));
        match &shown {
            Some((_, scenario)) => draft.name.clone_from(&scenario.name),
            // What grew out of a preset is no longer that.
            None if self.origin.is_some() => draft.name = None,
            None => {}
        }
        self.preset = shown.map(|(preset, _)| preset.name);
        self.draft = Rc::new(draft);
        if self.draft != self.scene.scenario {
            match Scene::new(&self.draft) {
                Ok(scene) => self.show(scene),
                Err(error) => {
                    // What is typed and cannot be read comes first: the core knows only what stood there before.
                    faults
                        .entry(Field::of(&error.field))
                        .or_insert(error.problem);
                }
            }
        }
        if Rc::ptr_eq(&self.draft, &self.scene.scenario) {
            self.fragment = match self.preset() {
                Some(preset) => Some(link::to_preset(preset).into()),
                None => link::to_scenario(&self.draft).map(Into::into),
            };
        }
        self.faults = Rc::new(faults);
        self
    }

    fn show(&mut self, scene: Scene) {
        // Who looks at the end goes on looking at the end.
        let finished = self.moment >= self.scene.last();
        self.moment = match finished {
            true => scene.last(),
            false => self.moment.min(scene.last()),
        };
        let whole = |scene: &Scene| View::whole(&scene.registration, 1.0);
        if whole(&scene) != whole(&self.scene) {
            self.sight = None;
        }
        self.chosen = None;
        self.scene = Rc::new(scene);
    }

    pub(super) fn typed(mut self, edit: impl FnOnce(&mut Texts)) -> Self {
        edit(&mut self.texts);
        self.settled()
    }
}
