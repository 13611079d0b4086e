//! The key that works everywhere on the page: "?" lists the others.

use crate::state::{Action, Dialog, Dispatch};
use gloo::{
    events::{EventListener, EventListenerOptions},
    utils::window,
};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

/// Opens the list of keys at "?", wherever that is not a letter that somebody types.
#[hook]
pub(super) fn use_keyboard(dispatch: Dispatch) {
    use_effect_with((), move |()| {
        let options = EventListenerOptions::enable_prevent_default();
        let listener =
            EventListener::new_with_options(&window(), "keydown", options, move |event| {
                let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                    return;
                };
                let target = event
                    .target()
                    .and_then(|target| target.dyn_into::<Element>().ok());
                let typed = target.is_some_and(|target| matches!(target.matches(TYPED), Ok(true)));
                if event.key() == "?" && !typed && !event.ctrl_key() && !event.meta_key() {
                    event.prevent_default();
                    dispatch.dispatch(Action::Dialog(Some(Dialog::Help)));
                }
            });
        move || drop(listener)
    });
}

/// Where keys are letters.
const TYPED: &str = "textarea, select, input[type=text], input[type=search]";
