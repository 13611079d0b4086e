//! The middle of scattered memory is not walked. The slow twin has the same frames as extents, each of which is.

use super::common::{all_rules, scenario};
use proptest::prelude::*;
use umem_core::{
    address::PhysAddr,
    device::CATALOGUE,
    explain::limits,
    memory::scattered_slot,
    registration::{Lane, Registration},
    scenario::{DeviceSpec, IommuSpec, LayoutName, MemorySpec, Scenario},
    size::Bytes,
    table::Policy,
};

/// The same scenario with its pages one by one.
fn listed(scenario: &Scenario) -> Scenario {
    let spec = &scenario.memory;
    let (Some(Bytes(page)), Some(start), Some(seed)) = (spec.page_size, spec.start, spec.seed)
    else {
        panic!("{spec:?} leaves something out")
    };
    let length = spec.length.map_or_else(
        || scenario.region.offset.0 + scenario.region.length.0,
        |Bytes(length)| length,
    );
    let extents = (0..length.div_ceil(page)).map(|i| {
        let at = PhysAddr::new(start.get() + scattered_slot(seed, i) * page);
        (at, Bytes(page.min(length - i * page)))
    });
    let mut listed = scenario.clone();
    listed.memory = MemorySpec {
        extents: Some(extents.collect()),
        ..MemorySpec::default()
    };
    listed
}

/// Where runs of boxes begin, their sizes, and how many.
fn boxes(lane: &Lane) -> Vec<(i64, u64, u64)> {
    let runs = (0..lane.runs().len()).filter_map(|n| lane.runs().get(n));
    runs.map(|run| (run.offset, run.size, run.count)).collect()
}

fn same(scenario: &Scenario) {
    let (Ok(brief), Ok(walked)) = (
        Registration::new(scenario),
        Registration::new(&listed(scenario)),
    ) else {
        // What has no list has none either way.
        assert!(Registration::new(scenario).is_err(), "{scenario:?}");
        return;
    };
    assert_eq!(
        brief.scatter_count(),
        walked.scatter_count(),
        "{scenario:?}"
    );
    assert_eq!(brief.dma_count(), walked.dma_count(), "{scenario:?}");
    assert_eq!(brief.scatter().count() as u64, brief.scatter_count());
    assert_eq!(brief.list_cost(), walked.list_cost(), "{scenario:?}");
    for policy in Policy::ALL {
        let tables = [&brief, &walked].map(|registration| registration.alternative(policy));
        assert_eq!(tables[0], tables[1], "{policy:?} {scenario:?}");
    }
    let constraints = |registration: &Registration| {
        let mut list = Vec::new();
        let size = registration.single_size(|constraint| list.push(constraint));
        (size, list)
    };
    assert_eq!(constraints(&brief), constraints(&walked), "{scenario:?}");
    assert_eq!(limits(&brief), limits(&walked), "{scenario:?}");
    let entries: u64 = brief.entries().map(|run| run.count).sum();
    assert_eq!(entries, brief.table().map_or(0, |table| table.total));
    let (brief, walked) = (brief.index(), walked.index());
    for (brief, walked) in [
        (brief.scatter(), walked.scatter()),
        (brief.dma(), walked.dma()),
        (brief.entries(), walked.entries()),
    ] {
        assert_eq!(boxes(brief), boxes(walked), "{scenario:?}");
        assert_eq!(brief.count(), walked.count());
    }
}

/// Scattered memory of pages that are `larger` times twice the kernel's.
fn scattered(scenario: &mut Scenario, larger: u32, start: u64, seed: u64, rest: u64) {
    let page = scenario.kernel.page_size.0;
    let size = page << larger;
    let end = scenario.region.offset.0 + scenario.region.length.0;
    scenario.memory = MemorySpec {
        page_size: Some(Bytes(size)),
        layout: Some(LayoutName::Scattered),
        start: Some(PhysAddr::new(0x4000_0000 + start * size)),
        seed: Some(seed),
        // It may end within a page.
        length: Some(Bytes(end.div_ceil(page) * page + rest * page)),
        ..MemorySpec::default()
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2000 } else { 20_000 }))]

    #[test]
    fn what_is_not_walked_is_as_if_it_were(
        mut scenario in scenario(all_rules()),
        larger in 0u32..4, start in 0u64..64, seed in any::<u64>(), rest in 0u64..20,
        iommu in prop::bool::weighted(0.1),
    ) {
        scattered(&mut scenario, larger, start, seed, rest);
        if !iommu {
            scenario.iommu = IommuSpec::default();
        }
        same(&scenario);
    }

    /// Every driver, on kernels with every way in which it chose.
    #[test]
    fn no_driver_notices(
        mut scenario in scenario(all_rules()),
        device in prop::sample::select(CATALOGUE),
        release in prop::option::of(prop::sample::select(vec!["5.2", "5.4.300", "5.10.1", "5.15.90", "6.1.1", "6.1.192", "6.8.0-84-generic", "6.12.30", "6.13.1", "7.2"])),
        larger in 0u32..4, start in 0u64..64, seed in any::<u64>(), rest in 0u64..20,
    ) {
        scattered(&mut scenario, larger, start, seed, rest);
        scenario.iommu = IommuSpec::default();
        scenario.device = DeviceSpec::Name(device.name.into());
        if let Some(release) = release {
            scenario.kernel.set_release(release);
        }
        same(&scenario);
    }
}

/// 16T of 4K pages, nearly as many as a region may have: walking them would take minutes.
#[test]
fn a_region_of_4294967295_pages_takes_no_longer_than_a_short_one() {
    let scenario = Scenario::from_json(
        br#"{"version": 1, "region": {"offset": "4K", "length": 17592186040320}, "memory": {"layout": "scattered"},
            "device": {"page_sizes": ["4K", "2M"], "policy": "single"}}"#,
    )
    .unwrap();
    let registration = Registration::new(&scenario).unwrap();
    assert_eq!(registration.scatter_count(), u64::from(u32::MAX));
    assert_eq!(registration.status(), "4294967295 entries: 4294967295 × 4K");
    for policy in Policy::ALL {
        let table = registration.alternative(policy).unwrap();
        assert_eq!(table.total, u64::from(u32::MAX), "{policy:?}");
    }
    assert_eq!(limits(&registration).len(), 1);
    let index = registration.index();
    assert_eq!(boxes(index.entries()), [(4096, 4096, u64::from(u32::MAX))]);
}
