//! Two scenarios, one above the other.

use std::rc::Rc;
use umem_core::scenario::{Scenario, presets};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    edit,
    player::Motion,
    state::{Action, Place, State},
};
use yew::Reducible;

wasm_bindgen_test_configure!(run_in_browser);

fn after(state: Rc<State>, actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    actions
        .into_iter()
        .fold(state, |state, action| state.reduce(action))
}

fn opened(fragment: &str) -> Rc<State> {
    Rc::new(State::opened(fragment))
}

fn statuses(state: &State) -> [String; 2] {
    let (upper, lower) = state.scenes();
    let lower = lower.expect("two of them");
    [upper, lower].map(|scene| scene.registration().status())
}

#[wasm_bindgen_test]
fn the_copy_is_changed_and_the_original_stays() {
    let state = after(
        opened("#preset=one-size"),
        [Action::Compare(true), Action::Iommu("vt-d".into())],
    );
    let two = ["2 entries: 2 × 2M", "1023 entries: 1023 × 4K"];
    assert_eq!(statuses(&state), two);
    assert_eq!(state.place, Place::Lower);
    let state = after(state, [Action::Edit(Place::Upper)]);
    assert_eq!(statuses(&state), two);
    let one = after(state, [Action::Compare(false)]);
    assert_eq!(one.fragment.as_deref(), Some("preset=one-size"));
}

#[wasm_bindgen_test]
fn both_are_in_the_address() {
    let state = after(
        opened("#preset=one-size"),
        [Action::Compare(true), Action::Kernel("5.10".into())],
    );
    let fragment = state.fragment.clone().expect("a fragment");
    assert!(fragment.starts_with("preset=one-size&with="), "{fragment}");
    let again = opened(&format!("#{fragment}"));
    assert_eq!(statuses(&again), statuses(&state));
    let (_, lower) = again.scenes();
    assert_eq!(
        lower.map(|scene| scene.scenario.kernel.rules.clone()),
        Some("5.10".into())
    );
    let presets = opened("#preset=one-size&with-preset=one-size-iommu");
    assert_eq!(
        statuses(&presets),
        ["2 entries: 2 × 2M", "1023 entries: 1023 × 4K"]
    );
    let unreadable = opened("#preset=mail&with=nonsense!");
    assert!(unreadable.there.is_none() && unreadable.notice.is_some());
}

#[wasm_bindgen_test]
fn both_playheads_are_at_the_same_place_of_the_region() {
    let state = after(
        opened("#preset=mail&with-preset=one-size-iommu"),
        [
            Action::Move(Motion::Restart),
            Action::Move(Motion::Step),
            Action::Move(Motion::Step),
            Action::Move(Motion::Step),
            Action::Move(Motion::Step),
        ],
    );
    let (upper, lower) = state.scenes();
    let lower = lower.expect("two of them");
    for step in 0..=upper.steps().count() {
        let state = after(state.clone(), [Action::Move(Motion::Seek(step))]);
        let at = |scene: &Rc<web::scene::Scene>| {
            let moment = scene.steps().moment(state.moment_in(scene));
            moment
                .step
                .zip(moment.at())
                .map(|(step, at)| (step.stage, at.round() as i64))
        };
        assert_eq!(at(&upper), at(&lower), "at step {step}");
    }
}

#[wasm_bindgen_test]
fn what_two_scenarios_differ_in_is_named() {
    let preset = |name| {
        presets::find(name)
            .map(presets::Preset::scenario)
            .expect("a preset")
    };
    let names = |one: &Scenario, other: &Scenario| {
        edit::differences(one, other)
            .into_iter()
            .map(|(name, ..)| name)
            .collect::<Vec<_>>()
    };
    assert!(names(&preset("mail"), &preset("mail")).is_empty());
    assert_eq!(
        names(&preset("mail"), &preset("one-size-iommu")),
        ["IOMMU", "policy"]
    );
    assert_eq!(names(&preset("mail"), &preset("scattered")), ["memory"]);
}

#[wasm_bindgen_test]
fn the_address_says_which_of_the_two_the_fields_edit() {
    let state = after(
        opened("#preset=one-size"),
        [Action::Compare(true), Action::Iommu("vt-d".into())],
    );
    let fragment = state.fragment.clone().expect("a fragment");
    assert!(fragment.ends_with("&edit=lower"), "{fragment}");
    let again = opened(&format!("#{fragment}"));
    assert_eq!(again.place, Place::Lower);
    assert_eq!(again.here.draft, state.here.draft);
    assert_eq!(statuses(&again), statuses(&state));
    assert_eq!(again.fragment, state.fragment);
    let upper = after(again, [Action::Edit(Place::Upper)]);
    assert_eq!(
        upper.fragment.as_deref(),
        fragment.strip_suffix("&edit=lower")
    );
    // Where there is one alone, there is no other to be edited.
    let alone = opened("#preset=one-size&edit=lower");
    assert_eq!((alone.place, alone.there.is_some()), (Place::Upper, false));
}
