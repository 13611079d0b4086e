//! POWER's own way to lay a list out in its table of translation control entries (TCEs).
//!
//! `ppc_iommu_map_sg()` and `iommu_range_alloc()` (arch/powerpc/kernel/iommu.c) [linux 6.1 to 7.3]: each SG entry is allocated by
//! itself, next fit, in one of two kinds of pools. Nothing is aligned beyond the CPU's page, so where a list begins depends on what
//! was mapped before.

use super::Translation;
use crate::address::DmaAddr;
#[cfg(feature = "serde")]
use crate::{scatter::SgEntry, size::PageSize};
use alloc::vec::Vec;

/// Entries of more TCEs than this come from the large pool.
const MOST_SMALL: u64 = 15;
/// TCEs are given out from here on: `it_blocksize`, to which a small pool's next entry is rounded up.
const BLOCK: u64 = 16;

/// `IOMMU_NR_POOLS`: the small pools, each processor's own.
const SMALL: usize = 4;
/// The number of the large pool behind them.
const LARGE: usize = SMALL;

/// What a table's pools remember while a list is mapped. Numbers are those of TCEs.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    log2: u32,
    /// TCEs from one segment boundary to the next.
    boundary: u64,
    /// What entries are aligned to: a page of the CPU's. 1 where it is not known, which matters only at the start of pool 0.
    align: u64,
    pools: [Pool; SMALL + 1],
    /// The processor that maps: the number of its small pool.
    processor: usize,
    /// The end of the entry before: the kernel's `handle`.
    handle: Option<u64>,
}

/// The small pool of one processor, or the large pool.
#[derive(Clone, Debug)]
struct Pool {
    start: u64,
    /// The first TCE after it. The one before is never given out: "We don't want the last of the limit".
    end: u64,
    hint: u64,
    /// Whether this list has set the hint.
    is_known: bool,
    /// What this list took of it, in ascending order: few pieces, since what is adjacent is one.
    taken: Vec<(u64, u64)>,
}

impl Pool {
    fn new(start: u64, end: u64) -> Self {
        Self {
            start,
            end,
            hint: start,
            is_known: false,
            taken: Vec::new(),
        }
    }

    fn contains(&self, tce: u64) -> bool {
        (self.start..self.end).contains(&tce)
    }

    /// `iommu_area_alloc()`: the first TCE from `at` on that begins `count` free ones, is aligned, and crosses no boundary.
    fn fit(&self, mut at: u64, count: u64, boundary: u64, align: u64) -> Option<u64> {
        loop {
            at = at.next_multiple_of(align);
            let end = at.checked_add(count).filter(|end| *end < self.end)?;
            let meets = |&&(from, to): &&(u64, u64)| from < end && at < to;
            at = match self.taken.iter().find(meets) {
                Some(&(_, to)) => to,
                None if at / boundary == (end - 1) / boundary => return Some(at),
                None => (at / boundary + 1) * boundary,
            };
        }
    }

    /// Where the next list begins, or an entry after one in another pool.
    fn next(&self, handle: Option<u64>) -> u64 {
        let from = handle.filter(|at| self.contains(*at)).unwrap_or(self.hint);
        if from >= self.end { self.start } else { from }
    }

    fn take(&mut self, at: u64, end: u64) {
        let next = self.taken.partition_point(|(start, _)| *start < at);
        match next.checked_sub(1).map(|before| &mut self.taken[before]) {
            Some((_, before)) if *before == at => *before = end,
            _ => self.taken.insert(next, (at, end)),
        }
    }
}

impl Pools {
    /// The pools of an empty table, as if one page had been mapped before in each: the first address that a list gets is aligned to the
    /// CPU's page alone.
    pub(super) fn new(translation: &Translation) -> Self {
        let log2 = translation.granule().log2();
        let table = 1u64 << (translation.address_bits - log2).min(63);
        // `iommu_init_table()`: four small pools share the first three quarters.
        let small = table * 3 / 4 / SMALL as u64;
        let pool = |index| {
            let end = if index == LARGE {
                table
            } else {
                small * (index as u64 + 1)
            };
            Pool::new(small * index as u64, end)
        };
        let mut pools = core::array::from_fn(pool);
        for pool in &mut pools {
            pool.hint += BLOCK.min(small);
        }
        // TCE 0 is reserved.
        pools[0].take(0, 1);
        Self {
            log2,
            boundary: (translation.boundary_mask >> log2).saturating_add(1),
            align: 1,
            pools,
            processor: 0,
            handle: None,
        }
    }

    /// The same, with the first list beginning at `start`, as a recording has it.
    pub(super) fn at(mut self, start: DmaAddr) -> Self {
        self.begin(start.get() >> self.log2);
        self
    }

    /// The pool that `tce` lies in begins there.
    fn begin(&mut self, tce: u64) {
        let Some(index) = self.pools.iter().position(|pool| pool.contains(tce)) else {
            return;
        };
        self.pools[index].hint = tce;
        if index != LARGE {
            self.processor = index;
        }
    }

    fn count(&self, length: u64) -> u64 {
        length.div_ceil(1 << self.log2).max(1)
    }

