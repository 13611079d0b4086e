//! The page as a component, and what ties it to the browser: the address bar, files, the clock, keys.

use crate::{
    controls::Controls,
    door::{behind, use_door},
    more::MORE,
    panels::{RARE, Rare, entries::EntryTable, reason::Reason, share::Shared, totals::Totals},
    picture::{Picture, transport::Transport},
    player::{Motion, Shown},
    state::{Action, Dialog, Dispatch, Place, Sends, State},
    widgets::{
        dialog::Modal,
        focus::use_return,
        prose::{plain, told},
    },
    words,
};
use umem_core::{diagram::LaneName, memory::Kind};
use yew::prelude::*;

mod address;
mod clock;
mod hands;
mod header;
mod keep;
mod keyboard;
mod later;
mod source;
mod title;

pub(crate) use address::ready;
use address::{opened, use_address};
use clock::use_clock;
use hands::HANDS;
use header::Header;
use keyboard::use_keyboard;
pub use later::Later;
use later::use_case;
use source::{use_drop, use_source, use_story};
use title::use_title;

/// What the page is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The build that it is: the files that it asks for are of the same.
    pub build: AttrValue,
    /// What is loaded when somebody asks for it.
    pub later: Later,
}

/// The page.
#[component]
pub fn App(Props { build, later }: &Props) -> Html {
    let state = use_reducer(opened);
    let dispatch = state.dispatcher();
    use_clock(state.player.playing, dispatch.clone());
    use_address(state.address(), dispatch.clone());
    use_source(state.awaits(), dispatch.clone());
    use_case(state.wanted.clone(), later, dispatch.clone());
    use_drop(dispatch.clone());
    use_keyboard(dispatch.clone());
    use_title(title::of(&state));
    let untold = |tour: &crate::story::Tour| tour.story.is_none();
    use_story(
        state.tour.as_ref().is_some_and(untold),
        build,
        dispatch.clone(),
    );
    let shared = shared(&state);
    let helps = state.dialog == Some(Dialog::Help);
    // Whose scene says itself what it is needs no more of it.
    let says_more = state.preset().is_none() && behind(&MORE).is_ok();
    let is_rare =
        helps || says_more || shared.is_some() || state.tour.is_some() || state.there.is_some();
    let rare = use_door(&RARE, is_rare);
    let make = use_door(&HANDS, shared.is_some());
    let hands = use_memo((later.clone(), make.is_some()), |(later, _)| {
        make.map(|make| make(later))
    });

    let main = use_node_ref();
    use_return(state.notice.is_some(), main.clone());

    html! {
        <>
            <Header
                build={build.clone()}
                preset={state.preset().filter(|_| state.here.faults.is_empty()).map(|preset| preset.name)}
                telling={state.tour.is_some()}
                comparing={state.there.is_some()}
                later={later.clone()}
                dispatch={dispatch.clone()}
            />
            { notices(&state, &dispatch) }
            <main ref={main} tabindex="-1" class={classes!(state.tour.is_some().then_some("telling"))}>
                if let Some(tour) = &state.tour {
                    if let Some(rare) = rare {
                        { (rare.story)(tour, &dispatch) }
                    } else {
                        <section class="story"><p class="note">{ "Opening the story…" }</p></section>
                    }
                }
                { stage(&state, rare, &dispatch) }
                <Totals
                    scene={state.here.scene.clone()}
                    many={state.here.many.clone()}
                    exhibits={state.preset().is_some_and(|preset| EXHIBITS.contains(&preset.name))}
                    veiled={state.veiled()}
                    stale={!state.here.faults.is_empty()}
                    tried={state.tried().cloned()}
                    dispatch={dispatch.clone()}
                />
                <Controls
                    draft={state.here.draft.clone()}
                    texts={state.here.texts.clone()}
                    faults={state.here.faults.clone()}
                    bypassed={words::bypassed(state.here.scene.registration().question()).map(AttrValue::from)}
                    dispatch={dispatch.clone()}
                />
            </main>
            <Modal id="keys-title" title="Keys" open={helps} dispatch={dispatch.clone()}>
                if let Some(rare) = rare.filter(|_| helps) {
                    { (rare.keys)() }
                } else {
                    { coming() }
                }
            </Modal>
            <Modal id="share-title" title="Share and keep" open={shared.is_some()} dispatch={dispatch.clone()}>
                if let (Some(rare), Some(hands), Some(shared)) = (rare, &*hands, shared) {
                    { (rare.share)(shared, hands.clone()) }
                } else {
                    { coming() }
                }
            </Modal>
        </>
    }
}

/// What a dialog says until its code is there.
fn coming() -> Html {
    html! { <p class="note">{ "Loading… If it does not come, close this and open it again." }</p> }
}

