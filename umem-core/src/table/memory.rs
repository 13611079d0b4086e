//! What a table takes in memory, with its directories and its rounding: the driver's, host or card.

use crate::size::PageSize;

/// What a table takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TableMemory {
    /// How many lookups lead to an entry; 0 where the region's own record holds all there is.
    pub levels: u32,
    /// All levels together, in bytes.
    pub bytes: u64,
}

/// What decides a table's memory beyond the number of its entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableShape {
    /// How many entries there are.
    pub entries: u64,
    /// The bytes of one in a plain list.
    pub entry_bytes: u64,
    /// The size of the blocks, where all have one.
    pub block: Option<PageSize>,
    /// Whether all blocks follow each other in device addresses.
    pub contiguous: bool,
    /// The kernel's page.
    pub page: PageSize,
}

/// How a driver lays its table out. Each names the function of the kernel [linux 7.2, or as said].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Layout {
    /// A list.
    List,
    /// A list, unless the region's record holds that many entries itself. `ionic_pgtbl_init()`, [6.1] erdma `get_mtt_entries()`.
    Inline(u64),
    /// No table at all: usnic.
    None,
    /// MTTs in octowords of 16 bytes. mlx5 `get_octo_len()`.
    Octowords,
    /// A power of two of entries, at least so many, out of a buddy. `mlx4_mtt_init()`, `mthca_alloc_mtt()`.
    Buddy(u64),
    /// Pages of 512 pointers, and from the second on a directory of whole 4K. `bnxt_qplib_alloc_init_hwq()`.
    PageLists,
    /// Nothing if the blocks are contiguous; a row in one chunk of 2M; or a root and leaves of 4K. `irdma_get_pble()`.
    Chunks {
        /// Whether the test for contiguity multiplies in 32 bits: "irdma: contiguity u64" fixed it.
        narrow: bool,
    },
    /// Up to 4 inline; a buffer if it is contiguous; else also chunks of 4K that hold 510 pointers each. `pbl_create()` of efa.
    PointerChunks,
    /// As many hops of base-address pages of 4 kernel pages as it takes. `get_best_hop_num()` of hns.
    Hops,
    /// Two hops; their base-address pages grow until the root fits one. [6.1] `cal_best_bt_pg_sz()` of hns.
    TwoHops,
    /// Two hops of base-address pages of 16K. [5.10] `hns_roce_hem_list_request()`.
    TwoHops16K,
    /// Up to 4 inline; whole pages, each level as long as the pages of the one below ask for. `erdma_create_mtt()`.
    Levels,
    /// One power of two up to 8192 entries, else a directory and pages of 4K to 64K; allocated twice. `qedr_prepare_pbl_tbl()`.
    TwoLayers,
    /// Whole pages of 512 entries. `ocrdma_get_pbl_info()`.
    Pages,
    /// Whole units of so many bytes in the card. `cxgb4_pblpool_alloc()`.
    Units(u64),
    /// A directory and pages of 512 entries, all of 4K. `pvrdma_page_dir_init()`.
    Directory,
    /// Kernel pages full of entries, and a pointer to each. `rvt_alloc_mregion()`, [6.1] `rxe_mr_alloc()`.
    Maps,
    /// Lists of 512, and a pointer to each. `siw_umem_get()`.
    Lists,
    /// Nodes of 64 pointers, 576 bytes each. [6.3 to 6.19] `rxe_mr_init_user()`.
    Tree,
}

/// `PAGE_ALLOC_COSTLY_ORDER`: up to 2^3 pages in a row `kvzalloc()` finds nearly always.
const COSTLY_ORDER: u32 = 3;

