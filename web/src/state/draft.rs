//! The draft: what the fields say becomes a scene if it is right, and messages if not.

use super::{Faults, Field, Origin, Place, Side, State, Texts, Tried, members::many, side::named};
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
    scenario::{self, IommuSpec, IovaSpec, Scenario, ScenarioError, presets},
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
        if link::edits_lower(fragment) {
            let chosen = state.player.chosen;
            state = state.editing(Place::Lower);
            state.player.chosen = chosen;
        }
        state.sharing().addressed()
    }

    fn answered(self, asked: Asked) -> Self {
        match asked {
            Asked::Nothing | Asked::Question => self,
            Asked::Preset(preset) => self.with(Side::of(preset)),
            Asked::Scenario(scenario) => {
                let side = self.here.another(*scenario, None);
                self.answering(side)
            }
            Asked::Set(set, seen) => {
                let side = many(&set, seen).and_then(|many| self.of_all(many));
                self.answering(side)
            }
            Asked::Unreadable(problem) => {
                let mut state = self.with(Side::of(&presets::PRESETS[0]));
                state.notice =
                    Some(format!("{problem} This is the mail's example instead.").into());
                state
            }
        }
    }

    fn answering(self, side: Result<Side, ScenarioError>) -> Self {
        match side {
            Ok(side) => self.with(side),
            Err(error) => self.answered(Asked::Unreadable(format!(
                "What this page's address asks for cannot be worked out: {error}."
            ))),
        }
    }

    /// Another scene as a whole: shown finished, and from afar.
    pub(super) fn with(mut self, side: Side) -> Self {
        (self.notice, self.loading, self.wanted, self.tried) = (None, None, None, None);
        (self.awaited, self.shared) = (false, None);
        self.player = Player::finished(&side.scene).like(self.player);
        self.here = side;
        self
    }

    /// A scenario out of a file, or of what the address names.
    pub(super) fn taken(self, scenario: Scenario, origin: Origin) -> Self {
        let side = self.here.another(scenario, None);
        self.arrived(side, Some(origin))
    }

    /// What came out of a file, or of what the address names: seen as a whole, or not at all.
    pub(super) fn arrived(self, side: Result<Side, ScenarioError>, origin: Option<Origin>) -> Self {
        let mut side = match side {
            Ok(side) => side,
            Err(error) => return self.unshown(&error, origin),
        };
        side.loaded = origin;
        if origin != Some(Origin::Source) {
            return self.going().with(side).addressed();
        }
        if !self.awaited {
            // What comes too late is for nobody.
            return self;
        }
        // What the address itself names stands where the address stands.
        let (notice, fragment) = (self.notice.clone(), self.fragment.clone());
        let mut state = self.with(side);
        state.notice = notice;
        let fragment = fragment.unwrap_or_default();
        state.player = link::seen(&fragment, state.player, &state.here.scene);
        state.sharing().addressed()
    }

    /// A scene that is wrong as a whole is not shown, and what is seen stays.
    pub(super) fn unshown(mut self, error: &ScenarioError, origin: Option<Origin>) -> Self {
        if origin == Some(Origin::Source) {
            return self.sourceless(&error.to_string());
        }
        let notice =
            format!("This cannot be shown: {error}. What you see is what was there before.");
        (self.notice, self.loading) = (Some(notice.into()), None);
        self
    }

    /// What `?src=` names cannot be read. The address stays until something else is seen, and a reload tries it again.
    pub(super) fn sourceless(self, problem: &str) -> Self {
        if !self.awaited {
            return self;
        }
        let fragment = self.fragment.clone();
        let mut state = self.answered(Asked::Unreadable(format!("{problem}.")));
        state.here.loaded = Some(Origin::Source);
        state.fragment = fragment;
        state
    }

    /// A scenario that somebody was advised to try: its table is cut before their eyes.
    pub(super) fn applied(self, advice: Rc<Advice>) -> Self {
        // What splits the region in two is more than one scene can show.
        let [scenario] = &advice.scenarios[..] else {
            return self;
        };
        let side = match self.here.another(scenario.clone(), None) {
            Ok(side) => side,
            Err(error) => return self.unshown(&error, None),
        };
        let before = self.here.clone();
        let mut state = self.going().with(side);
        state.tried = Some(Tried { advice, before });
        state.player.moment = state.here.scene.steps().first_of(Stage::Cut) as f64;
        state.player.playing = true;
        state.addressed()
    }

    /// What there was before a piece of advice was followed.
    pub(super) fn undone(self) -> Self {
        match self.tried().cloned() {
            Some(tried) => {
                // `?src=` was left behind.
                let mut before = tried.before;
                before.loaded = None;
                self.going().with(before).addressed()
            }
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
            self.show(&scene);
            self.here.scene = scene;
            self.here.changed = true;
        }
        self.here.put_back();
        self.here.name_itself();
        self
    }

    /// Of what is seen, as much as makes sense of another scene.
    fn show(&mut self, scene: &Scene) {
        // Who looks at the end goes on looking at the end.
        let (player, before) = (&mut self.player, &self.here.scene);
        player.moment = match player.moment >= before.last() {
            true => scene.last(),
            false => player.moment.min(scene.last()),
        };
        let whole = |scene: &Scene| View::whole(scene.registration(), 1.0);
        if whole(scene) != whole(before) {
            player.sight = None;
        }
        player.chosen = None;
        self.shared = None;
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
                let mut state = self.settled().addressed();
                let here = &mut state.here;
                // The field that is wrong may be far away from who writes.
                if !here.faults.is_empty()
                    && let Err(error) = Scene::beside(&here.draft, &here.scene)
                {
                    Rc::make_mut(&mut here.faults).set(Field::Json, error.to_string());
                }
                state
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
    fn settle(&mut self) -> Option<Rc<Scene>> {
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
        let preset = named(draft, self.origin);
        let mut shown = None;
        if self.draft == self.scene.scenario {
            // One of them is enough: a capture's extents are many.
            self.draft = self.scene.scenario.clone();
            self.preset = preset;
        } else {
            match Scene::beside(&self.draft, &self.scene) {
                Ok(scene) => {
                    shown = Some(Rc::new(scene));
                    self.preset = preset;
                }
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
