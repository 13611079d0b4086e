//! Why an entry has its size, down to the bit that decided.
//!
//! Everything comes in two forms: for machines ([`Limit::code`], [`Limit::bit`]) and as a
//! sentence for people ([`Limit::text`]).

use crate::{
    address::DmaAddr,
    registration::Index,
    size::{Bytes, PageSize, PageSizes},
    tiling,
};
use alloc::{format, string::String, vec::Vec};
use core::cmp::Ordering;

mod limits;
#[cfg(feature = "guide")]
mod picture;

pub(crate) use limits::best_limits;
pub use limits::{CODES, Limit, best_page_size_limits, block_limits, limits};
#[cfg(feature = "guide")]
pub use picture::{Picture, picture};

/// The arithmetic of one block of a mixed table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The device address at which the block starts.
    pub address: DmaAddr,
    /// How many low bits of it are 0 (64 for address 0).
    pub zeros: u32,
    /// The bytes from there to the end of the contiguous run.
    pub left: u64,
    /// The sizes of the device, descending, each with its verdict.
    pub verdicts: Vec<(PageSize, Verdict)>,
    /// The size that is taken.
    pub taken: Option<PageSize>,
    /// What kept the next larger size from being taken.
    pub limit: CutLimit,
}

/// Whether a size can be used at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The address is not a multiple of it: this bit is set.
    NotAligned {
        /// The lowest bit set in the address.
        bit: u32,
    },
    /// Fewer bytes are left.
    TooLong,
    /// The largest that fits.
    Taken,
    /// It would fit, but a larger one does.
    Smaller,
}

/// What decides the size of a block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CutLimit {
    /// The address is aligned only so far.
    Alignment {
        /// The lowest bit set in the address.
        bit: u32,
    },
    /// The region ends.
    BytesLeft,
    /// The run of contiguous device addresses ends, and the region goes on elsewhere.
    RunEnd,
    /// The device supports no larger size.
    LargestSize,
}

impl CutLimit {
    /// Its name in registrations.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Alignment { .. } => "alignment",
            Self::BytesLeft => "bytes-left",
            Self::RunEnd => "run-end",
            Self::LargestSize => "largest-size",
        }
    }

    /// The bit that decided.
    pub const fn bit(self) -> Option<u32> {
        match self {
            Self::Alignment { bit } => Some(bit),
            _ => None,
        }
    }
}

/// The mail's rule at one address, with `left` bytes to the end of the contiguous run; `last_run` says that the region ends there.
pub fn cut(sizes: PageSizes, address: DmaAddr, left: u64, last_run: bool) -> Cut {
    let taken = tiling::largest(sizes, address, left);
    let verdict = |size: PageSize| match Some(size).cmp(&taken) {
        Ordering::Less => Verdict::Smaller,
        Ordering::Equal => Verdict::Taken,
        Ordering::Greater if address.is_aligned(size) => Verdict::TooLong,
        Ordering::Greater => Verdict::NotAligned {
            bit: address.trailing_zeros(),
        },
    };
    let limit = match taken.and_then(|taken| sizes.next_above(taken)) {
        None => CutLimit::LargestSize,
        Some(larger) if !address.is_aligned(larger) => CutLimit::Alignment {
            bit: address.trailing_zeros(),
        },
        Some(_) if last_run => CutLimit::BytesLeft,
        Some(_) => CutLimit::RunEnd,
    };
    Cut {
        address,
        zeros: address.trailing_zeros(),
        left,
        verdicts: sizes
            .iter()
            .rev()
            .map(|size| (size, verdict(size)))
            .collect(),
        taken,
        limit,
    }
}

impl Cut {
    /// A sentence: what the address allows, and what decided.
    pub fn text(&self, sizes: PageSizes) -> String {
        let Some(taken) = self.taken else {
            return format!(
                "No size of the device divides {} and fits the {} left.",
                self.address,
                Bytes(self.left)
            );
        };
        let larger = sizes.next_above(taken);
        match (self.limit, larger) {
            (CutLimit::Alignment { bit }, Some(larger)) => format!(
                "The address {} ends in {bit} zero bits, so the largest block that may start here is {taken}; {larger} would need {}.",
                self.address,
                larger.log2()
            ),
            (CutLimit::BytesLeft, Some(larger)) => format!(
                "{larger} would be aligned at {}, but only {} of the region are left, so {taken} is taken.",
                self.address,
                Bytes(self.left)
            ),
            (CutLimit::RunEnd, Some(larger)) => format!(
                "{larger} would be aligned at {}, but the device addresses are contiguous for only {} more, so {taken} is taken.",
                self.address,
                Bytes(self.left)
            ),
            _ => format!(
                "{taken} is the largest size that the device supports, and it is aligned and fits at {}.",
                self.address
            ),
        }
    }
}

/// The arithmetic of the mixed policy at `offset`, which must be pinned.
pub fn cut_at(index: &Index, offset: u64) -> Cut {
    let (start, end) = index.registration().pinned();
    let offset = offset.max(start);
    let run_end = index.run_end(offset);
    cut(
        index.registration().question().device().page_sizes,
        index.dma_address(offset),
        run_end - offset,
        run_end == end,
    )
}
