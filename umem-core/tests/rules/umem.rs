//! The way in without a scenario answers as a scenario does, and says what is wrong with what it is given.

use crate::common::{all_rules, scenario};
use proptest::prelude::*;
use umem_core::{
    address::{DmaAddr, PhysAddr, VirtAddr},
    explain::{self, Limit},
    iommu::{self, Iova, MapError, Translation, TranslationError},
    kernel::KernelRules,
    memory::{FrameNumbers, FrameRun},
    registration::Registration,
    scenario::Scenario,
    size::{PageSize, PageSizes},
    table::{BlockEdges, Edges, EntryRun, Policy},
    umem::{Umem, UmemBuilder, UmemError},
};

/// The same question without a scenario, its frames with offsets that do not count.
fn of(
    registration: &Registration,
) -> Result<Umem<impl Iterator<Item = FrameRun> + Clone>, UmemError> {
    let question = registration.question();
    let mr = question.mr();
    let frames = registration
        .frames()
        .map(|run| FrameRun { offset: 7, ..run });
    let builder = Umem::builder(frames, mr.address, mr.length)
        .hca_address(mr.hca_address)
        .page(mr.page)
        .rules(*question.rules())
        .max_segment(question.device().max_segment);
    match question.translation() {
        Some(translation) => builder.iommu(translation).get(),
        None => builder.get(),
    }
}

fn with(mut scenario: Scenario, policy: Policy) -> Registration {
    let device = scenario.device.customize();
    (device.policy, device.edges) = (Some(policy), Edges::Exact);
    Registration::new(&scenario).unwrap()
}

