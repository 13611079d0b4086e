//! What is said of how sure a result is: only of rules that decided it.

use umem_core::{evidence::By, registration::Registration, scenario::Scenario};

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

/// Who confirmed what: the stages, the kernels that answered for all of them, and whether the reader's is one.
#[test]
fn the_sentence_claims_no_more_than_was_asked() {
    let sentence = |kernel: &str, more: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"length":"64M"}},"memory":{{"layout":"scattered"}},"kernel":{kernel},{more}}}"#
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        Registration::new(&scenario).unwrap().how_sure()
    };
    let memlock = r#""device":"mlx5","process":{"memlock":"8M","pinned":"0","privileged":false}"#;
    for (kernel, which) in [
        (r#"{"release":"6.12.95"}"#, ""),
        (r#"{"rules":"7.2"}"#, ""),
        (r#"{"release":"6.12.96"}"#, ", not by yours"),
        (r#"{"release":"4.18.0-147.el8.aarch64"}"#, ", not by yours"),
        // A vendor may have changed what its number names.
        (r#"{"release":"6.12.95-amzn"}"#, ", not by yours"),
    ] {
        assert_eq!(
            sentence(kernel, memlock),
            format!("Confirmed by running kernels (6.1.192, 6.12.95, 7.3.4){which}: memlock."),
            "{kernel}"
        );
    }
    // The kernels behind VT-d are fewer than those that gathered.
    assert_eq!(
        sentence(
            r#"{"release":"6.12.95"}"#,
            r#""iommu":"vt-d","device":{"page_sizes":["4K"],"policy":"single"}"#
        ),
        "Confirmed by running kernels (6.1.192, 6.12.95): pin, gather, map, page-size."
    );
}

/// A gate's answer is as sure as its weakest rule, and names a kernel where a kernel answered.
#[test]
fn gates_and_evidence_agree() {
    let scenario = Scenario::from_json(
        br#"{"version":1,"region":{"length":"2G"},"memory":{"layout":"scattered"},"kernel":{"release":"7.1"},"device":"rxe"}"#,
    );
    let registration = Registration::new(&scenario.unwrap()).unwrap();
    let evidence = registration.evidence();
    for (gate, stage) in [("page-size", "page-size"), ("table", "table")] {
        let gates = registration.gates();
        let gate = gates.iter().find(|answer| answer.gate.name() == gate);
        let line = evidence.iter().find(|line| line.stage == stage).unwrap();
        assert_eq!(gate.unwrap().by, line.by, "{stage}");
    }
    for line in evidence.iter().filter(|line| line.by == By::Lab) {
        assert!(line.text.contains("Linux "), "{line}");
    }
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
        (registration.status(), registration.how_sure())
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
