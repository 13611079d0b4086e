//! What is told in words.

use crate::{
    door::door,
    many::Many,
    scene::Scene,
    state::{Dispatch, Place, State},
    story::Tour,
};
use std::rc::Rc;
use yew::prelude::*;

pub mod entries;
pub mod reason;
pub mod share;
pub mod totals;

mod about;
mod advice;
mod bits;
mod compare;
mod exhibits;
mod gates;
mod keys;
mod set;
mod story;
mod verdicts;
mod ways;

/// Panels that few visitors see. Behind a [door](crate::door).
#[derive(Debug)]
pub(crate) struct Rare {
    /// The ways to share and to keep.
    pub(crate) share: fn(share::Shared, share::Hands) -> Html,
    /// What the page is, and the keys.
    pub(crate) keys: fn() -> Html,
    /// The story, open at a chapter.
    pub(crate) story: fn(&Tour, &Dispatch) -> Html,
    /// What follows a chapter, once more.
    pub(crate) onward: fn(&Tour, &Dispatch) -> Html,
    /// What stands above two pictures: the upper scene, the lower, and which of them the fields edit.
    pub(crate) compare: fn(&Rc<Scene>, &Rc<Scene>, Place, &Dispatch) -> Html,
    /// What two scenarios differ in, and what comes of it.
    pub(crate) numbers: fn(&Scene, &Scene) -> Html,
    /// What a scene is that is no preset.
    pub(crate) about: fn(&State) -> String,
    /// What all registrations of a set take together.
    set: fn(&Rc<Many>, &Dispatch) -> Html,
    /// What the mail's own code makes of a region.
    exhibits: fn(&Rc<Scene>) -> Html,
    /// The entries as a table.
    entries: fn(&Rc<Scene>) -> Html,
}

static ALL: Rare = Rare {
    share: |shared, hands| html! { <share::Ways {shared} {hands} /> },
    keys: keys::keys,
    story: |tour, dispatch| html! { <story::StoryPanel tour={tour.clone()} dispatch={dispatch.clone()} /> },
    onward: story::onward,
    compare: compare::compare,
    numbers: compare::numbers,
    about: about::about,
    set: set::set,
    exhibits: |scene| html! { <exhibits::Tried scene={scene.clone()} /> },
    entries: |scene| html! { <entries::Rows scene={scene.clone()} /> },
};

door! {
    /// The door to the panels that few visitors see.
    RARE, load_rare: Rare = ALL
}
