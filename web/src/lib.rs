#![forbid(unsafe_code)]
#![deny(missing_docs)]
//! The page: how a memory region becomes page-table entries, played in a browser.
//!
//! | module | what lives there |
//! |---|---|
//! | [`state`] | what the page knows, and the [`Action`](state::Action)s: everything that can happen on it |
//! | [`scene`] | a scenario worked out by umem-core, once |
//! | [`player`] | where in time and space a scene is looked at, and all that moves it |
//! | `figure` | what a canvas shows of a scene, and what keys, wheels and fingers on it mean |
//! | [`edit`] | what an edit does to a scenario |
//! | [`story`] | the guided tour through the mail, as data |
//! | [`share`] | what is seen, as files, commands and snippets |
//! | [`file`] | files that people open: plain or gzip, measured before they are believed |
//! | [`link`] | the address bar: a scenario as a fragment, and back |
//! | `keep` | files that the page hands to the browser to keep |
//! | `app` | the page as a component, and what ties it to the browser |
//! | `controls` | the fields on the left: every input of a scenario |
//! | [`element`] | what stands behind `<umem-split>`, in documents of others and in the page |
//! | `picture` | the page's element, which the page leads, and the buttons that move time |
//! | `panels` | what is told in words: the reason, the totals, the table |
//!
//! The rules are umem-core's; here nothing is computed about memory.

#[cfg(feature = "page")]
mod app;
#[cfg(feature = "page")]
mod controls;
#[cfg(feature = "page")]
pub mod edit;
#[cfg(feature = "element")]
pub mod element;
#[cfg(feature = "element")]
mod figure;
#[cfg(feature = "page")]
pub mod file;
#[cfg(feature = "page")]
mod keep;
#[cfg(feature = "page")]
pub mod link;
#[cfg(feature = "page")]
mod panels;
#[cfg(feature = "page")]
mod picture;
#[cfg(feature = "element")]
pub mod player;
#[cfg(feature = "element")]
pub mod scene;
#[cfg(feature = "page")]
pub mod share;
#[cfg(feature = "page")]
pub mod state;
#[cfg(feature = "page")]
pub mod story;

#[cfg(feature = "plan")]
use umem_core::{registration::Registration, scenario::Scenario};
#[cfg(any(feature = "page", feature = "plan"))]
use wasm_bindgen::prelude::*;

#[cfg(feature = "page")]
/// Shows the page in `root`, in place of what stands there.
#[wasm_bindgen]
pub fn open(root: web_sys::Element) {
    root.replace_children_with_node_0();
    yew::Renderer::<app::App>::with_root(root).render();
}

#[cfg(feature = "plan")]
/// Works a scenario out: JSON of the scenario format → JSON of the registration format, as `umem plan --format json` prints it.
///
/// # Errors
/// What is wrong with the scenario, and where.
#[wasm_bindgen]
pub fn plan(scenario: &str) -> Result<String, JsError> {
    let scenario = Scenario::from_json(scenario.as_bytes())?;
    let registration = Registration::new(&scenario)?;
    Ok(serde_json::to_string(&registration.report(&scenario))?)
}
