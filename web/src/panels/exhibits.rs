//! What the mail's own code, and its first idea, would make of the region.

use super::RARE;
use crate::{door::use_door, scene::Scene, widgets::terms, words::sentence};
use std::rc::Rc;
use umem_core::exhibits::{Exhibit, exhibits};
use wasm_bindgen::JsCast;
use web_sys::HtmlDetailsElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) scene: Rc<Scene>,
    /// Whether it is open from the start.
    pub(super) open: bool,
}

/// The exhibits, worked out when they are asked for: the mail's loop goes block by block.
#[component]
pub(super) fn Exhibits(Props { scene, open }: &Props) -> Html {
    let shown = use_state_eq(|| *open);
    {
        let shown = shown.setter();
        use_effect_with(*open, move |open| shown.set(*open));
    }
    let ontoggle = {
        let shown = shown.setter();
        Callback::from(move |event: Event| {
            let details = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlDetailsElement>().ok());
            shown.set(details.is_some_and(|details| details.open()));
        })
    };
    let rare = use_door(&RARE, *shown).filter(|_| *shown);
    html! {
        <details class="exhibits" open={*shown} {ontoggle}>
            <summary><h2>{ "The mail's own code" }</h2></summary>
            if let Some(rare) = rare {
                { (rare.exhibits)(scene) }
            }
        </details>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct TriedProps {
    pub(super) scene: Rc<Scene>,
}

/// What came of them.
#[component]
pub(super) fn Tried(TriedProps { scene }: &TriedProps) -> Html {
    let tried = use_memo(scene.clone(), |scene| exhibits(scene.registration()));
    let item = |exhibit: &Exhibit| {
        html! {
            <li>
                <p>{ sentence(exhibit.about) }</p>
                <p><b>{ for terms(&exhibit.tally.to_string()) }</b></p>
                if let Some(stopped) = &exhibit.stopped {
                    <p class="stopped">{ sentence(stopped) }</p>
                }
            </li>
        }
    };
    html! {
        <>
            <ul>{ for tried.iter().map(item) }</ul>
            if tried.is_empty() {
                <p class="note">{ "Not for a region as large as this one: it goes block by block." }</p>
            }
        </>
    }
}
