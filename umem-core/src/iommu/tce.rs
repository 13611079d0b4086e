//! POWER's own way to lay a list out in its table of translation control entries (TCEs).
//!
//! `ppc_iommu_map_sg()` and `iommu_range_alloc()` (arch/powerpc/kernel/iommu.c) [linux 6.1 to 7.3]: each SG entry is allocated by
//! itself, next fit, in one of two kinds of pools. Nothing is aligned beyond the CPU's page, so where a list begins depends on what
//! was mapped before.

use super::Translation;
use crate::address::DmaAddr;
#[cfg(feature = "serde")]
use crate::scatter::SgEntry;
use alloc::vec::Vec;

/// Entries of more TCEs than this come from the large pool.
const MOST_SMALL: u64 = 15;
/// TCEs are given out from here on: `it_blocksize`, to which a small pool's next entry is rounded up.
const BLOCK: u64 = 16;

/// What a table's pools remember while a list is mapped. Places are numbers of TCEs.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    log2: u32,
    /// TCEs from one segment boundary to the next.
    boundary: u64,
    small: Pool,
    large: Pool,
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
    /// What this list took of it, in ascending order: few pieces, since what is adjacent is one.
    taken: Vec<(u64, u64)>,
}

impl Pool {
    fn new(start: u64, end: u64) -> Self {
        Self {
            start,
            end,
            hint: start,
            taken: Vec::new(),
        }
    }

    fn contains(&self, tce: u64) -> bool {
        (self.start..self.end).contains(&tce)
    }

    /// `iommu_area_alloc()`: the first place from `at` on for `count` TCEs that meets nothing taken and crosses no boundary.
    fn fit(&self, mut at: u64, count: u64, boundary: u64) -> Option<u64> {
        loop {
            let end = at.checked_add(count).filter(|end| *end < self.end)?;
            let meets = |&&(from, to): &&(u64, u64)| from < end && at < to;
            at = match self.taken.iter().find(meets) {
                Some(&(_, to)) => to,
                None if at / boundary == (end - 1) / boundary => return Some(at),
                None => (at / boundary + 1) * boundary,
            };
        }
    }

    /// `iommu_range_alloc()`: from the end of the entry before or from the hint, then from the start. The kernel would go on to the other
    /// pools, which is not modelled.
    fn allocate(&mut self, handle: Option<u64>, count: u64, boundary: u64) -> Option<u64> {
        if count > boundary {
            return None;
        }
        let from = handle.filter(|at| self.contains(*at)).unwrap_or(self.hint);
        let from = if from >= self.end { self.start } else { from };
        let at = self
            .fit(from, count, boundary)
            .or_else(|| self.fit(self.start, count, boundary))?;
        let next = self.taken.partition_point(|(start, _)| *start < at);
        match next.checked_sub(1).map(|before| &mut self.taken[before]) {
            Some((_, end)) if *end == at => *end = at + count,
            _ => self.taken.insert(next, (at, at + count)),
        }
        Some(at)
    }
}

impl Pools {
    /// The pools of an empty table, as if one page had been mapped before in each: the first address that a list gets is aligned to the
    /// CPU's page alone.
    pub(super) fn new(translation: &Translation) -> Self {
        let log2 = translation.granule().log2();
        let table = 1u64 << (translation.address_bits - log2).min(63);
        // `iommu_init_table()`: four small pools share the first three quarters.
        let small = table * 3 / 4 / 4;
        let mut pools = Self {
            log2,
            boundary: (translation.boundary_mask >> log2).saturating_add(1),
            small: Pool::new(0, small),
            large: Pool::new(small * 4, table),
            handle: None,
        };
        pools.small.hint = BLOCK.min(small);
        pools.large.hint += BLOCK;
        // TCE 0 is reserved.
        pools.small.taken.push((0, 1));
        pools
    }

    /// The same, with the first list beginning at `start`, as a recording has it.
    pub(super) fn at(mut self, start: DmaAddr) -> Self {
        let tce = start.get() >> self.log2;
        if tce >= self.large.start {
            self.large.hint = tce;
        } else {
            // One of the four, each processor its own.
            let length = self.small.end.max(1);
            let start = tce / length * length;
            self.small = Pool::new(start, start + length);
            self.small.hint = tce;
        }
        self
    }

    /// Whether the next entry of `length` bytes begins where only earlier lists say: it is the first in its pool, or comes from a small
    /// pool after one from the large pool, perhaps on another processor.
    #[cfg(feature = "serde")]
    fn begins(&self, length: u64) -> bool {
        let count = length.div_ceil(1 << self.log2);
        if count > MOST_SMALL {
            self.large.taken.is_empty()
        } else {
            !self.handle.is_some_and(|at| self.small.contains(at))
        }
    }

    /// The address of the next entry of `length` bytes; `None` if there is no room.
    pub(super) fn allocate(&mut self, length: u64) -> Option<DmaAddr> {
        let count = length.div_ceil(1 << self.log2).max(1);
        let (handle, boundary) = (self.handle, self.boundary);
        let at = if count > MOST_SMALL {
            let at = self.large.allocate(handle, count, boundary)?;
            self.large.hint = at + count;
            at
        } else {
            let at = self.small.allocate(handle, count, boundary)?;
            self.small.hint = (at + count).next_multiple_of(BLOCK);
            at
        };
        self.handle = Some(at + count);
        Some(DmaAddr::new(at << self.log2))
    }
}

/// A list as a recording of POWER has it, by the rules: segments of address and length. `None` where an entry has no room.
///
/// What earlier lists left behind is taken from `recorded`, entry by entry: where a list begins in a pool, and which processor's pool
/// a small entry comes from. All else is the rule's.
#[cfg(feature = "serde")]
pub(crate) fn follow(
    translation: &Translation,
    entries: &[SgEntry],
    max_segment: u32,
    recorded: &[(DmaAddr, u64)],
) -> Option<Vec<(DmaAddr, u64)>> {
    let mut pools = Pools::new(translation);
    let mut list: Vec<(DmaAddr, u64)> = Vec::new();
    // Where the recording has the entry that comes next.
    let mut segments = recorded.iter();
    let (mut at, mut left) = (DmaAddr::new(0), 0);
    for entry in entries {
        if left == 0 {
            let &(start, length) = segments.next()?;
            (at, left) = (start, length);
        }
        let before = pools.clone();
        let address = match pools.allocate(entry.length) {
            Some(address) if address == at => address,
            address => {
                if !before.begins(entry.length) {
                    return address.map(|_| list);
                }
                pools = before.at(at);
                pools.allocate(entry.length)?
            }
        };
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
