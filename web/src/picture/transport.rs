//! The buttons and the slider that move time.

use crate::{
    player::Motion,
    scene::Scene,
    state::{Action, Dispatch, Sends},
    words::percent,
};
use std::rc::Rc;
use umem_core::{
    diagram::{Stage, Steps},
    table::Refusal,
};
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What the buttons are given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What plays.
    pub scene: Rc<Scene>,
    /// The step under way.
    pub step: usize,
    /// Whether time passes.
    pub playing: bool,
    /// How many times as fast.
    pub speed: f64,
    /// Whether what is yet to come stays hidden.
    pub veiled: bool,
    /// Where presses go.
    pub dispatch: Dispatch,
}

const SPEEDS: [(&str, f64); 5] = [
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("1", 1.0),
    ("2", 2.0),
    ("4", 4.0),
];

/// The buttons and the slider.
#[component]
pub fn Transport(props: &Props) -> Html {
    let Props {
        scene,
        step,
        playing,
        dispatch,
        ..
    } = props;
    let count = scene.steps().count();
    // Of a region that is refused before it is pinned there is nothing to play.
    let button = |name: &'static str, class: &'static str, action: Action| {
        html! { <button type="button" {class} disabled={count == 0} onclick={dispatch.on(action)}>{ name }</button> }
    };
    // There is nothing behind the end, and nothing before the beginning. The focus stays on a button that leads no further.
    let further = |name: &'static str, motion: Motion, ended: bool| {
        let ended = ended.then_some("true");
        html! { <button type="button" aria-disabled={ended} disabled={count == 0} onclick={dispatch.on(Action::Move(motion))}>{ name }</button> }
    };
    let oninput = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let input = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if let Some(step) = input.and_then(|input| input.value().parse().ok()) {
                dispatch.dispatch(Action::Move(Motion::Seek(step)));
            }
        })
    };
    let onspeed = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
            let name = select.map(|select| select.value());
            let speed = SPEEDS
                .iter()
                .find(|(known, _)| name.as_deref() == Some(known));
            if let Some((_, speed)) = speed {
                dispatch.dispatch(Action::Move(Motion::Speed(*speed)));
            }
        })
    };
    let told = match scene.steps().get(*step) {
        Some(next) if props.veiled => format!("step {step} of {count}: {}", next.stage.title()),
        Some(next) => format!("step {step} of {count}: {}", next.text()),
        None => format!("step {step} of {count}: {}", ended(scene)),
    };
    let present = scene.steps().get(*step).map(|step| step.stage);
    let mark = |(stage, place): (Stage, f64)| {
        html! {
            <text
                x={percent(place)}
                y="12"
                class={classes!((present == Some(stage)).then_some("present"))}
                onclick={dispatch.on(Action::Move(Motion::Seek(scene.steps().first_of(stage))))}
            >
                { stage.title() }
            </text>
        }
    };
    html! {
        <div class="transport" role="group" aria-label="Player">
            <div class="buttons">
                { button(if *playing { "Pause" } else { "Play" }, "primary", Action::Move(Motion::Toggle)) }
                { further("Back", Motion::Back, *step == 0) }
                { further("Step", Motion::Step, *step >= count) }
                { button("Restart", "", Action::Move(Motion::Restart)) }
            </div>
            <div class="time">
                // A convenience of pointers: the slider itself says all this.
                <svg class="stages" aria-hidden="true">{ for places(scene.steps()).into_iter().map(mark) }</svg>
                <input
                    type="range"
                    aria-label="Moment"
                    aria-valuetext={told}
                    min="0"
                    max={count.to_string()}
                    step="1"
                    disabled={count == 0}
                    value={step.to_string()}
                    {oninput}
                />
            </div>
            <select aria-label="Speed" onchange={onspeed}>
                { for SPEEDS.iter().map(|(name, speed)| html! {
                    <option value={*name} selected={*speed == props.speed}>{ format!("{name}×") }</option>
                }) }
            </select>
        </div>
    }
}

/// What has become of it after the last step.
fn ended(scene: &Scene) -> String {
    let refusal = scene.registration().table().err();
    refusal
        .and_then(Refusal::stopped_at)
        .unwrap_or_else(|| "finished".into())
}

/// The room that a stage's name needs above the slider, in percent of its width.
const ROOM: f64 = 18.0;

/// Where each stage's name stands above the slider, in percent: at its first step, as far as names do not collide.
fn places(steps: Steps<'_>) -> [(Stage, f64); 4] {
    let count = steps.count().max(1) as f64;
    let mut places = Stage::ALL.map(|stage| (stage, steps.first_of(stage) as f64 / count * 100.0));
    for i in 1..places.len() {
        places[i].1 = places[i].1.max(places[i - 1].1 + ROOM);
    }
    for (i, (_, place)) in places.iter_mut().enumerate() {
        *place = place.min(100.0 - ROOM * (4 - i) as f64 + 8.0);
    }
    places
}