    /// The address of the next entry of `length` bytes; `None` if there is no room: `iommu_range_alloc()`.
    ///
    /// From the end of the entry before or from the hint; then from the pool's start; then from the starts of the small pools, those of
    /// other processors first; then from that of the large one.
    pub(super) fn allocate(&mut self, length: u64) -> Option<DmaAddr> {
        let count = self.count(length);
        // The kernel would never return: lib/iommu-helper.c looks for TCEs that do not exist.
        if count > self.boundary {
            return None;
        }
        let is_large = count > MOST_SMALL;
        let own = if is_large { LARGE } else { self.processor };
        let others = (1..=SMALL).map(|step| (self.processor + step) % SMALL);
        let starts = [own].into_iter().chain(others).chain([LARGE]);
        let mut index = own;
        let first = &self.pools[own];
        let mut found = first.fit(first.next(self.handle), count, self.boundary, self.align);
        for other in starts {
            if found.is_some() {
                break;
            }
            index = other;
            let pool = &mut self.pools[index];
            pool.hint = pool.start;
            pool.is_known = true;
            found = pool.fit(pool.start, count, self.boundary, self.align);
        }
        let (at, pool) = (found?, &mut self.pools[index]);
        let end = at + count;
        pool.take(at, end);
        pool.is_known = true;
        pool.hint = if is_large {
            end
        } else {
            end.next_multiple_of(BLOCK)
        };
        self.handle = Some(end);
        Some(DmaAddr::new(at << self.log2))
    }
}

/// What a recording does not tell: what earlier lists, the device's driver and the scheduler have left behind.
#[cfg(feature = "serde")]
impl Pools {
    /// The same as [`allocate`](Self::allocate), where the recording has the entry at `recorded`. Taken from it is which processor maps,
    /// where the list begins in a pool, and whether the device's driver holds the first page of a pool for itself. All else is the
    /// rule's.
    fn allocate_like(&mut self, length: u64, page: u64, recorded: DmaAddr) -> Option<DmaAddr> {
        let at = recorded.get() >> self.log2;
        let processors = || {
            let numbers = (0..SMALL).map(|step| (self.processor + step) % SMALL);
            numbers.map(|processor| Self {
                processor,
                ..self.clone()
            })
        };
        let begun = self.begins(length, at).then(|| {
            let mut pools = self.clone();
            pools.begin(at);
            pools
        });
        let rings = processors().map(|pools| pools.with_rings(page));
        let candidates = processors().chain(begun).chain(rings);
        let fits = |mut pools: Self| (pools.allocate(length) == Some(recorded)).then_some(pools);
        match candidates.into_iter().find_map(fits) {
            Some(pools) => {
                *self = pools;
                Some(recorded)
            }
            None => self.allocate(length),
        }
    }

    /// Whether only earlier lists say where an entry of `length` bytes begins in the pool of `at`.
    fn begins(&self, length: u64, at: u64) -> bool {
        let is_large = self.count(length) > MOST_SMALL;
        let pool = self.pools.iter().position(|pool| pool.contains(at));
        pool.is_some_and(|index| {
            let pool = &self.pools[index];
            let follows = self.handle.is_some_and(|handle| pool.contains(handle));
            (index == LARGE) == is_large && !pool.is_known && !follows
        })
    }

    /// The same if the device's driver holds a page, such as a ring, at the start of each pool that it may be in.
    fn with_rings(mut self, page: u64) -> Self {
        let count = self.count(page);
        let is_large = count > MOST_SMALL;
        for (index, pool) in self.pools.iter_mut().enumerate() {
            // TCE 0 is reserved.
            let from = pool.start + u64::from(pool.start == 0);
            let is_free = !pool
                .taken
                .iter()
                .any(|&(start, end)| start < from + count && from < end);
            if (index == LARGE) == is_large && is_free {
                pool.take(from, from + count);
            }
        }
        self
    }
}

/// A list as a recording of POWER has it, by the rules: segments of address and length. `None` where an entry has no room.
///
/// What the recording alone can tell is taken from it, entry by entry: see [`Pools::allocate_like`].
#[cfg(feature = "serde")]
pub(crate) fn follow(
    translation: &Translation,
    page: PageSize,
    entries: &[SgEntry],
    max_segment: u32,
    recorded: &[(DmaAddr, u64)],
) -> Option<Vec<(DmaAddr, u64)>> {
    let mut pools = Pools::new(translation);
    pools.align = pools.count(page.bytes());
    let total: u64 = entries.iter().map(|entry| pools.count(entry.length)).sum();
    let large = &pools.pools[LARGE];
    // The kernel found no room. By the rules there is some, wherever hints and boundaries put the pieces, if they fill a quarter of the
    // large pool at most.
    if recorded.is_empty() && total > (large.end - large.start) / 4 {
        return None;
    }
    let mut list: Vec<(DmaAddr, u64)> = Vec::new();
    // Where the recording has the entry that comes next.
    let mut segments = recorded.iter();
    let (mut at, mut left) = (DmaAddr::new(0), 0);
    for entry in entries {
        if left == 0
            && let Some(&segment) = segments.next()
        {
            (at, left) = segment;
        }
        let address = pools.allocate_like(entry.length, page.bytes(), at)?;
        match list.last_mut() {
            Some((start, length))
                if *start + *length == address
                    && *length + entry.length <= u64::from(max_segment) =>
            {
                *length += entry.length
            }
            _ => list.push((address, entry.length)),
        }
        at = at.wrapping_add(entry.length);
        left = left.saturating_sub(entry.length);
    }
    Some(list)
}
