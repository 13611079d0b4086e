//! The device's table, cut from the lists under a policy.

use super::lists::{Dma, Lists};
use crate::{
    kernel::{BlockIterator, Interior, KernelRules, NoneFits},
    size::PageSize,
    table::{
        Edges, EntryRun, JoinedEntries, KernelBug, Policy, Refusal, Tally,
        mixed::{Mixed, Overhang},
        single::{self, Single},
        unaligned,
    },
};

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
    /// What an old kernel got wrong.
    pub kernel_bug: Option<KernelBug>,
}

/// Cuts the table.
pub(super) fn table(lists: &Lists, policy: Policy) -> Result<Table, Refusal> {
    let (device, length) = (lists.question.device(), lists.question.mr().length);
    lists.dma_count().map_err(Refusal::clone)?;
    if let Some(most) = device.max_length.filter(|most| length > *most) {
        return Err(Refusal::TooLong { length, most });
    }
    let page_size = match policy {
        Policy::Single => Some(best_page_size(lists)?),
        Policy::Mixed | Policy::Unaligned => None,
    };
    let mut kernel_bug = None;
    let tally = match entries(lists, policy, page_size)? {
        Entries::Mixed(mixed) => mixed.tally(),
        mut entries => {
            let mut tally = Tally::default();
            tally.extend(&mut entries);
            if let Some(size) = page_size {
                kernel_bug = bug(lists, size, &entries);
            }
            tally
        }
    };
    let total = tally.total();
    if let Some(most) = device.max_entries.filter(|most| total > *most) {
        return Err(Refusal::TooManyEntries { total, most });
    }
    Ok(Table {
        policy,
        page_size,
        bytes: total.saturating_mul(device.entry_bytes),
        total,
        tally,
        kernel_bug,
    })
}

/// The entries under `policy`; `page_size` is the one size of [`Policy::Single`].
pub(super) fn entries(
    lists: &Lists,
    policy: Policy,
    page_size: Option<PageSize>,
) -> Result<Entries<'_>, Refusal> {
    let (device, mr) = (lists.question.device(), lists.question.mr());
    Ok(match (policy, page_size) {
        (Policy::Mixed, _) => {
            let overhang = (device.edges == Edges::Overhang).then(|| overhang(lists));
            Entries::Mixed(Mixed::new(lists.dma(), mr, device.page_sizes, overhang)?)
        }
        (Policy::Single, Some(size)) => {
            Entries::Single(Single::new(lists.dma(), mr, size, lists.question.rules()))
        }
        (Policy::Single, None) => Entries::None,
        (Policy::Unaligned, _) => Entries::Unaligned(lists.dma()),
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

fn best_page_size(lists: &Lists) -> Result<PageSize, Refusal> {
    let rules = lists.question.rules();
    lists.sweep(|_| ()).best().ok_or_else(|| Refusal::NoneFits {
        sizes: lists.question.device().page_sizes,
        bug: (rules.none_fits == NoneFits::Undefined).then(|| KernelBug::Undefined {
            kernel: lists.question.kernel().name.clone(),
        }),
    })
}

/// What is wrong with blocks of `size` as an old kernel chose and walked them.
fn bug(lists: &Lists, size: PageSize, walked: &Entries<'_>) -> Option<KernelBug> {
    let (mr, rules) = (lists.question.mr(), lists.question.rules());
    if rules.interior == Interior::Discontinuities
        && rules.iterator == BlockIterator::AcrossEntries64
    {
        return None;
    }
    let kernel = lists.question.kernel().name.clone();
    if walked.is_endless() {
        return Some(KernelBug::Hangs { kernel });
    }
    if !single::is_sound(lists.dma(), mr, size) {
        return Some(KernelBug::WrongSize { kernel, size });
    }
    let newest = Single::new(lists.dma(), mr, size, KernelRules::newest());
    let old = Single::new(lists.dma(), mr, size, rules);
    (!JoinedEntries::new(newest).eq(JoinedEntries::new(old)))
        .then_some(KernelBug::WrongBlocks { kernel, size })
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

    #[inline]
    fn fold<B, F: FnMut(B, EntryRun) -> B>(self, start: B, each: F) -> B {
        match self {
            Self::None => start,
            Self::Mixed(runs) => runs.fold(start, each),
            Self::Single(runs) => runs.fold(start, each),
            Self::Unaligned(segments) => segments.map(unaligned::entry).fold(start, each),
        }
    }
}
