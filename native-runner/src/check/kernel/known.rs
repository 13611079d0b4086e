//! What kernels were measured to answer, row by row. Addresses differ from boot to boot, counts do not.

use std::ops::Range;

use super::Addressing;

/// The bitmap that all rows are about: the mail's {4K,1M,2M}.
pub const SIZES: u64 = 0x0030_1000;

/// A buffer, and how it is pinned and asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct When<'a> {
    pub buffer: &'a str,
    pub addressing: Addressing,
    pub range: Range<u64>,
    pub max_segment: u32,
    pub boundary: u64,
    pub zero_based: bool,
}

/// What Linux 6.1.192 and 6.12.95 made of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// How many SG entries there are.
    pub sg: usize,
    /// How many DMA segments.
    pub dma: usize,
    /// The best size, in bytes.
    pub best: u64,
    /// How many blocks of it.
    pub blocks: u64,
}

/// What is known of this case, if anything.
pub fn find(when: &When<'_>) -> Option<Made> {
    let row = ROWS.iter().find(|(known, _)| known == when);
    row.map(|(_, made)| *made)
}

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;

/// The common case: the mail's region, no limits but PCI's own, the program's own addresses.
const fn when(buffer: &'static str, addressing: Addressing) -> When<'static> {
    When {
        buffer,
        addressing,
        range: 4 * K..4 * M,
        max_segment: u32::MAX,
        boundary: u32::MAX as u64,
        zero_based: false,
    }
}

const fn made(sg: usize, dma: usize, best: u64, blocks: u64) -> Made {
    Made {
        sg,
        dma,
        best,
        blocks,
    }
}

use Addressing::{Physical, Translated, Virtual};
const ADJACENT: &str = "huge-adjacent";
const BELOW: &str = "huge-descending";
const SCATTERED: &str = "scattered";

#[rustfmt::skip]
const ROWS: [(When<'static>, Made); 13] = [
    (when(ADJACENT, Virtual), made(1, 1, 2 * M, 2)),
    (when(BELOW, Virtual), made(2, 2, 2 * M, 2)),
    (When { zero_based: true, ..when(BELOW, Virtual) }, made(2, 2, 4 * K, 1023)),
    (when(BELOW, Physical), made(2, 2, 2 * M, 2)),
    (When { max_segment: 64 << 10, ..when(BELOW, Physical) }, made(64, 64, 2 * M, 2)),
    // The IOMMU merges, and aligns to 4M: the start's offset is lost, and with it the large pages.
    (when(BELOW, Translated), made(2, 1, 4 * K, 1023)),
    (When { zero_based: true, ..when(BELOW, Translated) }, made(2, 1, 2 * M, 2)),
    (When { range: 0..4 * M, ..when(ADJACENT, Translated) }, made(1, 1, 2 * M, 2)),
    (When { max_segment: 64 << 10, ..when(BELOW, Translated) }, made(64, 64, 4 * K, 1023)),
    (When { max_segment: 2 << 20, ..when(BELOW, Translated) }, made(2, 2, 4 * K, 1023)),
    (When { boundary: M - 1, ..when(BELOW, Translated) }, made(2, 2, 4 * K, 1023)),
    (When { range: 0x800..0xe800, ..when(SCATTERED, Translated) }, made(15, 1, 4 * K, 15)),
    (When { range: 0x800..0xe800, ..when(SCATTERED, Virtual) }, made(15, 15, 4 * K, 15)),
];
