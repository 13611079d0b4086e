//! Files that the page hands to the browser to keep.

use crate::{
    element::Shown,
    figure::paint::{self, Colours, Theme},
    scene::Scene,
    share,
};
use gloo::utils::{document, window};
use umem_core::diagram::{
    palette::{DARK, LIGHT},
    svg,
};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlCanvasElement, Url};

/// How long a browser may take to begin with a file, in milliseconds.
const PATIENCE: u32 = 60_000;

/// Keeps `text` as the file `name`.
pub(crate) fn text(name: &str, kind: &str, text: &str) {
    let parts = js_sys::Array::of1(&text.into());
    let bag = BlobPropertyBag::new();
    bag.set_type(kind);
    if let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &bag) {
        keep(&blob, name);
    }
}

/// Keeps what is seen as SVG.
pub(crate) fn svg(pictures: &[Shown], name: &str) {
    let palette = if is_dark() { &DARK } else { &LIGHT };
    let statuses: Vec<_> = pictures
        .iter()
        .map(|shown| shown.scene.registration.status())
        .collect();
    let svg = svg::render(&share::sheet(pictures), palette, &statuses.join(" / "));
    text(name, "image/svg+xml", &svg);
}

/// Keeps what is seen as PNG, as fine as the screen and at least twofold.
pub(crate) fn png(pictures: &[Shown], name: &str) {
    let canvas = document()
        .create_element("canvas")
        .ok()
        .and_then(|canvas| canvas.dyn_into::<HtmlCanvasElement>().ok());
    let Some(canvas) = canvas else { return };
    let colours = Colours::of(if is_dark() { Theme::Dark } else { Theme::Light });
    paint::paint(
        &canvas,
        &share::sheet(pictures),
        &colours,
        window().device_pixel_ratio().max(2.0),
    );
    let name = name.to_owned();
    let done = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            keep(&blob, &name);
        }
    });
    // Only a canvas that holds something foreign refuses.
    let _ = canvas.to_blob(done.unchecked_ref());
}

/// What `umem plan --format json` prints.
pub(crate) fn result(scene: &Scene) -> String {
    serde_json::to_string(&scene.registration.report(&scene.scenario)).unwrap_or_default()
}

fn is_dark() -> bool {
    window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

fn keep(blob: &Blob, name: &str) {
    let Ok(url) = Url::create_object_url_with_blob(blob) else {
        return;
    };
    let anchor = document()
        .create_element("a")
        .ok()
        .and_then(|anchor| anchor.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(anchor) = anchor {
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
    }
    gloo::timers::callback::Timeout::new(PATIENCE, move || {
        // What is revoked twice was revoked once.
        let _ = Url::revoke_object_url(&url);
    })
    .forget();
}
