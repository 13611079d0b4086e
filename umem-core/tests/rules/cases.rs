//! What people reported in public: issues, pull requests and mails about real machines, as scenarios (`tests/cases`), and what each of
//! them must answer. Where a scenario overrides a limit that the catalogue lacked when it was written, the bare device must
//! answer the same.

use umem_core::{
    device::Access,
    registration::Registration,
    scenario::{DeviceSpec, Scenario},
};

macro_rules! case {
    ($name:literal) => {
        ($name, include_str!(concat!("../cases/", $name, ".json")))
    };
}

fn scenario(text: &str) -> Scenario {
    Scenario::from_json(text.as_bytes()).unwrap()
}

/// The table of a scenario, in one line.
fn answer(scenario: &Scenario) -> String {
    let registration = Registration::new(scenario).unwrap();
    match registration.table() {
        Ok(table) => {
            let sizes = table.tally.to_string();
            let (_, sizes) = sizes.split_once(": ").unwrap();
            match &table.kernel_bug {
                Some(bug) if bug.to_string().contains("hangs") => format!("{sizes}, endless"),
                _ => sizes.into(),
            }
        }
        Err(refusal) => match (refusal.gate(), refusal.errno()) {
            (Some(gate), Some(errno)) => format!("{} at {}: {errno}", refusal.code(), gate.name()),
            _ => refusal.code().into(),
        },
    }
}

/// The same for the catalogue's device, without what the scenario overrides.
fn bare(scenario: &Scenario) -> Option<Scenario> {
    let name = match &scenario.device {
        DeviceSpec::Custom(object) => object.name.clone()?,
        DeviceSpec::Name(name) => name.clone(),
    };
    Some(Scenario {
        device: DeviceSpec::Name(name),
        ..scenario.clone()
    })
}

#[test]
fn reports_answer_as_they_must_for_the_bare_device_too() {
    const NO_TABLE_MEMORY: &str = "too-many-entries at table: ENOMEM";
    for ((name, text), expected) in [
        (case!("01-ionic-2g-4k"), "524288 × 4K"),
        (case!("02-ionic-3g-4k"), NO_TABLE_MEMORY),
        (case!("03-ionic-32g-thp"), "16384 × 2M"),
        (case!("04-ionic-6g-thp-one-hole"), NO_TABLE_MEMORY),
        (case!("05-ionic-4g-hugetlb-1g"), "4 × 1G"),
        (case!("08-efa-96g-2m"), "49152 × 2M"),
        (case!("11-erdma-gpu-64k"), "74551 × 64K"),
        (case!("14-efa-gpu-16g-rules-6.15"), "9 × 2G"),
        (case!("15-efa-3g-iterator-hang"), "3 × 2G, endless"),
        (case!("17-efa-32k-two-segments-rules-5.10"), "8 × 4K"),
        (case!("19-crossing-boundary-rules-5.10"), "1 × 128K"),
        (case!("21-sg-split-at-4g-4k-rules-5.10"), "4194304 × 4K"),
        (case!("22-sg-split-at-4g-4k-rules-7.2"), "8192 × 2M"),
        (case!("24-irdma-x722-as-advertised"), "1 × 1G"),
        (case!("28-sg-table-100g-2m"), "51200 × 2M"),
        (case!("30-smc-r-2m-2m"), "1 × 2M"),
        (case!("34-irdma-gpu-1g-iommu"), "1 × 1G"),
        (case!("35-irdma-gpu-63g-passthrough"), "63 × 1G"),
        (case!("37-100m-identity"), "25600 × 4K"),
        (case!("38-100m-iommu-aligned"), "1 × 128M"),
        (case!("40-mana-2m-segments-rules-6.7"), "2 × 2M"),
        (case!("42-mlx5-dmabuf-since-6.17"), "1 × 1G"),
        (case!("46-rccl-4m-4k"), "1024 × 4K"),
        (case!("47-rccl-4m-2m"), "2 × 2M"),
    ] {
        let scenario = scenario(text);
        assert_eq!(answer(&scenario), expected, "{name}");
        let bare = bare(&scenario).unwrap();
        assert_eq!(answer(&bare), expected, "{name}, bare");
    }
}

/// Here the override is the question, or the device has no name.
#[test]
fn reports_about_devices_of_their_own_answer_as_they_must() {
    for ((name, text), expected) in [
        (case!("25-irdma-x722-fixed"), "512 × 2M"),
        (
            case!("27-64k-kernel-4k-device-rules-5.10"),
            "no-page-size at page-size: EINVAL",
        ),
        (case!("29-smc-r-2m-4k"), "512 × 4K"),
        (case!("44-ascend-100g-2m"), "51200 × 2M"),
    ] {
        assert_eq!(answer(&scenario(text)), expected, "{name}");
    }
    let (_, text) = case!("25-irdma-x722-fixed");
    let mut x722 = scenario(text);
    x722.device = DeviceSpec::Name("irdma-x722".into());
    assert_eq!(answer(&x722), "512 × 2M");
}

/// Without its boundary the IOMMU maps the list of report 54, whose pads overflow with it.
#[test]
fn without_a_boundary_the_mapping_holds() {
    let (_, text) = case!("32-iommu-pad-overflow-no-boundary");
    let registration = Registration::new(&scenario(text)).unwrap();
    assert_eq!(registration.dma_count(), Ok(3));
}

/// 100G of 2M pages: 51,200 SG entries instead of 26,214,400.
#[test]
fn huge_pages_are_one_sg_entry_each() {
    let (_, text) = case!("28-sg-table-100g-2m");
    let registration = Registration::new(&scenario(text)).unwrap();
    assert_eq!(
        (registration.pages(), registration.scatter_count()),
        (26_214_400, 51_200)
    );
}

/// EFA takes 2^20 entries with remote write, and more without.
#[test]
fn efa_takes_fewer_entries_with_remote_write() {
    for ((name, text), with, without) in [
        (
            case!("09-efa-remote-write-4g"),
            "1048576 × 4K",
            "1048576 × 4K",
        ),
        (
            case!("10-efa-remote-write-over-4g"),
            "too-many-entries at firmware: ENOMEM",
            "1048577 × 4K",
        ),
    ] {
        let scenario = scenario(text);
        assert_eq!(answer(&scenario), with, "{name}");
        let mut bare = bare(&scenario).unwrap();
        assert_eq!(answer(&bare), without, "{name}, bare");
        bare.process.access = Some(vec![Access::LocalWrite, Access::RemoteWrite]);
        assert_eq!(answer(&bare), with, "{name}, bare, with remote write");
        let mut read = bare.clone();
        read.process.access = Some(vec![Access::RemoteRead]);
        assert_eq!(answer(&read), without, "{name}, bare, with remote read");
    }
}

/// 100M take 200K in the card; aligned, one octoword of 16 bytes.
#[test]
fn the_memory_of_tables_is_what_was_reported() {
    for ((name, text), bytes) in [
        (case!("37-100m-identity"), 204_800),
        (case!("38-100m-iommu-aligned"), 16),
        // 524,288 entries of 8 bytes: the longest kmalloc().
        (case!("01-ionic-2g-4k"), 4 << 20),
    ] {
        let registration = Registration::new(&scenario(text)).unwrap();
        assert_eq!(registration.table().unwrap().memory.bytes, bytes, "{name}");
    }
}