/// What went wrong outside the fields, and what is on its way.
fn notices(state: &State, dispatch: &Dispatch) -> Html {
    html! {
        <>
            if let Some(notice) = &state.notice {
                <div class="notice" role="alert">
                    { plain(notice) }
                    <button type="button" onclick={dispatch.on(Action::Dismiss)}>{ "Dismiss" }</button>
                </div>
            }
            <div class="unseen" aria-live="polite">
                if let Some(name) = &state.loading { { opening(name) } }
            </div>
            if let Some(name) = &state.loading {
                <div class="notice loading" aria-hidden="true">{ plain(&opening(name)) }</div>
            }
        </>
    }
}

fn opening(name: &str) -> String {
    format!("Opening {name}…")
}

/// What is shared, while the dialog is open.
fn shared(state: &State) -> Option<Shared> {
    (state.dialog == Some(Dialog::Share)).then(|| Shared {
        scene: state.here.scene.clone(),
        many: state.here.many.clone(),
        preset: state.here.preset,
        pictures: state.pictures(),
        link: state
            .picture()
            .map(|fragment| address::here() + "#" + &fragment),
        wrong: !state.here.faults.is_empty(),
    })
}

/// The picture, or two of them, with what moves and explains it.
fn stage(state: &State, rare: Option<&Rare>, dispatch: &Dispatch) -> Html {
    let veiled = state.veiled();
    let step = state.player.moment.floor() as usize;
    let pictures = state.pictures();
    let scene = &state.here.scene;
    html! {
        <div class="stage">
            if let [upper, lower] = &*pictures {
                if let Some(rare) = rare {
                    { (rare.compare)(&upper.scene, &lower.scene, state.place, dispatch) }
                }
            } else if state.tour.is_none() {
                { told("about", &about(state, rare)) }
            }
            if state.tour.is_none() && scene.has_iommu() {
                <button
                    type="button"
                    class="lane"
                    aria-pressed={if state.player.lanes.contains(LaneName::Iommu) { "true" } else { "false" }}
                    onclick={dispatch.on(Action::Move(Motion::Iommu))}
                >
                    { LaneName::Iommu.title(Kind::Pages) }
                </button>
            }
            { for pictures.iter().enumerate().map(|(i, shown)| {
                let place = [Place::Upper, Place::Lower].get(i).filter(|_| pictures.len() > 1);
                picture(shown, place.copied(), dispatch)
            }) }
            <Transport
                scene={scene.clone()}
                {step}
                playing={state.player.playing}
                speed={state.player.speed}
                {veiled}
                dispatch={dispatch.clone()}
            />
            if let Some((rare, tour)) = rare.zip(state.tour.as_ref()) {
                <div class="onward after">{ (rare.onward)(tour, dispatch) }</div>
            }
            if let Some((rare, [upper, lower])) = rare.zip(<&[Shown; 2]>::try_from(&*pictures).ok()) {
                { (rare.numbers)(&upper.scene, &lower.scene) }
            }
            <Reason
                scene={scene.clone()}
                {step}
                focus={state.player.focus(scene)}
                chosen={state.player.chosen.is_some()}
                {veiled}
            />
            if !veiled {
                <EntryTable scene={scene.clone()} />
            }
        </div>
    }
}

fn picture(shown: &Shown, place: Option<Place>, dispatch: &Dispatch) -> Html {
    let name = place.map_or("", words::place);
    html! {
        <>
            if place.is_some() {
                <h2 class="side">{ name }{ ": " }<b>{ shown.scene.registration().status() }</b></h2>
            }
            <Picture key={name} shown={shown.clone()} {name} dispatch={dispatch.clone()} />
        </>
    }
}

/// The presets that are about the mail's own code.
const EXHIBITS: [&str; 2] = ["first-mask", "smaller-only"];

/// What the scene is, in a sentence or two; and that the fields say something else by now, if they do.
fn about(state: &State, rare: Option<&Rare>) -> String {
    let mut text = seen(state, rare);
    if !state.here.faults.is_empty() {
        text += " A field is wrong: the picture and the address are still those of the last scenario that was right.";
    }
    text
}

fn seen(state: &State, rare: Option<&Rare>) -> String {
    if let Some(preset) = state.preset() {
        return preset.about.into();
    }
    let scenario = &state.here.scene.scenario;
    let is_own = state.here.case().is_none() && state.here.many.is_none();
    if is_own && scenario.provenance.is_none() && state.beyond().is_none() {
        let name = scenario.name.as_ref().map(|name| format!("{name}. "));
        return name.unwrap_or_default() + OWN;
    }
    // It came through a door, so this one opens as well.
    rare.map(|rare| (rare.about)(state)).unwrap_or_default()
}

const OWN: &str =
    "Your own scenario. The address of this page holds it: copy it to share what you see.";
