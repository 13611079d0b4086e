//! Public reports: the address asks for one by name, and holds it as long as it is what is seen.

use std::rc::Rc;
use umem_core::{advice::advice, diagram::LaneName, scenario::Asked};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    case::Case,
    edit, link,
    player::Motion,
    state::{Action, State},
};
use yew::Reducible;

wasm_bindgen_test_configure!(run_in_browser);

const SCENARIO: &str = r#"{"version":1,"region":{"length":"8M"},"memory":{"page_size":"2M","layout":"contiguous"},"iommu":"vt-d","device":"efa"}"#;
const SET: &str = r#"{"version":1,"device":"efa","registrations":[
    {"region":{"length":"8M"},"memory":{"page_size":"2M","layout":"contiguous"}},
    {"region":{"length":"4M"},"memory":{"page_size":"4K","layout":"scattered"}}]}"#;

/// The page for which `json` came as the question of `fragment`.
fn opened(fragment: &str, json: &str) -> Rc<State> {
    let state = State::opened(fragment);
    let wanted = state.wanted.clone().expect("it waits for the report");
    let (name, number) = link::question(&wanted).expect("a question");
    let case = Case {
        fragment: link::to_question(name, number),
        title: "It fails".into(),
        question: "as reported".into(),
        asked: edit::read(json).expect("right"),
    };
    Rc::new(state).reduce(Action::Case(wanted, Ok(Rc::new(case))))
}

#[wasm_bindgen_test]
fn the_address_asks_for_a_question_of_a_report() {
    assert_eq!(link::question("#case=efa-95g"), Some(("efa-95g", 1)));
    assert_eq!(link::question("case=x&question=3"), Some(("x", 3)));
    assert_eq!(link::question("case=x&question=many"), Some(("x", 0)));
    assert_eq!(link::question("preset=mail"), None);
    assert_eq!(link::to_question("x", 1), "case=x");
    assert_eq!(link::to_question("x", 2), "case=x&question=2");
    assert!(link::asks("case=x"));
}

#[wasm_bindgen_test]
fn while_it_is_on_its_way_the_address_stays() {
    let state = State::opened("#case=x&question=2");
    assert_eq!(state.fragment.as_deref(), Some("case=x&question=2"));
    assert!(state.loading.is_some());
    // What comes too late is for nobody.
    let preset = Rc::new(state).reduce(Action::Preset("mail"));
    let late = preset
        .clone()
        .reduce(Action::Case("case=x&question=2".into(), Err("gone".into())));
    assert_eq!(late.fragment.as_deref(), Some("preset=mail"));
    assert_eq!(late.notice, None);
}

#[wasm_bindgen_test]
fn what_cannot_be_loaded_stays_in_the_address_until_something_else_is_seen() {
    let away = || Action::Away("there is no network".into());
    for fragment in ["#case=x&question=2", "#story=3"] {
        let state = Rc::new(State::opened(fragment)).reduce(away());
        assert_eq!(state.fragment.as_deref(), fragment.strip_prefix('#'));
        assert!(state.loading.is_none() && state.tour.is_none() && state.wanted.is_none());
        let notice = state.notice.clone().expect("it is told");
        assert!(notice.contains("there is no network"), "{notice}");
        // What is shared is what is seen.
        assert_eq!(state.picture().as_deref(), Ok("preset=mail"));
        let read = state.clone().reduce(Action::Dismiss);
        assert_eq!(read.fragment, state.fragment);
        let edited = state.reduce(Action::Length("8M".into()));
        assert!(
            edited
                .fragment
                .as_deref()
                .is_some_and(|fragment| fragment.starts_with("s="))
        );
    }
    let preset = Rc::new(State::opened("#preset=scattered"));
    assert_eq!(preset.clone().reduce(away()), preset, "nobody waits for it");
}

