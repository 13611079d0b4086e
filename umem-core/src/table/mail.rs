//! The mail's code as written, beside the rule that it intends: exhibits, never used for a table.
//!
//! [`Draft`] is `ib_umem_add_page_sg()`, *"off the cuff untested"*. It differs from [the intended
//! rule](crate::tiling) in ten ways, each a switch here, so that they can be fixed one at a time.
//! [`cut_before_mapping`] is the mail's first idea; its second thought replaced it.

use super::Tally;
use crate::{
    address::{DmaAddr, Joined},
    memory::FrameRun,
    scatter::SgEntry,
    size::PageSizes,
    tiling::Tiling,
};

mod draft;

pub use draft::{Draft, DraftEntries, Stopped};

/// The first idea: cut the frames into aligned blocks before they are mapped, and afterwards only make blocks smaller,
/// *"not bigger"*.
///
/// Mapping *"will preserve the sizes, but not necessarily the alignment"*: a block that lands misaligned falls apart, and the pieces
/// of two blocks never join. `mapped` returns the device's address of a page.
pub fn cut_before_mapping(
    frames: impl Iterator<Item = FrameRun>,
    sizes: PageSizes,
    mapped: impl Fn(&SgEntry) -> DmaAddr,
) -> Tally {
    let mut tally = Tally::default();
    for run in Joined::new(frames) {
        for blocks in Tiling::new(run.start, run.end(), sizes) {
            let length = blocks.size.bytes();
            for start in blocks.addresses() {
                let offset = run.offset + (start - run.start);
                let dma = mapped(&SgEntry {
                    offset,
                    start,
                    length,
                });
                for piece in Tiling::new(dma, dma + length, sizes) {
                    tally.add(piece.size.bytes(), piece.count);
                }
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::PhysAddr;
    use alloc::string::ToString;

    const MAIL: PageSizes = PageSizes::from_bits(0x30_1000);

    #[test]
    fn cut_before_mapping_each_block_falls_apart_where_it_lands() {
        // Two blocks of 2M, 1M into the region; the second one lands 4K off its alignment.
        let frames = [FrameRun {
            offset: 1 << 20,
            start: PhysAddr::new(0x4000_0000),
            length: 4 << 20,
        }];
        let tally = cut_before_mapping(frames.into_iter(), MAIL, |entry| {
            let slip = if entry.offset == 3 << 20 { 4096 } else { 0 };
            DmaAddr::new(0x8000_0000 - (1 << 20) + entry.offset + slip)
        });
        assert_eq!(tally.to_string(), "258 entries: 256 × 4K + 1 × 1M + 1 × 2M");
    }
}
