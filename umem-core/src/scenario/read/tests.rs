//! What is read and written beside what serde derives, its slow twin.

use super::super::{Scenario, ScenarioError, set::Set, write::quoted};
use crate::testing::{plain, without_place};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Scenarios that have every field and every form of each.
fn whole() -> [Value; 2] {
    [
        json!({
            "version": 1,
            "name": "everything",
            "region": { "va": "0x7f0000000000", "offset": "4K", "length": 4096, "hca_address": 0 },
            "memory": { "page_size": "4K", "layout": "scattered", "start": "0x1000", "seed": 7, "length": "1M" },
            "kernel": { "page_size": 4096, "rules": "6.15", "release": "6.12.117" },
            "iommu": {
                "name": "vt-d", "page_sizes": ["4K", "2M"], "iova": "0x1000", "segment_boundary": "4G", "address_bits": 39
            },
            "device": {
                "name": "mlx5", "page_sizes": ["4K"], "policy": "single", "edges": "overhang", "max_segment": "1M", "max_length": "1G",
                "max_entries": 7, "max_total_entries": 9, "entry_bytes": 16
            },
            "process": { "access": [
                "local-write", "remote-write", "remote-read", "remote-atomic", "mw-bind", "zero-based", "on-demand", "hugetlb",
                "flush-global", "flush-persistent", "relaxed-ordering"
            ] },
        }),
        json!({
            "version": 1,
            "region": { "length": "4K" },
            "memory": { "layout": "descending" },
            "iommu": { "iova": "congruent" },
            "device": { "policy": "unaligned", "edges": "exact" },
            "provenance": {
                "kernel": "6.1", "page_size": "4K", "device": "rxe0", "iommu_mode": "off", "time": "t", "rebased": true,
                "asked": { "start": "0x1000", "length": 1 },
                "left_out": { "absent": 1, "swapped": 2, "elsewhere": 3, "unread": 4 },
                "moves_when_registered": { "zero": 1, "shared": 2, "movable": 3 },
                "refused_when_registered": { "pages": 1, "errno": "EFAULT", "text": "read-only" },
                "pinned": "4K", "moved": { "looked": 2, "moved": 1 },
                "assumed": { "device": "d", "iommu": "i", "rules": "r" },
            },
        }),
    ]
}

/// Every value in `json`, by its path.
fn places(json: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.into());
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                self::places(value, &format!("{at}/{key}"), places);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                self::places(item, &format!("{at}/{i}"), places);
            }
        }
        _ => {}
    }
}

fn paths(json: &Value) -> Vec<String> {
    let mut all = Vec::new();
    places(json, "", &mut all);
    all
}

/// Holds what is read of `text` against serde: the same scenario, which is written as the same text; or the same words about what is
/// wrong.
fn compare(text: &str) {
    let ours: Result<Scenario, ScenarioError> = Scenario::from_json(text.as_bytes());
    match (ours, serde_json::from_str::<Scenario>(text)) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours, theirs, "{text}");
            assert_eq!(ours.to_json(), serde_json::to_string(&theirs).unwrap());
        }
        (Err(ours), Err(theirs)) => {
            let (ours, theirs) = (ours.problem().to_string(), without_place(&theirs));
            // serde_json takes an object for a variant with something in it.
            if ours.ends_with("must be a name") && !theirs.starts_with("invalid type") {
                return;
            }
            assert_eq!(ours, plain(&theirs), "{text}");
        }
        (ours, theirs) => panic!("{text}: {ours:?}, but {theirs:?}"),
    }
}

#[test]
fn every_field_is_read() {
    for scenario in whole() {
        compare(&scenario.to_string());
        assert!(Scenario::from_json(scenario.to_string().as_bytes()).is_ok());
        // Nothing that stands in a scenario is lost.
        let read = Scenario::from_json(scenario.to_string().as_bytes()).unwrap();
        assert_eq!(
            Scenario::from_json(read.to_json().as_bytes()).unwrap(),
            read
        );
    }
}

#[test]
fn whatever_is_left_out_is_said_or_has_a_default() {
    for scenario in whole() {
        for path in paths(&scenario) {
            let Some((parent, key)) = path.rsplit_once('/') else {
                continue;
            };
            let mut less = scenario.clone();
            if let Some(fields) = less.pointer_mut(parent).and_then(Value::as_object_mut) {
                fields.remove(key);
                compare(&less.to_string());
            }
        }
    }
}

#[test]
fn a_value_of_another_type_is_said_as_serde_says_it() {
    let others = [
        json!(null),
        json!(true),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!("x"),
        json!("0x"),
        json!("4K"),
        json!("kernel"),
        json!({}),
        json!({ "x": 1 }),
    ];
    for scenario in whole() {
        for path in paths(&scenario) {
            for other in &others {
                let mut changed = scenario.clone();
                *changed.pointer_mut(&path).unwrap() = other.clone();
                compare(&changed.to_string());
            }
        }
    }
}

#[test]
fn a_field_that_is_unknown_or_there_twice_is_said() {
    for scenario in whole() {
        for path in paths(&scenario) {
            let mut more = scenario.clone();
            if let Some(fields) = more.pointer_mut(&path).and_then(Value::as_object_mut) {
                fields.insert("zzz".into(), json!(1));
                compare(&more.to_string());
            }
        }
    }
    for text in [
        r#"{"version":1,"version":1}"#,
        r#"{"version":1,"region":{"length":1,"length":2}}"#,
    ] {
        compare(text);
    }
}

#[test]
fn a_set_is_written_as_serde_writes_it() {
    let sets = [
        json!({"version": 1, "device": "rxe", "registrations": []}),
        json!({"version": 1, "name": "two", "kernel": {"release": "6.1"}, "iommu": "vt-d", "device": {"page_sizes": ["4K"]},
            "process": {"memlock": "8M"},
            "registrations": [{"name": "a", "region": {"length": "1G"}, "memory": {"layout": "contiguous"}, "count": 3},
                {"region": {"length": 4096}, "memory": {"extents": [["0x1000", "4K"]]}}]}),
    ];
    for set in sets {
        let set = Set::from_json(set.to_string().as_bytes()).unwrap();
        assert_eq!(set.to_json(), serde_json::to_string(&set).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_text_is_written_as_serde_writes_it(text in any::<String>(), control in "[\\x00-\\x22\\\\\\x7f\u{80}-\u{a0}]{0,20}") {
        for text in [text, control] {
            let mut ours = String::new();
            quoted(&text, &mut ours);
            prop_assert_eq!(ours, serde_json::to_string(&text).unwrap());
        }
    }

    /// Any fields of any objects: both accept the same.
    #[test]
    fn serde_accepts_the_same(kept in prop::collection::vec(any::<bool>(), 60), which in 0usize..2) {
        let mut kept = kept.into_iter().cycle();
        let mut scenario = whole()[which].clone();
        thin(&mut scenario, &mut || kept.next().unwrap_or(true));
        let text = scenario.to_string();
        match (Scenario::from_json(text.as_bytes()), serde_json::from_str::<Scenario>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_err(), "{}: {:?} {:?}", text, ours, theirs),
        }
    }
}

fn thin(json: &mut Value, keep: &mut dyn FnMut() -> bool) {
    if let Value::Object(fields) = json {
        for (key, mut value) in core::mem::take(fields) {
            if keep() || keep() {
                thin(&mut value, keep);
                fields.insert(key, value);
            }
        }
    }
}
