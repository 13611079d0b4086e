//! What `web/page/app.js` loads when somebody asks for it, and not before.

use super::source::{loaded, message};
use crate::{
    case::Case,
    door, edit,
    limit::bounded_any,
    link,
    more::MORE,
    state::{Action, Dispatch, Origin},
    words::sentence,
};
use js_sys::Array;
use std::rc::Rc;
use umem_core::scenario::Asked;
use wasm_bindgen::prelude::*;
use yew::{platform::spawn_local, prelude::*};

#[wasm_bindgen]
extern "C" {
    /// What few visitors need, with its code and its data.
    #[derive(Clone, PartialEq, Debug)]
    pub type Later;

    /// The result of a scenario or a set, which is JSON.
    #[wasm_bindgen(method, catch)]
    pub(super) async fn plan(this: &Later, asked: &str) -> Result<JsValue, JsValue>;

    /// Shows the public reports.
    #[wasm_bindgen(method, catch)]
    async fn cases(this: &Later) -> Result<(), JsValue>;

    /// A report's title, its question of that number, and JSON of what that asks.
    #[wasm_bindgen(method, catch)]
    async fn question(this: &Later, name: &str, number: u32) -> Result<JsValue, JsValue>;

    /// What somebody pastes: JSON of a scenario or a set, and what was inferred; an empty list if they think better of it.
    #[wasm_bindgen(method, catch)]
    async fn paste(this: &Later) -> Result<JsValue, JsValue>;
}

/// Shows the public reports.
pub(super) fn cases(later: &Later, dispatch: &Dispatch) {
    let (later, dispatch) = (later.clone(), dispatch.clone());
    spawn_local(async move {
        if let Err(error) = later.cases().await {
            dispatch.dispatch(failed(&error));
        }
    });
}

/// Asks for a text, and shows what it tells of.
pub(super) fn paste(later: &Later, dispatch: &Dispatch) {
    let (later, dispatch) = (later.clone(), dispatch.clone());
    spawn_local(async move {
        match later.paste().await {
            Ok(pasted) => {
                if let [json, notes] = &texts(&pasted)[..] {
                    let read = read(json).await.and_then(|asked| {
                        let bounded = bounded_any(&asked).map_err(|error| error.to_string());
                        bounded.map(|()| asked)
                    });
                    let right = read.is_ok();
                    dispatch.dispatch(loaded("What you pasted", read, Origin::File));
                    if right && !notes.is_empty() {
                        dispatch.dispatch(Action::Notice(notes.clone()));
                    }
                }
            }
            Err(error) => dispatch.dispatch(failed(&error)),
        }
    });
}

fn failed(error: &JsValue) -> Action {
    Action::Notice(format!("{}.", sentence(&message(error))))
}

/// Loads the question of a public report that an address asks for, when it is `wanted`.
#[hook]
pub(super) fn use_case(wanted: Option<Rc<str>>, later: &Later, dispatch: Dispatch) {
    let later = later.clone();
    use_effect_with(wanted, move |wanted| {
        let Some(fragment) = wanted.clone() else {
            return;
        };
        spawn_local(async move {
            let read = case(&later, &fragment).await.map(Rc::new);
            dispatch.dispatch(Action::Case(fragment, read));
        });
    });
}

async fn case(later: &Later, fragment: &str) -> Result<Case, String> {
    let (name, number) = link::question(fragment).unwrap_or_default();
    let answer = later.question(name, number).await;
    let answer = answer.map_err(|error| message(&error))?;
    let [title, question, json] = &texts(&answer)[..] else {
        return Err("the report lacks something".into());
    };
    Ok(Case {
        fragment: link::to_question(name, number),
        title: title.clone(),
        question: question.clone(),
        asked: read(json).await?,
    })
}

/// What JSON asks, by code that may have yet to be loaded.
async fn read(json: &str) -> Result<Asked, String> {
    door::opened(&MORE).await?;
    edit::read(json)
}

/// The texts of a list.
fn texts(list: &JsValue) -> Vec<String> {
    let list = Array::from(list);
    list.iter().filter_map(|text| text.as_string()).collect()
}
