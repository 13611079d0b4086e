//! What `web/page/app.js` loads when somebody asks for it, and not before.

use super::source::loaded;
use crate::{
    case::Case,
    door::{self, door},
    edit,
    fetched::message,
    link,
    more::MORE,
    state::{Action, Dispatch, Origin},
    words::sentence,
};
use js_sys::Array;
use std::{cell::Cell, future::Future, pin::Pin, rc::Rc};
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

/// What becomes of it when somebody asks.
type Answer = Pin<Box<dyn Future<Output = Action>>>;

/// What is done when somebody asks, behind a [door].
#[derive(Debug)]
pub(super) struct Asking {
    /// Shows the public reports.
    pub(super) cases: fn(Later, Dispatch),
    /// Asks for a text, and shows what it tells of.
    pub(super) paste: fn(Later, Dispatch),
    /// Loads the question of a public report that a fragment asks for.
    case: fn(Later, Rc<str>) -> Answer,
}

static ALL: Asking = Asking {
    cases,
    paste,
    case: |later, fragment| Box::pin(answer(later, fragment)),
};

door! {
    /// The door to it.
    ASKING, load_asking: Asking = ALL
}

/// Does what `which` of it does, once it is loaded.
pub(super) fn ask(which: fn(&Asking) -> fn(Later, Dispatch), later: &Later, dispatch: &Dispatch) {
    let (later, dispatch) = (later.clone(), dispatch.clone());
    spawn_local(async move {
        match door::opened(&ASKING).await {
            Ok(asking) => which(asking)(later, dispatch),
            Err(problem) => crate::report_away(problem),
        }
    });
}

fn cases(later: Later, dispatch: Dispatch) {
    again(&dispatch);
    spawn_local(async move {
        if let Err(error) = later.cases().await {
            dispatch.dispatch(failed(&error));
        }
    });
}

fn paste(later: Later, dispatch: Dispatch) {
    again(&dispatch);
    spawn_local(async move {
        match later.paste().await {
            Ok(pasted) => {
                if let [json, notes] = &texts(&pasted)[..] {
                    // What reads it has refused what would be too much.
                    let read = read(json).await;
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
    FAILED.set(true);
    let problem = match Failed::from(error.clone()) {
        Failed::Away(problem) => problem + ": try again once the network is back",
        Failed::Wrong(problem) => problem,
    };
    Action::Notice(format!("{}.", sentence(&problem)))
}

thread_local! {
    /// Whether something could not be loaded the last time.
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

/// Somebody tries again: what was said of the last time is over.
fn again(dispatch: &Dispatch) {
    if FAILED.take() {
        dispatch.dispatch(Action::Dismiss);
    }
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
            dispatch.dispatch(match door::opened(&ASKING).await {
                Ok(asking) => (asking.case)(later, fragment).await,
                Err(problem) => Action::Away(problem.into()),
            });
        });
    });
}

async fn answer(later: Later, fragment: Rc<str>) -> Action {
    match case(&later, &fragment).await {
        Err(Failed::Away(problem)) => Action::Away(problem),
        Err(Failed::Wrong(problem)) => Action::Case(fragment, Err(problem)),
        Ok(case) => Action::Case(fragment, Ok(Rc::new(case))),
    }
}

/// Why there is no report.
enum Failed {
    /// It could not be loaded.
    Away(String),
    /// There is none, or it is wrong.
    Wrong(String),
}

impl From<JsValue> for Failed {
    fn from(error: JsValue) -> Self {
        let is_away = |error: &js_sys::Error| error.name() == crate::AWAY;
        match error.dyn_ref().is_some_and(is_away) {
            true => Self::Away(message(&error)),
            false => Self::Wrong(message(&error)),
        }
    }
}

async fn case(later: &Later, fragment: &str) -> Result<Case, Failed> {
    let (name, number) = link::question(fragment).unwrap_or_default();
    let answer = later.question(name, number).await?;
    let [title, question, json] = &texts(&answer)[..] else {
        return Err(Failed::Wrong("the report lacks something".into()));
    };
    let opened = door::opened(&MORE).await;
    opened.map_err(|problem| Failed::Away(problem.into()))?;
    Ok(Case {
        fragment: link::to_question(name, number),
        title: title.clone(),
        question: question.clone(),
        asked: edit::read(json).map_err(Failed::Wrong)?,
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
