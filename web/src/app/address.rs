//! The address bar: what it holds is what is seen.

use crate::state::{Action, Dispatch};
use gloo::{events::EventListener, utils::window};
use std::rc::Rc;
use umem_core::scenario::presets;
use wasm_bindgen::JsValue;
use yew::prelude::*;

pub(super) fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// Keeps the address bar and the page in step. Going to another preset or chapter can be undone by the back button; edits
/// replace one another.
#[hook]
pub(super) fn use_address(wanted: Option<Rc<str>>, dispatch: Dispatch) {
    use_effect_with(wanted, |wanted| {
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
            let _ = if is_place(&url) && !present.is_empty() {
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

/// Whether somebody went there, and did not merely change something where they were.
fn is_place(url: &str) -> bool {
    let preset = url.strip_prefix("#preset=");
    let chapter = url.strip_prefix("#story=");
    preset.is_some_and(|name| presets::find(name).is_some())
        || chapter.is_some_and(|number| number.parse::<usize>().is_ok())
}
