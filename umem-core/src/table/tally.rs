//! How many entries of each size a table has.

use super::EntryRun;
use crate::size::{Near, PageSize, PageSizes};
use alloc::{collections::BinaryHeap, vec::Vec};
use core::fmt;

/// How many entries of each size there are.
///
/// Prints as the page's status line: `257 entries: 255 × 4K + 1 × 1M + 1 × 2M`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    total: u64,
    powers_of_two: [u64; 64],
    others: Others,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            total: 0,
            powers_of_two: [0; 64],
            others: Others::default(),
        }
    }
}

impl Tally {
    /// Counts `count` more entries of `size` bytes.
    #[inline]
    pub fn add(&mut self, size: u64, count: u64) {
        self.total += count;
        match PageSize::new(size) {
            Some(size) => self.powers_of_two[size.log2() as usize] += count,
            None => self.others.add(size, count),
        }
    }

    /// All entries together.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The sizes in bytes that occur, ascending, each with its count.
    pub fn by_size(&self) -> Vec<(u64, u64)> {
        let mut sizes = self.others.ascending();
        let powers = self.powers_of_two.iter().enumerate();
        for (log2, count) in powers.filter(|(_, count)| **count > 0) {
            let size = 1 << log2;
            let index = sizes.partition_point(|(known, _)| *known < size);
            sizes.insert(index, (size, *count));
        }
        sizes
    }

    /// The power-of-two sizes that occur.
    pub fn page_sizes(&self) -> PageSizes {
        self.by_size()
            .into_iter()
            .filter_map(|(size, _)| PageSize::new(size))
            .collect()
    }
}

impl Extend<EntryRun> for Tally {
    fn extend<I: IntoIterator<Item = EntryRun>>(&mut self, runs: I) {
        for run in runs {
            self.add(run.size, run.count);
        }
    }
}

impl FromIterator<EntryRun> for Tally {
    fn from_iter<I: IntoIterator<Item = EntryRun>>(runs: I) -> Self {
        let mut tally = Self::default();
        tally.extend(runs);
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        write!(
            f,
            "{total} {}",
            if total == 1 { "entry" } else { "entries" }
        )?;
        for (i, (size, count)) in self.by_size().into_iter().enumerate() {
            write!(
                f,
                "{}{count} × {}",
                if i == 0 { ": " } else { " + " },
                Near(size)
            )?;
        }
        Ok(())
    }
}

/// The counts of sizes that are no powers of two. Of what the library has for this, a heap is the least code.
#[derive(Clone, Debug, Default)]
struct Others {
    /// The first `merged` ascend; those that came later are in their order.
    counts: Vec<(u64, u64)>,
    merged: usize,
}

/// They may be merged this many at a time, or all over again when they are twice as many: each is moved a few times at most.
const FEW: usize = 64;

impl Others {
    fn add(&mut self, size: u64, count: u64) {
        if let Some((last, known)) = self.counts.last_mut()
            && *last == size
        {
            *known += count;
            return;
        }
        if self.counts.len() >= FEW.max(2 * self.merged) {
            self.counts = self.ascending();
            self.merged = self.counts.len();
        }
        self.counts.push((size, count));
    }

    /// Each size once.
    fn ascending(&self) -> Vec<(u64, u64)> {
        let mut counts = BinaryHeap::from(self.counts.clone()).into_sorted_vec();
        counts.dedup_by(|(size, count), (kept, sum)| {
            let same = size == kept;
            *sum += if same { *count } else { 0 };
            same
        });
        counts
    }
}

impl PartialEq for Others {
    fn eq(&self, other: &Self) -> bool {
        self.ascending() == other.ascending()
    }
}

impl Eq for Others {}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::{address::DmaAddr, table::EntryRun};
    use alloc::{collections::BTreeMap, string::ToString, vec, vec::Vec};
    use proptest::{collection, prelude::*};

    fn run(size: u64, count: u64) -> EntryRun {
        EntryRun {
            offset: 0,
            address: DmaAddr::new(0),
            size,
            count,
        }
    }

    #[test]
    fn a_tally_counts_page_sizes_and_odd_lengths() {
        let runs = [
            run(4096, 2),
            run(12288, 1),
            run(4096, 3),
            run(2 << 20, 1),
            run(12288, 2),
        ];
        let tally: Tally = runs.into_iter().collect();
        assert_eq!(tally.by_size(), vec![(4096, 5), (12288, 3), (2 << 20, 1)]);
        assert_eq!(tally.to_string(), "9 entries: 5 × 4K + 3 × 12K + 1 × 2M");
        assert_eq!(tally.page_sizes().to_string(), "4K 2M");
        assert_eq!(Tally::default().to_string(), "0 entries");
    }

    proptest! {
        /// The slow twin is a map. Few sizes come again and again, and many come once.
        #[test]
        fn a_tally_is_a_map_of_counts(sizes in collection::vec((1u64..400, 1u64..5), 0..600)) {
            let mut map = BTreeMap::new();
            let mut tally = Tally::default();
            for (size, count) in &sizes {
                *map.entry(*size).or_insert(0) += count;
                tally.add(*size, *count);
            }
            let expected: Vec<_> = map.into_iter().collect();
            prop_assert_eq!(tally.by_size(), expected);
            prop_assert_eq!(tally.total(), sizes.iter().map(|(_, count)| count).sum::<u64>());
            let backwards: Tally = sizes.iter().rev().map(|(size, count)| run(*size, *count)).collect();
            prop_assert_eq!(tally, backwards);
        }
    }
}
