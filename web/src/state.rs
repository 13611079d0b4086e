//! What the page knows, and everything that can happen on it.

use crate::{
    edit, link,
    player::{Motion, Player},
    scene::Scene,
    story::{Setting, Story, Tour},
};
use std::{collections::BTreeMap, rc::Rc};
use umem_core::{
    advice::Advice,
    scenario::{
        IommuSpec, LayoutName, Scenario,
        presets::{self, Preset},
    },
    size::{Bytes, PageSize},
    table::Policy,
};
use yew::{Reducible, UseReducerDispatcher};

mod compare;
mod draft;
mod tour;

pub use compare::Side;

/// What components send [`Action`]s with.
pub type Dispatch = UseReducerDispatcher<State>;

/// Everything that can happen on the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A preset is chosen.
    Preset(&'static str),
    /// The fragment of the address has changed.
    Fragment(String),
    /// A scenario came from a file.
    Load(Box<Scenario>),
    /// A piece of advice is followed: what it changes plays.
    Apply(Rc<Advice>),
    /// Back to what there was before a piece of advice.
    Undo,
    /// Something went wrong outside the fields.
    Notice(String),
    /// The notice has been read.
    Dismiss,
    /// Typed into "Start offset".
    Offset(String),
    /// Typed into "Length".
    Length(String),
    /// Typed into "IOVA".
    Iova(String),
    /// Typed into "NIC address".
    Hca(String),
    /// Typed into "Frames at".
    Start(String),
    /// Typed into "The scenario as JSON".
    Json(String),
    /// The size of the memory's pages.
    Pages(PageSize),
    /// How the memory lies.
    Layout(LayoutName),
    /// An IOMMU's name, or "off".
    Iommu(String),
    /// A device's name.
    Device(String),
    /// One of the device's page sizes, on or off.
    Size(PageSize),
    /// How the table is cut.
    Policy(Policy),
    /// The kernel's rules.
    Kernel(String),
    /// The kernel's page.
    KernelPage(PageSize),
    /// What moves time or the eye.
    Move(Motion),
    /// Show one of the dialogs, or none.
    Dialog(Option<Dialog>),
    /// Open the story at a chapter, from 0.
    Chapter(usize),
    /// The story has been loaded.
    Told(Rc<Story>),
    /// Answer the chapter's question.
    Predict(usize),
    /// Show a setting of the story.
    Set(Box<Setting>),
    /// Close the story.
    Leave,
    /// Compare with another scenario, which begins as this one; or no longer.
    Compare(bool),
    /// Compare these two.
    Pair(Box<(Scenario, Scenario)>),
    /// Edit the upper of two scenarios, or the lower.
    Edit(Place),
}

/// What can stand before the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialog {
    /// What the page is, and the keys.
    Help,
    /// Links, files and snippets of what is seen.
    Share,
}

/// Which of two scenarios.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Place {
    /// The first, which is the only one unless two are compared.
    #[default]
    Upper,
    /// The second.
    Lower,
}

/// Something that can be wrong, each with a place for its message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    /// "Start offset".
    Offset,
    /// "Length".
    Length,
    /// "NIC address".
    Hca,
    /// The memory's pages and layout.
    Memory,
    /// "Frames at".
    Start,
    /// "The scenario as JSON".
    Json,
    /// "IOMMU".
    Iommu,
    /// "IOVA".
    Iova,
    /// "Device".
    Device,
    /// "Device page sizes".
    Sizes,
    /// The kernel's rules and page.
    Kernel,
}

impl Field {
    /// Where the message of an error belongs that the core found at `path`.
    fn of(path: &str) -> Self {
        let under = |prefix: &str| path.strip_prefix(prefix).is_some();
        match () {
            () if under("region.hca_address") => Self::Hca,
            () if under("region.offset") || under("region.va") => Self::Offset,
            () if under("region") => Self::Length,
            () if under("memory.start") => Self::Start,
            () if under("memory") => Self::Memory,
            () if under("iommu.iova") => Self::Iova,
            () if under("iommu") => Self::Iommu,
            () if under("device.page_sizes") => Self::Sizes,
            () if under("device") => Self::Device,
            () => Self::Kernel,
        }
    }
}

/// What is typed into the fields that are typed into.
#[derive(Clone, PartialEq, Debug)]
pub struct Texts {
    /// "Start offset".
    pub offset: String,
    /// "Length".
    pub length: String,
    /// "IOVA"; `None` where nothing is mapped.
    pub iova: Option<String>,
    /// "NIC address"; empty if it is the virtual one.
    pub hca: String,
    /// "Frames at"; `None` where extents say it.
    pub start: Option<String>,
}

impl Texts {
    fn of(scenario: &Scenario) -> Self {
        Self {
            offset: scenario.region.offset.to_string(),
            length: scenario.region.length.to_string(),
            iova: edit::iova(scenario),
            hca: edit::hca(scenario),
            start: edit::start(scenario),
        }
    }
}

/// A piece of advice that was followed, and what there was before.
#[derive(Clone, PartialEq, Debug)]
pub struct Tried {
    /// What was tried.
    pub advice: Rc<Advice>,
    before: Rc<Scenario>,
    origin: Option<&'static str>,
}

