//! The browser's history: each entry leads back to what was seen there.

use std::rc::Rc;
use umem_core::scenario::{DeviceSpec, LayoutName, Scenario};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    edit,
    link::Stamp,
    player::Motion,
    state::{Action, Origin, State},
    story::Story,
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

fn capture() -> Action {
    let json = br#"{"version":1,"name":"kv","region":{"length":"8K"},"memory":{"extents":[["0x1000","4K"],["0x5000","4K"]]},
        "device":"mlx5","provenance":{"kernel":"6.1.0","page_size":"4K","time":"2026-11-22T00:00:00Z","rebased":false}}"#;
    let scenario = Scenario::from_json(json).expect("a capture");
    Action::Load(Box::new(scenario), Origin::File)
}

/// What the browser tells when it goes to where `state` was seen.
fn back_to(state: &State) -> Action {
    let fragment = state.fragment.as_deref().unwrap_or_default();
    let written = state.address().stamp.to_string();
    Action::Visited(format!("#{fragment}"), written.parse().ok())
}

fn status(state: &State) -> String {
    state.here.scene.registration().status()
}

#[wasm_bindgen_test]
fn what_the_browser_went_to_is_not_gone_to_again() {
    let start = opened("#preset=mail");
    let gone = after(start.clone(), [Action::Preset("one-size")]);
    assert_eq!(gone.address().stamp.visit, 1);
    // A link that somebody follows within the page is an entry which the browser made.
    let linked = after(
        gone,
        [Action::Visited("#preset=scattered&at=3".into(), None)],
    );
    assert_eq!(linked.address().stamp.visit, 2);
    assert_eq!(linked.fragment.as_deref(), Some("preset=scattered&at=3"));
    let back = after(linked, [back_to(&start)]);
    assert_eq!(
        (back.address().stamp.visit, status(&back)),
        (0, status(&start))
    );
}

#[wasm_bindgen_test]
fn a_capture_is_there_again_as_long_as_it_is_in_memory() {
    let start = opened("#preset=mail");
    let captured = after(start.clone(), [capture()]);
    assert!(captured.address().stamp.capture);
    let back = after(captured.clone(), [back_to(&start)]);
    assert_eq!(status(&back), status(&start));
    let forward = after(back.clone(), [back_to(&captured)]);
    assert_eq!(status(&forward), "2 entries: 2 × 4K");
    assert_eq!(
        (forward.fragment.clone(), forward.notice.clone()),
        (None, None)
    );
    // Whoever goes elsewhere instead has left it behind.
    let elsewhere = after(back, [Action::Preset("scattered"), back_to(&captured)]);
    assert!(
        elsewhere
            .notice
            .as_deref()
            .is_some_and(|notice| notice.contains("open its file again"))
    );
    let reloaded = State::restored("", Some(captured.address().stamp));
    assert!(
        reloaded
            .notice
            .is_some_and(|notice| notice.contains("open its file again"))
    );
}

#[wasm_bindgen_test]
fn memory_that_nobody_captured_is_no_capture() {
    let state = after(
        opened(""),
        [capture(), Action::Layout(LayoutName::Contiguous)],
    );
    assert_eq!(state.here.draft.provenance, None);
    assert!(
        state
            .fragment
            .as_deref()
            .is_some_and(|fragment| fragment.starts_with("s="))
    );
}

#[wasm_bindgen_test]
fn an_answer_is_still_there_when_the_reader_comes_back() {
    let story = Story::from_json(include_str!("../../static/story.json")).expect("the story");
    let told = after(opened("#story=4"), [Action::Told(Rc::new(story.clone()))]);
    let answered = after(told, [Action::Predict(2)]);
    assert_eq!(answered.address().stamp.picked, Some(2));
    let tried = after(
        answered.clone(),
        [Action::Set(Box::new(
            story.chapters[3].tries[0].scene.clone(),
        ))],
    );
    assert_eq!(
        tried.address().stamp.visit,
        answered.address().stamp.visit + 1
    );
    let back = after(tried, [back_to(&answered)]);
    let picked = |state: &State| state.tour.as_ref().and_then(|tour| tour.picked);
    assert_eq!((picked(&back), back.veiled()), (Some(2), false));
    assert_eq!(
        back.player.moment,
        back.here.scene.last(),
        "as it was when it had played"
    );
    // So it is after a reload.
    let again = Rc::new(State::restored("#story=4", Some(answered.address().stamp)));
    let again = after(again, [Action::Told(Rc::new(story))]);
    assert_eq!(picked(&again), Some(2));
}

#[wasm_bindgen_test]
fn what_a_source_names_is_awaited() {
    let state = Rc::new(State::opened("").awaiting("cap.json"));
    let address = state.address();
    assert_eq!((address.fragment, address.sourced), (None, true));
    assert!(state.loading.is_some());
    let Action::Load(scenario, _) = capture() else {
        return;
    };
    let state = after(state, [Action::Load(scenario, Origin::Source)]);
    assert_eq!(
        (state.loading.clone(), state.address().sourced),
        (None, true)
    );
    let state = after(state, [Action::Preset("mail"), Action::Move(Motion::Step)]);
    assert_eq!(
        (state.fragment.as_deref(), state.address().sourced),
        (Some("preset=mail"), false)
    );
}

#[wasm_bindgen_test]
fn stamps_are_read_as_they_are_written() {
    for (visit, capture, picked) in [
        (0, false, None),
        (7, true, None),
        (9, false, Some(3)),
        (1, true, Some(0)),
    ] {
        let stamp = Stamp {
            visit,
            capture,
            sourced: capture,
            picked,
        };
        assert_eq!(stamp.to_string().parse(), Ok(stamp));
    }
    for text in ["", "x", "1 2", "1 picked", "1 capture now", "-1"] {
        assert_eq!(text.parse::<Stamp>(), Err(()), "{text}");
    }
}

#[wasm_bindgen_test]
fn what_somebody_chose_is_no_longer_assumed_of_a_capture() {
    let json = r#"{"version":1,"region":{"length":"4K"},"memory":{"extents":[["0x1000",4096]]},"device":"mlx5",
        "provenance":{"kernel":"6.1.0","page_size":"4K","time":"t","rebased":false,
        "assumed":{"device":"the device is mlx5","iommu":"there is no IOMMU","rules":"the newest"}}}"#;
    let before = Scenario::from_json(json.as_bytes()).unwrap();
    let mut after = before.clone();
    after.device = DeviceSpec::Name("efa".into());
    edit::assume_less(&mut after, &before);
    let assumed = after.provenance.unwrap().assumed;
    assert_eq!(
        (
            assumed.device,
            assumed.iommu.is_some(),
            assumed.rules.is_some()
        ),
        (None, true, true)
    );
}
