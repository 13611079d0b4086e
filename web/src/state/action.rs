//! Everything that can happen on the page.

use super::State;
use crate::{
    case::Case,
    link::Stamp,
    player::Motion,
    story::{Setting, Story},
};
use std::rc::Rc;
use umem_core::{
    advice::Advice,
    memory::Kind,
    scenario::{LayoutName, Scenario},
    set::Set,
    size::PageSize,
    table::Policy,
};
use yew::{Callback, UseReducerDispatcher};

/// What components send [`Action`]s with.
pub type Dispatch = UseReducerDispatcher<State>;

/// Callbacks that send one and the same action.
pub trait Sends {
    /// Sends `action`, whatever the event.
    fn on<E: 'static>(&self, action: Action) -> Callback<E>;
}

impl Sends for Dispatch {
    fn on<E: 'static>(&self, action: Action) -> Callback<E> {
        let dispatch = self.clone();
        Callback::from(move |_| dispatch.dispatch(action.clone()))
    }
}

/// Everything that can happen on the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A preset is chosen.
    Preset(&'static str),
    /// The browser went to another entry of its history: its fragment, and what the page wrote there when it was last seen.
    Visited(String, Option<Stamp>),
    /// A file or a source of that name is being read.
    Loading(String),
    /// A scenario came from a file, or from the page's `?src=`.
    Load(Box<Scenario>, Origin),
    /// A set came from a file or from the page's `?src=`, or is what somebody was advised to try.
    LoadSet(Box<Set>, Option<Origin>),
    /// What `?src=` names cannot be read, because of this.
    NoSource(String),
    /// The question of a public report that this fragment asks for, or why there is none.
    Case(Rc<str>, Result<Rc<Case>, String>),
    /// Another registration of the set is to be seen: its number, from 0.
    Registration(usize),
    /// A piece of advice is followed: what it changes plays.
    Apply(Rc<Advice>),
    /// Back to what there was before a piece of advice.
    Undo,
    /// Something went wrong outside the fields.
    Notice(String),
    /// What the address asks for could not be loaded, because of this.
    Away(String),
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
    /// Typed into "Kernel release".
    Release(String),
    /// Typed into "The scenario as JSON".
    Json(String),
    /// The size of the memory's pages.
    Pages(PageSize),
    /// What the memory is to the kernel.
    Kind(Kind),
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
    /// Compare two variants of what is seen.
    Pair(Pairing),
    /// Edit the upper of two scenarios, or the lower.
    Edit(Place),
}

/// Where a scenario that is loaded comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A file that somebody chose or dropped.
    File,
    /// What `?src=` names in the page's own address.
    Source,
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

/// What two scenarios can be made of one, to be compared: each a name, and what it does to either.
#[derive(Clone, Copy, Debug)]
pub struct Pairing {
    /// What the comparison is called.
    pub title: &'static str,
    pub(super) upper: fn(&mut Scenario),
    pub(super) lower: fn(&mut Scenario),
}

/// A comparison is known by its title.
impl PartialEq for Pairing {
    fn eq(&self, other: &Self) -> bool {
        self.title == other.title
    }
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
    /// "Kernel release".
    Release,
}

impl Field {
    /// Where the message of an error belongs that the core found at `path`.
    pub(super) fn of(path: &str) -> Self {
        let under = |prefix: &str| path.starts_with(prefix);
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
            () if under("kernel.release") => Self::Release,
            () if under("kernel") => Self::Kernel,
            // Only whoever writes JSON reaches the rest.
            () => Self::Json,
        }
    }
}