/// What the page knows.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// What the fields say, right or wrong.
    pub draft: Rc<Scenario>,
    /// What is typed into them.
    pub texts: Texts,
    /// What is wrong with them.
    pub faults: Rc<BTreeMap<Field, String>>,
    /// The last that was right, worked out.
    pub scene: Rc<Scene>,
    /// The name of the preset that was chosen last.
    pub origin: Option<&'static str>,
    /// The name of the preset that the fields show, if they show one.
    pub preset: Option<&'static str>,
    /// The fragment of the page's address, without its `#`: the last scenario that was right; none for a capture.
    pub fragment: Option<Rc<str>>,
    /// What went wrong outside the fields.
    pub notice: Option<Rc<str>>,
    /// The moment, and what is seen of it.
    pub player: Player,
    /// The dialog that is shown.
    pub dialog: Option<Dialog>,
    /// Where the reader is in the story, if it is open.
    pub tour: Option<Tour>,
    /// The other of two scenarios that are compared.
    pub other: Option<Rc<Side>>,
    /// Which of the two the fields edit.
    pub place: Place,
    /// The advice that was followed last; told only as long as what is seen is what it led to.
    tried: Option<Tried>,
    /// How often somebody went to another scene, and did not merely change something in it.
    pub journeys: u32,
    /// Which of the scene's own fragments is shown; what is added for the story and for comparing is not in it.
    own: Option<Rc<str>>,
}

impl State {
    /// The page as `fragment` asks for it.
    pub fn opened(fragment: &str) -> Self {
        let mail = &presets::PRESETS[0];
        let scenario = Rc::new(mail.scenario());
        let scene = Scene::new(&scenario).expect("presets are right, as their tests show");
        let start = Self {
            texts: Texts::of(&scenario),
            draft: scenario,
            faults: Rc::default(),
            player: Player::finished(&scene),
            scene: Rc::new(scene),
            origin: Some(mail.name),
            preset: Some(mail.name),
            fragment: Some(link::to_preset(mail).into()),
            own: Some(link::to_preset(mail).into()),
            notice: None,
            dialog: None,
            tour: None,
            other: None,
            place: Place::Upper,
            tried: None,
            journeys: 0,
        };
        start.asked(fragment)
    }

    /// The preset that the fields show, if they show one.
    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset.and_then(presets::find)
    }

    /// The advice that led to what is seen.
    pub fn tried(&self) -> Option<&Tried> {
        let seen = |tried: &&Tried| {
            let scenarios = &tried.advice.scenarios;
            let seen = &self.scene.scenario;
            scenarios
                .iter()
                .any(|led_to| edit::same_question(led_to, seen))
        };
        self.tried.as_ref().filter(seen)
    }

    /// Whether the story's reader has yet to predict, so that nothing may be given away.
    pub fn veiled(&self) -> bool {
        self.tour.as_ref().is_some_and(Tour::asks)
    }

    /// What is wrong with `field`.
    pub fn fault(&self, field: Field) -> Option<String> {
        self.faults.get(&field).cloned()
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
                Some(preset) => state.loaded(preset.scenario(), Some(preset.name)),
                None => return self,
            },
            Action::Fragment(fragment)
                if Some(fragment.trim_start_matches('#')) == state.fragment.as_deref() =>
            {
                return self;
            }
            Action::Fragment(fragment) => state.asked(&fragment),
            Action::Load(scenario) => state.loaded(*scenario, None),
            Action::Apply(advice) => state.applied(advice),
            Action::Undo => state.undone(),
            Action::Notice(text) => Self {
                notice: Some(text.into()),
                ..state
            },
            Action::Dismiss => Self {
                notice: None,
                ..state
            },
            Action::Offset(text) => state.typed(|texts| texts.offset = text),
            Action::Length(text) => state.typed(|texts| texts.length = text),
            Action::Iova(text) => state.typed(|texts| texts.iova = Some(text)),
            Action::Hca(text) => state.typed(|texts| texts.hca = text),
            Action::Start(text) => state.typed(|texts| texts.start = Some(text)),
            Action::Json(text) => state.written(&text),
            Action::Pages(size) => state.edited(|draft| edit::set_pages(draft, size)),
            Action::Layout(layout) => state.edited(|draft| edit::set_layout(draft, layout)),
            Action::Iommu(name) => {
                let iommu = IommuSpec::Name(name);
                let iova = (iommu != IommuSpec::default()).then(|| edit::BY_KERNEL.to_owned());
                let state = Self {
                    texts: Texts {
                        iova,
                        ..state.texts.clone()
                    },
                    ..state
                };
                state.edited(|draft| draft.iommu = iommu)
            }
            Action::Device(name) => {
                state.edited(|draft| draft.device = umem_core::scenario::DeviceSpec::Name(name))
            }
            Action::Size(size) => state.edited(|draft| edit::toggle_size(draft, size)),
            Action::Policy(policy) => state.edited(|draft| edit::set_policy(draft, policy)),
            Action::Kernel(rules) => state.edited(|draft| draft.kernel.rules = rules),
            Action::KernelPage(size) => {
                state.edited(|draft| draft.kernel.page_size = Bytes(size.bytes()))
            }
            Action::Dialog(dialog) => Self { dialog, ..state },
            Action::Chapter(chapter) => state.turned(chapter),
            Action::Told(story) => state.told(story),
            Action::Predict(choice) => state.predicted(choice),
            Action::Set(setting) => state.set(&setting),
            Action::Leave => state.left(),
            Action::Compare(on) => state.compared(on),
            Action::Pair(pair) => state.paired(pair.0, pair.1),
            Action::Edit(place) => state.editing(place),
            Action::Move(motion) => Self {
                player: state.player.moved(&state.scene, motion),
                ..state
            },
        };
        Rc::new(state)
    }
}
