//! Wrong input is refused with an error that names the field, and never panics, hangs or eats memory.

use proptest::prelude::*;
use umem_core::{registration::Registration, scenario::Scenario};

/// The mail's example, with one field replaced.
fn mail_with(field: &str, value: &str) -> String {
    let mail = [
        ("version", "1"),
        ("region", r#"{"offset":"4K","length":"4092K"}"#),
        ("memory", r#"{"page_size":"2M","layout":"contiguous"}"#),
        (
            "device",
            r#"{"page_sizes":["4K","1M","2M"],"policy":"mixed"}"#,
        ),
    ];
    let mut fields: Vec<_> = mail
        .into_iter()
        .filter(|(name, _)| *name != field)
        .collect();
    fields.push((field, value));
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn error(json: &str) -> String {
    match Scenario::from_json(json.as_bytes()).and_then(|scenario| scenario.resolve().map(drop)) {
        Ok(()) => panic!("accepted: {json}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_error_names_its_field() {
    let cases = [
        ("version", "2", "version: is 2"),
        (
            "version",
            "\"1\"",
            "version: is \"1\", and must be an integer",
        ),
        (
            "region",
            r#"{"offset":"4K"}"#,
            "region: missing field `length`",
        ),
        ("region", r#"{"length":0}"#, "region.length: is 0"),
        (
            "region",
            r#"{"length":-1}"#,
            "region.length: is -1, and must be a size",
        ),
        (
            "region",
            r#"{"length":1.5}"#,
            "region.length: is a number that is a fraction",
        ),
        (
            "region",
            r#"{"length":"4 KB"}"#,
            "region.length: \"4 KB\" is not a valid size",
        ),
        (
            "region",
            r#"{"length":"16384P"}"#,
            "region.length: \"16384P\" is a size of 2^64",
        ),
        (
            "region",
            r#"{"length":"4M","ofset":0}"#,
            "region.ofset: unknown field `ofset`",
        ),
        (
            "region",
            r#"{"length":"4M","va":"0x7f0000000001"}"#,
            "region.va: 0x7f0000000001 is not a multiple",
        ),
        (
            "region",
            r#"{"length":"4M","va":"16K"}"#,
            "region.va: \"16K\" is not a valid address",
        ),
        (
            "region",
            r#"{"length":"4M","va":"0xfffffffffffff000"}"#,
            "region.length: 4M from 0xfffffffffffff000 passes the end",
        ),
        (
            "region",
            r#"{"length":"4M","offset":"0xffffffffffffffff"}"#,
            "region.offset: ",
        ),
        (
            "region",
            r#"{"length":"16T"}"#,
            "region.length: 16T are 4294967296 pages",
        ),
        (
            "region",
            r#"{"length":"4M","hca_address":"0x1234"}"#,
            "region.hca_address: 0x1234 and the region's address",
        ),
        (
            "region",
            r#"{"length":"8K","hca_address":"0xfffffffffffff000"}"#,
            "region.hca_address: 8K from",
        ),
        (
            "memory",
            r#"{"page_size":"3M","layout":"contiguous"}"#,
            "memory.page_size: 3M is not a power of two",
        ),
        (
            "memory",
            r#"{"page_size":"2K","layout":"contiguous"}"#,
            "memory.page_size: 2K is smaller",
        ),
        (
            "memory",
            r#"{"page_size":"2M","layout":"spiral"}"#,
            "memory.layout: unknown name `spiral`",
        ),
        (
            "memory",
            r#"{"page_size":"2M"}"#,
            "memory: has neither layout nor extents",
        ),
        (
            "memory",
            r#"{"layout":"contiguous","extents":[]}"#,
            "memory: has both",
        ),
        (
            "memory",
            r#"{"layout":"contiguous","start":"0x1000","page_size":"2M"}"#,
            "memory.start: 0x1000 is not a multiple",
        ),
        (
            "memory",
            r#"{"layout":"descending","start":"0x0","page_size":"2M"}"#,
            "memory.start: 4M of descending memory",
        ),
        (
            "memory",
            r#"{"layout":"contiguous","start":"0xffffffffffe00000","page_size":"2M"}"#,
            "memory.start: 4M of contiguous memory",
        ),
        (
            "memory",
            r#"{"layout":"contiguous","length":"2M"}"#,
            "region.length: the region ends 4M after region.va",
        ),
        (
            "memory",
            r#"{"layout":"contiguous","length":"5000"}"#,
            "memory.length: 5000 is not a multiple",
        ),
        (
            "memory",
            r#"{"layout":"contiguous","length":"4K"}"#,
            "region.offset: the region ends 4M after region.va",
        ),
        ("memory", r#"{"extents":[]}"#, "memory.extents: is empty"),
        (
            "memory",
            r#"{"extents":[["0x1000","2M"],["0x800",4096]]}"#,
            "memory.extents[1]: [0x800, 4K] is not made of whole kernel pages",
        ),
        (
            "memory",
            r#"{"extents":[["0x1000",0]]}"#,
            "memory.extents[0]: [0x1000, 0] is empty",
        ),
        (
            "memory",
            r#"{"extents":[["0xfffffffffffff000",8192]]}"#,
            "memory.extents[0]: ",
        ),
        (
            "memory",
            r#"{"extents":[["0x1000","2M"]]}"#,
            "region.length: the region ends 4M after region.va, beyond the 2M",
        ),
        (
            "memory",
            r#"{"extents":[["0x1000","2M"]],"seed":1}"#,
            "memory.seed: belongs to a layout",
        ),
        (
            "kernel",
            r#"{"page_size":"2K"}"#,
            "kernel.page_size: 2K is not between",
        ),
        (
            "kernel",
            r#"{"rules":"4.18"}"#,
            "kernel.rules: \"4.18\" is not known here; there are 5.2, 5.10, 6.7, 6.15, 7.2",
        ),
        (
            "iommu",
            "\"vtd\"",
            "iommu: \"vtd\" is not known here; there are off, vt-d",
        ),
        (
            "iommu",
            "7",
            "iommu: is 7, and must be \"off\", the name of an IOMMU, or an object",
        ),
        (
            "iommu",
            r#"{"page_sizes":[]}"#,
            "iommu.page_sizes: is empty",
        ),
        (
            "iommu",
            r#"{"page_sizes":["64K"]}"#,
            "iommu.page_sizes: its smallest page (64K)",
        ),
        (
            "iommu",
            r#"{"iova":"0x80000800"}"#,
            "iommu.iova: 0x80000800 is not a multiple",
        ),
        (
            "iommu",
            r#"{"iova":"somewhere"}"#,
            "iommu.iova: \"somewhere\" is not a valid address",
        ),
        (
            "iommu",
            r#"{"name":"power","iova":"congruent"}"#,
            "iommu.iova: \"congruent\" needs an IOMMU that gives a list one range",
        ),
        (
            "iommu",
            r#"{"segment_boundary":"3M"}"#,
            "iommu.segment_boundary: 3M is not a power of two",
        ),
        (
            "iommu",
            r#"{"address_bits":65}"#,
            "iommu.address_bits: 65 is not between",
        ),
        (
            "iommu",
            "\"smmuv3-64k\"",
            "iommu: its smallest page (64K) is larger",
        ),
        (
            "device",
            "\"mlx6\"",
            "device: \"mlx6\" is not known here; there are mlx5",
        ),
        ("device", "{}", "device.page_sizes: is missing"),
        (
            "device",
            r#"{"page_sizes":["4K","5K"]}"#,
            "device.page_sizes[1]: 5K is not a power of two",
        ),
        (
            "device",
            r#"{"page_sizes":[4096,0]}"#,
            "device.page_sizes[1]: 0 is not a power of two",
        ),
        (
            "device",
            r#"{"page_sizes":[]}"#,
            "device.page_sizes: is empty",
        ),
        (
            "device",
            r#"{"page_sizes":["4K"],"policy":"greedy"}"#,
            "device.policy: unknown name `greedy`",
        ),
        (
            "device",
            r#"{"page_sizes":["4K"],"max_segment":"4G"}"#,
            "device.max_segment: 4G is more",
        ),
        (
            "device",
            r#"{"page_sizes":["4K"],"max_segment":"2K"}"#,
            "device.max_segment: 2K is less",
        ),
        (
            "device",
            r#"{"page_sizes":["4K"],"max_entries":0}"#,
            "device.max_entries: is 0",
        ),
        ("extra", "1", "extra: unknown field `extra`"),
    ];
    for (field, value, expected) in cases {
        let error = error(&mail_with(field, value));
        assert!(error.starts_with(expected), "{field} = {value}: {error}");
    }
}

#[test]
fn what_is_no_scenario_says_so() {
    for (json, expected) in [
        ("", "EOF"),
        ("[]", "is a list, and must be an object"),
        ("{\"version\":1", "EOF"),
        ("\u{feff}{}", "expected value"),
        (&"[".repeat(100_000), "recursion limit exceeded"),
    ] {
        let error = error(json);
        assert!(error.contains(expected), "{error}");
    }
    let twice = format!("{0}{0}", mail_with("version", "1"));
    assert!(error(&twice).contains("something follows the scenario"));
}

#[test]
fn what_the_device_refuses_is_a_result() {
    let refusal = |field: &str, value: &str| {
        let scenario = Scenario::from_json(mail_with(field, value).as_bytes()).unwrap();
        let registration = Registration::new(&scenario).unwrap();
        let refusal = registration.table().unwrap_err();
        let place = refusal.stopped_at().unwrap();
        assert!(place.starts_with("refused at "), "{place}");
        assert_eq!(
            registration.status(),
            format!("{place}: {}", refusal.cause())
        );
        refusal.code()
    };
    assert_eq!(
        refusal("device", r#"{"page_sizes":["2M"]}"#),
        "no-exact-tiling"
    );
    assert_eq!(
        refusal(
            "device",
            r#"{"page_sizes":["2M"],"policy":"single","max_entries":1}"#
        ),
        "too-many-entries"
    );
    assert_eq!(
        refusal("device", r#"{"page_sizes":["4K"],"max_entries":1022}"#),
        "too-many-entries"
    );
    assert_eq!(
        refusal("iommu", r#"{"address_bits":21}"#),
        "iommu-map-failed"
    );
    let shifted = r#"{"offset":"4K","length":"4092K","hca_address":"0x1000000000"}"#;
    let json = mail_with("region", shifted).replace(
        "[\"4K\",\"1M\",\"2M\"],\"policy\":\"mixed\"",
        "[\"2M\"],\"policy\":\"single\"",
    );
    let scenario = Scenario::from_json(json.as_bytes()).unwrap();
    assert_eq!(
        Registration::new(&scenario)
            .unwrap()
            .table()
            .unwrap_err()
            .code(),
        "no-page-size"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn no_bytes_panic(json in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Scenario::from_json(&json);
    }

    // Numbers from all over 64 bits: whatever resolves has an answer, at once.
    #[test]
    fn no_numbers_panic(
        (va, offset, length, hca) in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()),
        shifts in (0u32..64, 0u32..64, 0u32..64, 0u32..64),
        (start, page, descending) in (any::<u64>(), 12u32..40, prop::bool::ANY),
        (iova, bits) in (any::<u64>(), 0u32..70),
        (sizes, single) in (prop::collection::vec(0u32..53, 1..5), prop::bool::ANY),
    ) {
        let sizes: Vec<_> = sizes.into_iter().map(|log2| (1u64 << log2).to_string()).collect();
        let page = (1u64 << page).max((length >> shifts.2) >> 12).next_power_of_two();
        let json = format!(
            r#"{{"version":1,
                "region":{{"va":{},"offset":{},"length":{},"hca_address":{}}},
                "memory":{{"page_size":{page},"layout":"{}","start":{}}},
                "iommu":{{"iova":{},"address_bits":{bits}}},
                "device":{{"page_sizes":[{}],"policy":"{}"}}}}"#,
            (va >> shifts.0) & !0xfff,
            offset >> shifts.1,
            length >> shifts.2,
            ((hca >> shifts.3) & !0xfff) | (offset >> shifts.1 & 0xfff),
            if descending { "descending" } else { "contiguous" },
            start & !(page - 1),
            iova & !0xfff,
            sizes.join(","),
            if single { "single" } else { "mixed" },
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        if let Ok(registration) = Registration::new(&scenario) {
            let _ = (registration.status(), umem_core::explain::limits(&registration), registration.clone().index());
            prop_assert_eq!(Scenario::from_json(scenario.to_json().as_bytes()), Ok(scenario));
        }
    }
}
