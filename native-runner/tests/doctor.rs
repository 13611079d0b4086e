//! `umem doctor`, on whatever machine this is.

mod common;

use common::{json, run};

#[test]
fn every_line_is_ok_or_names_the_way_out() {
    let report = json(&["doctor", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    for finding in findings {
        let name = finding["name"].as_str().unwrap();
        let keys: &[&str] = match finding["state"].as_str().unwrap() {
            "ok" => &["detail"],
            "lacking" => &["what", "prevents", "way_out"],
            other => panic!("{name}: {other}"),
        };
        for key in keys {
            assert!(!finding[key].as_str().unwrap().is_empty(), "{name}: {key}");
        }
    }
    let names: Vec<&str> = findings
        .iter()
        .map(|finding| finding["name"].as_str().unwrap())
        .collect();
    for name in [
        "kernel",
        "module ib_uverbs",
        "verbs",
        "memlock",
        "frame numbers",
        "huge pages of 2M",
        "IOMMU",
        "BTF",
        "probe",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    // What takes nothing can be done everywhere.
    assert_eq!(report["abilities"][0]["needs"], serde_json::json!([]));

    let lacking = findings
        .iter()
        .filter(|finding| finding["state"] == "lacking")
        .count();
    let (code, table, err) = run(&["doctor"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let begins = |word: &str| table.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!(begins("LACKING"), lacking, "{table}");
    assert_eq!(begins("OK"), findings.len() - lacking);
    assert_eq!(table.matches("way out: ").count(), lacking);
    assert!(
        table.contains("what can be done here\nyes      umem plan"),
        "{table}"
    );
    let strict = run(&["doctor", "--strict"]);
    assert_eq!(
        (strict.0, strict.1),
        (if lacking > 0 { 3 } else { 0 }, table)
    );
}
