//! Remedies: what makes a refused region register, each change proven by planning it.

use umem_core::{advice::advice, registration::Registration, set::Set};

use crate::advice::{find, registration};

/// Refusals by every gate that a program or its owner can do something about.
#[test]
fn whatever_makes_a_region_register_is_planned() {
    let huge =
        r#""page_size":"2M","layout":"scattered","areas":[{"length":"64M","backing":"hugetlb"}]"#;
    let backed =
        |backing: &str| format!(r#""layout":"scattered","areas":[{{"length":"64M",{backing}}}]"#);
    let mapped = backed(r#""backing":"anonymous""#);
    let file = backed(r#""backing":"file","shared":true"#);
    let none = "";
    for (region, memory, process, device, begins) in [
        (
            r#""offset":"4K","length":"8M""#,
            huge,
            r#""fork_support":"libibverbs""#,
            r#""mlx5""#,
            "set RDMAV_HUGEPAGES_SAFE=1",
        ),
        (
            r#""offset":"4K","length":"8M""#,
            huge,
            r#""fork_support":"libibverbs""#,
            r#""mlx5""#,
            "turn libibverbs' fork support off",
        ),
        (
            r#""offset":"4K","length":"8M""#,
            huge,
            r#""fork_support":"libibverbs""#,
            r#""mlx5""#,
            "start and end the region at multiples of 2M",
        ),
        (
            r#""offset":"4K","length":"8M""#,
            &mapped,
            r#""fork_support":"libibverbs","mappings_left":0"#,
            r#""mlx5""#,
            "raise vm.max_map_count",
        ),
        (
            r#""length":"8M""#,
            &mapped,
            r#""hca_objects":0"#,
            r#""mlx5""#,
            "raise hca_object",
        ),
        (
            r#""length":"8M""#,
            &mapped,
            r#""access":["remote-write"]"#,
            r#""mlx5""#,
            "add IBV_ACCESS_LOCAL_WRITE",
        ),
        (
            r#""length":"8M""#,
            &mapped,
            r#""access":["local-write","zero-based"]"#,
            r#""rxe""#,
            "register it without zero-based",
        ),
        (
            r#""length":"8M""#,
            &mapped,
            r#""memlock":0,"privileged":false"#,
            r#""mlx5""#,
            "raise the limit on locked memory",
        ),
        (
            r#""length":"8M""#,
            &mapped,
            r#""memlock":"64K","privileged":false"#,
            r#""mlx5""#,
            "give the program CAP_IPC_LOCK",
        ),
        (
            r#""length":"8M""#,
            &mapped,
            r#""memory_left":"1M""#,
            r#""mlx5""#,
            "raise memory.max",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""backing":"fsdax""#),
            none,
            r#""mlx5""#,
            "register it with IBV_ACCESS_ON_DEMAND",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""backing":"fsdax""#),
            none,
            r#""irdma""#,
            "use device DAX",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""backing":"pfnmap""#),
            none,
            r#""mlx5""#,
            "register it as a dma-buf",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""backing":"hole""#),
            none,
            r#""mlx5""#,
            "map all of the region",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""backing":"unmovable""#),
            none,
            r#""mlx5""#,
            "end the other use first",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""protection":"read""#),
            r#""access":["local-write"]"#,
            r#""mlx5""#,
            "map it with PROT_WRITE",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""protection":"read""#),
            r#""access":["local-write","remote-read"]"#,
            r#""mlx5""#,
            "register it for reading alone (without local-write)",
        ),
        (
            r#""length":"8M""#,
            &backed(r#""protection":"none""#),
            none,
            r#""mlx5""#,
            "give it rights by mprotect()",
        ),
        (
            r#""length":"8M""#,
            &file,
            r#""access":["local-write"]"#,
            r#""mlx5""#,
            "map the file MAP_PRIVATE",
        ),
        (
            r#""length":"8M""#,
            &file,
            r#""access":["local-write"]"#,
            r#""mlx5""#,
            "put the file on tmpfs",
        ),
        (
            r#""length":"8M""#,
            r#""kind":"odp","layout":"scattered""#,
            none,
            r#""irdma""#,
            "register without IBV_ACCESS_ON_DEMAND",
        ),
        (
            r#""length":"5G""#,
            r#""page_size":"1G","layout":"scattered""#,
            none,
            r#"{"name":"mlx5","max_length":"2G"}"#,
            "register it as 3 regions of at most 2G",
        ),
        (
            r#""length":"3G""#,
            r#""layout":"scattered""#,
            none,
            r#""ionic""#,
            "register it as 2 regions of at most 1536M",
        ),
        (
            r#""length":"3G""#,
            r#""layout":"scattered""#,
            none,
            r#""ionic""#,
            "back the region with 2M pages",
        ),
    ] {
        let of = registration(
            region,
            memory,
            &format!(r#""process":{{{process}}},"device":{device}"#),
        );
        let stopped = of.status();
        assert!(of.table().is_err(), "{begins}: {stopped}");
        let list = advice(&of);
        assert!(
            find(&list, begins).is_some(),
            "{begins} is not in {list:?}, for {stopped}"
        );
        for advice in list {
            assert!(advice.after.entries.is_some(), "{advice:?}");
            for changed in &advice.scenarios {
                let changed = Registration::new(changed).unwrap();
                assert!(
                    changed.table().is_ok(),
                    "{}: {}",
                    advice.change,
                    changed.status()
                );
                assert!(
                    !changed.gates().iter().any(|gate| gate.refuses()),
                    "{}",
                    advice.change
                );
            }
        }
    }
}

/// Two gates in the way: a proposal names all that has to change.
#[test]
fn remedies_are_chained() {
    let of = registration(
        r#""length":"3G""#,
        r#""layout":"scattered""#,
        r#""process":{"memlock":"8M","privileged":false},"device":"ionic""#,
    );
    let list = advice(&of);
    for (start, end) in [
        ("raise the limit", "back the region with 2M pages"),
        (
            "give the program",
            "register it as 2 regions of at most 1536M",
        ),
    ] {
        let both = list
            .iter()
            .find(|advice| advice.change.starts_with(start) && advice.change.ends_with(end));
        assert!(both.is_some(), "{start} … {end}: {list:?}");
    }
}

/// Slices are as few as register, and their entries are those of all of them.
#[test]
fn slices_are_counted() {
    let device = r#""device":{"name":"mlx5","max_length":"2G"}"#;
    let of = registration(
        r#""length":"7G""#,
        r#""page_size":"1G","layout":"scattered""#,
        device,
    );
    let list = advice(&of);
    let sliced = find(&list, "register it as 4 regions of at most 2G").unwrap();
    assert_eq!(sliced.after.entries, Some(7));
    let three = registration(r#""length":"2389M""#, r#""layout":"scattered""#, device);
    assert!(three.table().is_err(), "a third of 7G is too long as well");
    // More entries than the device has of all regions: no number of slices helps.
    let full = registration(
        r#""length":"5G""#,
        r#""layout":"scattered""#,
        r#""device":"ionic""#,
    );
    assert_eq!(find(&advice(&full), "register it as"), None);
}

/// A limit that holds for all regions together has its remedies as well.
#[test]
fn sets_have_remedies() {
    let set = Set::from_json(
        br#"{"version":1,"device":"mlx5","process":{"memlock":"8M","pinned":0,"privileged":false},
            "registrations":[{"region":{"length":"4M"},"memory":{"layout":"scattered"},"count":3}]}"#,
    )
    .unwrap();
    let plan = set.plan().unwrap();
    assert_eq!(plan.refusal().unwrap().region, 3);
    let list = plan.advice();
    assert!(
        list[0]
            .change
            .starts_with("raise the limit on locked memory"),
        "{list:?}"
    );
    for advice in list {
        assert!(advice.set.plan().unwrap().refusal().is_none(), "{advice:?}");
    }
}

/// An exporter maps its whole buffer, so slices are buffers of their own: as in the report, where chunks of 1G register.
#[test]
fn a_dma_buf_that_does_not_map_is_registered_in_smaller_ones() {
    let memory =
        r#""kind":"dma-buf","page_size":"2M","layout":"contiguous","start":"0x34400000000""#;
    for release in ["6.5", "6.8.0-84-generic", "6.12.95"] {
        let rest = format!(r#""kernel":{{"release":"{release}"}},"iommu":"vt-d","device":"irdma""#);
        let gpu = registration(r#""length":"63G""#, memory, &rest);
        assert_eq!(gpu.table().unwrap_err().code(), "iommu-map-failed");
        let list = advice(&gpu);
        let change = "register it as 32 regions of at most 2G, one dma-buf each";
        let buffers = find(&list, change).unwrap_or_else(|| panic!("{release}: {list:?}"));
        assert_eq!(buffers.after.entries, Some(63), "{release}");
        for scenario in &buffers.scenarios {
            let slice = Registration::new(scenario).unwrap();
            assert_eq!(
                slice.question().memory().length(),
                slice.question().mr().length
            );
        }
    }
}

/// Small pages are a reason to go on: the cure says so in the same run.
#[test]
fn a_cure_that_leads_to_small_pages_names_larger_ones() {
    let small = registration(
        r#""length":"64M""#,
        r#""layout":"scattered""#,
        r#""device":"mlx5","process":{"memlock":"8M","pinned":0,"privileged":false}"#,
    );
    let list = advice(&small);
    let both = list
        .iter()
        .find(|advice| advice.change.ends_with("and back the region with 2M pages"));
    assert_eq!(
        both.map(|both| both.after.entries),
        Some(Some(32)),
        "{list:?}"
    );
    let alone = list
        .iter()
        .filter(|advice| advice.after.entries == Some(16384));
    assert_eq!(alone.count(), 2, "{list:?}");
}

/// A region that a gate before the SG list refuses has no lists, and costs nothing to plan.
#[test]
fn a_refused_region_is_not_gathered() {
    let stopped = registration(
        r#""length":"64M""#,
        r#""layout":"scattered""#,
        r#""device":"mlx5","process":{"memlock":"8M","pinned":0,"privileged":false}"#,
    );
    let refusal = stopped.table().unwrap_err();
    assert_eq!(stopped.dma_count(), Err(refusal));
    assert_eq!(
        (
            stopped.scatter_count(),
            stopped.scatter().count(),
            stopped.dma().count()
        ),
        (0, 0, 0)
    );
    assert_eq!(stopped.list_cost(), Default::default());
}
