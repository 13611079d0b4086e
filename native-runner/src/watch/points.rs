//! The functions of the kernel that are watched, and the programs that watch them.

use super::tracefs::Place;

/// A program, and where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// The event's name.
    pub event: &'static str,
    /// The program.
    pub program: &'static str,
    /// Where in the function.
    pub place: Place,
    /// The functions: the first that the kernel has.
    pub functions: &'static [&'static str],
    /// Whether nothing can be watched without it.
    pub is_needed: bool,
}

/// `ib_umem_get()`; from Linux 7.2 on its callers meet in a static function that is a symbol all the same.
const GET: &[&str] = &["__ib_umem_get_va", "ib_umem_get"];
const ODP: &[&str] = &["ib_umem_odp_get"];
/// They call each other.
const DMA_BUF: &[&str] = &["ib_umem_dmabuf_get"];
const DMA_BUF_PINNED: &[&str] = &["ib_umem_dmabuf_get_pinned"];
const DMA_BUF_FOR: &[&str] = &["ib_umem_dmabuf_get_pinned_with_dma_device"];
const BEST: &[&str] = &["ib_umem_find_best_pgsz"];

const fn entry(program: &'static str, functions: &'static [&'static str]) -> Point {
    at(program, program, functions)
}

const fn at(
    event: &'static str,
    program: &'static str,
    functions: &'static [&'static str],
) -> Point {
    Point {
        event,
        program,
        place: Place::Entry,
        functions,
        is_needed: false,
    }
}

const fn exit(
    event: &'static str,
    program: &'static str,
    functions: &'static [&'static str],
) -> Point {
    Point {
        place: Place::Return,
        ..at(event, program, functions)
    }
}

const fn needed(point: Point) -> Point {
    Point {
        is_needed: true,
        ..point
    }
}

/// All of them. What a registration needs at its end is there before its beginning is watched.
pub const POINTS: &[Point] = &[
    entry("release", &["ib_umem_release"]),
    exit("call_exit", "call_exit", &["ib_uverbs_ioctl"]),
    exit("write_exit", "call_exit", &["ib_uverbs_write"]),
    entry("blocks_start", &["__rdma_block_iter_start"]),
    exit("best_exit", "best_exit", BEST),
    entry("best_enter", BEST),
    entry("map_table", &["dma_map_sgtable"]),
    entry("map_virtual", &["ib_dma_virt_map_sg"]),
    needed(exit("get_exit", "get_exit", GET)),
    exit("odp_exit", "get_exit", ODP),
    exit("dma_buf_exit", "get_exit", DMA_BUF),
    exit("dma_buf_pinned_exit", "get_exit", DMA_BUF_PINNED),
    exit("dma_buf_exit_for", "get_exit", DMA_BUF_FOR),
    entry("odp_enter", ODP),
    exit("map_dma_buf", "map_dma_buf", &["dma_buf_map_attachment"]),
    entry("dma_buf_enter", DMA_BUF),
    at("dma_buf_pinned_enter", "dma_buf_enter", DMA_BUF_PINNED),
    entry("dma_buf_enter_for", DMA_BUF_FOR),
    needed(entry("get_enter", GET)),
];

/// All functions that may be watched.
pub fn functions() -> Vec<&'static str> {
    let mut all: Vec<_> = POINTS
        .iter()
        .flat_map(|point| point.functions)
        .copied()
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
