//! The address bar: scenarios as fragments, and back.

use std::rc::Rc;
use umem_core::scenario::{
    Scenario,
    presets::{self, PRESETS},
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    link::{self, Asked},
    player::{Motion, Player},
    state::{Action, Origin, State},
};
use yew::Reducible;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn every_preset_survives_the_address_bar() {
    for preset in PRESETS {
        let opened = State::opened(&format!("#{}", link::to_preset(preset)));
        assert_eq!(opened.preset().map(|found| found.name), Some(preset.name));
        let fragment = link::to_scenario(&preset.scenario()).expect("presets are short");
        assert!(
            fragment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"=-_".contains(&b)),
            "{fragment}"
        );
        match link::read(&fragment) {
            Asked::Scenario(scenario) => assert_eq!(*scenario, preset.scenario()),
            other => panic!("{}: {other:?}", preset.name),
        }
    }
}

#[wasm_bindgen_test]
fn the_scenario_wins_over_the_preset() {
    let fragment = link::to_scenario(&PRESETS[3].scenario()).expect("short");
    assert!(matches!(
        link::read(&format!("#preset=mail&{fragment}")),
        Asked::Scenario(_)
    ));
    assert!(matches!(link::read("#preset=mail"), Asked::Preset(preset) if preset.name == "mail"));
    assert!(matches!(link::read(""), Asked::Nothing));
    assert!(matches!(link::read("#elsewhere"), Asked::Nothing));
}

#[wasm_bindgen_test]
fn what_cannot_be_read_is_told_and_the_mail_is_shown() {
    // Not base64url; not JSON; not a scenario; a scenario that is wrong.
    let wrong = [
        "#s=%%%",
        "#s=AAAA",
        "#s=e30",
        "#preset=nothing",
        "#s=eyJ2ZXJzaW9uIjoyfQ",
    ];
    for fragment in wrong {
        let state = State::opened(fragment);
        let notice = state.notice.as_deref().unwrap_or_default();
        assert!(
            notice.contains("This is the mail's example instead."),
            "{fragment}: {notice}"
        );
        assert_eq!(state.preset().map(|preset| preset.name), Some("mail"));
    }
}

#[wasm_bindgen_test]
fn a_name_in_any_script_is_restored_from_its_address() {
    // Of each length modulo 3, which base64 pads, and with letters that base64url writes in its own way.
    for name in ["", "a", "ab", "abc", "Größe ≥ 4K 🦀", "???>>>~~~", "ÿÿÿ¿¾"] {
        let mut scenario = presets::find("mail").unwrap().scenario();
        scenario.name = Some(name.into());
        let fragment = link::to_scenario(&scenario).unwrap();
        let text = fragment.strip_prefix("s=").unwrap();
        let is_url = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        assert!(text.chars().all(is_url), "{fragment}");
        assert!(
            matches!(link::read(&format!("#{fragment}")), Asked::Scenario(read) if *read == scenario)
        );
    }
}

#[wasm_bindgen_test]
fn an_edited_scenario_is_restored_from_its_address() {
    let edited = Rc::new(State::opened("")).reduce(Action::Length("4000K".into()));
    let fragment = edited.fragment.clone().expect("no capture");
    let restored = State::opened(&format!("#{fragment}"));
    assert_eq!(
        restored.here.scene.registration().status(),
        edited.here.scene.registration().status()
    );
    assert_eq!(restored.here.texts, edited.here.texts);
    // The address that the page wrote itself changes nothing.
    let restored = Rc::new(restored);
    assert!(Rc::ptr_eq(
        &restored,
        &restored
            .clone()
            .reduce(Action::Visited(format!("#{fragment}"), None))
    ));
}

#[wasm_bindgen_test]
fn captures_never_reach_the_address() {
    let json = br#"{"version":1,"region":{"length":"8K"},"memory":{"extents":[["0x1000","8K"]]},"device":"mlx5",
        "provenance":{"kernel":"6.1.0","page_size":"4K","time":"2026-11-22T00:00:00Z","rebased":false}}"#;
    let capture = Scenario::from_json(json).expect("a capture");
    let state = Rc::new(State::opened("")).reduce(Action::Load(Box::new(capture), Origin::File));
    assert_eq!(state.fragment, None);
    let state = state.reduce(Action::Length("4K".into()));
    assert_eq!((state.fragment.clone(), state.here.faults.len()), (None, 0));
}

#[wasm_bindgen_test]
fn a_link_holds_what_is_seen_of_a_scene() {
    let state = State::opened("#preset=mail&at=3&lens=4096&see=0,65536");
    assert_eq!(state.player.moment, 3.0);
    assert_eq!(state.player.chosen, Some(4096));
    assert_eq!(state.player.sight, Some((0.0, 65536.0)));
    assert_eq!(
        state.picture().as_deref(),
        Ok("preset=mail&at=3&lens=4096&see=0,65536")
    );
    // A reload shows the same; once somebody looks elsewhere, the address holds the scenario alone.
    assert_eq!(
        state.fragment.as_deref(),
        Some("preset=mail&at=3&lens=4096&see=0,65536")
    );
    let moved = Rc::new(state).reduce(Action::Move(Motion::Step));
    assert_eq!(moved.fragment.as_deref(), Some("preset=mail"));
    // What makes no sense there is as good as not said.
    let state = State::opened("#preset=mail&at=-1e999&lens=99999999&see=5,-4");
    let player = Player::finished(&state.here.scene);
    assert_eq!(
        (state.player.chosen, state.player.sight),
        (None, player.sight)
    );
    let state = State::opened("#preset=mail&at=1e300");
    assert_eq!(state.player.moment, state.here.scene.last());
}
