//! Why an entry has its size: what limited it, down to the bit.
//!
//! Everything comes in two forms: for machines ([`Limit::code`], [`Limit::bit`]) and as a
//! sentence for people ([`Limit::text`]).

use crate::{
    registration::{Index, Registration},
    size::{Bytes, PageSize, PageSizes},
    table::{
        Policy,
        single::{self, ConstraintCode},
        tiling::Tiling,
    },
};
use alloc::{format, string::String, vec::Vec};

/// One reason why a table is not smaller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limit {
    /// What it is, for programs: `alignment`, `bytes-left`, `run-end`, `largest-size`, `covers`,
    /// `congruence`, `discontinuity`, `entry-end`, `segments`.
    pub code: &'static str,
    /// The address bit that decided, where one did.
    pub bit: Option<u32>,
    /// The number of the DMA segment that brought it, where one did, from 0.
    pub segment: Option<u64>,
    /// The sentence.
    pub text: String,
}

/// The arithmetic of one block of a mixed table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The device address at which the block starts.
    pub address: u64,
    /// How many low bits of it are 0 (64 for address 0).
    pub zeros: u32,
    /// The bytes from there to the end of the contiguous run.
    pub left: u64,
    /// The sizes of the device, descending, and what becomes of each.
    pub verdicts: Vec<(PageSize, Verdict)>,
    /// The size that is taken.
    pub taken: Option<PageSize>,
    /// What kept the next larger size from being taken.
    pub limit: CutLimit,
}

