//! What the browser does for the page: copying, and keeping files.

use super::{keep, later::Later};
use crate::{
    door::door,
    fetched::message,
    panels::share::{Hands, Told},
    share::Keep,
};
use gloo::utils::window;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use yew::prelude::*;

door! {
    /// Hands for the panels: the function that makes them.
    HANDS, load_hands: fn(&Later) -> Hands = (hands as fn(&Later) -> Hands)
}

/// Hands for the panels.
fn hands(later: &Later) -> Hands {
    let later = later.clone();
    Hands {
        is_dark: keep::is_dark(),
        copy: Callback::from(|(text, told): (String, Callback<bool>)| {
            yew::platform::spawn_local(async move { told.emit(copied(&text).await) });
        }),
        keep: Callback::from(move |(name, what, told): (String, Keep, Told)| match what {
            Keep::Result(asked) => {
                let later = later.clone();
                yew::platform::spawn_local(async move {
                    told.emit(match planned(&later, &asked).await {
                        Ok(text) => refused(keep::text(&name, "application/json", &text)),
                        Err(error) => Some(message(&error)),
                    });
                });
            }
            Keep::TooLong => told.emit(Some(TOO_LONG.into())),
            Keep::Text(kind, text) => told.emit(refused(keep::text(&name, kind, &text))),
            Keep::Dots(drawing) => {
                if keep::dots(&drawing, name, told.clone()).is_none() {
                    told.emit(refused(None));
                }
            }
        }),
    }
}

/// What is said of a table of millions of lines.
const TOO_LONG: &str =
    "it would be too long for a browser, and `umem plan FILE --entries` prints it";

/// What is said where a browser does not make what it was given.
pub(super) fn refused(kept: Option<()>) -> Option<String> {
    kept.is_none()
        .then(|| "this browser does not let this page make it".into())
}

/// The result of what is asked, as JSON. The code that makes it is loaded when somebody wants it.
async fn planned(later: &Later, asked: &str) -> Result<String, JsValue> {
    let result = later.plan(asked).await?;
    let text = js_sys::JSON::stringify(&result)?;
    Ok(text.into())
}

/// Copies a text; whether the browser let it. Where a page came by plain http, there is no clipboard at all.
async fn copied(text: &str) -> bool {
    let get = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
    let clipboard = get(window().navigator().as_ref(), "clipboard").filter(JsValue::is_object);
    let Some(clipboard) = clipboard else {
        return false;
    };
    let write = get(&clipboard, "writeText").and_then(|write| write.dyn_into::<Function>().ok());
    let promise = write
        .and_then(|write| write.call1(&clipboard, &text.into()).ok())
        .and_then(|promise| promise.dyn_into::<Promise>().ok());
    match promise {
        Some(promise) => JsFuture::from(promise).await.is_ok(),
        None => false,
    }
}
