//! The draft: what the fields say becomes a scene if it is right, and messages if not.

use super::{Faults, Field, Origin, Side, State, Texts, Tried, members::many};
use crate::{
    case::Case,
    edit,
    link::{self, Asked},
    player::Player,
    scene::Scene,
};
use std::rc::Rc;
use umem_core::{
    advice::Advice,
    diagram::{Stage, View},
    scenario::{self, IommuSpec, IovaSpec, Scenario, presets},
};

impl State {
    /// The page as the fragment of an address asks for it.
    pub(super) fn asked(self, fragment: &str) -> Self {
        if let Some(problem) = link::lacks(fragment) {
            let fragment = Some(fragment.trim_start_matches('#').into());
            return Self { fragment, ..self }.away(problem);
        }
        match link::read(fragment) {
            Asked::Question => self.waiting(fragment),
            asked => self.shown(fragment, asked, None),
        }
    }

    /// The page as a fragment asks for it: for `asked`, which may be a question of a public report.
    pub(super) fn shown(self, fragment: &str, asked: Asked, case: Option<Rc<Case>>) -> Self {
        let chapter = link::chapter(fragment);
        let own = !matches!(asked, Asked::Nothing);
        let mut state = self.answered(asked);
        state.here.reported(case);
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
            state.player = link::seen(fragment, state.player, &state.here.scene);
        }
        state.sharing().addressed()
    }

    fn answered(self, asked: Asked) -> Self {
        match asked {
            Asked::Nothing | Asked::Question => self,
            Asked::Preset(preset) => self.loaded(preset.scenario(), Some(preset.name)),
            Asked::Scenario(scenario) => self.loaded(*scenario, None),
            Asked::Set(set, seen) => match many(&set, seen) {
                Ok(many) => self.of_all(many, None),
                Err(error) => self.answered(Asked::Unreadable(format!(
                    "The set in this page's address cannot be worked out: {error}."
                ))),
            },
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
        let here = Side {
            texts: Texts::of(&scenario),
            draft: Rc::new(scenario),
            origin,
            loaded: None,
            many: None,
            case: None,
            ..self.here
        };
        let state = Self {
            here,
            notice: None,
            loading: None,
            wanted: None,
            tried: None,
            shared: None,
            ..self
        }
        .settled();
        Self {
            player: Player::finished(&state.here.scene).like(state.player),
            ..state
        }
    }

    /// A scenario out of a file, or of what the address names.
    pub(super) fn taken(self, scenario: Scenario, origin: Origin) -> Self {
        // What the address itself names stands where the address stands.
        let state = match origin {
            Origin::File => self.going(),
            Origin::Source => self,
        };
        let mut state = state.loaded(scenario, None);
        state.here.loaded = Some(origin);
        state.addressed()
    }

    /// A scenario that somebody was advised to try: its table is cut before their eyes.
    pub(super) fn applied(self, advice: Rc<Advice>) -> Self {
        // What splits the region in two is more than one scene can show.
        let [scenario] = &advice.scenarios[..] else {
            return self;
        };
        let scenario = scenario.clone();
        let tried = Tried {
            before: self.here.scene.scenario.clone(),
            origin: self.here.origin,
            advice,
        };
        let mut state = self.going().loaded(scenario, None);
        state.tried = Some(tried);
        state.player.moment = state.here.scene.steps().first_of(Stage::Cut) as f64;
        state.player.playing = true;
        state.addressed()
    }

    /// What there was before a piece of advice was followed.
    pub(super) fn undone(self) -> Self {
        match self.tried().cloned() {
            Some(tried) => self
                .going()
                .loaded((*tried.before).clone(), tried.origin)
                .addressed(),
            None => self,
        }
    }

    /// Changes the draft, and works it out.
    pub(super) fn edited(mut self, edit: impl FnOnce(&mut Scenario)) -> Self {
        let before = Rc::clone(&self.here.draft);
        let draft = Rc::make_mut(&mut self.here.draft);
        edit(draft);
        edit::assume_less(draft, &before);
        self.settled().addressed()
    }

    /// Behind another IOMMU, which places the mapping as the kernel does.
    pub(super) fn mapped_by(mut self, iommu: IommuSpec) -> Self {
        let off = iommu == IommuSpec::default();
        self.here.texts.iova = (!off).then(|| IovaSpec::KERNEL.to_owned());
        self.edited(|draft| draft.iommu = iommu)
    }

    /// By the rules of a generation, whatever release was named before.
    pub(super) fn by_rules(mut self, rules: &str) -> Self {
        self.here.texts.release.clear();
        self.edited(|draft| draft.kernel.set_rules(rules))
    }

    pub(super) fn typed(mut self, edit: impl FnOnce(&mut Texts)) -> Self {
        edit(&mut self.here.texts);
        self.settled().addressed()
    }

    /// Reads what is typed, proves the draft, and works it out if it is right. If not, the last picture stays.
    fn settled(mut self) -> Self {
        if let Some(scene) = self.here.settle() {
            self.show(scene);
        }
        self.here.put_back();
        self.here.name_itself();
        self
    }

    fn show(&mut self, scene: Scene) {
        // Who looks at the end goes on looking at the end.
        let (player, before) = (&mut self.player, &self.here.scene);
        player.moment = match player.moment >= before.last() {
            true => scene.last(),
            false => player.moment.min(scene.last()),
        };
        let whole = |scene: &Scene| View::whole(scene.registration(), 1.0);
        if whole(&scene) != whole(before) {
            player.sight = None;
        }
        player.chosen = None;
        self.shared = None;
        self.here.scene = Rc::new(scene);
    }

    /// The scenario as somebody wrote it.
    pub(super) fn written(mut self, json: &str) -> Self {
        match edit::read(json) {
            Ok(scenario::Asked::Set(set)) => self.taken_all(&set, None),
            Ok(scenario::Asked::Scenario(scenario)) => {
                let here = &mut self.here;
                // Who gives it a name has left the preset.
                here.origin = here
                    .origin
                    .filter(|_| scenario.name == here.draft.name || scenario.name.is_none());
                here.texts = Texts::of(&scenario);
                here.draft = Rc::new(*scenario);
                self.settled().addressed()
            }
            Err(problem) => {
                Rc::make_mut(&mut self.here.faults).set(Field::Json, problem);
                self
            }
        }
    }
}

