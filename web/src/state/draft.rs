//! The draft: what the fields say becomes a scene if it is right, and messages if not.

use super::{Field, State, Texts, Tried};
use crate::{
    edit,
    link::{self, Asked},
    player::Player,
    scene::Scene,
};
use std::{collections::BTreeMap, rc::Rc};
use umem_core::{
    advice::Advice,
    diagram::{Stage, View},
    scenario::{Scenario, presets},
    size::Bytes,
};

impl State {
    /// The page as the fragment of an address asks for it.
    pub(super) fn asked(self, fragment: &str) -> Self {
        let (asked, chapter) = (link::read(fragment), link::chapter(fragment));
        let own = !matches!(asked, Asked::Nothing);
        let state = self.answered(asked);
        let shown = own && state.notice.is_none();
        let state = match link::other(fragment) {
            Some(Ok(lower)) => state.beside(*lower),
            Some(Err(problem)) => Self {
                notice: Some(problem.into()),
                ..state.compared(false)
            },
            None if own || chapter.is_some() => state.compared(false),
            None => state,
        };
        let mut state = match chapter {
            Some(chapter) => state.reading(chapter, own),
            None => state.left(),
        };
        if shown {
            state.player = link::seen(fragment, state.player, &state.scene);
        }
        state
    }

    fn answered(self, asked: Asked) -> Self {
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
            tried: None,
            journeys: self.journeys + 1,
            ..self
        };
        let state = state.settled();
        Self {
            player: Player {
                speed: state.player.speed,
                ..Player::finished(&state.scene)
            },
            ..state
        }
    }

    /// A scenario that somebody was advised to try: its table is cut before their eyes.
    pub(super) fn applied(self, advice: Rc<Advice>) -> Self {
        // What splits the region in two is more than one scene can show.
        let [scenario] = &advice.scenarios[..] else {
            return self;
        };
        let scenario = scenario.clone();
        let tried = Tried {
            before: self.scene.scenario.clone(),
            origin: self.origin,
            advice,
        };
        let mut state = self.loaded(scenario, None);
        state.tried = Some(tried);
        state.player.moment = state.scene.steps.first_of(Stage::Cut) as f64;
        state.player.playing = true;
        state
    }

    /// What there was before a piece of advice was followed.
    pub(super) fn undone(self) -> Self {
        match self.tried().cloned() {
            Some(tried) => self.loaded((*tried.before).clone(), tried.origin),
            None => self,
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
        self.texts.start = match (&draft.memory.extents, self.texts.start.take()) {
            (Some(_), _) => None,
            (None, None) => edit::start(&draft),
            (None, text) => text,
        };
        for (field, text, set) in [
            (
                Field::Iova,
                self.texts.iova.as_deref(),
                edit::set_iova as Setter,
            ),
            (Field::Hca, Some(&*self.texts.hca), edit::set_hca),
            (Field::Start, self.texts.start.as_deref(), edit::set_start),
        ] {
            if let Some(text) = text
                && let Err(problem) = set(&mut draft, text)
            {
                faults.insert(field, problem);
            }
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
            self.own = match self.preset() {
                Some(preset) => Some(link::to_preset(preset).into()),
                None => link::to_scenario(&self.draft).map(Into::into),
            };
        }
        self.faults = Rc::new(faults);
        self.addressed()
    }

    fn show(&mut self, scene: Scene) {
        // Who looks at the end goes on looking at the end.
        let player = &mut self.player;
        player.moment = match player.moment >= self.scene.last() {
            true => scene.last(),
            false => player.moment.min(scene.last()),
        };
        let whole = |scene: &Scene| View::whole(&scene.registration, 1.0);
        if whole(&scene) != whole(&self.scene) {
            player.sight = None;
        }
        player.chosen = None;
        self.scene = Rc::new(scene);
    }

    pub(super) fn typed(mut self, edit: impl FnOnce(&mut Texts)) -> Self {
        edit(&mut self.texts);
        self.settled()
    }

    /// The scenario as somebody wrote it.
    pub(super) fn written(self, json: &str) -> Self {
        match Scenario::from_json(json.as_bytes()) {
            Ok(scenario) => {
                // Who gives it a name has left the preset.
                let origin = self
                    .origin
                    .filter(|_| scenario.name == self.draft.name || scenario.name.is_none());
                Self {
                    texts: Texts::of(&scenario),
                    draft: Rc::new(scenario),
                    origin,
                    ..self
                }
                .settled()
            }
            Err(error) => {
                let mut faults = (*self.faults).clone();
                faults.insert(Field::Json, error.to_string());
                Self {
                    faults: Rc::new(faults),
                    ..self
                }
            }
        }
    }
}

/// What reads a text into a scenario, or says what is wrong with it.
type Setter = fn(&mut Scenario, &str) -> Result<(), String>;
