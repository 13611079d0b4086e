#![forbid(unsafe_code)]
#![deny(missing_docs)]
//! The page: how a memory region becomes page-table entries, played in a browser.
//!
//! In the order of its floors: each module uses only those above it in the table.
//!
//! | module | what lives there |
//! |---|---|
//! | `door` | code that is loaded when somebody first asks for it |
//! | `limit` | how much a page works out while somebody waits |
//! | `paste` | what people paste, read as `umem import` reads it |
//! | [`scene`] | a scenario worked out by umem-core, once |
//! | [`many`] | a set of many regions worked out, of which one is seen |
//! | [`story`] | the guided tour through the mail, as data |
//! | [`player`] | where in time and space a scene is looked at, and all that moves it |
//! | `figure` | what a canvas shows of a scene, and what keys, wheels and fingers on it mean |
//! | [`element`] | what stands behind `<umem-split>`, in documents of others and in the page |
//! | [`file`] | files that people open: plain or gzip, measured before they are parsed |
//! | `fetched` | what the page fetches of its own site: the story, and what `?src=` names |
//! | `more` | what is behind the first door: reading JSON, sets, the story |
//! | [`edit`] | what an edit does to a scenario |
//! | [`case`] | a question of a public report, which the address asks for by name |
//! | [`link`] | the address bar: a scenario as a fragment, and back |
//! | [`state`] | what the page knows, and the [`Action`](state::Action)s: everything that can happen on it |
//! | `words` | what things are called, and how numbers are written |
//! | `widgets` | what panels and fields are made of: selects, dialogs, paragraphs |
//! | [`share`] | what is seen, as files, commands and snippets |
//! | `panels` | what is told in words: the reason, the totals, the table |
//! | `controls` | the fields on the left: every input of a scenario |
//! | `picture` | the page's element, which the page leads, and the buttons that move time |
//! | `app` | the page as a component. It alone touches the browser's history, clipboard and window |
//!
//! The rules are umem-core's; here nothing is computed about memory. `tests/floors.rs` holds the modules to this order.

#[cfg(feature = "page")]
mod app;
#[cfg(feature = "page")]
pub mod case;
#[cfg(feature = "page")]
mod controls;
#[cfg(feature = "page")]
mod door;
#[cfg(feature = "page")]
pub mod edit;
#[cfg(feature = "element")]
pub mod element;
#[cfg(feature = "page")]
mod fetched;
#[cfg(feature = "element")]
mod figure;
#[cfg(feature = "page")]
pub mod file;
mod limit;
#[cfg(feature = "page")]
pub mod link;
#[cfg(feature = "page")]
pub mod many;
#[cfg(feature = "page")]
mod more;
#[cfg(feature = "page")]
mod panels;
#[cfg(feature = "plan")]
mod paste;
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
#[cfg(feature = "page")]
mod widgets;
#[cfg(feature = "page")]
mod words;

/// All of the memory that the element takes from the browser. The page, which opens captures of millions of extents, has Rust's own
/// allocator: it wastes less where much is freed.
#[cfg(all(target_arch = "wasm32", not(feature = "page")))]
#[global_allocator]
static MEMORY: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

#[cfg(feature = "plan")]
use umem_core::{
    registration::Registration,
    report::Report,
    scenario::{Asked, ScenarioReader},
    set::SetReport,
};
#[cfg(any(feature = "page", feature = "plan"))]
use wasm_bindgen::prelude::*;

/// The name of errors that mean: it could not be loaded, and may be the next time. `web/page/app.js` knows it as well.
#[cfg(feature = "page")]
const AWAY: &str = "Away";

#[cfg(feature = "page")]
#[wasm_bindgen]
extern "C" {
    /// Tells the window of an error, as if it had been thrown where nobody catches it.
    #[wasm_bindgen(js_name = reportError)]
    fn report_error(error: &JsValue);
}

/// Tells the window of what could not be loaded, and may be the next time.
#[cfg(feature = "page")]
fn report_away(problem: &str) {
    let error = js_sys::Error::new(problem);
    error.set_name(AWAY);
    report_error(&error);
}

#[cfg(feature = "page")]
/// Shows the page in `root`, in place of what stands there; the files that it asks for later are those of `build`, and `later` is what
/// it loads when somebody asks for it. Should it ever panic, the window hears of it: `web/page/app.js` tells people.
#[wasm_bindgen]
pub async fn open(root: web_sys::Element, build: String, later: app::Later) {
    std::panic::set_hook(Box::new(|panic| {
        report_error(&JsError::new(&panic.to_string()).into());
    }));
    app::ready().await;
    root.replace_children_with_node_0();
    let props = app::Props {
        build: build.into(),
        later,
    };
    yew::Renderer::<app::App>::with_root_and_props(root, props).render();
}

#[cfg(feature = "plan")]
/// Works a scenario or a set out: JSON of either format → JSON of its result, as `umem plan --format json` prints it.
///
/// # Errors
/// What is wrong with it, and where.
#[wasm_bindgen]
pub fn plan(asked: &str) -> Result<String, JsError> {
    let mut reader = ScenarioReader::new();
    reader.feed(asked.as_bytes())?;
    Ok(match reader.finish_either()? {
        Asked::Scenario(scenario) => {
            let question = scenario.resolve()?;
            limit::bounded(&question)?;
            serde_json::to_string(&Report::new(&Registration::of(question)))?
        }
        Asked::Set(set) => {
            limit::bounded_set(&set)?;
            serde_json::to_string(&SetReport::new(&set.plan()?))?
        }
    })
}

#[cfg(feature = "plan")]
/// Reads what people paste, together with what is `given`, JSON of the options of `umem import`: see `web/src/paste.rs`.
#[wasm_bindgen]
pub fn paste(text: &str, given: &str) -> String {
    paste::pasted(text, given).to_string()
}
