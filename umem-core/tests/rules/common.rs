//! Random scenarios, small enough for slow twins to check.

use proptest::prelude::*;
use umem_core::{
    address::{DmaAddr, PhysAddr, VirtAddr},
    kernel::GENERATIONS,
    scenario::{
        DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, KernelSpec, LayoutName,
        MemorySpec, ProcessSpec, Region, Scenario,
    },
    size::Bytes,
    table::{Edges, Policy},
};

/// The backing memory of a random scenario has at most this many kernel pages.
const PAGES: u64 = 96;

fn memory(page: u64) -> impl Strategy<Value = MemorySpec> {
    let layout = prop_oneof![
        Just(LayoutName::Contiguous),
        Just(LayoutName::Descending),
        Just(LayoutName::Scattered)
    ];
    let generated =
        (layout, 0u32..3, 0u64..64, any::<u64>()).prop_map(move |(layout, larger, start, seed)| {
            let size = page << (larger * 2);
            MemorySpec {
                page_size: Some(Bytes(size)),
                layout: Some(layout),
                start: Some(PhysAddr::new(0x4000_0000 + start * size)),
                seed: Some(seed),
                length: Some(Bytes(PAGES * page)),
                ..MemorySpec::default()
            }
        });
    // Extents that follow each other at once, with a hole, or anywhere.
    let extents =
        prop::collection::vec((1u64..24, 0u64..4, 0u64..1 << 20), 1..10).prop_map(move |list| {
            let mut at = 0x4000_0000u64;
            let extents = list.into_iter().map(|(pages, how, place)| {
                at = match how {
                    0 | 1 => at,
                    2 => at + page * (place % 5),
                    _ => 0x8000_0000 + place * page,
                };
                let extent = (PhysAddr::new(at), Bytes(pages * page));
                at += pages * page;
                extent
            });
            MemorySpec {
                extents: Some(extents.collect()),
                ..MemorySpec::default()
            }
        });
    prop_oneof![generated, extents]
}

fn iommu(page: u64) -> impl Strategy<Value = IommuSpec> {
    let named = prop_oneof![Just("vt-d"), Just("amd-v1"), Just("virtio"), Just("power")];
    let boundary = prop_oneof![
        Just(None),
        (0u32..8).prop_map(move |log2| Some(Bytes(page << log2)))
    ];
    // Of every power of two, so that a page of any size could fit somewhere.
    let sizes = prop::option::of(Just((0..8).map(|log2| Bytes(page << log2)).collect()));
    let custom = (
        boundary,
        sizes,
        prop_oneof![Just(None), (1u64..1 << 16).prop_map(Some)],
    )
        .prop_map(move |(boundary, page_sizes, iova)| {
            IommuSpec::Custom(IommuObject {
                iova: iova.map_or(IovaSpec::Kernel, |n| IovaSpec::At(DmaAddr::new(n * page))),
                segment_boundary: boundary,
                page_sizes,
                ..IommuObject::default()
            })
        });
    prop_oneof![
        2 => Just(IommuSpec::default()),
        1 => named.prop_map(|name| IommuSpec::Name(name.into())),
        2 => custom
    ]
}

fn device(page: u64) -> impl Strategy<Value = DeviceSpec> {
    let sizes = prop::collection::btree_set(8u32..26, 1..6);
    let policy = prop_oneof![
        Just(Policy::Mixed),
        Just(Policy::Single),
        Just(Policy::Unaligned)
    ];
    let edges = prop_oneof![Just(Edges::Exact), Just(Edges::Overhang)];
    let max_segment = prop_oneof![
        Just(u64::from(u32::MAX)),
        (1u64..20).prop_map(move |pages| pages * page),
        page..page * 20
    ];
    (sizes, prop::bool::weighted(0.7), policy, edges, max_segment).prop_map(
        move |(sizes, with_page, policy, edges, max_segment)| {
            let mut sizes: Vec<_> = sizes.into_iter().map(|log2| Bytes(1 << log2)).collect();
            if with_page {
                sizes.push(Bytes(page));
            }
            DeviceSpec::Custom(DeviceObject {
                page_sizes: Some(sizes),
                policy: Some(policy),
                edges,
                max_segment: Some(Bytes(max_segment)),
                ..DeviceObject::default()
            })
        },
    )
}

/// Any scenario that is valid, with the rules of any of `rules`.
pub fn scenario(rules: &'static [&'static str]) -> impl Strategy<Value = Scenario> {
    let page = prop_oneof![3 => Just(4096u64), 1 => Just(65536u64)];
    page.prop_flat_map(move |page| {
        let region = (
            0u64..64,
            0u64..1 << 30,
            0u64..1 << 30,
            prop::option::of(0u64..1 << 20),
        );
        (
            memory(page),
            iommu(page),
            device(page),
            region,
            prop::sample::select(rules),
        )
            .prop_map(
                move |(memory, iommu, device, (va, offset, length, hca), rules)| {
                    let total = match &memory.extents {
                        Some(extents) => extents.iter().map(|(_, length)| length.0).sum(),
                        None => PAGES * page,
                    };
                    // Half of the regions are made of whole pages.
                    let offset = if offset % 2 == 0 {
                        offset / 2 % (total / page) * page
                    } else {
                        offset % total
                    };
                    let left = total - offset;
                    let length = if length % 2 == 0 {
                        left - length / 2 % left.div_ceil(page) * page.min(left) / 2
                    } else {
                        1 + length % left
                    };
                    Scenario {
                        version: 1,
                        name: None,
                        region: Region {
                            va: VirtAddr::new(0x7f00_0000_0000 + va * page),
                            offset: Bytes(offset),
                            length: Bytes(length.clamp(1, left)),
                            hca_address: hca.map(|n| VirtAddr::new(n * page + offset % page)),
                        },
                        memory,
                        kernel: KernelSpec {
                            page_size: Bytes(page),
                            rules: rules.into(),
                            release: None,
                        },
                        iommu,
                        device,
                        process: ProcessSpec::default(),
                        provenance: None,
                    }
                },
            )
    })
}

/// Every generation's name.
pub fn all_rules() -> &'static [&'static str] {
    assert_eq!(
        GENERATIONS
            .iter()
            .map(|rules| rules.name)
            .collect::<Vec<_>>(),
        ["5.2", "5.10", "6.7", "6.15", "7.2"]
    );
    &["5.2", "5.10", "6.7", "6.15", "7.2"]
}

/// The generations whose policies promise what the design says.
pub const SOUND: &[&str] = &["6.15", "7.2"];
