//! What the page reads: the scenario that `?src=` names, files that are chosen or dropped, and the story.

use crate::{
    door,
    more::MORE,
    state::{Action, Dispatch, Origin},
};
use gloo::{
    events::{EventListener, EventListenerOptions},
    timers::future::TimeoutFuture,
    utils::{document, window},
};
use std::rc::Rc;
use umem_core::scenario::Asked;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, File, HtmlInputElement};
use yew::{platform::spawn_local, prelude::*};

/// Loads the scenario that `?src=` names, when it is `wanted`.
#[hook]
pub(super) fn use_source(wanted: bool, dispatch: Dispatch) {
    use_effect_with(wanted, move |wanted| {
        if *wanted {
            let source = asked().unwrap_or_default();
            spawn_local(async move {
                let name = match source.is_empty() {
                    true => "?src=".to_owned(),
                    false => source.clone(),
                };
                let read = match door::opened(&MORE).await {
                    Ok(more) => (more.source)(source).await,
                    Err(problem) => Err(problem.into()),
                };
                dispatch.dispatch(loaded(&name, read, Origin::Source));
            });
        }
    });
}

/// What `?src=` names.
pub(super) fn asked() -> Option<String> {
    let search = window().location().search().ok()?;
    let fields = web_sys::UrlSearchParams::new_with_str(&search).ok()?;
    fields.get("src")
}

/// Reads what is dropped anywhere on the page.
#[hook]
pub(super) fn use_drop(dispatch: Dispatch) {
    use_effect_with((), move |()| {
        let options = EventListenerOptions::enable_prevent_default();
        // What is not prevented here the browser opens instead of the page.
        let over = EventListener::new_with_options(&window(), "dragover", options, |event| {
            if has_files(event) {
                event.prevent_default();
            }
        });
        let dropped = EventListener::new_with_options(&window(), "drop", options, move |event| {
            if !has_files(event) {
                return;
            }
            event.prevent_default();
            let file = event
                .dyn_ref::<DragEvent>()
                .and_then(DragEvent::data_transfer)
                .and_then(|data| data.files())
                .and_then(|files| files.get(0));
            if let Some(file) = file {
                open(file, &dispatch);
            }
        });
        move || drop((over, dropped))
    });
}

/// Whether files are dragged: text is for the field that it is dropped on.
fn has_files(event: &Event) -> bool {
    let data = event
        .dyn_ref::<DragEvent>()
        .and_then(DragEvent::data_transfer);
    data.is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Lets the reader choose a file, and reads it.
pub(super) fn choose(dispatch: &Dispatch) {
    let input = document()
        .create_element("input")
        .ok()
        .and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else { return };
    input.set_type("file");
    input.set_accept(".json,.gz,application/json,application/gzip");
    let (chosen, dispatch) = (input.clone(), dispatch.clone());
    EventListener::once(&input, "change", move |_| {
        if let Some(file) = chosen.files().and_then(|files| files.get(0)) {
            open(file, &dispatch);
        }
    })
    .forget();
    input.click();
}

fn open(file: File, dispatch: &Dispatch) {
    let dispatch = dispatch.clone();
    spawn_local(async move {
        dispatch.dispatch(Action::Loading(file.name()));
        // Reading keeps the browser busy: what is said of it is shown first.
        TimeoutFuture::new(SHOWN_FIRST).await;
        let name = file.name();
        let read = match door::opened(&MORE).await {
            Ok(more) => (more.file)(file).await,
            Err(problem) => Err(problem.into()),
        };
        dispatch.dispatch(loaded(&name, read, Origin::File));
    });
}

/// Long enough for a browser to show a sentence, in milliseconds.
const SHOWN_FIRST: u32 = 30;

pub(super) fn loaded(name: &str, read: Result<Asked, String>, origin: Origin) -> Action {
    match read {
        Ok(Asked::Scenario(scenario)) => Action::Load(scenario, origin),
        Ok(Asked::Set(set)) => Action::LoadSet(set, Some(origin)),
        Err(problem) => {
            let problem = format!("{name}: {problem}");
            match origin {
                Origin::File => Action::Notice(problem),
                Origin::Source => Action::NoSource(problem),
            }
        }
    }
}

/// Loads the story when it is opened for the first time.
#[hook]
pub(super) fn use_story(wanted: bool, build: &AttrValue, dispatch: Dispatch) {
    let address = format!("story.json?b={build}");
    use_effect_with(wanted, move |wanted| {
        if *wanted {
            spawn_local(async move {
                let read = match door::opened(&MORE).await {
                    Ok(more) => (more.story)(address).await,
                    Err(problem) => Err(problem.into()),
                };
                dispatch.dispatch(match read {
                    Ok(story) => Action::Told(Rc::new(story)),
                    Err(problem) => Action::Away(problem),
                });
            });
        }
    });
}
