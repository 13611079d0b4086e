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
        "watch",
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

/// The limit is that of the process, not of the program that asks.
#[test]
fn another_process_has_its_own_limits() {
    let mut child = std::process::Command::new("sh")
        .args(["-c", "ulimit -l 48 && echo ready && exec sleep 60"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Not before the limit is set.
    let mut ready = [0; 5];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let pid = child.id().to_string();
    let report = json(&["doctor", "--format", "json", "--pid", &pid]);
    let own = json(&["doctor", "--format", "json"]);
    child.kill().unwrap();
    child.wait().unwrap();
    let find = |report: &serde_json::Value, name: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings
            .iter()
            .find(|finding| finding["name"] == name)
            .map(ToString::to_string)
    };
    let memlock = find(&report, "memlock").unwrap();
    assert!(memlock.contains("48K"), "{memlock}");
    assert!(!find(&own, "memlock").unwrap().contains("48K"));
    let namespaces = find(&report, "namespaces").unwrap();
    assert!(namespaces.contains("those of this program"), "{namespaces}");
    assert_eq!(find(&own, "namespaces"), None);
}

#[test]
fn a_process_that_is_not_there_is_wrong_usage() {
    let (code, out, err) = run(&["doctor", "--pid", "4194305"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err, "umem: --pid 4194305: there is no such process\n");
}

/// No advice opens a device to everyone, or changes a port.
#[test]
fn advice_is_safe_to_follow() {
    let report = json(&["doctor", "--format", "json"]);
    for finding in report["findings"].as_array().unwrap() {
        let advice = finding["way_out"].as_str().unwrap_or_default();
        for dangerous in ["chmod", "a+rw", "0666", "netdev eth", "netdev en", "opensm"] {
            assert!(!advice.contains(dangerous), "{dangerous}: {finding}");
        }
    }
}
