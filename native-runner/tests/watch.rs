//! `umem watch` as scripts call it, on whatever machine this is; `cargo xtask lab watch` watches a real kernel.

mod common;

use std::fs;

use common::{json, run};
use serde_json::json;

#[test]
fn a_folder_that_cannot_be_made_is_a_wrong_argument() {
    let (code, _, err) = run(&["watch", "--count", "0", "--save", "/proc/none"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("--save /proc/none"), "{err}");
}

#[test]
fn where_nothing_can_be_watched_it_says_what_is_missing_as_doctor_does() {
    let report = json(&["doctor", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    let watch = findings
        .iter()
        .find(|finding| finding["name"] == "watch")
        .unwrap();
    let (code, out, err) = run(&["watch", "--count", "0"]);
    match code {
        0 => assert!(out.contains("\"kind\":\"summary\""), "{out}"),
        3 => assert!(
            err.contains("cannot be watched") && err.contains("umem doctor"),
            "{err}"
        ),
        other => panic!("{other}: {err}"),
    }
    assert!(watch["state"] == "ok" || code == 3, "{watch}: {code}");
}

/// A registration as a watch prints it, and the capture that it saved.
fn watched(pages: u64) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("1.json");
    let scenario = json!({
        "version": 1,
        "region": {"length": 8192},
        "memory": {"extents": [["0x100000", 4096], ["0x300000", 4096]]},
        "device": {"page_sizes": ["4K", "2M"], "policy": "single"}
    });
    fs::write(&capture, scenario.to_string()).unwrap();
    let line = json!({
        "kind": "region", "length": 8192, "pages": pages, "scatter": {"count": 2}, "dma": {"count": 2, "first": "0x100000"},
        "sizes": [4096, 2097152], "page_size": 4096, "entries": 2, "model": {"verdict": "equal", "text": ""},
        "saved": {"file": capture}
    });
    let summary = json!({"kind": "summary", "lost": 0, "cut_lists": 0, "differs": 0});
    (folder, format!("{line}\n{summary}\n"))
}

#[test]
fn what_was_watched_is_counted_and_planned() {
    let held = |text: &str, arguments: &[&str]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        run(&[&["vectors", "watched", path], arguments].concat())
    };
    let (_folder, text) = watched(2);
    let (code, out, err) = held(&text, &["--expect", "8192=1", "--saved", "1"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(held(&text, &["--expect", "8192=2"]).0, 1);
    assert_eq!(held(&text, &["--saved", "2"]).0, 1);
    // The kernel built another list than the capture has.
    let (_folder, other) = watched(3);
    let (code, out, _) = held(&other, &[]);
    assert!(
        code == 1 && out.contains("pages: the kernel built 3, the plan has 2"),
        "{out}"
    );
    // Without its summary nobody knows what was lost.
    let cut = text.lines().next().unwrap();
    assert_eq!(held(cut, &[]).0, 1);
    assert_eq!(held("nonsense\n", &[]).0, 2);
}
