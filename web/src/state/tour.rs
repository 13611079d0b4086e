//! The story: what turning its pages does to the page.

use super::{Action, Place, State};
use crate::{
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
                | Self::Away(_)
                | Self::Dismiss
                | Self::Visited(..)
                | Self::Loading(_)
                | Self::Move(
                    Motion::Tick(_)
                        | Motion::Speed(_)
                        | Motion::Zoom { .. }
                        | Motion::Pan { .. }
                        | Motion::Scroll { .. }
                        | Motion::Point(_)
                        | Motion::Lens
                        | Motion::LetGo
                        | Motion::Iommu
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
    pub(super) fn staged(mut self) -> Self {
        if let Some(tour) = &mut self.tour
            && let Some(story) = &tour.story
        {
            tour.chapter = tour.chapter.min(story.chapters.len().saturating_sub(1));
        }
        let tour = self.tour.as_ref().filter(|tour| !tour.own);
        let answered = tour.is_some_and(|tour| tour.picked.is_some());
        match tour.and_then(Tour::chapter).cloned() {
            Some(chapter) if answered => self.put(&chapter.shows).stopped(),
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

    pub(super) fn left(self) -> Self {
        Self { tour: None, ..self }.addressed()
    }

    /// Where it would have come to if it played.
    fn stopped(self) -> Self {
        let player = Player {
            moment: self.player.until.unwrap_or(self.player.moment),
            playing: false,
            until: None,
            ..self.player
        };
        Self { player, ..self }
    }

    /// Shows a setting, and plays it if it is to be played.
    pub(super) fn put(self, setting: &Setting) -> Self {
        let Some(scenario) = setting.scenario() else {
            return self;
        };
        let origin = setting.preset().map(|preset| preset.name);
        let side = match self.here.another(scenario, origin) {
            Ok(side) => side,
            Err(error) => return self.unshown(&error, None),
        };
        let mut state = self.with(side);
        (state.there, state.place) = (None, Place::Upper);
        let steps = state.here.scene.steps();
        let until = setting.end(steps);
        let player = Player {
            moment: setting.begin(steps),
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
}
