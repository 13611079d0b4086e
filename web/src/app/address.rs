//! The address bar: what it holds is what is seen.

use crate::state::{Action, Dispatch};
use gloo::{events::EventListener, utils::window};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use yew::prelude::*;

pub(super) fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// Keeps the address bar and the page in step. Going to another scene or chapter can be undone by the back button; edits
/// replace one another.
#[hook]
pub(super) fn use_address(wanted: Option<Rc<str>>, journeys: u32, dispatch: Dispatch) {
    let known = use_mut_ref(|| journeys);
    use_effect_with((wanted, journeys), move |(wanted, journeys)| {
        let went = known.replace(*journeys) != *journeys;
        let present = fragment();
        if wanted.as_deref() == Some(present.trim_start_matches('#')) {
            return;
        }
        let location = window().location();
        let url = match wanted {
            Some(fragment) => format!("#{fragment}"),
            None if present.is_empty() => return,
            None => {
                location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
            }
        };
        if let Ok(history) = window().history() {
            let nothing = JsValue::NULL;
            // The browser refuses only floods, and then the address is merely old.
            let _ = if went && !present.is_empty() {
                history.push_state_with_url(&nothing, "", Some(&url))
            } else {
                history.replace_state_with_url(&nothing, "", Some(&url))
            };
        }
    });
    use_effect_with((), move |()| {
        let listener = EventListener::new(&window(), "hashchange", move |_| {
            dispatch.dispatch(Action::Fragment(fragment()));
        });
        move || drop(listener)
    });
}
