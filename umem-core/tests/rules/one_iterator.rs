//! The mail: "HW that can support mixed pages would just use best_size == supported_sizes bitmaps". One iterator serves both.

use crate::common::{SOUND, scenario};
use proptest::prelude::*;
use umem_core::{
    address::{DmaAddr, Extent, VirtAddr},
    iommu::DmaSegment,
    kernel::KernelRules,
    registration::Registration,
    size::{PageSize, PageSizes},
    table::{
        BlockEdges, EntryRun, Mr, Policy, blocks, mixed::Overhang, single, single::best_page_size,
    },
};

fn one_by_one(runs: impl Iterator<Item = EntryRun>) -> Vec<EntryRun> {
    runs.flat_map(EntryRun::entries).collect()
}

/// The same blocks of `size`, by the one iterator and by the kernel's.
fn assert_alike(segments: impl Iterator<Item = DmaSegment> + Clone, mr: &Mr, size: PageSize) {
    let kernels = single::Single::new(segments.clone(), mr, size, KernelRules::newest());
    let mails = blocks(segments, mr, PageSizes::EMPTY.with(size), BlockEdges::Open).unwrap();
    assert_eq!(mails.clone().tally().total(), single::block_count(mr, size));
    assert_eq!(one_by_one(mails), one_by_one(kernels));
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// Of a whole scenario, through whatever IOMMU.
    #[test]
    fn the_best_size_alone_with_open_edges_is_single(mut scenario in scenario(SOUND)) {
        scenario.device.customize().policy = Some(Policy::Single);
        let registration = Registration::new(&scenario).unwrap();
        if let Ok(table) = registration.table() {
            assert_alike(registration.dma(), registration.question().mr(), table.page_size.unwrap());
        }
    }

    /// Of any list of segments, with sizes below the kernel's page and far above it.
    #[test]
    fn so_it_is_of_any_segments(
        segments in prop::collection::vec((1u64..40, 0u64..6, 0u64..1 << 16), 1..8),
        first in 0u64..4096,
        last in 0u64..4096,
        hca in prop_oneof![Just(0u64), 0u64..1 << 24],
        sizes in prop::collection::vec(8u32..40, 1..6),
        together in any::<bool>(),
    ) {
        let mut at = 1u64 << 41;
        let mut offset = 0;
        let segments: Vec<DmaSegment> = segments.into_iter().map(|(pages, how, place)| {
            // Adjacent to the last, some pages on, or at a boundary of 16 pages, where larger blocks may survive.
            at = match how {
                0..3 => at,
                3 => at + ((place % 5) << 12),
                _ => (1 << 41) + (place << 20),
            };
            let pages = if how == 5 { pages.next_multiple_of(16) } else { pages };
            let segment = Extent { offset, start: DmaAddr::new(at), length: pages << 12 };
            (at, offset) = (at + segment.length, offset + segment.length);
            segment
        }).collect();
        // Half of the NIC's addresses agree with the first segment's, so that large sizes fit.
        let va = if together { segments[0].start.get() } else { 0x7f00_0000_0000 + (hca << 12) };
        let length = (offset - first).saturating_sub(last).max(1);
        let address = VirtAddr::new(va + first);
        let mr = Mr { address, length, hca_address: address, page: PageSize::K4, offset: first };
        // Whole pages, no more than the region has.
        let pinned: Vec<_> = segments.into_iter().scan(mr.pages() << 12, |left, segment| {
            let length = segment.length.min(*left);
            *left -= length;
            (length > 0).then_some(Extent { length, ..segment })
        }).collect();
        let sizes: PageSizes = sizes.into_iter().filter_map(PageSize::from_log2).collect();
        if let Some(best) = best_page_size(pinned.iter().copied(), &mr, sizes, KernelRules::newest()) {
            assert_alike(pinned.into_iter(), &mr, best);
        }
    }
}

/// What each choice of edges makes of the mail's region and one size of 2M.
#[test]
fn edges_are_a_choice() {
    let dma = [Extent {
        offset: 0x1000,
        start: DmaAddr::new(0x4000_1000),
        length: 4092 << 10,
    }];
    let address = VirtAddr::new(0x7f00_0000_1000);
    let mr = Mr {
        address,
        length: 4092 << 10,
        hca_address: address,
        page: PageSize::K4,
        offset: 0x1000,
    };
    let sizes = PageSizes::EMPTY.with(PageSize::M2);
    let total = |edges| {
        blocks(dma.into_iter(), &mr, sizes, edges)
            .map(|blocks| blocks.tally().total())
            .map_err(|refusal| refusal.code())
    };
    let beside = |before| BlockEdges::Within(Overhang { before, after: 0 });
    assert_eq!(total(BlockEdges::Exact), Err("no-exact-tiling"));
    assert_eq!(total(beside(0)), Err("no-exact-tiling"));
    assert_eq!(total(beside(0x1000)), Ok(2));
    assert_eq!(total(BlockEdges::Open), Ok(2));
}

/// A block that would end at 2^64 has no number for its end: an error, not a panic.
#[test]
fn the_top_of_the_address_space_is_refused() {
    let dma = [Extent {
        offset: 0,
        start: DmaAddr::new(u64::MAX << 12),
        length: 0xfff,
    }];
    let mr = Mr {
        address: VirtAddr::new(0),
        length: 0xfff,
        hca_address: VirtAddr::new(0),
        page: PageSize::K4,
        offset: 0,
    };
    let sizes = PageSizes::EMPTY.with(PageSize::M2);
    let refused = blocks(dma.into_iter(), &mr, sizes, BlockEdges::Open);
    assert_eq!(refused.map(|_| ()).unwrap_err().code(), "no-exact-tiling");
}
