//! What the page knows, and what its actions do to it.

use std::rc::Rc;
use umem_core::{diagram::LaneName, scenario::Scenario, size::PageSize, table::Policy};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    player::{Motion, Way},
    state::{Action, Field, Origin, State},
};
use yew::Reducible;

wasm_bindgen_test_configure!(run_in_browser);

fn opened(fragment: &str) -> Rc<State> {
    Rc::new(State::opened(fragment))
}

/// The page after all of `actions`.
fn after(state: Rc<State>, actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    actions
        .into_iter()
        .fold(state, |state, action| state.reduce(action))
}

fn status(state: &State) -> String {
    state.here.scene.registration().status()
}

fn size(text: &str) -> PageSize {
    let bytes: umem_core::size::Bytes = text.parse().expect("a size");
    PageSize::new(bytes.0).expect("a power of two")
}

#[wasm_bindgen_test]
fn the_page_opens_with_the_mail_s_example_finished() {
    let state = opened("");
    assert_eq!(status(&state), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
    assert_eq!(state.player.moment, state.here.scene.last());
    assert_eq!(state.preset().map(|preset| preset.name), Some("mail"));
    assert!(!state.player.playing);
}

#[wasm_bindgen_test]
fn play_from_the_end_begins_anew_and_ends_paused() {
    let state = after(opened(""), [Action::Move(Motion::Toggle)]);
    assert_eq!((state.player.playing, state.player.moment), (true, 0.0));
    let state = after(state, (0..2000).map(|_| Action::Move(Motion::Tick(16.0))));
    assert_eq!(
        (state.player.playing, state.player.moment),
        (false, state.here.scene.last())
    );
}

#[wasm_bindgen_test]
fn a_film_never_takes_longer_than_half_a_minute() {
    // One SG entry a page, of two sizes in turn: some ten thousand steps.
    let extents: Vec<String> = (0..5000)
        .map(|i| {
            format!(
                "[\"{:#x}\", \"{}\"]",
                0x1000_0000u64 + i * 0x10000,
                ["4K", "8K"][i as usize % 2]
            )
        })
        .collect();
    let json = format!(
        r#"{{"version":1,"region":{{"length":"16M"}},"memory":{{"extents":[{}]}},"device":{{"page_sizes":["4K","8K"]}}}}"#,
        extents.join(",")
    );
    let scenario = Scenario::from_json(json.as_bytes()).expect("a scenario");
    let state = after(
        opened(""),
        [
            Action::Load(Box::new(scenario), Origin::File),
            Action::Move(Motion::Restart),
            Action::Move(Motion::Toggle),
        ],
    );
    assert!(
        state.here.scene.steps().count() > 8000,
        "{}",
        state.here.scene.steps().count()
    );
    let state = after(
        state,
        (0..30 * 60).map(|_| Action::Move(Motion::Tick(1000.0 / 60.0))),
    );
    assert_eq!(state.player.moment, state.here.scene.last());
}

#[wasm_bindgen_test]
fn steps_are_whole_and_stay_within_the_film() {
    let state = after(
        opened(""),
        [Action::Move(Motion::Restart), Action::Move(Motion::Back)],
    );
    assert_eq!(state.player.moment, 0.0);
    let state = after(
        state,
        [Action::Move(Motion::Step), Action::Move(Motion::Step)],
    );
    assert_eq!(state.player.moment, 2.0);
    let state = after(
        state,
        [
            Action::Move(Motion::Toggle),
            Action::Move(Motion::Tick(50.0)),
            Action::Move(Motion::Back),
        ],
    );
    assert_eq!((state.player.moment, state.player.playing), (2.0, false));
    let state = after(state, [Action::Move(Motion::Seek(usize::MAX))]);
    assert_eq!(state.player.moment, state.here.scene.last());
    let state = after(state, [Action::Move(Motion::Step)]);
    assert_eq!(state.player.moment, state.here.scene.last());
}

#[wasm_bindgen_test]
fn edits_change_the_table_and_the_end_stays_the_end() {
    let state = after(
        opened(""),
        [Action::Offset("0".into()), Action::Length("4m".into())],
    );
    assert_eq!(status(&state), "2 entries: 2 × 2M");
    assert_eq!(state.player.moment, state.here.scene.last());
    assert!(state.preset().is_none());
    let state = after(state, [Action::Policy(Policy::Unaligned)]);
    assert_eq!(status(&state), "1 entry: 1 × 4M");
    let state = after(state, [Action::Device("rxe".into())]);
    assert_eq!(status(&state), "1024 entries: 1024 × 4K");
    let state = after(state, [Action::Preset("mail")]);
    assert_eq!(status(&state), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
}

#[wasm_bindgen_test]
fn who_edits_back_to_a_preset_has_the_preset() {
    let state = after(
        opened(""),
        [Action::Size(size("1M")), Action::Length("4090K".into())],
    );
    assert_eq!(state.preset().map(|preset| preset.name), None);
    let state = after(
        state,
        [Action::Size(size("1M")), Action::Length("4092K".into())],
    );
    assert_eq!(state.preset().map(|preset| preset.name), Some("mail"));
    assert_eq!(state.fragment.as_deref(), Some("preset=mail"));
    // A device whose sizes are those of the catalogue again is that of the catalogue.
    let state = after(
        state,
        [
            Action::Device("mlx5".into()),
            Action::Size(size("2G")),
            Action::Size(size("2G")),
        ],
    );
    assert_eq!(
        state.here.draft.device,
        umem_core::scenario::DeviceSpec::Name("mlx5".into())
    );
}

#[wasm_bindgen_test]
fn what_is_wrong_is_told_beside_its_field_and_the_picture_stays() {
    let wrong = |preset: &str, action: Action, field: Field, words: &str| {
        let start = opened(&format!("#preset={preset}"));
        let state = after(start.clone(), [action]);
        let fault = state
            .fault(field)
            .unwrap_or_else(|| panic!("{field:?} is fine: {:?}", state.here.faults));
        assert!(fault.contains(words), "{field:?}: {fault}");
        assert_eq!(state.here.faults.len(), 1);
        assert!(
            Rc::ptr_eq(&state.here.scene, &start.here.scene),
            "{field:?}"
        );
    };
    let (offset, length) = (
        |text: &str| Action::Offset(text.into()),
        |text: &str| Action::Length(text.into()),
    );
    wrong("mail", offset("4 KB"), Field::Offset, "is not a valid size");
    wrong("mail", offset("16384P"), Field::Offset, "2^64");
    wrong("mail", length("0"), Field::Length, "is 0");
    wrong("mail", length(""), Field::Length, "is not a valid size");
    wrong("mail", length("17T"), Field::Length, "split the region");
    let pages = Action::Pages(size("4K"));
    wrong("ppc64", pages, Field::Memory, "smaller than the kernel's");
    let iommu = Action::Iommu("smmuv3-64k".into());
    wrong("mail", iommu, Field::Iommu, "larger than the kernel's");
}

#[wasm_bindgen_test]
fn the_last_size_cannot_be_switched_off() {
    let one = after(
        opened(""),
        ["1M", "2M"].map(|text| Action::Size(size(text))),
    );
    assert_eq!(status(&one), "1023 entries: 1023 × 4K");
    let none = after(one, [Action::Size(size("4K"))]);
    assert!(
        none.fault(Field::Sizes)
            .is_some_and(|fault| fault.contains("is empty"))
    );
    assert_eq!(status(&none), "1023 entries: 1023 × 4K");
    let other = after(none, [Action::Size(size("4K"))]);
    assert!(other.here.faults.is_empty());
}

#[wasm_bindgen_test]
fn what_was_wrong_and_is_right_again_is_no_longer_told() {
    let state = after(
        opened(""),
        [
            Action::Length("".into()),
            Action::Length("8".into()),
            Action::Length("8M".into()),
        ],
    );
    assert!(state.here.faults.is_empty());
    assert_eq!(status(&state), "260 entries: 256 × 4K + 1 × 1M + 3 × 2M");
    // While one field is wrong, the others still work on what it said before.
    let state = after(
        state,
        [Action::Offset("?".into()), Action::Length("4092K".into())],
    );
    assert_eq!(status(&state), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
    assert_eq!(state.here.faults.len(), 1);
}

#[wasm_bindgen_test]
fn the_iova_is_the_kernel_s_or_an_address() {
    let state = after(opened(""), [Action::Iommu("vt-d".into())]);
    assert_eq!(state.here.texts.iova.as_deref(), Some("kernel"));
    let state = after(state, [Action::Iova("0x80000000".into())]);
    assert!(
        state
            .here
            .scene
            .registration()
            .mapping()
            .is_some_and(|mapping| mapping.start.get() == 0x8000_0000)
    );
    let state = after(state, [Action::Iova("0x80000800".into())]);
    assert!(
        state
            .fault(Field::Iova)
            .is_some_and(|fault| fault.contains("smallest IO page"))
    );
    let state = after(state, [Action::Iova("somewhere".into())]);
    assert!(
        state
            .fault(Field::Iova)
            .is_some_and(|fault| fault.contains("is not a valid address"))
    );
    let state = after(state, [Action::Iova("0x12345678901234567".into())]);
    assert!(
        state
            .fault(Field::Iova)
            .is_some_and(|fault| fault.contains("at most 16 hexadecimal digits"))
    );
    let state = after(state, [Action::Iova("kernel".into())]);
    assert_eq!(
        state.fragment.as_deref().map(|fragment| &fragment[..2]),
        Some("s=")
    );
    assert_eq!(
        state.here.draft.iommu,
        umem_core::scenario::IommuSpec::Name("vt-d".into())
    );
    let state = after(state, [Action::Iommu("off".into())]);
    assert_eq!(
        (state.here.texts.iova.as_deref(), state.fragment.as_deref()),
        (None, Some("preset=mail"))
    );
}

#[wasm_bindgen_test]
fn more_than_a_page_can_work_out_while_one_types_is_refused() {
    let state = after(opened("#preset=scattered"), [Action::Length("1T".into())]);
    assert!(
        state
            .fault(Field::Length)
            .is_some_and(|fault| fault.contains("umem plan"))
    );
    // Contiguous memory of that length is no trouble at all.
    let state = after(
        state,
        [Action::Layout(umem_core::scenario::LayoutName::Contiguous)],
    );
    assert!(state.here.faults.is_empty());
    assert_eq!(state.here.scene.registration().pages(), 1 << 28);
}

#[wasm_bindgen_test]
fn zooming_keeps_the_playhead_in_sight() {
    let zoom = |factor| {
        Action::Move(Motion::Zoom {
            factor,
            x: None,
            width: 900.0,
        })
    };
    let state = after(opened(""), [Action::Move(Motion::Restart), zoom(64.0)]);
    assert_eq!(
        state.player.sight.map(|(_, span)| span),
        Some((4 << 20) as f64 / 64.0)
    );
    let state = after(state, (0..6).map(|_| Action::Move(Motion::Step)));
    let (from, span) = state.player.sight.expect("zoomed");
    assert!(from < (2 << 20) as f64 && from + span > (2 << 20) as f64);
    let state = after(state, [zoom(1.0 / 1024.0)]);
    assert_eq!(state.player.sight, None);
}

#[wasm_bindgen_test]
fn keys_point_at_boxes_as_a_finger_would() {
    let point = |way| Action::Move(Motion::Point(way));
    let state = after(opened(""), [point(Way::Up)]);
    // The entry under the lens comes first: the 1M, 1M in.
    assert_eq!(state.player.pointed, Some((LaneName::Entries, 1 << 20)));
    let state = after(state, [point(Way::After), point(Way::After)]);
    assert_eq!(
        state.player.pointed,
        Some((LaneName::Entries, 2 << 20)),
        "the last stays"
    );
    let frame = after(
        state.clone(),
        [point(Way::Up), point(Way::Up), point(Way::Up)],
    );
    assert_eq!(
        frame.player.pointed.map(|(lane, _)| lane),
        Some(LaneName::Frames)
    );
    let top = after(frame, (0..9).map(|_| point(Way::Up)));
    assert_eq!(
        top.player.pointed.map(|(lane, _)| lane),
        Some(LaneName::Virtual)
    );
    let lens = after(state, [point(Way::Before), Action::Move(Motion::Lens)]);
    assert_eq!(lens.player.chosen, Some(1 << 20));
    let free = after(lens, [Action::Move(Motion::LetGo)]);
    assert_eq!((free.player.pointed, free.player.chosen), (None, None));
}

#[wasm_bindgen_test]
fn the_overview_scrolls_what_is_seen() {
    let (width, zoomed) = (900.0, |factor| {
        Action::Move(Motion::Zoom {
            factor,
            x: Some(0.0),
            width: 900.0,
        })
    });
    let scroll = |x| Action::Move(Motion::Scroll { x, width });
    let state = after(opened(""), [zoomed(8.0), scroll(0.0)]);
    assert_eq!(state.player.sight, Some((0.0, (4 << 20) as f64 / 8.0)));
    let state = after(state, [scroll(width)]);
    let (from, span) = state.player.sight.expect("zoomed");
    assert_eq!(from + span, (4 << 20) as f64);
}

#[wasm_bindgen_test]
fn sizes_are_read_as_documents_write_them() {
    for (text, wanted) in [
        ("4 MiB", "4M"),
        ("4MiB", "4M"),
        ("1 GiB", "1G"),
        (" 64 KiB ", "64K"),
    ] {
        let state = after(opened(""), [Action::Length(text.into())]);
        assert!(
            state.here.faults.is_empty(),
            "{text}: {:?}",
            state.here.faults
        );
        assert_eq!(state.here.draft.region.length.to_string(), wanted);
    }
    for text in ["4 MB", "iB", "4 iB", "MiB"] {
        let state = after(opened(""), [Action::Length(text.into())]);
        assert!(state.fault(Field::Length).is_some(), "{text}");
    }
}

#[wasm_bindgen_test]
fn what_only_json_reaches_is_told_where_json_is() {
    let state = after(opened(""), [Action::Json(r#"{"version":2,"region":{"length":"4K"},"memory":{"layout":"contiguous"},"device":"mlx5"}"#.into())]);
    let fault = state.fault(Field::Json).expect("it is wrong");
    assert!(fault.contains("version 1 only"), "{fault}");
    assert_eq!(state.here.faults.len(), 1);
    // The fields still hold what was right, so the next edit works.
    let state = after(state, [Action::Length("4M".into())]);
    assert!(state.here.faults.is_empty());
}

#[wasm_bindgen_test]
fn what_is_seen_keeps_its_name_while_the_fields_are_wrong() {
    let wrong = r#"{"version":1,"region":{"length":"8K"},"memory":{"page_size":"3K","layout":"contiguous"},"device":"mlx5"}"#;
    for action in [
        Action::Length("abc".into()),
        Action::Length("0".into()),
        Action::Json(wrong.into()),
    ] {
        let state = after(opened("#preset=mail"), [action.clone()]);
        assert!(!state.here.faults.is_empty(), "{action:?}");
        let seen = state.preset().map(|preset| preset.name);
        assert_eq!(seen, Some("mail"), "{action:?}");
        assert_eq!(state.fragment.as_deref(), Some("preset=mail"));
        assert_eq!(state.picture().as_deref(), Ok("preset=mail"));
        let told = state.fault(Field::Json).is_some();
        assert_eq!(told, matches!(action, Action::Json(_)), "{action:?}");
    }
    // A file that is wrong as a whole changes nothing, and says so.
    let scenario = Scenario::from_json(wrong.as_bytes()).expect("JSON");
    let load = Action::Load(Box::new(scenario), Origin::File);
    let state = after(opened("#preset=one-size"), [load]);
    let notice = state.notice.as_deref().unwrap_or_default();
    assert!(notice.contains("page_size"), "{notice}");
    assert!(state.here.faults.is_empty());
    assert_eq!(state.preset().map(|preset| preset.name), Some("one-size"));
    assert_eq!(state.address().stamp.visit, 0);
}
