//! One stage's boxes along the region, with random access.

use alloc::vec::Vec;

/// Equal boxes side by side in the region: batches, SG entries, segments or table entries of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneRun {
    /// Where the first begins: bytes from `region.va`, negative where an entry begins before it.
    pub offset: i64,
    /// The size of each in bytes.
    pub size: u64,
    /// How many there are.
    pub count: u64,
    /// How many boxes the lane has before these.
    pub first: u64,
}

impl LaneRun {
    /// The first offset after the run.
    pub fn end(&self) -> i64 {
        self.offset
            .wrapping_add_unsigned(self.size.wrapping_mul(self.count))
    }

    /// Where box number `i` of the run begins.
    pub fn offset_of(&self, i: u64) -> i64 {
        self.offset.wrapping_add_unsigned(self.size.wrapping_mul(i))
    }
}

/// One stage's boxes along the region, in runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lane {
    runs: Vec<LaneRun>,
    /// By the numbers of their first boxes.
    landmarks: Landmarks,
}

/// Some of the keys of a long sorted list, few enough to stay in a cache: a search in the list itself would wait for memory at nearly
/// every step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Landmarks {
    /// The key of every [`LANDMARK`]th item.
    near: Vec<u64>,
    /// Every `LANDMARK`th of those.
    far: Vec<u64>,
}

/// The distance between two landmarks, in items.
const LANDMARK: usize = 16;

impl Landmarks {
    /// Records the key of item number `number`.
    pub(super) fn pass(&mut self, number: usize, key: u64) {
        if number.is_multiple_of(LANDMARK) {
            self.near.push(key);
        }
        if number.is_multiple_of(LANDMARK * LANDMARK) {
            self.far.push(key);
        }
    }

    /// The number of the last of the `items` that has a key of at most `key`.
    pub(super) fn last<T>(
        &self,
        items: &[T],
        key: u64,
        key_of: impl Fn(&T) -> u64,
    ) -> Option<usize> {
        let far = self.far.partition_point(|landmark| *landmark <= key);
        let near = last_after(&self.near, far.checked_sub(1)?, |near| *near <= key);
        Some(last_after(items, near, |item| key_of(item) <= key))
    }
}

/// The number of the last of the `items` after landmark number `landmark` for which `passed` holds; it holds for the first.
///
/// Tests all of them, because memory serves independent loads at the same time.
fn last_after<T>(items: &[T], landmark: usize, passed: impl Fn(&T) -> bool) -> usize {
    let first = landmark * LANDMARK;
    let near = &items[first..items.len().min(first + LANDMARK)];
    first + near.iter().filter(|item| passed(item)).count() - 1
}

impl Lane {
    /// The runs, in the order of offsets.
    pub fn runs(&self) -> &[LaneRun] {
        &self.runs
    }

    /// How many boxes there are.
    pub fn count(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.first + run.count)
    }

    /// The n-th box, from 0: its run, and its number in the run. In logarithmic time.
    pub fn nth(&self, n: u64) -> Option<(LaneRun, u64)> {
        let last = self.landmarks.last(&self.runs, n, |run| run.first)?;
        let run = self.runs[last];
        (n - run.first < run.count).then_some((run, n - run.first))
    }

    /// The box that contains `offset`: its run, and its number in the run. In logarithmic time.
    pub fn at(&self, offset: i64) -> Option<(LaneRun, u64)> {
        let run = self
            .runs
            .get(self.first_ending_after(offset))
            .filter(|run| run.offset <= offset)?;
        Some((*run, offset.abs_diff(run.offset) / run.size))
    }

    /// How many boxes end at `offset` or before it. In logarithmic time.
    pub fn before(&self, offset: i64) -> u64 {
        match self.runs.get(self.first_ending_after(offset)) {
            Some(run) if run.offset < offset => run.first + offset.abs_diff(run.offset) / run.size,
            Some(run) => run.first,
            None => self.count(),
        }
    }

    /// The number of the first run that ends after `offset`.
    pub fn first_ending_after(&self, offset: i64) -> usize {
        self.runs.partition_point(|run| run.end() <= offset)
    }

    pub(super) fn push(&mut self, offset: i64, size: u64, count: u64) {
        let first = self.count();
        match self.runs.last_mut() {
            Some(last) if last.size == size && last.end() == offset => last.count += count,
            _ => {
                self.landmarks.pass(self.runs.len(), first);
                self.runs.push(LaneRun {
                    offset,
                    size,
                    count,
                    first,
                });
            }
        }
    }
}
