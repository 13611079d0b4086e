//! The address: what fragment asks for what is seen, and in which entry of the browser's history that stands.

use super::{Place, Side, State};
use crate::{
    edit,
    link::{self, Stamp},
    player::Player,
    story::Tour,
};
use std::rc::Rc;

/// What stands in the address bar, and where in the browser's history.
#[derive(Clone, PartialEq, Debug)]
pub struct Address {
    /// The fragment without its `#`; `None` for a capture, which no address holds.
    pub fragment: Option<Rc<str>>,
    /// Whether what is seen is what `?src=` names.
    pub sourced: bool,
    /// What is written beside it into the history.
    pub stamp: Stamp,
}

/// A capture, and the entry of the history in which it was opened: no address leads back to it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Kept {
    visit: u32,
    side: Side,
}

impl State {
    /// What stands in the address bar.
    pub fn address(&self) -> Address {
        Address {
            fragment: self.fragment.clone(),
            sourced: self.here.loaded == Some(super::Origin::Source),
            stamp: Stamp {
                visit: self.visit,
                capture: self.fragment.is_none(),
                sourced: self.here.loaded == Some(super::Origin::Source),
                picked: self.tour.as_ref().and_then(|tour| tour.picked),
            },
        }
    }

    /// In another entry of the browser's history, which follows the present one.
    pub(super) fn going(mut self) -> Self {
        self.visit += 1;
        self.shared = None;
        // What followed the present entry is out of reach from now on.
        self.kept = self.kept.filter(|kept| kept.visit < self.visit);
        self
    }

    /// The browser went to another entry of its history.
    pub(super) fn visited(self, fragment: &str, stamp: Option<Stamp>) -> Self {
        let (visit, capture) = match &stamp {
            Some(stamp) => (stamp.visit, stamp.capture),
            None => (self.visit + 1, false),
        };
        let kept = self
            .kept
            .clone()
            .filter(|kept| capture && kept.visit == visit);
        let lacks = kept.is_none() && link::lacks(fragment).is_some();
        let mut state = match kept {
            Some(kept) => Self {
                player: Player::finished(&kept.side.scene).like(self.player),
                here: kept.side,
                there: None,
                place: Place::Upper,
                notice: None,
                tour: None,
                ..self
            },
            None => self.asked(fragment),
        };
        state.visit = visit;
        if lacks {
            return state;
        }
        if capture && state.kept.as_ref().is_none_or(|kept| kept.visit != visit) {
            match stamp.as_ref().is_some_and(|stamp| stamp.sourced) {
                true => return state.awaiting("the capture"),
                false => state.notice = Some(GONE.into()),
            }
        }
        if let Some((tour, picked)) = state
            .tour
            .as_mut()
            .zip(stamp.and_then(|stamp| stamp.picked))
        {
            tour.picked = Some(picked);
            return state.staged();
        }
        state.addressed()
    }

    /// What the address asks for could not be loaded. The address stays until something else is seen, so that a reload may have more luck.
    pub(super) fn away(mut self, problem: &str) -> Self {
        self.here.name_itself();
        let notice = format!(
            "What this page's address asks for is not here: {problem}. The address keeps it: reload the page once the network is back."
        );
        Self {
            tour: None,
            wanted: None,
            loading: None,
            notice: Some(notice.into()),
            ..self
        }
    }

    /// With the fragment that opens what is seen now.
    pub(super) fn addressed(mut self) -> Self {
        self.fragment = self.whole().map(Into::into);
        if self.fragment.is_none() && self.here.loaded.is_some() {
            let (visit, side) = (self.visit, self.here.clone());
            self.kept = Some(Kept { visit, side });
        }
        self
    }

    /// After a motion: what a link said of the moment and of the part that is seen stands in the address only as long as it is so.
    pub(super) fn strayed(self) -> Self {
        match &self.shared {
            Some(shared) if **shared != *self.seen() => Self {
                shared: None,
                ..self
            }
            .addressed(),
            _ => self,
        }
    }

    /// With what a link said of the moment and of the part that is seen.
    pub(super) fn sharing(mut self) -> Self {
        let seen = self.seen();
        self.shared = (!seen.is_empty()).then(|| seen.into());
        self
    }

    /// The moment, the lens and the part that is seen, as a link has them: those of the upper scene.
    fn seen(&self) -> String {
        let (upper, _) = self.scenes();
        let player = Player {
            moment: self.moment_in(&upper),
            ..self.player
        };
        link::to_seen(&player, &upper)
    }

    /// The fragment of exactly the picture that is seen, without the story around it; `None` for captures.
    pub fn picture(&self) -> Option<String> {
        Some(self.scenes_of(None)? + &self.seen())
    }

    fn whole(&self) -> Option<String> {
        let seen = self.shared.as_deref().unwrap_or_default();
        Some(self.scenes_of(self.tour.as_ref())? + seen)
    }

    fn scenes_of(&self, tour: Option<&Tour>) -> Option<String> {
        let (upper, lower) = match (self.place, &self.there) {
            (Place::Lower, Some(upper)) => (upper, Some(&self.here)),
            (_, lower) => (&self.here, lower.as_ref()),
        };
        let mut parts: Vec<String> = Vec::new();
        if let Some(tour) = tour {
            parts.push(link::to_chapter(tour.chapter));
        }
        if !tour.is_some_and(|tour| self.in_chapter(tour)) {
            parts.push(upper.own.as_deref()?.to_owned());
        }
        if let Some(lower) = lower {
            parts.push(link::to_other(lower.own.as_deref()?));
        }
        Some(parts.join("&"))
    }

    /// Whether what is seen is what the chapter itself shows.
    fn in_chapter(&self, tour: &Tour) -> bool {
        if self.there.is_some() {
            return false;
        }
        match tour.chapter() {
            Some(chapter) => [&chapter.scene, &chapter.shows].iter().any(|setting| {
                let scenario = setting.scenario();
                scenario.is_some_and(|scenario| {
                    edit::same_question(&scenario, &self.here.scene.scenario)
                })
            }),
            None => !tour.own,
        }
    }
}

/// What is said where the history leads to a capture that is no longer in memory.
const GONE: &str =
    "A capture was open here. Captures are never put into addresses, so open its file again.";
