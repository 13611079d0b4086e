//! What the page fetches of its own site. Behind a [door](crate::door).

use crate::{file, story::Story};
use gloo::utils::window;
use umem_core::scenario::Asked;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// Reads the scenario that `?src=` names.
pub(crate) async fn source(source: String) -> Result<Asked, String> {
    if source.is_empty() {
        return Err("names no file".into());
    }
    let location = window().location();
    let base = location.href().unwrap_or_default();
    let url = web_sys::Url::new_with_base(&source, &base)
        .map_err(|_| "is not a valid address".to_owned())?;
    if Ok(url.origin()) != location.origin() {
        return Err("is on another site; this page opens only files from its own".into());
    }
    match answered(&url.href()).await?.body() {
        Some(stream) => file::scenario(stream).await,
        None => Err("is empty".into()),
    }
}

async fn answered(url: &str) -> Result<Response, String> {
    let answer = JsFuture::from(window().fetch_with_str(url)).await;
    let answer = answer.map_err(|error| format!("cannot be fetched ({})", message(&error)))?;
    let answer: Response = answer.unchecked_into();
    if !answer.ok() {
        return Err(format!(
            "the server answers {} {}",
            answer.status(),
            answer.status_text()
        ));
    }
    Ok(answer)
}

/// What a browser says of an error.
pub(crate) fn message(error: &JsValue) -> String {
    error
        .dyn_ref()
        .map_or_else(String::new, |error: &js_sys::Error| error.message().into())
}

/// Reads the story, which lies at `address`.
pub(crate) async fn story(address: String) -> Result<Story, String> {
    let broke_off = |error: JsValue| format!("broke off ({})", message(&error));
    let text = answered(&address).await?.text().map_err(broke_off)?;
    let text = JsFuture::from(text).await.map_err(broke_off)?;
    Story::from_json(&text.as_string().unwrap_or_default())
}
