//! What the page knows, and what becomes of it by everything that can happen.

use crate::{edit, player::Player, scene::Scene, story::Tour};
use std::rc::Rc;
use umem_core::{
    advice::Advice,
    scenario::{
        DeviceSpec, IommuSpec,
        presets::{self, Preset},
    },
    size::Bytes,
};
use yew::Reducible;

mod action;
mod address;
mod case;
mod compare;
mod draft;
mod members;
mod side;
mod tour;

pub use action::{Action, Dialog, Dispatch, Field, Origin, Pairing, Place, Sends};
pub use address::Address;
pub use compare::PAIRINGS;
pub use side::{Faults, Side, Texts};

/// A piece of advice that was followed, and what there was before.
#[derive(Clone, PartialEq, Debug)]
pub struct Tried {
    /// What was tried.
    pub advice: Rc<Advice>,
    before: Side,
}

/// What the page knows.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// The scenario that the fields edit.
    pub here: Side,
    /// The other of two scenarios that are compared.
    pub there: Option<Side>,
    /// Which of the two the fields edit.
    pub place: Place,
    /// The moment, and what is seen of it.
    pub player: Player,
    /// Where the reader is in the story, if it is open.
    pub tour: Option<Tour>,
    /// The dialog that is shown.
    pub dialog: Option<Dialog>,
    /// What went wrong outside the fields.
    pub notice: Option<Rc<str>>,
    /// The name of what is being read.
    pub loading: Option<Rc<str>>,
    /// The fragment of the page's address, without its `#`: the last scenario that was right, unless that is
    /// [beyond](crate::link::Beyond) addresses.
    pub fragment: Option<Rc<str>>,
    /// The fragment that asks for a public report which is on its way.
    pub wanted: Option<Rc<str>>,
    /// The advice that was followed last; told only as long as what is seen is what it led to.
    tried: Option<Tried>,
    /// In which entry of the browser's history this is: each follows the one before it.
    visit: u32,
    /// What a link said of the moment and of the part that is seen, as long as it is so.
    shared: Option<Rc<str>>,
    /// Whether what `?src=` names has yet to be read.
    awaited: bool,
    /// What no address holds, by entries of the history.
    kept: Vec<address::Kept>,
}

impl State {
    /// The page as `fragment` asks for it.
    pub fn opened(fragment: &str) -> Self {
        let here = Side::of(&presets::PRESETS[0]);
        let start = Self {
            player: Player::finished(&here.scene),
            fragment: here.own.clone().ok(),
            here,
            there: None,
            place: Place::Upper,
            tour: None,
            dialog: None,
            notice: None,
            loading: None,
            wanted: None,
            tried: None,
            visit: 0,
            shared: None,
            awaited: false,
            kept: Vec::new(),
        };
        start.asked(fragment)
    }

    /// The page as the browser's history has it: `stamp` is what the page itself wrote there, if it was there before.
    pub fn restored(fragment: &str, stamp: Option<crate::link::Stamp>) -> Self {
        let state = Self::opened(fragment);
        match stamp {
            Some(stamp) => state.visited(fragment, Some(stamp)),
            None => state,
        }
    }

    /// Whether what `?src=` names has yet to be read.
    pub fn awaits(&self) -> bool {
        self.awaited
    }

    /// The page while what `?src=` names is on its way: what is seen until then is not what the address asks for, and never reaches it.
    /// The fragment says what is to be seen of it.
    #[must_use]
    pub fn awaiting(mut self, source: &str, fragment: &str) -> Self {
        let fragment = fragment.trim_start_matches('#');
        (self.there, self.place, self.tour) = (None, Place::Upper, None);
        self.awaited = true;
        self.fragment = (!fragment.is_empty()).then(|| fragment.into());
        self.loading = Some(source.into());
        self
    }

