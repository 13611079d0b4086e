//! Two scenarios side by side: what they differ in, and what comes of it.

use super::grouped;
use crate::{
    app::Sends,
    edit,
    scene::Scene,
    state::{Action, Dispatch, Place},
};
use std::rc::Rc;
use umem_core::{
    scenario::{DeviceSpec, IommuSpec, Scenario},
    table::Policy,
};
use yew::prelude::*;

/// What comparing is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The one of the two that the fields edit.
    pub scene: Rc<Scene>,
    /// Which of them the fields edit.
    pub place: Place,
    /// Where presses go.
    pub dispatch: Dispatch,
}

/// A comparison that people ask for: what it is called, and what it does to either scenario.
struct Pairing {
    title: &'static str,
    upper: fn(&mut Scenario),
    lower: fn(&mut Scenario),
}

const PAIRINGS: [Pairing; 4] = [
    Pairing {
        title: "Linux 5.10 and 7.2",
        upper: |scenario| scenario.kernel.rules = "5.10".into(),
        lower: |scenario| scenario.kernel.rules = "7.2".into(),
    },
    Pairing {
        title: "IOMMU off and on",
        upper: |scenario| scenario.iommu = IommuSpec::default(),
        lower: |scenario| scenario.iommu = IommuSpec::Name("vt-d".into()),
    },
    Pairing {
        title: "mlx5 and irdma",
        upper: |scenario| scenario.device = DeviceSpec::Name("mlx5".into()),
        lower: |scenario| scenario.device = DeviceSpec::Name("irdma".into()),
    },
    Pairing {
        title: "Mixed and single",
        upper: |scenario| edit::set_policy(scenario, Policy::Mixed),
        lower: |scenario| edit::set_policy(scenario, Policy::Single),
    },
];

/// What stands above the two pictures.
#[component]
pub fn Compare(props: &Props) -> Html {
    let Props {
        scene,
        place,
        dispatch,
    } = props;
    let pairing = |pairing: &Pairing| {
        let mut pair = ((*scene.scenario).clone(), (*scene.scenario).clone());
        (pairing.upper)(&mut pair.0);
        (pairing.lower)(&mut pair.1);
        html! { <button type="button" onclick={dispatch.on(Action::Pair(Box::new(pair)))}>{ pairing.title }</button> }
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
                    { radio(Place::Upper, *place, dispatch) }
                    { radio(Place::Lower, *place, dispatch) }
                </div>
            </fieldset>
        </section>
    }
}

fn radio(of: Place, present: Place, dispatch: &Dispatch) -> Html {
    let name = title(of);
    html! {
        <label>
            <input type="radio" name="place" value={name} checked={of == present} onchange={dispatch.on(Action::Edit(of))} />
            <span>{ name }</span>
        </label>
    }
}

/// What people call a place.
pub const fn title(place: Place) -> &'static str {
    match place {
        Place::Upper => "Upper",
        Place::Lower => "Lower",
    }
}

/// What two scenarios differ in, and what comes of it: below the pictures, so that both are seen.
pub fn numbers(upper: &Scene, lower: &Scene) -> Html {
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
                if differences.is_empty() {
                    <tr><td colspan="3" class="note">{ "Both are the same so far: change one of them with the fields." }</td></tr>
                }
                { row("entries", |scene| scene.registration.table.as_ref().ok().map(|table| table.total)) }
                { row("bytes of table", |scene| scene.registration.table.as_ref().ok().map(|table| table.bytes)) }
                { row("SG entries", |scene| Some(scene.registration.scatter_count)) }
                { row("DMA segments", |scene| scene.registration.dma_count.as_ref().ok().copied()) }
                { row("IOMMU entries", |scene| scene.io_entries()) }
            </tbody>
        </table>
    }
}
