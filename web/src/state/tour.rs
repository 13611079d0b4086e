//! The story: what turning its pages does to the page.

use super::{Action, Place, State};
use crate::{
    edit, link,
    player::{Motion, Player},
    story::{Setting, Story, Tour},
};
use std::rc::Rc;

impl Action {
    /// Whether who does this sees more than the story has told yet.
    pub(super) fn looks_ahead(&self) -> bool {
        !matches!(
            self,
            Self::Chapter(_)
                | Self::Told(_)
                | Self::Predict(_)
                | Self::Leave
                | Self::Dialog(_)
                | Self::Notice(_)
                | Self::Dismiss
                | Self::Fragment(_)
                | Self::Move(
                    Motion::Tick(_)
                        | Motion::Speed(_)
                        | Motion::Zoom { .. }
                        | Motion::Pan { .. }
                        | Motion::Scroll { .. }
                        | Motion::Point(_)
                        | Motion::Lens
                        | Motion::LetGo
                        | Motion::Whole
                        | Motion::Choose(_)
                        | Motion::Restart
                        | Motion::Back
                )
        )
    }
}

impl State {
    /// The story open at `chapter`; its scene is the reader's `own`, or else the chapter's.
    pub(super) fn reading(self, chapter: usize, own: bool) -> Self {
        let story = self.tour.as_ref().and_then(|tour| tour.story.clone());
        let state = Self {
            tour: Some(Tour {
                story,
                chapter,
                own,
                ..Tour::default()
            }),
            ..self
        };
        state.staged()
    }

    pub(super) fn turned(self, chapter: usize) -> Self {
        self.reading(chapter, false)
    }

    pub(super) fn told(self, story: Rc<Story>) -> Self {
        let Some(tour) = self.tour.clone() else {
            return self;
        };
        let tour = Tour {
            story: Some(story),
            ..tour
        };
        Self {
            tour: Some(tour),
            ..self
        }
        .staged()
    }

    /// With the chapter's scene, unless the reader has another.
    fn staged(mut self) -> Self {
        if let Some(tour) = &mut self.tour
            && let Some(story) = &tour.story
        {
            tour.chapter = tour.chapter.min(story.chapters.len().saturating_sub(1));
        }
        let tour = self.tour.as_ref().filter(|tour| !tour.own);
        match tour.and_then(Tour::chapter).cloned() {
            Some(chapter) => self.put(&chapter.scene),
            None => self.addressed(),
        }
    }

    pub(super) fn predicted(self, choice: usize) -> Self {
        let Some(tour) = self.tour.clone() else {
            return self;
        };
        let first = tour.picked.is_none();
        let chapter = tour.chapter().cloned();
        let tour = Tour {
            picked: Some(choice),
            ..tour
        };
        let state = Self {
            tour: Some(tour),
            ..self
        };
        match chapter {
            Some(chapter) if first => state.put(&chapter.shows),
            _ => state,
        }
    }

    pub(super) fn set(self, setting: &Setting) -> Self {
        self.put(setting)
    }

    pub(super) fn left(self) -> Self {
        Self { tour: None, ..self }.addressed()
    }

    /// Shows a setting, and plays it if it is to be played.
    fn put(self, setting: &Setting) -> Self {
        let Some(scenario) = setting.scenario() else {
            return self;
        };
        let origin = setting.preset().map(|preset| preset.name);
        let state = Self {
            other: None,
            place: Place::Upper,
            ..self
        }
        .loaded(scenario, origin);
        let until = setting.end(&state.scene.steps);
        let player = Player {
            moment: setting.begin(&state.scene.steps),
            playing: until.is_some(),
            until,
            ..state.player
        };
        let state = Self { player, ..state };
        match setting.with.clone() {
            Some(lower) => state.beside(lower),
            None => state.addressed(),
        }
    }

    /// With the fragment that opens what is seen now.
    pub(super) fn addressed(self) -> Self {
        let fragment = self.address().map(Into::into);
        Self { fragment, ..self }
    }

    fn address(&self) -> Option<String> {
        let (upper, lower) = match (self.place, &self.other) {
            (Place::Lower, Some(upper)) => (&upper.own, Some(&self.own)),
            (_, Some(lower)) => (&self.own, Some(&lower.own)),
            (_, None) => (&self.own, None),
        };
        let mut parts: Vec<String> = Vec::new();
        if let Some(tour) = &self.tour {
            parts.push(link::to_chapter(tour.chapter));
        }
        if !self.in_chapter() {
            parts.push(upper.as_deref()?.to_owned());
        }
        if let Some(lower) = lower {
            parts.push(link::to_other(lower.as_deref()?));
        }
        Some(parts.join("&"))
    }

    /// Whether what is seen is what the chapter itself shows.
    fn in_chapter(&self) -> bool {
        let Some(tour) = self.tour.as_ref().filter(|_| self.other.is_none()) else {
            return false;
        };
        match tour.chapter() {
            Some(chapter) => [&chapter.scene, &chapter.shows].iter().any(|setting| {
                let scenario = setting.scenario();
                scenario
                    .is_some_and(|scenario| edit::same_question(&scenario, &self.scene.scenario))
            }),
            None => !tour.own,
        }
    }
}
