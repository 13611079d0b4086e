//! The address bar and the browser's history: what they hold is what is seen.

use super::source;
use crate::{
    door,
    link::{self, Stamp},
    more::MORE,
    state::{Action, Address, Dispatch, State},
};
use gloo::{events::EventListener, utils::window};
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;
use yew::{platform::spawn_local, prelude::*};

/// Loads what reading the page's own address takes.
pub(crate) async fn ready() {
    if link::lacks(&fragment()).is_some() {
        // Where it cannot be loaded, the page says so when it opens.
        let _ = door::opened(&MORE).await;
    }
}

/// The page as its address, and the entry of the browser's history, ask for it.
pub(super) fn opened() -> State {
    let fragment = fragment();
    let state = State::restored(&fragment, stamp());
    match source::asked() {
        Some(source) if !link::asks(&fragment) => state.awaiting(&source, &fragment),
        _ => state,
    }
}

pub(super) fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// The address of the page without what it shows.
pub(super) fn here() -> String {
    let location = window().location();
    location.origin().unwrap_or_default() + &location.pathname().unwrap_or_default()
}

/// What the page wrote into the present entry of the history, if it did.
fn stamp() -> Option<Stamp> {
    let state = window().history().ok()?.state().ok()?;
    state.as_string()?.parse().ok()
}

/// Keeps the address bar and the page in step. Going to another scene or chapter can be undone by the back button; edits
/// replace one another, and so does whatever the browser itself went to.
#[hook]
pub(super) fn use_address(wanted: Address, dispatch: Dispatch) {
    // The entry that the page wrote to last, or was told of. Where the browser is in another by now, what is seen is about to follow.
    let known = use_mut_ref(|| stamp().map(|stamp| stamp.visit));
    {
        let known = known.clone();
        use_effect_with(wanted, move |wanted| {
            let present = stamp();
            let visit = present.as_ref().map(|stamp| stamp.visit);
            if visit == *known.borrow() {
                write(wanted, present);
                known.replace(Some(wanted.stamp.visit));
            }
        });
    }
    use_effect_with((), move |()| {
        let listener = EventListener::new(&window(), "popstate", move |_| {
            let (fragment, stamp) = (fragment(), stamp());
            known.replace(stamp.as_ref().map(|stamp| stamp.visit));
            let (wants, dispatch) = (link::lacks(&fragment).is_some(), dispatch.clone());
            let go = move || dispatch.dispatch(Action::Visited(fragment, stamp));
            match wants {
                true => spawn_local(async move {
                    // Where it cannot be loaded, the page says so.
                    let _ = door::opened(&MORE).await;
                    go();
                }),
                false => go(),
            }
        });
        move || drop(listener)
    });
}

fn write(wanted: &Address, present: Option<Stamp>) {
    let there = fragment();
    let is_there = wanted.fragment.as_deref().unwrap_or_default() == there.trim_start_matches('#');
    if is_there && present.as_ref() == Some(&wanted.stamp) {
        return;
    }
    let Ok(history) = window().history() else {
        return;
    };
    let search = search(wanted.sourced);
    let url = window().location().pathname().unwrap_or_default()
        + &search
        + &wanted
            .fragment
            .as_ref()
            .map_or(String::new(), |fragment| format!("#{fragment}"));
    let written = JsValue::from_str(&wanted.stamp.to_string());
    // An entry that the page never wrote to is one that the browser has just made.
    let goes_on = present.is_some_and(|present| present.visit != wanted.stamp.visit);
    // The browser refuses only floods, and then the address is merely old.
    let _ = match goes_on {
        true => history.push_state_with_url(&written, "", Some(&url)),
        false => history.replace_state_with_url(&written, "", Some(&url)),
    };
}

/// What stands between the path and the fragment: `?src=` only as long as what it names is seen.
fn search(sourced: bool) -> String {
    let search = window().location().search().unwrap_or_default();
    match UrlSearchParams::new_with_str(&search) {
        Ok(fields) if !sourced && fields.has("src") => {
            fields.delete("src");
            let rest = String::from(fields.to_string());
            if rest.is_empty() {
                rest
            } else {
                format!("?{rest}")
            }
        }
        _ => search,
    }
}
