//! What people reported in public, by gate and errno: the number is the report's in the collection of cases.

use super::*;

/// The gate that refuses, and its errno.
fn stops(asked: Asked<'_>, kernel: &str) -> (&'static str, String) {
    let registration = Registration::new(&asked.scenario(kernel)).unwrap();
    let gates = registration.gates();
    let gate = gates.last().unwrap();
    (gate.gate.name(), said(&gates))
}

#[test]
fn reports_stop_where_they_stopped() {
    let fork = r#""fork_support":"libibverbs","memlock":"unlimited""#;
    let none = r#""memlock":"unlimited""#;
    let fork_support = ("fork-support", "EINVAL");
    for (name, region, areas, process, device, kernel, expected) in [
        // The mapping is aligned to 2M, its huge pages have 512M.
        (
            "14, a64fx",
            r#""va":"0x400020000000","offset":"0x6200000","length":10485760"#,
            r#"{"backing":"hugetlb","page_size":"512M"}"#,
            fork,
            r#""mlx5""#,
            "5.10.262",
            fork_support,
        ),
        // The length is no multiple of 2M.
        (
            "17, libvma",
            r#""va":"0x2aaaab200000","length":372800063"#,
            r#"{"length":"356M","backing":"hugetlb","page_size":"2M"}"#,
            fork,
            r#""mlx4""#,
            "5.10.262",
            fork_support,
        ),
        (
            "19, device DAX aligned to 2M",
            r#""offset":"4K","length":"1M""#,
            r#"{"length":"4M","backing":"devdax","page_size":"2M"}"#,
            fork,
            r#""mlx5""#,
            "5.10.262",
            fork_support,
        ),
        (
            "19, device DAX aligned to 4K",
            r#""offset":"4K","length":"1M""#,
            r#"{"length":"4M","backing":"devdax","page_size":"4K"}"#,
            fork,
            r#""mlx5""#,
            "5.10.262",
            ("firmware", "unknown at firmware"),
        ),
        (
            "22, fsdax on a ConnectX-5",
            r#""length":"2G""#,
            r#"{"backing":"fsdax","shared":true}"#,
            none,
            r#""mlx5""#,
            "5.10.262",
            ("pin", "EOPNOTSUPP"),
        ),
        (
            "23, gdrcopy",
            r#""length":"64K""#,
            r#"{"backing":"pfnmap"}"#,
            none,
            r#""mlx5""#,
            "6.12.95",
            ("pin", "EFAULT"),
        ),
        (
            "58, a page of ZONE_MOVABLE is held",
            r#""length":"1G""#,
            r#"{"offset":"512M","length":"4K","backing":"unmovable"}"#,
            none,
            r#""irdma""#,
            "6.12.95",
            ("pin", "ENOMEM"),
        ),
        (
            "62, ulimit -l 8192",
            r#""length":"16M""#,
            "",
            r#""memlock":"8192K""#,
            r#""mlx5""#,
            "6.12.95",
            ("memlock", "ENOMEM"),
        ),
        (
            "7, erdma registers 64G",
            r#""length":"65G""#,
            "",
            none,
            r#"{"name":"erdma","page_sizes":["1G"]}"#,
            "6.12.95",
            ("driver", "EINVAL"),
        ),
    ] {
        let asked = Asked {
            region,
            areas,
            process,
            device,
        };
        let (gate, said) = stops(asked, kernel);
        assert_eq!((gate, said.as_str()), expected, "{name}");
    }
}

/// 12, 13: what the operator reads tells of the second try, and of vm.max_map_count.
#[test]
fn what_to_do_is_said_where_people_did_not_know() {
    let huge = r#"{"length":"4M","backing":"hugetlb","page_size":"2M"}"#;
    let text = |asked: Asked<'_>| {
        let gates = Registration::new(&asked.scenario("6.12.95"))
            .unwrap()
            .gates();
        gates.last().unwrap().to_string()
    };
    let second = text(Asked {
        region: r#""offset":"4K","length":"1M""#,
        ..area(huge, r#""fork_support":"libibverbs","libibverbs":"44.0""#)
    });
    for words in [
        "RDMAV_HUGEPAGES_SAFE=1",
        "multiple of 2M",
        "succeeds at the second try, but marks nothing",
    ] {
        assert!(second.contains(words), "{words}: {second}");
    }
    let mappings = text(area(
        r#"{"length":"1M"}"#,
        r#""fork_support":"libibverbs","mappings_left":0"#,
    ));
    assert!(
        mappings.contains("(EAGAIN)") && mappings.contains("sysctl vm.max_map_count="),
        "{mappings}"
    );
}
