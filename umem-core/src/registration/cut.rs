//! The device's table, cut from the lists under a policy.

use super::{
    lists::{Dma, Lists},
    middle::Each,
};
use crate::{
    size::PageSize,
    table::{
        DriverBug, Edges, EntryRun, KernelBug, Mr, Policy, Refusal, Tally,
        memory::{TableMemory, TableShape},
        mixed::{Mixed, Overhang},
        single::Single,
        unaligned,
    },
};
use alloc::vec::Vec;

/// The numbers of a device's table.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Table {
    /// How it was cut.
    pub policy: Policy,
    /// The one size of its entries, under [`Policy::Single`].
    pub page_size: Option<PageSize>,
    /// The number of entries of each size.
    pub tally: Tally,
    /// All entries together.
    pub total: u64,
    /// What they take in the device's table, in bytes.
    pub bytes: u64,
    /// What the table takes with its directories and its rounding.
    pub memory: TableMemory,
    /// What an old kernel got wrong.
    pub kernel_bug: Option<KernelBug>,
    /// What the driver gets wrong.
    pub driver_bug: Option<DriverBug>,
}

/// Cuts the table.
pub(super) fn table(lists: &Lists, policy: Policy) -> Result<Table, Refusal> {
    let device = lists.question.device();
    lists.is_let_through()?;
    lists.dma_count().map_err(Refusal::clone)?;
    let page_size = match policy {
        Policy::Single => Some(lists.best_page_size()?),
        Policy::Mixed | Policy::Unaligned => None,
    };
    let mut kernel_bug = None;
    let mr = lists.question.mr();
    let tally = if let Some(tally) = without_the_middle(lists, policy, page_size) {
        kernel_bug = page_size.and_then(|size| lists.kernel_bug(&lists.walked(), size, false));
        tally
    } else {
        match entries(lists, mr, policy, page_size)? {
            Entries::Mixed(mixed) => mixed.tally(),
            mut entries => {
                let mut tally = Tally::default();
                tally.extend(&mut entries);
                if let Some(size) = page_size {
                    kernel_bug = lists.kernel_bug(mr, size, entries.is_endless());
                }
                tally
            }
        }
    };
    let total = tally.total();
    if let Some(size) = page_size {
        lists.length_fits(size)?;
    }
    let driver_bug = match page_size {
        Some(size) => lists.driver_bug(size, total)?,
        None => None,
    };
    lists.entries_fit(total)?;
    let shape = TableShape {
        entries: total,
        entry_bytes: device.entry_bytes,
        block: page_size,
        contiguous: lists.is_contiguous(),
        page: mr.page,
    };
    Ok(Table {
        policy,
        page_size,
        bytes: total.saturating_mul(device.entry_bytes),
        total,
        tally,
        memory: device.layout.memory(shape),
        kernel_bug,
        driver_bug,
    })
}

/// The table of memory with a middle that need not be walked. `None` of any other, and where there is none.
fn without_the_middle(lists: &Lists, policy: Policy, page_size: Option<PageSize>) -> Option<Tally> {
    let mut tally = Tally::default();
    let middle = lists.middle?;
    let walked = entries(lists, &lists.walked(), policy, page_size).ok()?;
    let mut boxes = Vec::new();
    walked.each_box(&mut |one| boxes.push(one));
    middle.among(&mut boxes)?;
    for (_, size, count) in boxes {
        tally.add(size, count);
    }
    Some(tally)
}

/// The entries of `mr`, the region or as much of it as is walked, under `policy`; `page_size` is the one size of [`Policy::Single`].
pub(super) fn entries<'a>(
    lists: &'a Lists,
    mr: &Mr,
    policy: Policy,
    page_size: Option<PageSize>,
) -> Result<Entries<'a>, Refusal> {
    let device = lists.question.device();
    Ok(match (policy, page_size) {
        (Policy::Mixed, _) => {
            let overhang = (device.edges == Edges::Overhang).then(|| overhang(lists));
            Entries::Mixed(Mixed::new(
                lists.dma_of(mr),
                mr,
                device.page_sizes,
                overhang,
            )?)
        }
        (Policy::Single, Some(size)) => {
            let rules = device.choice.walk(lists.question.rules());
            Entries::Single(Single::new(
                lists.dma_of(mr),
                &device.choice.seen(mr),
                size,
                rules,
            ))
        }
        (Policy::Single, None) => Entries::None,
        (Policy::Unaligned, _) => Entries::Unaligned(lists.dma_of(mr)),
    })
}

/// How far blocks may reach beyond the pinned pages. Behind an IOMMU nothing beyond them is mapped.
fn overhang(lists: &Lists) -> Overhang {
    let (memory, (from, to)) = (lists.question.memory(), lists.question.mr().pinned());
    match lists.mapping() {
        None => Overhang {
            before: memory.contiguous_before(from),
            after: memory.contiguous_after(to),
        },
        Some(_) => Overhang {
            before: 0,
            after: 0,
        },
    }
}

/// The entries of a device's table, in runs.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // Iteration allocates nothing, so nothing is boxed.
pub enum Entries<'a> {
    /// No table.
    None,
    /// Each entry of its own size.
    Mixed(Mixed<Dma<'a>>),
    /// All of one size.
    Single(Single<Dma<'a>>),
    /// One a segment.
    Unaligned(Dma<'a>),
}

impl Entries<'_> {
    /// Calls `each` with where every run begins, the size of its entries, and how many there are.
    pub(super) fn each_box(self, each: &mut Each<'_>) {
        for run in self {
            each((run.offset, run.size, run.count));
        }
    }

    fn is_endless(&self) -> bool {
        matches!(self, Self::Single(blocks) if blocks.is_endless())
    }
}

impl Iterator for Entries<'_> {
    type Item = EntryRun;

    #[inline]
    fn next(&mut self) -> Option<EntryRun> {
        match self {
            Self::None => None,
            Self::Mixed(runs) => runs.next(),
            Self::Single(runs) => runs.next(),
            Self::Unaligned(segments) => segments.next().map(unaligned::entry),
        }
    }
}