/// What becomes of a size at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The address is no multiple of it: this bit is set.
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
pub fn cut(sizes: PageSizes, address: u64, left: u64, last_run: bool) -> Cut {
    let taken = Tiling::largest(sizes, address, left);
    let verdict = |size: PageSize| match size {
        _ if Some(size) == taken => Verdict::Taken,
        _ if !size.divides(address) => Verdict::NotAligned {
            bit: address.trailing_zeros(),
        },
        _ if size.bytes() > left => Verdict::TooLong,
        _ => Verdict::Smaller,
    };
    let limit = match taken.and_then(|taken| sizes.next_above(taken)) {
        None => CutLimit::LargestSize,
        Some(larger) if !larger.divides(address) => CutLimit::Alignment {
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
    /// The sentence: what the address allows, and what decided.
    pub fn text(&self, sizes: PageSizes) -> String {
        let Some(taken) = self.taken else {
            return format!(
                "No size of the device divides {:#x} and fits the {} left.",
                self.address,
                Bytes(self.left)
            );
        };
        let larger = sizes.next_above(taken);
        match (self.limit, larger) {
            (CutLimit::Alignment { bit }, Some(larger)) => format!(
                "The address {:#x} ends in {bit} zero bits, so the largest block that may start here is {taken}; {larger} would need {}.",
                self.address,
                larger.log2()
            ),
            (CutLimit::BytesLeft, Some(larger)) => format!(
                "{larger} would be aligned at {:#x}, but only {} of the region are left, so {taken} is taken.",
                self.address,
                Bytes(self.left)
            ),
            (CutLimit::RunEnd, Some(larger)) => format!(
                "{larger} would be aligned at {:#x}, but the device addresses are contiguous for only {} more, so {taken} is taken.",
                self.address,
                Bytes(self.left)
            ),
            _ => format!(
                "{taken} is the largest size that the device supports, and it is aligned and fits at {:#x}.",
                self.address
            ),
        }
    }
}

impl Registration {
    /// The arithmetic of the mixed policy at `offset`, which must be pinned.
    pub fn cut_at(&self, index: &Index, offset: u64) -> Cut {
        let (start, _) = self.pinned();
        let offset = offset.max(start);
        let end = index.run_end(self, offset);
        let (_, pinned_end) = self.pinned();
        let sizes = self.question().device.page_sizes;
        cut(
            sizes,
            index.dma_address(self, offset).get(),
            end - offset,
            end == pinned_end,
        )
    }

    /// Why the table is not smaller: each reason once, in the order in which they arise.
    pub fn limits(&self) -> Vec<Limit> {
        match self.question().device.policy {
            Policy::Mixed => self.cut_limits(),
            Policy::Single => self.constraints(),
            Policy::Unaligned => match &self.dma_count {
                Ok(count) => alloc::vec![Limit {
                    code: "segments",
                    bit: None,
                    segment: None,
                    text: format!(
                        "An unaligned device takes one entry for each DMA segment, and there {}.",
                        are(*count, "segment")
                    ),
                }],
                Err(_) => Vec::new(),
            },
        }
    }

    fn cut_limits(&self) -> Vec<Limit> {
        let sizes = self.question().device.page_sizes;
        let mut seen: Vec<(CutLimit, u64, Limit)> = Vec::new();
        let (_, pinned_end) = self.pinned();
        for run in self.entries() {
            let address = run.address.get();
            // The run of device addresses goes on as far as the table's entries are adjacent. Greed decides by what
            // comes next alone: a larger size that is aligned did not fit because the run ends.
            let Some(size) = PageSize::new(run.size) else {
                continue;
            };
            let limit = match sizes.next_above(size) {
                None => CutLimit::LargestSize,
                Some(larger) if !larger.divides(address) => CutLimit::Alignment {
                    bit: address.trailing_zeros(),
                },
                Some(larger)
                    if run.offset.saturating_add_unsigned(larger.bytes()) > pinned_end as i64 =>
                {
                    CutLimit::BytesLeft
                }
                Some(_) => CutLimit::RunEnd,
            };
            if let Some((_, count, _)) = seen.iter_mut().find(|(known, ..)| *known == limit) {
                *count += run.count;
                continue;
            }
            let left = match limit {
                CutLimit::BytesLeft => (pinned_end as i64).saturating_sub(run.offset) as u64,
                _ => run.size * run.count,
            };
            let text = Cut {
                address,
                zeros: address.trailing_zeros(),
                left,
                verdicts: Vec::new(),
                taken: Some(size),
                limit,
            }
            .text(sizes);
            seen.push((
                limit,
                run.count,
                Limit {
                    code: limit.code(),
                    bit: limit.bit(),
                    segment: None,
                    text,
                },
            ));
        }
        let with_count = |(_, count, limit): (CutLimit, u64, Limit)| Limit {
            text: format!("{} ({})", limit.text, entries_of(count)),
            ..limit
        };
        seen.into_iter().map(with_count).collect()
    }

    /// Every constraint of `ib_umem_find_best_pgsz()` that cost a size, in order.
    fn constraints(&self) -> Vec<Limit> {
        let mr = &self.question().mr;
        let mut limits = Vec::new();
        let mut constraints = Vec::new();
        let sweep = self.sweep(|constraint| constraints.push(constraint));
        let mut allowed = sweep.sizes();
        for constraint in constraints {
            let Some(most) = PageSize::from_log2(constraint.bit) else {
                continue;
            };
            let (before, after) = (allowed.largest(), allowed.up_to(most).largest());
            allowed = allowed.up_to(most);
            let Some(before) = before.filter(|_| before != after) else {
                continue;
            };
            let then = match after {
                Some(after) => format!(
                    "so {before} falls to {after}: {} instead of {}",
                    entries_of(single::block_count(mr, after)),
                    single::block_count(mr, before)
                ),
                None => format!("so {before} falls, and no size is left"),
            };
            let (bit, hca, dma) = (
                constraint.bit,
                constraint.hca_address,
                constraint.dma_address,
            );
            let text = match constraint.code {
                ConstraintCode::Covers => {
                    let covering = after.unwrap_or(before);
                    format!(
                        "One page of {covering} already covers the region, so larger ones would gain nothing."
                    )
                }
                ConstraintCode::Congruence => format!(
                    "The NIC's address {hca:#x} and the device address {dma:#x} differ in bit {bit}, {then}."
                ),
                ConstraintCode::Discontinuity => {
                    format!(
                        "At the NIC's address {hca:#x}, aligned to {} only, the device addresses jump, {then}.",
                        Bytes(1 << bit)
                    )
                }
                ConstraintCode::EntryEnd => {
                    format!(
                        "An SG entry ends at the NIC's address {hca:#x}, which these rules do not let a page reach across, {then}."
                    )
                }
            };
            limits.push(Limit {
                code: constraint.code.name(),
                bit: Some(bit),
                segment: Some(constraint.segment),
                text,
            });
        }
        if limits.is_empty()
            && let Some(largest) = allowed.largest()
        {
            limits.push(Limit {
                code: "largest-size",
                bit: Some(largest.log2()),
                segment: None,
                text: format!("{largest} is the largest size that the device supports, and it fits everywhere."),
            });
        }
        limits
    }
}

fn entries_of(count: u64) -> String {
    format!("{count} {}", if count == 1 { "entry" } else { "entries" })
}

fn are(count: u64, what: &str) -> String {
    match count {
        1 => format!("is 1 {what}"),
        _ => format!("are {count} {what}s"),
    }
}
