//! What the program says of itself: completions and manual pages.

mod common;

use common::run;

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completions", shell]);
        assert_eq!(code, 0);
        for word in ["capture", "doctor", "--mapping"] {
            assert!(
                script.contains(word.trim_start_matches('-')),
                "{shell}: {word}"
            );
        }
    }
    assert_eq!(run(&["completions", "dos"]).0, 2);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let (code, out, err) = run(&["man", pages.to_str().unwrap()]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    for name in [
        "umem",
        "umem-capture",
        "umem-doctor",
        "umem-plan",
        "umem-vectors-record",
    ] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
    }
    assert!(
        !pages.join("umem-vectors-torture.1").exists(),
        "hidden commands have none"
    );
    let (code, page, _) = run(&["man"]);
    assert_eq!(code, 0);
    assert!(
        page.contains(".TH umem 1") && page.contains("capture"),
        "{page}"
    );
}
