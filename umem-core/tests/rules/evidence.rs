//! What is said of how sure a result is: only of rules that decided it.

use umem_core::{registration::Registration, scenario::Scenario};

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
