//! What the page reads: the scenario that `?src=` names, files that are chosen or dropped, and the story.

use super::address::fragment;
use crate::{
    file,
    state::{Action, Dispatch},
    story::Story,
};
use gloo::{
    events::{EventListener, EventListenerOptions},
    net::http::{Request, Response},
    utils::{document, window},
};
use std::rc::Rc;
use umem_core::scenario::Scenario;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, File, HtmlInputElement};
use yew::{platform::spawn_local, prelude::*};

/// Loads the scenario that `?src=` names, unless the address has one of its own.
#[hook]
pub(super) fn use_source(dispatch: Dispatch) {
    use_effect_with((), move |()| {
        let asked = window().location().search().ok();
        let source = asked
            .and_then(|search| web_sys::UrlSearchParams::new_with_str(&search).ok())
            .and_then(|fields| fields.get("src"));
        // What the address itself holds is younger: it is written at the first edit.
        if let Some(source) = source.filter(|_| !fragment().contains("s=")) {
            spawn_local(async move {
                let read = fetched(&source).await;
                dispatch.dispatch(loaded(&source, read));
            });
        }
    });
}

/// Reads what is dropped anywhere on the page.
#[hook]
pub(super) fn use_drop(dispatch: Dispatch) {
    use_effect_with((), move |()| {
        let options = EventListenerOptions::enable_prevent_default();
        // What is not prevented here the browser opens instead of the page.
        let over = EventListener::new_with_options(&window(), "dragover", options, |event| {
            event.prevent_default();
        });
        let dropped = EventListener::new_with_options(&window(), "drop", options, move |event| {
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
        let read = file::opened(&file).await;
        dispatch.dispatch(loaded(&file.name(), read));
    });
}

fn loaded(name: &str, read: Result<Scenario, String>) -> Action {
    match read {
        Ok(scenario) => Action::Load(Box::new(scenario)),
        Err(problem) => Action::Notice(format!("{name}: {problem}")),
    }
}

async fn fetched(source: &str) -> Result<Scenario, String> {
    let location = window().location();
    let base = location.href().unwrap_or_default();
    let url = web_sys::Url::new_with_base(source, &base).map_err(|_| "is no address".to_owned())?;
    if Ok(url.origin()) != location.origin() {
        return Err("lies elsewhere, and this page reads only what its own server has".into());
    }
    match answered(&url.href()).await?.body() {
        Some(stream) => file::scenario(stream).await,
        None => Err("is empty".into()),
    }
}

async fn answered(url: &str) -> Result<Response, String> {
    let answer = Request::get(url).send().await;
    let answer = answer.map_err(|error| format!("cannot be fetched ({error})"))?;
    if !answer.ok() {
        return Err(format!(
            "the server answers {} {}",
            answer.status(),
            answer.status_text()
        ));
    }
    Ok(answer)
}

/// Loads the story when it is opened for the first time.
#[hook]
pub(super) fn use_story(wanted: bool, dispatch: Dispatch) {
    use_effect_with(wanted, move |wanted| {
        if *wanted {
            spawn_local(async move {
                match story().await {
                    Ok(story) => dispatch.dispatch(Action::Told(Rc::new(story))),
                    Err(problem) => {
                        dispatch.dispatch(Action::Leave);
                        dispatch.dispatch(Action::Notice(format!("The story: {problem}.")));
                    }
                }
            });
        }
    });
}

async fn story() -> Result<Story, String> {
    let bytes = answered("story.json").await?.binary().await;
    Story::from_json(&bytes.map_err(|error| format!("broke off ({error})"))?)
}