impl Layout {
    /// What the table of `shape` takes.
    pub fn memory(self, shape: TableShape) -> TableMemory {
        let TableShape {
            entries: n, page, ..
        } = shape;
        let row = n.saturating_mul(8);
        let inline = of(0, 0);
        match self {
            Self::List => of(1, n.saturating_mul(shape.entry_bytes)),
            Self::None => inline,
            Self::Inline(most) if n <= most => inline,
            Self::PointerChunks | Self::Levels if n <= 4 => inline,
            Self::Inline(_) => of(1, row),
            Self::Octowords => of(1, n.div_ceil(2).saturating_mul(16)),
            Self::Buddy(least) => {
                let entries = n.max(least).checked_next_power_of_two();
                of(1, entries.unwrap_or(u64::MAX).saturating_mul(8))
            }
            Self::PageLists => match n {
                0 | 1 => inline,
                2..=512 => of(1, page.bytes()),
                _ => {
                    let pages = n.div_ceil(512);
                    of(2, 4096 * (pages + pages.div_ceil(512)))
                }
            },
            Self::Chunks { narrow } => chunks(shape, narrow),
            Self::PointerChunks if row <= page.bytes() << COSTLY_ORDER => of(1, row),
            Self::PointerChunks => of(2, row + 4096 * n.div_ceil(512).div_ceil(510)),
            Self::Hops => hops(n, page.bytes() * 4, None),
            Self::TwoHops16K => hops(n, 16 << 10, Some(2)),
            Self::TwoHops => {
                let mut base = page.bytes() * 4;
                while n.div_ceil(base / 8) > base / 8 {
                    base *= 2;
                }
                hops(n, base, Some(2))
            }
            Self::Levels => tree(n, page.bytes() / 8, page.bytes()),
            Self::TwoLayers if n <= 8192 => of(1, 2 * (8 * n).next_power_of_two().max(4096)),
            Self::TwoLayers => {
                let mut list = 4096u64;
                while (list / 8).saturating_mul(list / 8) < n {
                    list *= 2;
                }
                of(2, 2 * (n.div_ceil(list / 8) + 1).saturating_mul(list))
            }
            Self::Pages => of(1, n.div_ceil(512).saturating_mul(4096)),
            Self::Units(unit) => of(1, row.div_ceil(unit).saturating_mul(unit)),
            Self::Directory => of(2, 4096 * (1 + n.div_ceil(512))),
            Self::Maps => {
                let maps = n.div_ceil(page.bytes() / 16);
                of(2, maps.saturating_mul(page.bytes() + 8))
            }
            Self::Lists => of(2, row.saturating_add(8 * n.div_ceil(512))),
            Self::Tree => tree(n, 64, 576),
        }
    }
}

const fn of(levels: u32, bytes: u64) -> TableMemory {
    TableMemory { levels, bytes }
}

/// Levels of nodes that hold `fanout` entries and take `node` bytes each, up to one node.
fn tree(n: u64, fanout: u64, node: u64) -> TableMemory {
    let (mut levels, mut nodes, mut entries) = (0, 0u64, n);
    while levels == 0 || entries > 1 {
        entries = entries.div_ceil(fanout);
        nodes = nodes.saturating_add(entries);
        levels += 1;
    }
    of(levels, nodes.saturating_mul(node))
}

/// The entries of irdma's chunks, in units of 64 bytes.
fn chunks(shape: TableShape, narrow: bool) -> TableMemory {
    let TableShape {
        entries: n, block, ..
    } = shape;
    let unit = |entries: u64| entries.saturating_mul(8).next_multiple_of(64);
    let reach = block.map_or(0, |size| n.saturating_sub(1).saturating_mul(size.bytes()));
    let contiguous = shape.contiguous && (!narrow || reach <= u64::from(u32::MAX));
    if n <= 1 || contiguous {
        return of(0, 0);
    }
    if n <= MOST_OF_A_CHUNK {
        return of(1, unit(n));
    }
    of(2, unit(n.div_ceil(512)) + 4096 * (n / 512) + unit(n % 512))
}

/// The entries of one chunk of 2M.
const MOST_OF_A_CHUNK: u64 = 1 << 18;

/// hns' base addresses in pages of `base` bytes: the root holds only what it needs, as many pages below as it takes.
fn hops(n: u64, base: u64, fixed: Option<u32>) -> TableMemory {
    let per_page = base / 8;
    let (mut levels, mut reach) = (0, 1u64);
    while fixed.map_or(reach < n, |hops| levels < hops) {
        reach = reach.saturating_mul(per_page);
        levels += 1;
    }
    let Some(below) = levels.checked_sub(1) else {
        return of(0, 0);
    };
    let (mut bytes, mut pages) = (0u64, n);
    for _ in 0..below {
        pages = pages.div_ceil(per_page);
        bytes = bytes.saturating_add(pages.saturating_mul(base));
    }
    of(levels, bytes.saturating_add(pages.saturating_mul(8)))
}

