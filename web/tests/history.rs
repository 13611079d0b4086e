//! The browser's history: each entry leads back to what was seen there.

use std::rc::Rc;
use umem_core::scenario::{DeviceSpec, LayoutName, Scenario};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    edit,
    link::{Beyond, Stamp},
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
    assert_eq!(captured.address().stamp.beyond, Some(Beyond::Capture));
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

/// A capture of so many pieces of 4K.
fn pieces(count: u64) -> Action {
    let extents: Vec<_> = (1..=count)
        .map(|i| format!("[{},\"4K\"]", i * 0x3000))
        .collect();
    let json = format!(
        r#"{{"version":1,"region":{{"length":"{}K"}},"memory":{{"extents":[{}]}},"device":"mlx5",
        "provenance":{{"kernel":"6.1.0","page_size":"4K","time":"2026-11-22T00:00:00Z","rebased":false}}}}"#,
        4 * count,
        extents.join(",")
    );
    let scenario = Scenario::from_json(json.as_bytes()).expect("a capture");
    Action::Load(Box::new(scenario), Origin::File)
}

#[wasm_bindgen_test]
fn each_capture_is_in_the_entry_where_it_was_opened() {
    let one = after(opened("#preset=mail"), [pieces(1)]);
    let three = after(one.clone(), [pieces(3)]);
    let back = after(three.clone(), [back_to(&one)]);
    assert_eq!(
        (&*status(&back), back.notice.clone()),
        ("1 entry: 1 × 4K", None)
    );
    let forward = after(back, [back_to(&three)]);
    assert_eq!(
        (&*status(&forward), forward.notice.clone()),
        ("3 entries: 3 × 4K", None)
    );
}

#[wasm_bindgen_test]
fn of_many_large_captures_the_last_are_kept() {
    let large = 700_000;
    let first = after(opened("#preset=mail"), [pieces(large)]);
    let second = after(first.clone(), [pieces(large + 1)]);
    let back = after(second.clone(), [back_to(&first)]);
    assert!(
        back.notice
            .as_deref()
            .is_some_and(|notice| notice.contains("open its file again"))
    );
    // What is seen in its place is not another capture.
    assert_eq!(back.fragment.as_deref(), Some("preset=mail"));
    let forward = after(back, [back_to(&second)]);
    assert_eq!(forward.notice, None);
}

#[wasm_bindgen_test]
fn what_is_too_long_for_an_address_is_no_capture() {
    let listed: Vec<_> = (1..=2500)
        .map(|i| format!("[{},\"4K\"]", i * 0x3000))
        .collect();
    let json = format!(
        r#"{{"version":1,"region":{{"length":"10000K"}},"memory":{{"extents":[{}]}},"device":"mlx5"}}"#,
        listed.join(",")
    );
    let start = opened("#preset=mail");
    let long = after(
        start.clone(),
        [Action::Preset("one-size"), Action::Json(json)],
    );
    assert_eq!(
        (long.fragment.clone(), long.beyond()),
        (None, Some(Beyond::Long))
    );
    let back = after(long.clone(), [back_to(&start), back_to(&long)]);
    assert_eq!((status(&back), back.notice.clone()), (status(&long), None));
    let reloaded = State::restored("", Some(long.address().stamp));
    let notice = reloaded.notice.as_deref().unwrap_or_default();
    assert!(notice.contains("too long for an address"), "{notice}");
}

#[wasm_bindgen_test]
fn a_source_says_what_it_names_and_what_was_changed() {
    let Action::Load(scenario, _) = capture() else {
        return;
    };
    let awaiting = |fragment: &str| Rc::new(State::opened(fragment).awaiting("cap.json", fragment));
    let load = Action::Load(scenario.clone(), Origin::Source);
    // What the fragment says is to be seen of it.
    let state = after(awaiting("#at=1"), [load.clone()]);
    assert_eq!(state.player.moment, 1.0);
    assert_eq!(
        (state.fragment.as_deref(), state.address().sourced),
        (Some("at=1"), true)
    );
    let moved = after(state, [Action::Move(Motion::Step)]);
    assert_eq!(
        (moved.fragment.as_deref(), moved.address().sourced),
        (None, true)
    );
    let changed = after(moved, [Action::Length("4K".into())]);
    let stamp = changed.address().stamp;
    assert!(stamp.sourced && stamp.changed);
    let reloaded = after(Rc::new(State::restored("", Some(stamp))), [load.clone()]);
    let notice = reloaded.notice.as_deref().unwrap_or_default();
    assert!(notice.contains("What you had changed"), "{notice}");
    assert_eq!(status(&reloaded), "2 entries: 2 × 4K");
    // What comes when nobody waits is for nobody.
    let late = after(opened("#preset=one-size"), [load]);
    assert_eq!(late.preset().map(|preset| preset.name), Some("one-size"));
}

#[wasm_bindgen_test]
fn a_source_that_cannot_be_read_is_tried_again() {
    let failed = Action::NoSource("bad.json: is empty".into());
    let state = after(
        Rc::new(State::opened("").awaiting("bad.json", "")),
        [failed],
    );
    let notice = state.notice.as_deref().unwrap_or_default();
    assert_eq!(
        notice,
        "bad.json: is empty. This is the mail's example instead."
    );
    assert_eq!(
        (state.fragment.clone(), state.address().sourced),
        (None, true)
    );
    assert_eq!(state.picture().as_deref(), Ok("preset=mail"));
    let gone = after(state.clone(), [Action::Preset("one-size")]);
    assert!(!gone.address().sourced);
    let back = after(gone, [back_to(&state)]);
    assert!(back.awaits());
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
    let state = Rc::new(State::opened("").awaiting("cap.json", ""));
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
    for (visit, beyond, sourced, picked) in [
        (0, None, false, None),
        (7, Some(Beyond::Capture), true, None),
        (9, None, true, Some(3)),
        (2, Some(Beyond::Long), false, None),
        (1, Some(Beyond::Listed), true, Some(0)),
    ] {
        let stamp = Stamp {
            visit,
            beyond,
            sourced,
            changed: sourced,
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
