//! Why a whole table is not smaller.

use super::{Cut, CutLimit};
use crate::{
    address::DmaAddr,
    iommu::DmaSegment,
    kernel::{KernelRules, UpperBound},
    registration::Registration,
    size::{Bytes, PageSize, PageSizes},
    table::{
        EntryRun, Mr, Policy,
        single::{self, Choice, Constraint, ConstraintCode, Sweep},
    },
};
use alloc::{format, string::String, vec::Vec};

/// Every code that a [`Limit`] can have.
///
/// | code | of | says |
/// |---|---|---|
/// | `congruence` | one size | the NIC's address and the device address differ in `bit` |
/// | `discontinuity` | one size | a run begins inside the region at a NIC address that is aligned to `bit` only |
/// | `entry-end` | one size | by old rules: an entry ends at a NIC address, or has a length, that is aligned to `bit` only |
/// | `start-alignment` | one size | by a driver's own rule: the program's address is aligned to `bit` only |
/// | `kernel-page` | one size | by a driver's own rule: it takes the kernel's page, whatever the memory |
/// | `covers` | one size | one page of a smaller size covers the region already |
/// | `largest-size` | all | the device supports no larger size: nothing else limits these entries |
/// | `alignment` | mixed | the address is aligned to `bit` only |
/// | `bytes-left` | mixed | the region ends |
/// | `run-end` | mixed | the run of addresses ends, and the region goes on elsewhere |
/// | `segments` | unaligned | there is an entry for each segment |
pub const CODES: [&str; 11] = [
    "congruence",
    "discontinuity",
    "entry-end",
    "start-alignment",
    "kernel-page",
    "covers",
    "largest-size",
    "alignment",
    "bytes-left",
    "run-end",
    "segments",
];

/// One reason why a table is not smaller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limit {
    /// What it is, for programs: one of [`CODES`].
    pub code: &'static str,
    /// The address bit that decided, if one did; of `largest-size` where there is one size, the log2 of that size.
    pub bit: Option<u32>,
    /// The number of the DMA segment that causes it, from 0, if one does.
    pub segment: Option<u64>,
    /// The sentence.
    pub text: String,
}

/// Why the table is not smaller: each reason once, in the order in which they arise.
pub fn limits(registration: &Registration) -> Vec<Limit> {
    let (question, sizes) = (
        registration.question(),
        registration.question().device().page_sizes,
    );
    match question.device().policy {
        Policy::Mixed => block_limits(registration.entries(), sizes),
        Policy::Single => {
            let (choice, mr) = (question.device().choice, question.mr());
            if choice.is_best() {
                let seen = choice.seen(mr);
                let entries = |size| entries(registration, &seen, size);
                best_limits(
                    registration.telling(),
                    &seen,
                    sizes,
                    question.rules(),
                    entries,
                )
            } else {
                own_limits(registration)
            }
        }
        Policy::Unaligned => {
            let segments = |count| Limit {
                code: "segments",
                bit: None,
                segment: None,
                text: format!(
                    "An unaligned device takes one entry for each DMA segment, and there {}.",
                    are(count, "segment")
                ),
            };
            registration.dma_count().map(segments).into_iter().collect()
        }
    }
}

/// Why the size is not larger, for drivers that choose it in their own way.
fn own_limits(registration: &Registration) -> Vec<Limit> {
    let (mr, device) = (
        registration.question().mr(),
        registration.question().device(),
    );
    let driver = device.profile.map_or("the driver", |profile| profile.name);
    let function = match device.choice {
        Choice::ContPages => "mlx5_ib_cont_pages()",
        Choice::OptimalMtt => "mlx4_ib_umem_calc_optimal_mtt_size()",
        _ => {
            return alloc::vec![Limit {
                code: "kernel-page",
                bit: Some(mr.page.log2()),
                segment: None,
                text: format!(
                    "In this kernel {driver} takes the kernel's page, {}, whatever the memory.",
                    mr.page
                ),
            }];
        }
    };
    let mut constraints = Vec::new();
    registration.single_size(|constraint| constraints.push(constraint));
    let seen = device.choice.seen(mr);
    limits_of(
        &constraints,
        device.page_sizes,
        |size| entries(registration, &seen, size),
        |constraint, sizes, then| {
            let (bit, va, dma) = (
                constraint.bit,
                constraint.hca_address,
                constraint.dma_address,
            );
            match constraint.code {
                ConstraintCode::StartAlignment => format!(
                    "The program's address {va} is aligned to {} only, and {driver} takes no page larger than that, {then} ({function}).",
                    Bytes(1 << bit)
                ),
                ConstraintCode::Covers => covers(sizes),
                ConstraintCode::Congruence => format!(
                    "The program's address {va} and the device address {dma} differ in bit {bit}, {then}."
                ),
                _ => format!(
                    "Contiguous memory begins at the device address {dma}: it, or the length of the run before it, is aligned to {} only, and \
                     {driver} takes no page larger than that, {then} ({function}).",
                    Bytes(1 << bit)
                ),
            }
        },
    )
}

