//! Files, and what is kept and sent.

use std::rc::Rc;
use umem_core::scenario::{Asked, presets};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{file, scene::Scene, share};

wasm_bindgen_test_configure!(run_in_browser);

fn file_of(bytes: &[u8]) -> web_sys::File {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let file = web_sys::File::new_with_u8_array_sequence(&parts, "a.json").expect("a file");
    file.unchecked_into()
}

async fn problem(bytes: &[u8]) -> String {
    file::opened(&file_of(bytes)).await.expect_err("is wrong")
}

#[wasm_bindgen_test]
async fn what_cannot_be_read_gets_a_sentence() {
    for (bytes, words) in [
        (&b""[..], "is empty"),
        (b"PK\x03\x04", "is no scenario"),
        (b"{", "EOF"),
        (b"{\"version\": 1, \"colour\": 2}", "unknown field `colour`"),
        (b"\x1f\x8b\x08\x00\x00", "damaged or cut short"),
        (&[b'['; 100_000], "is no scenario"),
        (&[b'{', b'"', b'a', b'"', b':', b'[', b'[', b'['].repeat(40_000), "a[0][0][0].a[0][0][0]…: recursion limit exceeded"),
        (b"{\"version\":1,\"region\":{\"length\":0},\"memory\":{\"layout\":\"contiguous\"},\"device\":\"mlx5\"}", "is 0"),
    ] {
        let said = problem(bytes).await;
        assert!(said.contains(words), "{said}");
    }
}

#[wasm_bindgen_test]
async fn a_scenario_is_read() {
    let mail = presets::PRESETS[0].scenario();
    let read = file::opened(&file_of(mail.to_json().as_bytes())).await;
    assert_eq!(read.ok(), Some(Asked::Scenario(Box::new(mail))));
}

#[wasm_bindgen_test]
fn commands_and_snippets_hold_the_scenario() {
    let preset = &presets::PRESETS[0];
    let mut scenario = preset.scenario();
    assert_eq!(
        share::command(&scenario, Some(preset)),
        "umem plan --preset mail --why"
    );
    scenario.name = Some("it's \"5 < 6\"\nSCENARIO".into());
    let command = share::command(&scenario, None);
    let lines: Vec<_> = command.lines().collect();
    assert_eq!(
        (lines.len(), lines[0], lines[2]),
        (3, "umem plan - --why <<'SCENARIO'", "SCENARIO")
    );
    let scene = Rc::new(Scene::new(&Rc::new(scenario)).expect("a scene"));
    let embed = share::embed(&scene, None);
    assert!(embed.contains("it's \\&quot;5 &lt; 6\\&quot;"), "{embed}");
    assert!(
        embed.contains("alt=\"257 entries: 255 × 4K + 1 × 1M + 1 × 2M\""),
        "{embed}"
    );
    // The chapter on embedding demands a size, and its policy forbids inline styles.
    assert!(embed.contains("width=\"1152\" height=\""), "{embed}");
    assert!(!embed.contains("style="), "{embed}");
}
