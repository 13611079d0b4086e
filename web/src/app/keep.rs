//! Files that the page hands to the browser to keep.

use super::hands::refused;
use crate::{
    figure::paint::{self, Colours, Theme},
    panels::share::Told,
};
use gloo::utils::{document, window};
use umem_core::diagram::Drawing;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlCanvasElement, Url};

/// How long a browser may take to begin with a file, in milliseconds.
const PATIENCE: u32 = 60_000;

/// Keeps `text` as the file `name`; nothing where the browser cannot.
pub(super) fn text(name: &str, kind: &str, text: &str) -> Option<()> {
    let parts = js_sys::Array::of1(&text.into());
    let bag = BlobPropertyBag::new();
    bag.set_type(kind);
    keep(
        &Blob::new_with_str_sequence_and_options(&parts, &bag).ok()?,
        name,
    )
}

/// Keeps a drawing as PNG, as fine as the screen and at least twofold, and tells whether that was done; nothing where the browser cannot.
pub(super) fn dots(drawing: &Drawing, name: String, told: Told) -> Option<()> {
    let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
    let colours = Colours::of(if is_dark() { Theme::Dark } else { Theme::Light });
    paint::paint(
        &canvas,
        drawing,
        &colours,
        window().device_pixel_ratio().max(2.0),
    );
    let done = Closure::once_into_js(move |blob: Option<Blob>| {
        told.emit(refused(blob.and_then(|blob| keep(&blob, &name))));
    });
    canvas.to_blob(done.unchecked_ref()).ok()
}

pub(super) fn is_dark() -> bool {
    window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

fn keep(blob: &Blob, name: &str) -> Option<()> {
    let url = Url::create_object_url_with_blob(blob).ok()?;
    let anchor: HtmlAnchorElement = document().create_element("a").ok()?.dyn_into().ok()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    gloo::timers::callback::Timeout::new(PATIENCE, move || {
        // What is revoked twice was revoked once.
        let _ = Url::revoke_object_url(&url);
    })
    .forget();
    Some(())
}