/// Why the blocks of `sizes` are not fewer: each reason once, in the order in which they arise.
pub fn block_limits(blocks: impl Iterator<Item = EntryRun>, sizes: PageSizes) -> Vec<Limit> {
    let mut reasons = Reasons {
        sizes,
        seen: Vec::new(),
    };
    // Entries that a larger, aligned size would have covered if the run of addresses had not ended.
    let mut short: Vec<EntryRun> = Vec::new();
    let mut run_end = None;
    for run in blocks {
        if run_end.is_some_and(|end| end != run.address) {
            reasons.add_short(&mut short, run_end, CutLimit::RunEnd);
        }
        run_end = Some(run.end());
        let Some(size) = PageSize::new(run.size) else {
            continue;
        };
        match sizes.next_above(size) {
            None => reasons.add(run, run.size, CutLimit::LargestSize),
            Some(larger) if !run.address.is_aligned(larger) => {
                let bit = run.address.trailing_zeros();
                reasons.add(run, run.size, CutLimit::Alignment { bit });
            }
            Some(_) => short.push(run),
        }
    }
    reasons.add_short(&mut short, run_end, CutLimit::BytesLeft);
    reasons.limits()
}

/// Why the best page size is not larger: every constraint of `ib_umem_find_best_pgsz()` that cost a size, in order.
///
/// Where none did, there is one limit, `largest-size`; where `sizes` is empty, there is none. The segments and `mr` are those of
/// [`best_page_size`](single::best_page_size).
///
/// ```
/// use umem_core::{address::{Consecutive, DmaAddr, VirtAddr}, explain::best_page_size_limits, kernel::KernelRules};
/// use umem_core::{size::{PageSize, PageSizes}, table::Mr};
///
/// let segments = Consecutive::new([(DmaAddr::new(0x4000_0000), 4 << 20)]);
/// let mr = Mr::new(VirtAddr::new(0x7f00_0000_0000), 4 << 20, PageSize::K4);
/// let why = |sizes| best_page_size_limits(segments.clone(), &mr, sizes, KernelRules::newest());
/// let two = why(PageSizes::from([PageSize::K4, PageSize::M2]));
/// assert_eq!((two.len(), two[0].code), (1, "largest-size"));
/// assert!(why(PageSizes::EMPTY).is_empty());
/// ```
pub fn best_page_size_limits(
    segments: impl Iterator<Item = DmaSegment>,
    mr: &Mr,
    sizes: PageSizes,
    rules: &KernelRules,
) -> Vec<Limit> {
    best_limits(segments, mr, sizes, rules, |size| {
        single::block_count(mr, size)
    })
}

/// The same; `entries` counts the entries of a table with one size.
pub(crate) fn best_limits(
    segments: impl Iterator<Item = DmaSegment>,
    mr: &Mr,
    sizes: PageSizes,
    rules: &KernelRules,
    entries: impl Fn(PageSize) -> u64,
) -> Vec<Limit> {
    let mut constraints = Vec::new();
    let mut sweep = Sweep::new(mr, sizes, rules);
    for segment in segments {
        sweep.push(segment, |constraint| constraints.push(constraint));
    }
    limits_of(
        &constraints,
        sweep.sizes(),
        entries,
        |constraint, sizes, then| match constraint.code {
            ConstraintCode::Covers if rules.upper_bound == UpperBound::CoveringBits => {
                covers(sizes)
            }
            _ => format!("{}, {then}.", because(constraint)),
        },
    )
}