/// `KMALLOC_MAX_SIZE`: the largest block of the page allocator, 2^`MAX_PAGE_ORDER` pages, on x86 and arm64.
pub const fn largest_kmalloc(page: PageSize) -> u64 {
    let order = match page.log2() {
        14 => 11,
        16 => 13,
        _ => 10,
    };
    page.bytes() << order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(entries: u64) -> TableShape {
        TableShape {
            entries,
            entry_bytes: 8,
            block: Some(PageSize::K4),
            contiguous: false,
            page: PageSize::K4,
        }
    }

    /// Pages of 4K, numbers of entries at which levels begin and end.
    #[test]
    fn tables_take_what_was_worked_out_by_hand() {
        let columns = [
            Layout::Octowords,
            Layout::Buddy(1),
            Layout::PageLists,
            Layout::Hops,
            Layout::Levels,
            Layout::TwoLayers,
            Layout::PointerChunks,
        ];
        #[rustfmt::skip]
        let rows: [(u64, [(u32, u64); 7]); 7] = [
            (1, [(1, 16), (1, 8), (0, 0), (0, 0), (0, 0), (1, 2 * 4096), (0, 0)]),
            (5, [(1, 48), (1, 64), (1, 4096), (1, 40), (1, 4096), (1, 2 * 4096), (1, 40)]),
            (512, [(1, 4096), (1, 4096), (1, 4096), (1, 4096), (1, 4096), (1, 2 * 4096), (1, 4096)]),
            (513, [(1, 4112), (1, 8192), (2, 12288), (1, 4104), (2, 8192 + 4096), (1, 2 * 8192), (1, 4104)]),
            (262_144, [(1, 2_097_152), (1, 2_097_152), (2, 2_101_248), (2, 2_098_176), (2, 2_097_152 + 4096),
                (2, 2 * 2_101_248), (2, 2_097_152 + 8192)]),
            (524_288, [(1, 4_194_304), (1, 4_194_304), (2, 4_202_496), (2, 4_196_352), (3, 4_194_304 + 8192 + 4096),
                (2, 2 * 4_202_496), (2, 4_194_304 + 12288)]),
            (4_194_304, [(1, 33_554_432), (1, 33_554_432), (2, 33_619_968), (2, 33_570_816),
                (3, 33_554_432 + 65536 + 4096), (2, 2 * 33_570_816), (2, 33_554_432 + 69632)]),
        ];
        for (entries, row) in rows {
            for (layout, (levels, bytes)) in columns.iter().zip(row) {
                let memory = layout.memory(shape(entries));
                assert_eq!(
                    memory,
                    TableMemory { levels, bytes },
                    "{entries} {layout:?}"
                );
            }
        }
    }

    /// A tree of `fan` children a node, counted node by node from the leaves.
    fn nodes(mut entries: u64, fan: u64) -> (u32, u64) {
        let (mut levels, mut nodes) = (0, 0);
        loop {
            let mut parents = 0;
            let mut left = entries;
            while left > 0 {
                left -= left.min(fan);
                parents += 1;
            }
            nodes += parents;
            levels += 1;
            if parents <= 1 {
                return (levels, nodes);
            }
            entries = parents;
        }
    }

    #[test]
    fn trees_are_counted_node_by_node() {
        for n in [5, 63, 64, 65, 511, 512, 513, 4096, 4097, 262_145, 300_000] {
            let (levels, pages) = nodes(n, 512);
            let memory = Layout::Levels.memory(shape(n));
            assert_eq!((memory.levels, memory.bytes), (levels, pages * 4096), "{n}");
            let (levels, of_64) = nodes(n, 64);
            let memory = Layout::Tree.memory(shape(n));
            assert_eq!((memory.levels, memory.bytes), (levels, of_64 * 576), "{n}");
        }
        // Three hops of hns: 2048 to a page, and a root that holds 3 addresses.
        let n = 2048 * 2048 * 2 + 1;
        let bytes = 16384 * (2 * 2048 + 1) + 16384 * 3 + 8 * 3;
        assert_eq!(
            Layout::Hops.memory(shape(n)),
            TableMemory { levels: 3, bytes }
        );
        // Base-address pages grow to 32K, of which 4096 hold one entry more than 2048 of 16K.
        let n = 2048 * 2048 + 1;
        let bytes = 32768 * 1025 + 8 * 1025;
        assert_eq!(
            Layout::TwoHops.memory(shape(n)),
            TableMemory { levels: 2, bytes }
        );
    }

    #[test]
    fn irdma_needs_no_table_for_one_contiguous_run() {
        let of = |entries, contiguous, narrow| {
            let shape = TableShape {
                contiguous,
                block: Some(PageSize::M2),
                ..shape(entries)
            };
            let TableMemory { levels, bytes } = Layout::Chunks { narrow }.memory(shape);
            (levels, bytes)
        };
        assert_eq!(of(1, false, false), (0, 0));
        assert_eq!(of(4096, true, false), (0, 0));
        assert_eq!(of(9, false, false), (1, 128));
        assert_eq!(of(1 << 18, false, false), (1, 2 << 20));
        assert_eq!(of((1 << 18) + 1, false, false), (2, 4160 + (2 << 20) + 64));
        // 2M × 2048 are 4G: the product was 0 in 32 bits, so the last block seemed to lie elsewhere.
        assert_eq!(of(2048, true, true), (0, 0));
        assert_eq!(of(2049, true, true), (1, 2049 * 8 + 56));
    }

    #[test]
    fn nothing_overflows() {
        for layout in [
            Layout::List,
            Layout::Octowords,
            Layout::Buddy(8),
            Layout::PageLists,
            Layout::Chunks { narrow: true },
            Layout::PointerChunks,
            Layout::Hops,
            Layout::TwoHops,
            Layout::TwoHops16K,
            Layout::Levels,
            Layout::TwoLayers,
            Layout::Pages,
            Layout::Units(256),
            Layout::Directory,
            Layout::Maps,
            Layout::Lists,
            Layout::Tree,
        ] {
            let mut last = 0;
            for log2 in 0..53 {
                let bytes = layout.memory(shape(1 << log2)).bytes;
                assert!(bytes >= last, "{layout:?} 2^{log2}");
                last = bytes;
            }
        }
    }
}
