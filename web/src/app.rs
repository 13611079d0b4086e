//! The page as a component, and what ties it to the browser: the address bar, `?src=`, the clock.

use crate::{
    controls::Controls,
    panels::{entries::EntryTable, keys::Keys, reason::Reason, totals::Totals},
    picture::{Picture, transport::Transport},
    state::{Action, Dispatch, State},
};
use gloo::{events::EventListener, net::http::Request, utils::window};
use std::rc::Rc;
use umem_core::scenario::{Scenario, presets};
use yew::prelude::*;

mod clock;
mod header;

use clock::use_clock;
use header::Header;

/// The page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(|| State::opened(&fragment()));
    let dispatch = state.dispatcher();
    use_clock(state.playing, dispatch.clone());
    use_address(state.fragment.clone(), dispatch.clone());
    use_source(dispatch.clone());

    html! {
        <>
            <Header preset={state.preset().map(|preset| preset.name)} dispatch={dispatch.clone()} />
            if let Some(notice) = &state.notice {
                <p class="notice" role="alert">
                    <span>{ &**notice }</span>
                    <button type="button" onclick={dispatch.on(Action::Dismiss)}>{ "Dismiss" }</button>
                </p>
            }
            <main>
                <div class="stage">
                    <p class="about">{ about(&state) }</p>
                    <Picture
                        scene={state.scene.clone()}
                        moment={state.moment}
                        sight={state.sight}
                        chosen={state.chosen}
                        dispatch={dispatch.clone()}
                    />
                    <Transport
                        scene={state.scene.clone()}
                        step={state.moment.floor() as usize}
                        playing={state.playing}
                        speed={state.speed}
                        zoomed={state.sight.is_some()}
                        dispatch={dispatch.clone()}
                    />
                    <Reason
                        scene={state.scene.clone()}
                        step={state.moment.floor() as usize}
                        focus={state.focus()}
                        chosen={state.chosen.is_some()}
                    />
                    <EntryTable scene={state.scene.clone()} />
                </div>
                <Totals
                    scene={state.scene.clone()}
                    exhibits={state.preset().is_some_and(|preset| EXHIBITS.contains(&preset.name))}
                    dispatch={dispatch.clone()} />
                <Controls
                    draft={state.draft.clone()}
                    texts={state.texts.clone()}
                    faults={state.faults.clone()}
                    dispatch={dispatch.clone()}
                />
            </main>
            <Keys open={state.keys} {dispatch} />
        </>
    }
}

/// The presets that are about the mail's own code.
const EXHIBITS: [&str; 2] = ["first-mask", "smaller-only"];

/// What the scene is, in a sentence or two.
fn about(state: &State) -> String {
    let scenario = &state.draft;
    let name = scenario.name.as_ref().map(|name| format!("{name}. "));
    match (state.preset(), &scenario.provenance) {
        (Some(preset), _) => preset.about.into(),
        (None, Some(provenance)) => format!(
            "{}Captured on Linux {}, {}. It stays in this browser.",
            name.unwrap_or_default(),
            provenance.kernel,
            provenance.time
        ),
        (None, None) => name.unwrap_or_default() + OWN,
    }
}

const OWN: &str =
    "Your own scenario. The address of this page holds it: copy it to share what you see.";

/// Callbacks that send one and the same action.
pub trait Sends {
    /// Sends `action`, whatever the event.
    fn on<E: 'static>(&self, action: Action) -> Callback<E>;
}

impl Sends for Dispatch {
    fn on<E: 'static>(&self, action: Action) -> Callback<E> {
        let dispatch = self.clone();
        Callback::from(move |_| dispatch.dispatch(action.clone()))
    }
}

fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// Keeps the address bar and the page in step. Going to another preset can be undone by the back button; edits replace one another.
#[hook]
fn use_address(wanted: Option<Rc<str>>, dispatch: Dispatch) {
    use_effect_with(wanted, |wanted| {
        let present = fragment();
        if wanted.as_deref() == Some(present.trim_start_matches('#')) {
            return;
        }
        let location = window().location();
        let url = match wanted {
            Some(fragment) => format!("#{fragment}"),
            None if present.is_empty() => return,
            None => {
                location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
            }
        };
        let going = presets::PRESETS
            .iter()
            .any(|preset| url.strip_prefix("#preset=") == Some(preset.name));
        let nothing = wasm_bindgen::JsValue::NULL;
        if let Ok(history) = window().history() {
            // The browser refuses only floods, and then the address is merely old.
            let _ = if going && !present.is_empty() {
                history.push_state_with_url(&nothing, "", Some(&url))
            } else {
                history.replace_state_with_url(&nothing, "", Some(&url))
            };
        }
    });
    use_effect_with((), move |()| {
        let listener = EventListener::new(&window(), "hashchange", move |_| {
            dispatch.dispatch(Action::Fragment(fragment()));
        });
        move || drop(listener)
    });
}

/// Loads the scenario that `?src=` names, unless the address has one of its own.
#[hook]
fn use_source(dispatch: Dispatch) {
    use_effect_with((), move |()| {
        let asked = window().location().search().ok();
        let source = asked
            .and_then(|search| web_sys::UrlSearchParams::new_with_str(&search).ok())
            .and_then(|fields| fields.get("src"));
        // What the address itself holds is younger: it is written at the first edit.
        if let Some(source) = source.filter(|_| !fragment().starts_with("#s=")) {
            yew::platform::spawn_local(async move {
                dispatch.dispatch(match fetched(&source).await {
                    Ok(scenario) => Action::Load(Box::new(scenario)),
                    Err(problem) => Action::Notice(format!("{source}: {problem}")),
                });
            });
        }
    });
}

async fn fetched(source: &str) -> Result<Scenario, String> {
    let location = window().location();
    let base = location.href().unwrap_or_default();
    let url = web_sys::Url::new_with_base(source, &base).map_err(|_| "is no address".to_owned())?;
    if Ok(url.origin()) != location.origin() {
        return Err("lies elsewhere, and this page reads only what its own server has".into());
    }
    let answer = Request::get(&url.href()).send().await;
    let answer = answer.map_err(|error| format!("cannot be fetched ({error})"))?;
    if !answer.ok() {
        return Err(format!(
            "the server answers {} {}",
            answer.status(),
            answer.status_text()
        ));
    }
    let bytes = answer.binary().await;
    let bytes = bytes.map_err(|error| format!("broke off ({error})"))?;
    let scenario = Scenario::from_json(&bytes).map_err(|error| error.to_string())?;
    scenario.resolve().map_err(|error| error.to_string())?;
    Ok(scenario)
}