    /// The preset that is seen, if one is.
    pub fn preset(&self) -> Option<&'static Preset> {
        self.here.preset()
    }

    /// The scene that the fields edit.
    pub fn scene(&self) -> &Rc<Scene> {
        &self.here.scene
    }

    /// The advice that led to what is seen.
    pub fn tried(&self) -> Option<&Tried> {
        let seen = |tried: &&Tried| {
            let scenarios = &tried.advice.scenarios;
            let seen = &self.here.scene.scenario;
            scenarios
                .iter()
                .any(|led_to| edit::same_question(led_to, seen))
        };
        self.tried.as_ref().filter(seen)
    }

    /// Whether the story's reader has yet to predict, or to be asked, so that nothing may be given away.
    pub fn veiled(&self) -> bool {
        let asks = |tour: &Tour| tour.story.is_none() || tour.asks();
        self.tour.as_ref().is_some_and(asks)
    }

    /// What is wrong with `field`.
    pub fn fault(&self, field: Field) -> Option<String> {
        self.here.faults.get(field).cloned()
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut state = (*self).clone();
        if let Some(tour) = &mut state.tour {
            tour.looked |= action.looks_ahead();
        }
        let state = match action {
            Action::Preset(name) => match presets::find(name) {
                Some(preset) => state.going().with(Side::of(preset)).addressed(),
                None => return self,
            },
            Action::Visited(fragment, stamp) => {
                let same = Some(fragment.trim_start_matches('#')) == state.fragment.as_deref();
                // Who asks again for what is seen wants the fields to say it, too.
                let sides = [Some(&state.here), state.there.as_ref()];
                let right = |side: &Side| side.faults.is_empty();
                if same
                    && sides.into_iter().flatten().all(right)
                    && stamp
                        .as_ref()
                        .is_none_or(|stamp| stamp.visit == state.visit)
                {
                    return self;
                }
                state.visited(&fragment, stamp)
            }
            Action::Loading(name) => Self {
                loading: Some(name.into()),
                notice: None,
                ..state
            },
            Action::Load(scenario, origin) => state.taken(*scenario, origin),
            Action::LoadSet(set, origin) => state.taken_all(&set, origin),
            Action::NoSource(problem) => state.sourceless(&problem),
            Action::Case(fragment, read) => state.reported(&fragment, read),
            Action::Registration(number) => state.seeing(number),
            Action::Apply(advice) => state.applied(advice),
            Action::Undo => state.undone(),
            Action::Notice(text) => Self {
                notice: Some(text.into()),
                loading: None,
                // Nobody would see it below one.
                dialog: None,
                ..state
            },
            Action::Away(problem) if state.wanted.is_some() || state.tour.is_some() => {
                state.away(&problem)
            }
            // Nobody waits for it any more.
            Action::Away(_) => return self,
            Action::Dismiss => Self {
                notice: None,
                ..state
            },
            Action::Offset(text) => state.typed(|texts| texts.offset = text),
            Action::Length(text) => state.typed(|texts| texts.length = text),
            Action::Iova(text) => state.typed(|texts| texts.iova = Some(text)),
            Action::Hca(text) => state.typed(|texts| texts.hca = text),
            Action::Start(text) => state.typed(|texts| texts.start = Some(text)),
            Action::Release(text) => state.typed(|texts| texts.release = text),
            Action::Json(text) => state.written(&text),
            Action::Pages(size) => state.edited(|draft| edit::set_pages(draft, size)),
            Action::Kind(kind) => state.edited(|draft| edit::set_kind(draft, kind)),
            Action::Layout(layout) => state.edited(|draft| edit::set_layout(draft, layout)),
            Action::Iommu(name) => state.mapped_by(IommuSpec::Name(name)),
            Action::Device(name) => state.edited(|draft| draft.device = DeviceSpec::Name(name)),
            Action::Size(size) => state.edited(|draft| edit::toggle_size(draft, size)),
            Action::Policy(policy) => state.edited(|draft| edit::set_policy(draft, policy)),
            Action::Kernel(rules) => state.by_rules(&rules),
            Action::KernelPage(size) => {
                state.edited(|draft| draft.kernel.page_size = Bytes(size.bytes()))
            }
            Action::Dialog(dialog) => Self { dialog, ..state },
            Action::Chapter(chapter) => state.going().turned(chapter),
            Action::Told(story) => state.told(story),
            Action::Predict(choice) => state.predicted(choice),
            Action::Set(setting) => state.going().put(&setting),
            Action::Leave => state.left(),
            Action::Compare(on) => state.compared(on),
            Action::Pair(pairing) => state.going().paired(pairing),
            Action::Edit(place) => state.editing(place),
            Action::Move(motion) => Self {
                player: state.player.moved(&state.here.scene, motion),
                ..state
            }
            .strayed(),
        };
        Rc::new(state)
    }
}