/// Entries, one by one, their offsets counted from the first pinned page.
fn entries(runs: impl Iterator<Item = EntryRun>, from: u64) -> Vec<EntryRun> {
    runs.flat_map(EntryRun::entries)
        .map(|entry| EntryRun {
            offset: entry.offset - from as i64,
            ..entry
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn it_answers_as_a_scenario_does(scenario in scenario(all_rules())) {
        let single = with(scenario.clone(), Policy::Single);
        let mixed = with(scenario, Policy::Mixed);
        let umem = match (of(&single), single.dma_count()) {
            (Ok(umem), Ok(_)) => umem,
            (Err(UmemError::Map(error)), Err(refusal)) => {
                prop_assert_eq!(error.to_string(), refusal.to_string());
                return Ok(());
            }
            (umem, count) => panic!("{:?} but {count:?}", umem.map(|_| ())),
        };
        let (from, _) = single.pinned();
        let sizes = single.question().device().page_sizes;
        prop_assert_eq!(umem.mr().pages(), single.pages());
        prop_assert_eq!(umem.mapping(), single.mapping());
        let scatter: Vec<_> = umem.scatter().map(|entry| (entry.offset + from, entry.start, entry.length)).collect();
        prop_assert_eq!(scatter, single.scatter().map(|entry| (entry.offset, entry.start, entry.length)).collect::<Vec<_>>());
        let dma: Vec<_> = umem.dma().map(|segment| (segment.offset + from, segment.start, segment.length)).collect();
        prop_assert_eq!(dma, single.dma().map(|segment| (segment.offset, segment.start, segment.length)).collect::<Vec<_>>());

        let best = umem.best_page_size(sizes);
        prop_assert_eq!(umem.best_page_size_limits(sizes), explain::limits(&single));
        match single.table() {
            Ok(table) => {
                prop_assert_eq!(best, table.page_size);
                let blocks = umem.dma_blocks(best.unwrap());
                prop_assert_eq!(entries(blocks, 0), entries(single.entries(), from));
            }
            Err(refusal) => prop_assert!(best.is_none(), "{}", refusal),
        }
        match (umem.blocks(sizes, BlockEdges::Exact), mixed.table()) {
            (Ok(blocks), Ok(table)) => {
                prop_assert_eq!(&blocks.clone().tally(), &table.tally);
                prop_assert_eq!(entries(blocks, 0), entries(mixed.entries(), from));
                let limits = umem.block_limits(sizes, BlockEdges::Exact).unwrap();
                prop_assert_eq!(limits, explain::limits(&mixed));
            }
            (Err(ours), Err(theirs)) => prop_assert_eq!(ours.code(), theirs.code()),
            (ours, theirs) => panic!("{:?} but {theirs:?}", ours.map(|_| ())),
        }
    }
}

const VA: VirtAddr = VirtAddr::new(0x7f00_0000_1000);
const MAIL: PageSizes = PageSizes::from_bits(0x30_1000);

#[test]
fn frame_numbers_are_frames() {
    let numbers: Vec<u64> = (0x40001..0x40400).collect();
    let frames = FrameNumbers::new(&numbers, PageSize::K4);
    let umem = Umem::builder(frames, VA, 1023 << 12).get().unwrap();
    let table = umem.blocks(MAIL, BlockEdges::Exact).unwrap();
    assert_eq!(
        table.tally().to_string(),
        "257 entries: 255 × 4K + 1 × 1M + 1 × 2M"
    );
    let codes = |limits: Vec<Limit>| -> Vec<_> { limits.iter().map(|limit| limit.code).collect() };
    assert_eq!(
        codes(umem.block_limits(MAIL, BlockEdges::Exact).unwrap()),
        ["alignment", "alignment", "largest-size"]
    );
    assert_eq!(umem.best_page_size(MAIL), Some(PageSize::M2));
    // A rule of one's own: that no page reaches across the end of an SG entry, as before 6.15.
    let proposed = KernelRules {
        name: "proposed",
        ..*KernelRules::find("5.10").unwrap()
    };
    let frames = FrameNumbers::new(&numbers, PageSize::K4);
    let builder = Umem::builder(frames, VA, 1023 << 12).max_segment(1 << 14);
    let best = |builder: UmemBuilder<_>| builder.get().unwrap().best_page_size(MAIL);
    assert_eq!(best(builder.clone()), Some(PageSize::M2));
    assert_eq!(best(builder.rules(proposed)), Some(PageSize::K4));
}

#[test]
fn what_is_wrong_is_named() {
    let page = (PhysAddr::new(0x4000_0000), 4096);
    let builder = || Umem::builder([page], VA, 4096);
    let vt_d = iommu::find("vt-d").unwrap().translation();
    let behind = |translation| builder().iommu(translation).get();
    let cases = [
        (
            Umem::builder([page], VA, 0).get(),
            "empty-region",
            "give at least 1 byte",
        ),
        (
            Umem::builder([page], VA, u64::MAX).get(),
            "wraps",
            "pass the end",
        ),
        (
            builder().hca_address(VirtAddr::new(u64::MAX - 4095)).get(),
            "wraps",
            "from 0xfffffffffffff000",
        ),
        (
            builder().hca_address(VirtAddr::new(0x10)).get(),
            "hca-offset",
            "the NIC's address 0x10",
        ),
        (
            Umem::builder([page], VA, 1 << 44).get(),
            "too-many-pages",
            "4294967296 pages",
        ),
        (builder().max_segment(4095).get(), "short-segment", "4095"),
        (
            Umem::builder([(page.0, 0)], VA, 4096).get(),
            "partial-page",
            "frames 0, 0 at 0x40000000",
        ),
        (
            Umem::builder([(page.0, 100)], VA, 4096).get(),
            "partial-page",
            "frames 0, 100 at",
        ),
        (
            Umem::builder([(PhysAddr::new(0x800), 4096)], VA, 4096).get(),
            "partial-page",
            "0x800",
        ),
        (
            Umem::builder([(PhysAddr::new(u64::MAX - 4095), 4096)], VA, 4096).get(),
            "frames-wrap",
            "0xfffffffffffff000",
        ),
        (
            Umem::builder([page], VA, 4097).get(),
            "other-length",
            "hold 4K, and the region's pages 8K",
        ),
        (
            Umem::builder([(page.0, 8192)], VA, 4096).get(),
            "other-length",
            "hold at least 8K",
        ),
        (
            behind(Translation {
                page_sizes: PageSizes::EMPTY,
                ..vt_d
            }),
            "iommu",
            "no page size",
        ),
        (
            behind(Translation {
                page_sizes: PageSizes::EMPTY.with(PageSize::M2),
                ..vt_d
            }),
            "iommu",
            "smallest page (2M)",
        ),
        (
            behind(Translation {
                boundary_mask: 0xfff_fffe,
                ..vt_d
            }),
            "iommu",
            "0xffffffe is not a mask",
        ),
        (
            behind(Translation {
                boundary_mask: 0x7ff,
                ..vt_d
            }),
            "iommu",
            "2K is less",
        ),
        (
            behind(Translation {
                address_bits: 12,
                ..vt_d
            }),
            "iommu",
            "12 is not between 13 and 64",
        ),
        (
            behind(Translation {
                iova: Iova::At(DmaAddr::new(0x800)),
                ..vt_d
            }),
            "iommu",
            "0x800 is not a multiple",
        ),
        (
            behind(Translation {
                iova: Iova::At(DmaAddr::new(1 << 48)),
                ..vt_d
            }),
            "iommu-map-failed",
            "48 address bits",
        ),
    ];
    for (result, code, text) in cases {
        let error = result.map(|_| ()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    // Frames without an end are not walked to it.
    let endless = Umem::builder(std::iter::repeat(page), VA, 8192).get();
    assert!(matches!(endless, Err(UmemError::OtherLength { .. })));
    // What was wrong can be taken apart.
    let large = Translation {
        page_sizes: PageSizes::EMPTY.with(PageSize::M2),
        ..vt_d
    };
    assert_eq!(
        behind(large).map(|_| ()).unwrap_err(),
        UmemError::Iommu(TranslationError::LargePages {
            granule: PageSize::M2,
            page: PageSize::K4
        })
    );
    let narrow = Translation {
        address_bits: 13,
        ..vt_d
    };
    let frames = [(page.0, 8 << 12)];
    let full = Umem::builder(frames, VA, 8 << 12).iommu(narrow).get();
    assert!(matches!(
        full,
        Err(UmemError::Map(MapError::Exhausted {
            address_bits: 13,
            ..
        }))
    ));
}
