//! What the page knows, and everything that can happen on it.

use crate::{edit, link, scene::Scene};
use std::{collections::BTreeMap, rc::Rc};
use umem_core::{
    diagram::View,
    scenario::{
        IommuSpec, LayoutName, Scenario,
        presets::{self, Preset},
    },
    size::{Bytes, PageSize},
    table::Policy,
};
use yew::{Reducible, UseReducerDispatcher};

mod draft;
mod time;

/// What components send [`Action`]s with.
pub type Dispatch = UseReducerDispatcher<State>;

/// Everything that can happen on the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A preset is chosen.
    Preset(&'static str),
    /// The fragment of the address has changed.
    Fragment(String),
    /// A scenario came from a file or from advice.
    Load(Box<Scenario>),
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
    /// Play, or pause.
    Toggle,
    /// So many milliseconds have passed while playing.
    Tick(f64),
    /// On to the next step.
    Step,
    /// Back to the step before.
    Back,
    /// Back to the beginning.
    Restart,
    /// To a step.
    Seek(usize),
    /// How many times as fast.
    Speed(f64),
    /// Zoom by a factor around a place of the picture, which is so wide.
    Zoom {
        /// More than 1 magnifies.
        factor: f64,
        /// The place, in pixels; the lens's if `None`.
        x: Option<f64>,
        /// The picture's width in pixels.
        width: f64,
    },
    /// Move the picture by so many of its pixels to the right.
    Pan {
        /// How far.
        pixels: f64,
        /// The picture's width in pixels.
        width: f64,
    },
    /// See all of it.
    Whole,
    /// Put the lens on the entry at this offset; back on the playhead if `None`.
    Choose(Option<i64>),
    /// Show the list of keys, or hide it.
    Keys(bool),
}

/// Something that can be wrong, each with a place for its message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    /// "Start offset".
    Offset,
    /// "Length".
    Length,
    /// The memory's pages and layout.
    Memory,
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
            () if under("region.offset") || under("region.va") => Self::Offset,
            () if under("region") => Self::Length,
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
}

impl Texts {
    fn of(scenario: &Scenario) -> Self {
        Self {
            offset: scenario.region.offset.to_string(),
            length: scenario.region.length.to_string(),
            iova: edit::iova(scenario),
        }
    }
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
    /// The moment: a step, and a part of the next.
    pub moment: f64,
    /// Whether time passes.
    pub playing: bool,
    /// How many times as fast.
    pub speed: f64,
    /// The offset of the entry that somebody pointed at.
    pub chosen: Option<i64>,
    /// What of the region is seen, from which offset and how many bytes; all of it if `None`.
    pub sight: Option<(f64, f64)>,
    /// Whether the list of keys is shown.
    pub keys: bool,
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
            moment: scene.last(),
            scene: Rc::new(scene),
            origin: Some(mail.name),
            preset: Some(mail.name),
            fragment: Some(link::to_preset(mail).into()),
            notice: None,
            playing: false,
            speed: 1.0,
            chosen: None,
            sight: None,
            keys: false,
        };
        start.asked(link::read(fragment))
    }

    /// The preset that the fields show, if they show one.
    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset.and_then(presets::find)
    }

    /// What is wrong with `field`.
    pub fn fault(&self, field: Field) -> Option<String> {
        self.faults.get(&field).cloned()
    }

    /// The view of a picture that is so wide.
    pub fn view(&self, width: f64) -> View {
        let whole = View::whole(&self.scene.registration, width);
        match self.sight {
            Some((from, span)) => View { from, span, width },
            None => whole,
        }
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let state = (*self).clone();
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
            Action::Fragment(fragment) => state.asked(link::read(&fragment)),
            Action::Load(scenario) => state.loaded(*scenario, None),
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
            Action::Keys(keys) => Self { keys, ..state },
            other => state.moved(other),
        };
        Rc::new(state)
    }
}
