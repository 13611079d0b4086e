//! The page as a component, and what ties it to the browser: the address bar, files, the clock.

use crate::{
    controls::Controls,
    element::Shown,
    panels::{
        compare::{Compare, numbers, title},
        entries::EntryTable,
        keys::Keys,
        reason::Reason,
        share::Share,
        story::StoryPanel,
        totals::Totals,
    },
    picture::{Picture, transport::Transport},
    state::{Action, Dialog, Dispatch, Place, State},
};
use yew::prelude::*;

mod address;
mod clock;
mod header;
mod source;

use address::{fragment, use_address};
use clock::use_clock;
use header::Header;
use source::{use_drop, use_source, use_story};

/// The page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(|| State::opened(&fragment()));
    let dispatch = state.dispatcher();
    use_clock(state.player.playing, dispatch.clone());
    use_address(state.fragment.clone(), state.journeys, dispatch.clone());
    use_source(dispatch.clone());
    use_drop(dispatch.clone());
    let untold = |tour: &crate::story::Tour| tour.story.is_none();
    use_story(state.tour.as_ref().is_some_and(untold), dispatch.clone());

    html! {
        <>
            <Header
                preset={state.preset().map(|preset| preset.name)}
                telling={state.tour.is_some()}
                comparing={state.other.is_some()}
                dispatch={dispatch.clone()}
            />
            if let Some(notice) = &state.notice {
                <p class="notice" role="alert">
                    <span>{ &**notice }</span>
                    <button type="button" onclick={dispatch.on(Action::Dismiss)}>{ "Dismiss" }</button>
                </p>
            }
            <main class={classes!(state.tour.is_some().then_some("telling"))}>
                if let Some(tour) = &state.tour {
                    <StoryPanel tour={tour.clone()} dispatch={dispatch.clone()} />
                }
                { stage(&state, &dispatch) }
                <Totals
                    scene={state.scene.clone()}
                    exhibits={state.preset().is_some_and(|preset| EXHIBITS.contains(&preset.name))}
                    veiled={state.veiled()}
                    stale={!state.faults.is_empty()}
                    tried={state.tried().cloned()}
                    dispatch={dispatch.clone()}
                />
                <Controls
                    draft={state.draft.clone()}
                    texts={state.texts.clone()}
                    faults={state.faults.clone()}
                    dispatch={dispatch.clone()}
                />
            </main>
            <Keys open={state.dialog == Some(Dialog::Help)} dispatch={dispatch.clone()} />
            <Share
                open={state.dialog == Some(Dialog::Share)}
                scene={state.scene.clone()}
                preset={state.preset}
                pictures={state.pictures()}
                link={state.picture()}
                {dispatch}
            />
        </>
    }
}

/// The picture, or two of them, with what moves and explains it.
fn stage(state: &State, dispatch: &Dispatch) -> Html {
    let veiled = state.veiled();
    let step = state.player.moment.floor() as usize;
    let pictures = state.pictures();
    html! {
        <div class="stage">
            if pictures.len() > 1 {
                <Compare scene={state.scene.clone()} place={state.place} dispatch={dispatch.clone()} />
            } else if state.tour.is_none() {
                <p class="about">{ about(state) }</p>
            }
            { for pictures.iter().enumerate().map(|(i, shown)| {
                let place = [Place::Upper, Place::Lower].get(i).filter(|_| pictures.len() > 1);
                picture(shown, place.copied(), dispatch)
            }) }
            <Transport
                scene={state.scene.clone()}
                {step}
                playing={state.player.playing}
                speed={state.player.speed}
                {veiled}
                dispatch={dispatch.clone()}
            />
            if let [upper, lower] = &*pictures {
                { numbers(&upper.scene, &lower.scene) }
            }
            <Reason
                scene={state.scene.clone()}
                {step}
                focus={state.player.focus(&state.scene)}
                chosen={state.player.chosen.is_some()}
                {veiled}
            />
            if !veiled {
                <EntryTable scene={state.scene.clone()} />
            }
        </div>
    }
}

fn picture(shown: &Shown, place: Option<Place>, dispatch: &Dispatch) -> Html {
    let name = place.map_or("", title);
    html! {
        <>
            if place.is_some() {
                <h2 class="side">{ name }{ ": " }<b>{ shown.scene.registration.status() }</b></h2>
            }
            <Picture key={name} shown={shown.clone()} {name} dispatch={dispatch.clone()} />
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
