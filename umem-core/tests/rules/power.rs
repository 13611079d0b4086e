//! POWER's tables of TCEs against a transcription of arch/powerpc/kernel/iommu.c [linux 7.3], with the bitmap that the kernel has.

use proptest::prelude::*;
use umem_core::{
    address::{DmaAddr, Extent, PhysAddr},
    iommu::{self, DmaList, Iova, IovaLayout, Translation},
    scatter::SgEntry,
};

#[derive(Clone, Copy)]
struct Pool {
    start: usize,
    end: usize,
    hint: usize,
}

/// `struct iommu_table`: the small pools, then the large one.
struct Table {
    map: Vec<bool>,
    pools: [Pool; 5],
    boundary: usize,
}

const LARGE: usize = 4;

impl Table {
    fn new(tces: usize, boundary: usize) -> Self {
        let mut map = vec![false; tces];
        // iommu_table_reserve_pages()
        map[0] = true;
        let small = tces * 3 / 4 / 4;
        let pool = |index| {
            let start = small * index;
            let end = if index == LARGE { tces } else { start + small };
            Pool {
                start,
                end,
                hint: start,
            }
        };
        Self {
            map,
            pools: std::array::from_fn(pool),
            boundary,
        }
    }

    /// `iommu_area_alloc()` of `nr` TCEs.
    fn area_alloc(&mut self, size: usize, mut start: usize, nr: usize) -> Option<usize> {
        // We don't want the last of the limit
        let size = size - 1;
        loop {
            // bitmap_find_next_zero_area(): behind the last TCE that is used, as often as there is one.
            let mut index = start;
            loop {
                if index + nr > size {
                    return None;
                }
                match self.map[index..index + nr].iter().rposition(|used| *used) {
                    Some(last) => index += last + 1,
                    None => break,
                }
            }
            if index / self.boundary != (index + nr - 1) / self.boundary {
                start = (index + 1).next_multiple_of(self.boundary);
                continue;
            }
            self.map[index..index + nr].fill(true);
            return Some(index);
        }
    }

    /// `iommu_range_alloc()` on processor 0.
    fn range_alloc(&mut self, npages: usize, handle: &mut Option<usize>) -> Option<usize> {
        let largealloc = npages > 15;
        let (mut pass, mut pool_nr) = (0, 0);
        let mut pool = if largealloc { LARGE } else { pool_nr };
        let n = loop {
            let Pool { start, end, hint } = self.pools[pool];
            let mut from = match *handle {
                Some(at) if pass == 0 && at >= start && at < end => at,
                _ => hint,
            };
            if from >= end {
                from = start;
            }
            if let Some(n) = self.area_alloc(end, from, npages) {
                break n;
            }
            if pass == 0 {
                // First try the pool from the start
                pass += 1;
            } else if pass <= 4 {
                // Now try scanning all the other pools
                pool_nr = (pool_nr + 1) & 3;
                pool = pool_nr;
                pass += 1;
            } else if pass == 5 {
                // Last resort: try largepool
                pool = LARGE;
                pass += 1;
            } else {
                return None;
            }
            self.pools[pool].hint = self.pools[pool].start;
        };
        let end = n + npages;
        self.pools[pool].hint = if largealloc {
            end
        } else {
            end.next_multiple_of(16)
        };
        *handle = Some(end);
        Some(n)
    }

    /// `ppc_iommu_map_sg()`.
    fn map_sg(&mut self, log2: u32, lengths: &[u64], most: u64) -> Option<Vec<(u64, u64)>> {
        let mut handle = None;
        let mut segments: Vec<(u64, u64)> = Vec::new();
        for &length in lengths {
            let entry = self.range_alloc((length >> log2) as usize, &mut handle)?;
            let dma_addr = (entry as u64) << log2;
            match segments.last_mut() {
                Some((start, sum)) if *start + *sum == dma_addr && *sum + length <= most => {
                    *sum += length
                }
                _ => segments.push((dma_addr, length)),
            }
        }
        Some(segments)
    }
}

fn entries(lengths: &[u64]) -> impl Iterator<Item = SgEntry> + Clone + '_ {
    lengths.iter().scan(0, |offset, &length| {
        let entry = Extent {
            offset: *offset,
            // No two adjacent: where the frames lie does not matter.
            start: PhysAddr::new((1 << 40) + *offset * 2),
            length,
        };
        *offset += length;
        Some(entry)
    })
}

fn ours(translation: Translation, lengths: &[u64], most: u32) -> Option<Vec<(u64, u64)>> {
    let mapping = translation.map(entries(lengths)).ok()?;
    let list = DmaList::translated(entries(lengths), translation, mapping, most);
    Some(
        list.map(|segment| (segment.start.get(), segment.length))
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(2)))]

    #[test]
    fn tables_of_tces_are_the_kernels(
        (name, lengths) in prop_oneof![
            (Just("power"), prop::collection::vec(1u64..600, 1..60)),
            (Just("power-4k"), prop::collection::vec(1u64..600, 1..60)),
            (Just("power-64k"), prop::collection::vec(prop_oneof![1u64..16, 1u64..600], 1..60)),
        ],
        boundary in prop_oneof![Just(32u32), 26u32..32],
        most in prop_oneof![Just(u32::MAX), (1u32 << 16)..1 << 28],
        used in 0u64..4000,
    ) {
        // Pages of 64K, as POWER's kernels have them.
        let lengths: Vec<u64> = lengths.into_iter().map(|pages| pages << 16).collect();
        let profile = iommu::find(name).unwrap();
        let log2 = profile.page_sizes.smallest().unwrap().log2();
        let window = 1usize << (profile.address_bits - log2);
        let mut table = Table::new(window, 1 << (boundary - log2));
        // What was mapped before, and is unmapped: only the hints tell of it.
        let page = 1usize << (16 - log2);
        table.pools[LARGE].hint += (1 + used as usize) * page;
        table.pools[0].hint = 16;
        let first_is_large = lengths[0] >> log2 > 15;
        let translation = Translation {
            boundary_mask: (1 << boundary) - 1,
            iova: match first_is_large {
                true => Iova::At(DmaAddr::new((table.pools[LARGE].hint as u64) << log2)),
                false => Iova::At(DmaAddr::new(16 << log2)),
            },
            ..profile.translation()
        };
        if !first_is_large {
            table.pools[LARGE].hint = table.pools[LARGE].start + 16;
        }
        prop_assert_eq!(ours(translation, &lengths, most), table.map_sg(log2, &lengths, most.into()));
    }
}

/// The direct window adds its offset to each entry, and merges none.
#[test]
fn the_direct_window_is_the_physical_address() {
    let translation = iommu::find("power-direct").unwrap().translation();
    let lengths = [1 << 16, 5 << 16];
    let expected: Vec<_> = entries(&lengths)
        .map(|entry| (entry.start.get() + 0x0800_0000_0000_0000, entry.length))
        .collect();
    assert_eq!(ours(translation, &lengths, 1 << 16), Some(expected));
    assert!(matches!(translation.layout, IovaLayout::Direct { .. }));
}
