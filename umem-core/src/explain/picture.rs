//! The picture of a whole list: how many blocks of a size are whole, and where the first of the others lie.
//!
//! A reason ([`limits`](super::limits)) names one bit at one address. It does not distinguish three stray pages from memory that is shifted
//! all along.

use crate::{
    processor,
    registration::Registration,
    size::{Bytes, PageSize},
    table::Policy,
};
use alloc::{format, string::String, vec::Vec};

/// How many strays are named.
const NAMED: usize = 3;

/// What a device with one page size sees of a region, in blocks of a size that it could have taken.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Picture {
    /// The size of the blocks.
    pub size: PageSize,
    /// How many whole blocks the region has, by the NIC's addresses.
    pub blocks: u64,
    /// How many of them one entry could cover.
    pub whole: u64,
    /// How many runs of contiguous device addresses there are.
    pub runs: u64,
    /// The runs that no entry of the size can belong to, the first ones: bytes from the region's start, and bytes.
    pub strays: Vec<(u64, u64)>,
    /// How many such runs there are.
    pub stray_count: u64,
    /// By how many bytes device addresses are ahead of the NIC's, modulo the size, where that is the same all along and not 0.
    pub shift: Option<u64>,
}

impl Picture {
    /// The region in blocks of `size`; `None` if it has none. Takes one pass over the DMA list.
    pub fn of(registration: &Registration, size: PageSize) -> Option<Self> {
        let mr = registration.question().mr();
        let start = mr.hca_address.align_down(mr.page).get();
        let blocks = blocks_in(
            size,
            start,
            start.checked_add(mr.pages() << mr.page.log2())?,
        );
        if blocks == 0 {
            return None;
        }
        let mut picture = Self {
            size,
            blocks,
            whole: 0,
            runs: 0,
            strays: Vec::new(),
            stray_count: 0,
            shift: None,
        };
        let mut shifts: Option<(u64, bool)> = None;
        let mut at = start;
        let mut segments = registration.dma().peekable();
        while let Some(first) = segments.next() {
            let (dma, mut length) = (first.start.get(), first.length);
            while let Some(next) =
                segments.next_if(|next| next.start.get() == dma.wrapping_add(length))
            {
                length += next.length;
            }
            let shift = dma.wrapping_sub(at) & size.mask();
            shifts = Some(match shifts {
                None => (shift, true),
                Some((known, same)) => (known, same && known == shift),
            });
            picture.runs += 1;
            if shift == 0 {
                picture.whole += blocks_in(size, at, at + length);
            } else {
                picture.stray_count += 1;
                if picture.strays.len() < NAMED {
                    picture.strays.push((at - start, length));
                }
            }
            at += length;
        }
        picture.shift = shifts.and_then(|(shift, same)| (same && shift != 0).then_some(shift));
        Some(picture)
    }

    /// Whether most blocks are whole, and strays break the others.
    pub fn is_nearly_whole(&self) -> bool {
        self.whole * 2 >= self.blocks && self.whole < self.blocks
    }

    /// A sentence: how much is whole, and what is not.
    pub fn text(&self) -> String {
        let Self {
            size,
            blocks,
            whole,
            runs,
            ..
        } = self;
        if let Some(shift) = self.shift {
            let (by, way) = match size.bytes() - shift {
                behind if behind < shift => (behind, "behind"),
                _ => (shift, "ahead of"),
            };
            return format!(
                "The memory is not in pieces, it is shifted: all along, device addresses are {} {way} the NIC's modulo {size}.",
                Bytes(by)
            );
        }
        let are = if *whole == 1 { "is" } else { "are" };
        let of = if *blocks == 1 { "block" } else { "blocks" };
        if *whole == 0 && *runs > *blocks {
            return format!(
                "None of the {blocks} {of} of {size} is whole: the region is in {runs} runs of contiguous addresses."
            );
        }
        let strays: Vec<String> = self
            .strays
            .iter()
            .map(|(offset, length)| format!("+{offset:#x} ({})", Bytes(*length)))
            .collect();
        let more = match self.stray_count.saturating_sub(strays.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match strays.is_empty() {
            true => format!(
                "{whole} of {blocks} {of} of {size} {are} whole; addresses jump within the others."
            ),
            false => format!(
                "{whole} of {blocks} {of} of {size} {are} whole; strays at {}{more}.",
                strays.join(", ")
            ),
        }
    }
}

/// How many whole blocks of `size` lie from one address to another.
fn blocks_in(size: PageSize, from: u64, to: u64) -> u64 {
    match size.align_up(from) {
        Some(from) if from < to => (size.align_down(to) - from) >> size.log2(),
        _ => 0,
    }
}

/// The region in blocks of the size that it was meant to have: the largest of the machine's huge pages that most blocks have, else the
/// smallest that the device has and the table does not use. `None` where the table could have no larger page.
pub fn picture(registration: &Registration) -> Option<Picture> {
    let question = registration.question();
    let (device, mr) = (question.device(), question.mr());
    let taken = registration.table().ok().and_then(|table| table.page_size);
    let taken = taken.unwrap_or(mr.page);
    if device.policy != Policy::Single || registration.dma_count().is_err() {
        return None;
    }
    let platform = question
        .iommu_profile()
        .and_then(|profile| profile.platform);
    let huge = processor::huge_pages(platform, mr.page);
    let larger = huge
        .iter()
        .filter(|size| *size > taken && device.page_sizes.contains(*size));
    let pictures: Vec<Picture> = larger
        .filter_map(|size| Picture::of(registration, size))
        .collect();
    let nearly = pictures
        .iter()
        .rev()
        .find(|picture| picture.whole * 2 >= picture.blocks);
    nearly.or(pictures.first()).cloned()
}