fn covers((before, after): (PageSize, Option<PageSize>)) -> String {
    let covering = after.unwrap_or(before);
    format!("One page of {covering} already covers the region, so larger ones would gain nothing.")
}

/// How many entries the table has with one size. Where a kernel's bug is at work, the table that it makes has another number than its region
/// would need.
fn entries(registration: &Registration, mr: &Mr, size: PageSize) -> u64 {
    match registration.table() {
        Ok(table) if table.page_size == Some(size) => table.total,
        _ => single::block_count(mr, size),
    }
}

/// What each of `constraints` costs of `allowed`, in tables that `entries` counts; `text` gets the largest size before and after it, and what follows.
fn limits_of(
    constraints: &[Constraint],
    mut allowed: PageSizes,
    entries: impl Fn(PageSize) -> u64,
    text: impl Fn(&Constraint, (PageSize, Option<PageSize>), &str) -> String,
) -> Vec<Limit> {
    let mut limits = Vec::new();
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
            Some(after) => match (entries(before), entries(after)) {
                (less, more) if less == more => {
                    format!("so {before} falls to {after}, which costs no entry")
                }
                (less, more) => format!(
                    "so {before} falls to {after}: {} instead of {less}",
                    entries_of(more)
                ),
            },
            None => format!("so {before} falls, and no size is left"),
        };
        let text = text(constraint, (before, after), &then);
        limits.push(Limit {
            code: constraint.code.name(),
            bit: Some(constraint.bit),
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
            text: format!(
                "{largest} is the largest size that the device supports, and it fits everywhere."
            ),
        });
    }
    limits
}

/// What forbids the larger sizes, as the beginning of a sentence.
fn because(constraint: &Constraint) -> String {
    let Constraint {
        bit,
        hca_address,
        dma_address,
        ..
    } = constraint;
    match constraint.code {
        ConstraintCode::Covers => format!(
            "These rules take no page longer than the region, rounded up to {}",
            Bytes(1 << bit)
        ),
        ConstraintCode::Congruence => format!(
            "The NIC's address {hca_address} and the device address {dma_address} differ in bit {bit}"
        ),
        ConstraintCode::Discontinuity => format!(
            "At the NIC's address {hca_address}, aligned to {} only, the device addresses jump",
            Bytes(1 << bit)
        ),
        ConstraintCode::EntryEnd | ConstraintCode::StartAlignment => format!(
            "An SG entry ends at the NIC's address {hca_address}, which these rules do not let a page reach across"
        ),
    }
}

/// The reasons of a mixed table, each with its first entry and how many entries it holds for.
struct Reasons {
    sizes: PageSizes,
    seen: Vec<(Cut, u64)>,
}

impl Reasons {
    /// Records that `limit` keeps the first entry of `run` from being larger, with `left` bytes to the end of its run of addresses.
    fn add(&mut self, run: EntryRun, left: u64, limit: CutLimit) {
        if let Some((_, count)) = self.seen.iter_mut().find(|(known, _)| known.limit == limit) {
            *count += run.count;
            return;
        }
        let address = run.address;
        let cut = Cut {
            address,
            zeros: address.trailing_zeros(),
            left,
            verdicts: Vec::new(),
            taken: PageSize::new(run.size),
            limit,
        };
        self.seen.push((cut, run.count));
    }

    /// The same for entries before the end of a run of addresses, which `limit` says is also the region's or not.
    fn add_short(&mut self, short: &mut Vec<EntryRun>, run_end: Option<DmaAddr>, limit: CutLimit) {
        for run in short.drain(..) {
            let left = run_end.map_or(run.size, |end| end.wrapping_sub(run.address.get()).get());
            self.add(run, left, limit);
        }
    }

    fn limits(self) -> Vec<Limit> {
        let sizes = self.sizes;
        let limit = |(cut, count): (Cut, u64)| Limit {
            code: cut.limit.code(),
            bit: cut.limit.bit(),
            segment: None,
            text: format!("{} ({})", cut.text(sizes), entries_of(count)),
        };
        self.seen.into_iter().map(limit).collect()
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
