//! What is said of how sure a result is: only of rules that decided it.

use umem_core::{evidence::summary, registration::Registration, scenario::Scenario};

fn stages(json: &str) -> Vec<&'static str> {
    let scenario = Scenario::from_json(json.as_bytes()).unwrap();
    let lines = Registration::new(&scenario).unwrap().evidence();
    lines.iter().map(|line| line.stage).collect()
}

#[test]
fn rules_that_were_never_reached_stand_behind_nothing() {
    let refused = |process: &str| {
        stages(&format!(
            r#"{{"version":1,"region":{{"length":"64M"}},"memory":{{"layout":"scattered"}},"device":"mlx5","process":{process}}}"#
        ))
    };
    let all = ["pin", "gather", "map", "page-size", "driver", "table"];
    assert_eq!(refused("{}"), all);
    assert_eq!(
        refused(r#"{"memlock":"8M","pinned":"0","privileged":false}"#),
        ["memlock"]
    );
    assert_eq!(refused(r#"{"hca_objects":0}"#), ["uverbs"]);
    let mapped = r#"{"version":1,"region":{"length":"16G"},"memory":{"page_size":"1G","layout":"contiguous"},
        "iommu":{"address_bits":32},"device":{"page_sizes":["4K"]}}"#;
    assert_eq!(stages(mapped), ["pin", "gather", "map"]);
    let unfit = r#"{"version":1,"region":{"length":"1M","offset":"4K"},"memory":{"layout":"contiguous"},
        "device":{"page_sizes":["2M"],"policy":"mixed"}}"#;
    assert_eq!(stages(unfit), ["pin", "gather", "map", "cut"]);
}

/// What no kernel does is said to be a proposal, though all else was asked of kernels.
#[test]
fn a_congruent_range_is_a_proposal() {
    let mail = |iova: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"offset":"4K","length":"4092K"}},"memory":{{"page_size":"2M","layout":"contiguous"}},
                "iommu":{{"name":"vt-d","iova":"{iova}"}},"device":{{"page_sizes":["4K","1M","2M"],"policy":"single"}}}}"#
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        let registration = Registration::new(&scenario).unwrap();
        (registration.status(), summary(&registration.evidence()))
    };
    let (entries, evidence) = mail("kernel");
    assert_eq!(entries, "1023 entries: 1023 × 4K");
    assert!(!evidence.contains("proposal"), "{evidence}");
    let (entries, evidence) = mail("congruent");
    assert_eq!(entries, "2 entries: 2 × 2M");
    assert_eq!(evidence, "A proposal: no kernel places a range like this.");
}

/// An exporter that maps each entry by itself has no range that could be congruent.
#[test]
fn only_a_range_can_be_congruent() {
    let error = |exporter: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"length":"4M"}},"memory":{{"kind":"dma-buf","exporter":"{exporter}","extents":[["0x40000000","4M"]]}},
                "iommu":{{"iova":"congruent"}},"device":"mlx5"}}"#
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        scenario
            .resolve()
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert_eq!(error("dma-map"), Ok(()));
    let refused = error("per-entry").unwrap_err();
    assert!(
        refused.starts_with("iommu.iova: \"congruent\" needs"),
        "{refused}"
    );
}
