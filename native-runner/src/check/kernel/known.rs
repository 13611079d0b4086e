//! What kernels were measured to answer, row by row. Addresses differ from boot to boot, counts do not.

use std::ops::Range;

use super::Addressing;

/// The mail's bitmap, {4K,1M,2M}, which most rows are about.
const MAIL: u64 = 0x0030_1000;

/// {4K,2M,1G}, for the gigantic page.
const UP_TO_1G: u64 = 0x4020_1000;

/// A buffer, and how it is pinned and asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct When<'a> {
    pub buffer: &'a str,
    pub addressing: Addressing,
    pub range: Range<u64>,
    pub max_segment: u32,
    pub boundary: u64,
    pub zero_based: bool,
    pub sizes: u64,
}

/// What Linux 6.1.192 and 6.12.95 made of it, with pages of 4K.
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

/// What is known of this case, if anything. The kernel's page must be of 4K: with larger ones the first and last page hold more.
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
        sizes: MAIL,
    }
}

/// A part of the 1G page.
const fn gigantic(addressing: Addressing, range: Range<u64>) -> When<'static> {
    When {
        range,
        sizes: UP_TO_1G,
        ..when("gigantic", addressing)
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

use Addressing::{Physical, Virtual};
#[allow(non_upper_case_globals)]
const Translated: Addressing = Addressing::Translated(None);
const ADJACENT: &str = "huge-adjacent";
const BELOW: &str = "huge-descending";
const SCATTERED: &str = "scattered";
const G: u64 = 1 << 30;
const HALF: Range<u64> = 0x20_1000..0x20_1000 + G / 2;

#[rustfmt::skip]
const ROWS: [(When<'static>, Made); 19] = [
    (when(ADJACENT, Virtual), made(1, 1, 2 * M, 2)),
    (when(BELOW, Virtual), made(2, 2, 2 * M, 2)),
    (When { zero_based: true, ..when(BELOW, Virtual) }, made(2, 2, 4 * K, 1023)),
    (When { range: 0..4 * M, ..when("shifted", Virtual) }, made(2, 2, 4 * K, 1024)),
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
    (gigantic(Translated, 0..G), made(1, 1, G, 1)),
    (gigantic(Translated, 2 * M..G), made(1, 1, 2 * M, 511)),
    (gigantic(Translated, HALF), made(1, 1, 4 * K, 131_072)),
    (gigantic(Virtual, HALF), made(1, 1, G, 1)),
    (gigantic(Physical, HALF), made(1, 1, G, 1)),
];

#[cfg(test)]
mod tests {
    use super::{super::*, *};

    /// A row that no check asks about would prove nothing.
    #[test]
    fn every_row_is_asked_about() {
        for (row, (when, _)) in ROWS.iter().enumerate() {
            let recipe = buffer::CATALOGUE
                .iter()
                .find(|recipe| recipe.name == when.buffer);
            let (regions, sizes) = questions(recipe.expect("the buffer is in the catalogue"));
            assert!(regions.contains(&when.range), "row {row}");
            assert!(sizes.contains(&when.sizes), "row {row}");
            let unlimited = (when.max_segment, when.boundary) == Target::NO_LIMITS;
            assert!(unlimited || LIMITED.contains(&when.buffer), "row {row}");
            let limits = LIMITS.map(|(longest, boundary)| (longest, u64::from(boundary)));
            assert!(
                limits.contains(&(when.max_segment, when.boundary)),
                "row {row}"
            );
        }
    }
}
