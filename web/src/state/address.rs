//! The address: what fragment asks for what is seen, and in which entry of the browser's history that stands.

use super::{Origin, Place, Side, State};
use crate::{
    edit,
    link::{self, Asked, Beyond, Stamp},
    player::Player,
    story::Tour,
};
use std::rc::Rc;

/// What stands in the address bar, and where in the browser's history.
#[derive(Clone, PartialEq, Debug)]
pub struct Address {
    /// The fragment without its `#`; `None` where no address holds what is seen.
    pub fragment: Option<Rc<str>>,
    /// Whether it is `?src=` that names what is seen.
    pub sourced: bool,
    /// What is written beside it into the history.
    pub stamp: Stamp,
}

/// What was seen in an entry of the history that no address leads back to.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Kept {
    visit: u32,
    here: Side,
    there: Option<Side>,
    place: Place,
}

impl Kept {
    /// How many extents its memory has.
    fn extents(&self) -> usize {
        let extents = self.here.scene.scenario.memory.extents.as_ref();
        extents.map_or(0, |extents| extents.len())
    }
}

/// The most extents that are kept, unless a single entry has more.
const MOST_KEPT: usize = 1 << 20;

impl State {
    /// What stands in the address bar.
    pub fn address(&self) -> Address {
        let sourced = self.is_sourced();
        Address {
            fragment: self.fragment.clone(),
            sourced,
            stamp: Stamp {
                visit: self.visit,
                beyond: self.beyond().filter(|_| !self.awaited),
                sourced,
                changed: sourced && self.is_changed(),
                picked: self.tour.as_ref().and_then(|tour| tour.picked),
            },
        }
    }

    /// Why no fragment holds what is seen, if none does.
    pub fn beyond(&self) -> Option<Beyond> {
        self.scenes_of(self.tour.as_ref()).err()
    }

    /// Whether it is `?src=` that names what is seen, and no fragment.
    pub fn is_sourced(&self) -> bool {
        let asks = self.fragment.as_deref().is_some_and(link::asks);
        self.awaited || self.here.loaded == Some(Origin::Source) && !asks
    }

    /// Whether what is seen is another than what was opened.
    pub fn is_changed(&self) -> bool {
        !self.awaited && (self.here.changed || self.there.is_some())
    }

    /// In another entry of the browser's history, which follows the present one.
    pub(super) fn going(mut self) -> Self {
        self.visit += 1;
        self.shared = None;
        // What followed the present entry is out of reach from now on.
        let visit = self.visit;
        self.kept.retain(|kept| kept.visit < visit);
        self
    }

    /// The browser went to another entry of its history.
    pub(super) fn visited(mut self, fragment: &str, stamp: Option<Stamp>) -> Self {
        let stamp = stamp.unwrap_or(Stamp {
            visit: self.visit + 1,
            ..Stamp::default()
        });
        self.visit = stamp.visit;
        let kept = self.kept.iter().find(|kept| kept.visit == stamp.visit);
        let mut state = match (kept.cloned(), stamp.beyond) {
            (Some(kept), Some(_)) => {
                let mut state = self.with(kept.here);
                (state.there, state.place, state.tour) = (kept.there, kept.place, None);
                state
            }
            _ if stamp.sourced && !link::asks(fragment) => {
                self.notice = stamp.changed.then(|| UNCHANGED.into());
                return self.awaiting("the file", fragment);
            }
            (None, Some(beyond)) => self.shown("", Asked::Unreadable(gone(beyond).into()), None),
            // Its address stays as it is.
            (_, None) if link::lacks(fragment).is_some() => return self.asked(fragment),
            (_, None) => self.asked(fragment),
        };
        if let Some((tour, picked)) = state.tour.as_mut().zip(stamp.picked) {
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
        if self.awaited {
            return self;
        }
        let visit = self.visit;
        self.kept.retain(|kept| kept.visit != visit);
        let whole = self.whole();
        if whole.is_err() {
            self.keep();
        }
        // Beside `?src=` stands what is seen of what it names.
        let sourced = self.here.loaded == Some(Origin::Source);
        let shared = self.shared.as_deref().filter(|_| sourced);
        self.fragment = match whole {
            Ok(whole) => Some(whole.into()),
            Err(_) => shared.map(|shared| shared.trim_start_matches('&').into()),
        };
        self
    }

    /// Keeps what is seen for the present entry of the history, at the cost of what was kept first.
    fn keep(&mut self) {
        self.kept.push(Kept {
            visit: self.visit,
            here: self.here.clone(),
            there: self.there.clone(),
            place: self.place,
        });
        let extents = |kept: &[Kept]| kept.iter().map(Kept::extents).sum::<usize>();
        while self.kept.len() > 1 && extents(&self.kept) > MOST_KEPT {
            self.kept.remove(0);
        }
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

    /// The fragment of exactly the picture that is seen, without the story around it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn picture(&self) -> Result<String, Beyond> {
        Ok(self.scenes_of(None)? + &self.seen())
    }

    fn whole(&self) -> Result<String, Beyond> {
        let seen = self.shared.as_deref().unwrap_or_default();
        Ok(self.scenes_of(self.tour.as_ref())? + seen)
    }

    fn scenes_of(&self, tour: Option<&Tour>) -> Result<String, Beyond> {
        let (upper, lower) = match (self.place, &self.there) {
            (Place::Lower, Some(upper)) => (upper, Some(&self.here)),
            (_, lower) => (&self.here, lower.as_ref()),
        };
        let mut parts: Vec<String> = Vec::new();
        if let Some(tour) = tour {
            parts.push(link::to_chapter(tour.chapter));
        }
        if !tour.is_some_and(|tour| self.in_chapter(tour)) {
            parts.push(upper.own.clone()?.to_string());
        }
        if let Some(lower) = lower {
            parts.push(link::to_other(&lower.own.clone()?));
            if self.place == Place::Lower {
                parts.push(link::LOWER.into());
            }
        }
        Ok(parts.join("&"))
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

/// What is said where the history leads to what no address holds, and is no longer in memory.
const fn gone(beyond: Beyond) -> &'static str {
    match beyond {
        Beyond::Capture => {
            "A capture was open here. Captures are never put into addresses, so open its file again."
        }
        Beyond::Listed => {
            "A set whose memory is listed was open here. It may be a capture, which is never put into addresses, so open its file again."
        }
        Beyond::Long => {
            "A scenario was open here that is too long for an address, and it is gone. If you kept it as a file, open that again."
        }
    }
}

/// What is said where `?src=` names what was there before it was changed.
const UNCHANGED: &str =
    "This is the file as it is. What you had changed was not in the address, and is gone.";
