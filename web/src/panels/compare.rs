//! Two scenarios side by side: what they differ in, and what comes of it.

use crate::{
    edit,
    scene::Scene,
    state::{Action, Dispatch, PAIRINGS, Pairing, Place, Sends},
    words::{self, grouped},
};
use std::rc::Rc;
use umem_core::registration::Lane;
use yew::prelude::*;

/// What stands above the two pictures.
pub(super) fn compare(
    upper: &Rc<Scene>,
    lower: &Rc<Scene>,
    place: Place,
    dispatch: &Dispatch,
) -> Html {
    let pairing = |pairing: &Pairing| {
        html! { <button type="button" onclick={dispatch.on(Action::Pair(*pairing))}>{ pairing.title }</button> }
    };
    html! {
        <section class="compare" aria-label="Comparison">
            <div class="tries" role="group" aria-label="Compare">
                { for PAIRINGS.iter().map(pairing) }
                <button type="button" onclick={dispatch.on(Action::Compare(false))}>{ "Stop comparing" }</button>
            </div>
            <fieldset class="segments">
                <legend>{ "Edit and explain" }</legend>
                <div>
                    { radio(Place::Upper, place, dispatch) }
                    { radio(Place::Lower, place, dispatch) }
                </div>
            </fieldset>
            <p class="note verdict" aria-live="polite">{ verdict(upper, lower) }</p>
        </section>
    }
}

/// What the comparison comes to, in a sentence: two pictures that are the same say nothing by themselves.
fn verdict(upper: &Scene, lower: &Scene) -> String {
    let differences = edit::differences(&upper.scenario, &lower.scenario);
    let (one, other) = (upper.registration().status(), lower.registration().status());
    let named: Vec<_> = differences.iter().map(|(name, ..)| *name).collect();
    let alike = upper.index.entries() == lower.index.entries();
    match (named.is_empty(), one == other) {
        (true, _) => "Both are the same so far. Change one of them with the fields, or choose a comparison above.".into(),
        (false, true) if alike => format!(
            "They differ in {}, and nothing comes of it here: both regions are cut alike.",
            listed(&named)
        ),
        (false, true) => format!(
            "They differ in {}. Both tables have as many entries of each size, in another order.",
            listed(&named)
        ),
        (false, false) => format!("They differ in {}.", listed(&named)),
    }
}

/// "memory", "memory and device", "memory, device and policy".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).into(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn radio(of: Place, present: Place, dispatch: &Dispatch) -> Html {
    let name = words::place(of);
    html! {
        <label>
            <input type="radio" name="place" value={name} checked={of == present} onchange={dispatch.on(Action::Edit(of))} />
            <span>{ name }</span>
        </label>
    }
}

/// What two scenarios differ in, and what comes of it: below the pictures, so that both are seen.
pub(super) fn numbers(upper: &Scene, lower: &Scene) -> Html {
    let differences = edit::differences(&upper.scenario, &lower.scenario);
    let differing = |(name, one, other): &(&'static str, String, String)| {
        html! { <tr class="differs"><th scope="row">{ *name }</th><td>{ one }</td><td>{ other }</td></tr> }
    };
    let row = |name: &'static str, of: fn(&Scene) -> Option<u64>| {
        let cell = |scene: &Scene| of(scene).map_or("none".into(), grouped);
        html! { <tr><th scope="row">{ name }</th><td>{ cell(upper) }</td><td>{ cell(lower) }</td></tr> }
    };
    html! {
        <table class="sides">
            <caption class="unseen">{ "What the two scenarios differ in, and what comes of it" }</caption>
            <thead><tr><td></td><th scope="col">{ "Upper" }</th><th scope="col">{ "Lower" }</th></tr></thead>
            <tbody>
                { for differences.iter().map(differing) }
                { row("entries", |scene| scene.registration().table().ok().map(|table| table.total)) }
                { row("bytes of table", |scene| scene.registration().table().ok().map(|table| table.bytes)) }
                { row("SG entries", |scene| made(scene.index.scatter())) }
                { row("DMA segments", |scene| made(scene.index.dma())) }
                { row("IOMMU entries", |scene| scene.io_entries()) }
            </tbody>
        </table>
    }
}

/// How many boxes a lane has; none where the region is refused before that.
fn made(lane: &Lane) -> Option<u64> {
    Some(lane.count()).filter(|count| *count > 0)
}