#[wasm_bindgen_test]
fn what_was_seen_stays_where_a_question_is_too_large() {
    let json = r#"{"version":1,"region":{"length":"1T"},"memory":{"layout":"scattered"},"iommu":"vt-d","device":"mlx5"}"#;
    let state = opened("#case=x", json);
    assert_eq!(state.fragment.as_deref(), Some("preset=mail"));
    assert_eq!(state.preset().map(|preset| preset.name), Some("mail"));
    let notice = state.notice.as_deref().expect("it is told");
    assert!(
        notice.starts_with("\"It fails\" (as reported) cannot be shown here"),
        "{notice}"
    );
    // Without an IOMMU the pages need not be walked.
    let state = opened("#case=x", &json.replace(r#""iommu":"vt-d","#, ""));
    assert_eq!(state.here.status(), "268435456 entries: 268435456 × 4K");
    assert_eq!(state.fragment.as_deref(), Some("case=x"));
}

#[wasm_bindgen_test]
fn an_edit_makes_it_the_readers_own_and_undoing_that_the_report_again() {
    let state = opened("#case=x", SCENARIO);
    assert_eq!(state.fragment.as_deref(), Some("case=x"));
    assert_eq!(state.loading, None);
    let case = state.here.case().expect("a report");
    assert_eq!((&*case.title, &*case.question), ("It fails", "as reported"));
    assert!(
        state.here.status().contains(" × "),
        "{}",
        state.here.status()
    );
    let edited = state.reduce(Action::Length("4M".into()));
    assert!(
        edited
            .fragment
            .as_deref()
            .is_some_and(|fragment| fragment.starts_with("s="))
    );
    assert_eq!(edited.here.case(), None);
    let undone = edited.reduce(Action::Length("8M".into()));
    assert_eq!(undone.fragment.as_deref(), Some("case=x"));
}

#[wasm_bindgen_test]
fn a_set_names_the_registration_only_where_another_is_seen() {
    let state = opened("#case=x&question=2", SET);
    assert!(matches!(
        state.here.case().map(|case| &case.asked),
        Some(Asked::Set(_))
    ));
    assert_eq!(state.fragment.as_deref(), Some("case=x&question=2"));
    let other = state.reduce(Action::Registration(1));
    assert_eq!(
        other.fragment.as_deref(),
        Some("case=x&question=2&region=2")
    );
    let again = opened("#case=x&question=2&region=2", SET);
    assert_eq!(again.here.many.as_ref().map(|many| many.seen), Some(1));
    assert_eq!(again.fragment, other.fragment);
    let edited = again.reduce(Action::Length("1M".into()));
    assert!(
        edited
            .fragment
            .as_deref()
            .is_some_and(|fragment| fragment.starts_with("s="))
    );
}

#[wasm_bindgen_test]
fn what_is_compared_with_a_report_is_the_readers_own() {
    let state = opened("#case=x", SCENARIO).reduce(Action::Compare(true));
    let fragment = state.fragment.clone().expect("an address");
    assert!(fragment.starts_with("case=x&with="), "{fragment}");
    let again = opened(&fragment, SCENARIO);
    assert!(again.there.is_some());
    assert_eq!(again.fragment.as_deref(), Some(&*fragment));
}

#[wasm_bindgen_test]
fn a_report_that_there_is_not_gets_a_message_and_the_mails_example() {
    let state = Rc::new(State::opened("#case=nothing"));
    let state = state.reduce(Action::Case(
        "case=nothing".into(),
        Err("there is none".into()),
    ));
    assert_eq!(state.fragment.as_deref(), Some("preset=mail"));
    let notice = state.notice.as_deref().unwrap_or_default();
    assert!(
        notice.contains("there is none") && notice.ends_with("mail's example instead."),
        "{notice}"
    );
}

#[wasm_bindgen_test]
fn a_link_keeps_the_moment_of_a_report_and_the_iommus_lane() {
    let state = opened("#case=x&at=2&lane=iommu", SCENARIO);
    assert_eq!(state.player.moment, 2.0);
    assert!(state.player.lanes.contains(LaneName::Iommu));
    assert_eq!(state.picture().as_deref(), Ok("case=x&at=2&lane=iommu"));
    // The lane stays from scene to scene; where there is no IOMMU, it is not seen.
    let mail = state.reduce(Action::Preset("mail"));
    let seen = |state: &State| state.player.view(&state.here.scene, 900.0).lanes;
    assert!(!seen(&mail).contains(LaneName::Iommu));
    let mapped = mail.reduce(Action::Preset("mail-iommu"));
    assert!(seen(&mapped).contains(LaneName::Iommu));
    let off = mapped.reduce(Action::Move(Motion::Iommu));
    assert!(!seen(&off).contains(LaneName::Iommu));
}

#[wasm_bindgen_test]
fn undoing_a_piece_of_advice_leads_back_to_the_report() {
    let state = opened(
        "#case=x",
        r#"{"version":1,"region":{"length":"8M"},"memory":{"layout":"scattered"},"device":"efa"}"#,
    );
    let advice = Rc::new(
        advice(state.here.scene.registration())
            .into_iter()
            .find(|advice| advice.scenarios.len() == 1)
            .expect("something helps"),
    );
    let tried = state.clone().reduce(Action::Apply(advice));
    assert_eq!(tried.here.case(), None);
    let undone = tried.reduce(Action::Undo);
    assert_eq!(undone.fragment.as_deref(), Some("case=x"));
    assert_eq!(undone.here.case(), state.here.case());
}

#[wasm_bindgen_test]
fn who_asks_again_for_a_report_gets_it_again() {
    let state = opened("#case=x", SCENARIO);
    let wrong = state.clone().reduce(Action::Length("abc".into()));
    // What is seen is still the report, and so says the page.
    assert!(wrong.here.case().is_some());
    let stamp = wrong.address().stamp;
    let again = wrong.reduce(Action::Visited("#case=x".into(), Some(stamp.clone())));
    assert_eq!(again.wanted.as_deref(), Some("case=x"));
    let same = state
        .clone()
        .reduce(Action::Visited("#case=x".into(), Some(stamp)));
    assert!(Rc::ptr_eq(&same, &state), "nothing is to be done");
}