impl Side {
    /// Reads what is typed into the draft, and proves it: the scene if there is another one now, and what is wrong.
    fn settle(&mut self) -> Option<Scene> {
        let mut faults = Faults::default();
        let draft = Rc::make_mut(&mut self.draft);
        for (field, text, value) in [
            (Field::Offset, &self.texts.offset, &mut draft.region.offset),
            (Field::Length, &self.texts.length, &mut draft.region.length),
        ] {
            match edit::size(text) {
                Ok(bytes) => *value = bytes,
                Err(problem) => faults.set(field, problem),
            }
        }
        self.texts.start = match (&draft.memory.extents, self.texts.start.take()) {
            (Some(_), _) => None,
            (None, None) => edit::start(draft),
            (None, text) => text,
        };
        for (field, text, set) in [
            (
                Field::Iova,
                self.texts.iova.as_deref(),
                edit::set_iova as Setter,
            ),
            (Field::Hca, Some(&*self.texts.hca), edit::set_hca),
            (
                Field::Release,
                Some(&*self.texts.release),
                edit::set_release,
            ),
            (Field::Start, self.texts.start.as_deref(), edit::set_start),
        ] {
            if let Some(text) = text
                && let Err(problem) = set(draft, text)
            {
                faults.set(field, problem);
            }
        }
        let shown = self
            .origin
            .and_then(presets::find)
            .map(|preset| (preset, preset.scenario()))
            .filter(|(_, scenario)| edit::same_question(scenario, draft));
        match &shown {
            Some((_, scenario)) => draft.name.clone_from(&scenario.name),
            // What grew out of a preset is no longer that.
            None if self.origin.is_some() => draft.name = None,
            None => {}
        }
        self.preset = shown.map(|(preset, _)| preset.name);
        let mut shown = None;
        if self.draft == self.scene.scenario {
            // One of them is enough: a capture's extents are many.
            self.draft = self.scene.scenario.clone();
        } else {
            match Scene::beside(&self.draft, &self.scene) {
                Ok(scene) => shown = Some(scene),
                Err(error) => {
                    // What is typed and cannot be read comes first: the core knows only what stood there before.
                    let field = Field::of(error.field());
                    if faults.get(field).is_none() {
                        faults.set(field, edit::fault(&error));
                    }
                }
            }
        }
        self.faults = Rc::new(faults);
        shown
    }
}

/// What reads a text into a scenario, or says what is wrong with it.
type Setter = fn(&mut Scenario, &str) -> Result<(), String>;
