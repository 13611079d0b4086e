//! One stage's boxes along the region, with random access.

use alloc::{sync::Arc, vec::Vec};

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

/// One stage's boxes along the region, side by side, in runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lane {
    /// A run ends where the next one begins, so nothing else is stored: a capture has millions of them.
    begins: Vec<Begin>,
    /// Where the last run ends.
    end: i64,
    /// How many boxes there are.
    count: u64,
    /// By the numbers of their first boxes.
    landmarks: Landmarks,
}

/// Where a run begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Begin {
    offset: i64,
    /// How many boxes the lane has before it.
    first: u64,
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
    pub fn runs(&self) -> LaneRuns<'_> {
        LaneRuns(self)
    }

    /// How many boxes there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The n-th box, from 0: its run, and its number in that. In logarithmic time.
    pub fn nth(&self, n: u64) -> Option<(LaneRun, u64)> {
        let last = self.landmarks.last(&self.begins, n, |run| run.first)?;
        let run = self.runs().get(last)?;
        (n - run.first < run.count).then_some((run, n - run.first))
    }

    /// The box that contains `offset`: its run, and its number in that. In logarithmic time.
    pub fn at(&self, offset: i64) -> Option<(LaneRun, u64)> {
        let run = self
            .runs()
            .get(self.first_ending_after(offset))
            .filter(|run| run.offset <= offset)?;
        Some((run, offset.abs_diff(run.offset) / run.size))
    }

    /// How many boxes end at `offset` or before it. In logarithmic time.
    pub fn before(&self, offset: i64) -> u64 {
        match self.runs().get(self.first_ending_after(offset)) {
            Some(run) if run.offset < offset => run.first + offset.abs_diff(run.offset) / run.size,
            Some(run) => run.first,
            None => self.count(),
        }
    }

    /// The number of the first run that ends after `offset`.
    pub fn first_ending_after(&self, offset: i64) -> usize {
        if offset >= self.end {
            return self.begins.len();
        }
        let begun = self.begins.partition_point(|run| run.offset <= offset);
        begun.saturating_sub(1)
    }

    /// The lane of the first `boxes` boxes.
    fn beginning(&self, boxes: u64) -> Self {
        let mut lane = Self::default();
        for n in 0.. {
            let run = self.runs().get(n).filter(|run| run.first < boxes);
            let Some(run) = run else { break };
            lane.push(run.offset, run.size, run.count.min(boxes - run.first));
        }
        lane
    }

    /// Adds boxes; the first begins where the lane ends.
    pub(super) fn push(&mut self, offset: i64, size: u64, count: u64) {
        let last = self.runs().last();
        debug_assert!(
            last.is_none() || self.end == offset,
            "boxes lie side by side"
        );
        if last.is_none_or(|last| last.size != size) {
            self.landmarks.pass(self.begins.len(), self.count);
            let first = self.count;
            self.begins.push(Begin { offset, first });
        }
        self.count += count;
        self.end = offset.wrapping_add_unsigned(size.wrapping_mul(count));
    }
}

/// A lane that grows box by box. As long as it is the beginning of another lane it takes no memory: stages that change nothing
/// have one lane together.
pub(super) struct Growing<'a> {
    like: &'a Arc<Lane>,
    /// The current run of `like`, and the number of its next box.
    run: Option<LaneRun>,
    next: usize,
    /// How many boxes are those of `like`.
    same: u64,
    own: Option<Lane>,
}

impl<'a> Growing<'a> {
    pub(super) fn like(like: &'a Arc<Lane>) -> Self {
        Self {
            like,
            run: None,
            next: 0,
            same: 0,
            own: None,
        }
    }

    /// Adds boxes; the first begins where the lane ends.
    pub(super) fn add(&mut self, offset: i64, size: u64, count: u64) {
        if let Some(own) = &mut self.own {
            return own.push(offset, size, count);
        }
        let run = self.run.filter(|run| self.same < run.first + run.count);
        if run.is_none() {
            self.run = self.like.runs().get(self.next);
            self.next += 1;
        }
        let goes_on = |run: LaneRun| {
            let i = self.same - run.first;
            run.size == size && run.offset_of(i) == offset && i + count <= run.count
        };
        if self.run.is_some_and(goes_on) {
            self.same += count;
        } else {
            let mut own = self.like.beginning(self.same);
            own.push(offset, size, count);
            self.own = Some(own);
        }
    }

    pub(super) fn done(self) -> Arc<Lane> {
        match self.own {
            Some(own) => Arc::new(own),
            None if self.same == self.like.count => self.like.clone(),
            None => Arc::new(self.like.beginning(self.same)),
        }
    }
}

/// A [`Lane`]'s runs.
#[derive(Clone, Copy, Debug)]
pub struct LaneRuns<'a>(&'a Lane);

impl LaneRuns<'_> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.0.begins.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.begins.is_empty()
    }

    /// Run number `n`, from 0.
    pub fn get(self, n: usize) -> Option<LaneRun> {
        let Self(lane) = self;
        let Begin { offset, first } = *lane.begins.get(n)?;
        let (end, next) = match lane.begins.get(n + 1) {
            Some(next) => (next.offset, next.first),
            None => (lane.end, lane.count),
        };
        let (span, count) = (end.abs_diff(offset), next - first);
        let size = if count == 1 { span } else { span / count };
        Some(LaneRun {
            offset,
            size,
            count,
            first,
        })
    }

    /// The first of them.
    pub fn first(self) -> Option<LaneRun> {
        self.get(0)
    }

    /// The last of them.
    pub fn last(self) -> Option<LaneRun> {
        self.get(self.len().checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Boxes in runs: where each begins, its size, how many there are.
    type Runs = Vec<(i64, u64, u64)>;
    /// The same boxes one by one.
    type Boxes = Vec<(i64, u64)>;

    /// Boxes side by side.
    fn boxes() -> impl Strategy<Value = (Runs, Boxes)> {
        let kinds = prop::collection::vec((1u64..4, 1u64..5), 0..40);
        (-20i64..20, kinds).prop_map(|(mut offset, kinds)| {
            let (mut runs, mut all) = (Vec::new(), Vec::new());
            for (size, count) in kinds {
                runs.push((offset, size, count));
                for _ in 0..count {
                    all.push((offset, size));
                    offset += size as i64;
                }
            }
            (runs, all)
        })
    }

    fn lane(runs: &Runs) -> Lane {
        let mut lane = Lane::default();
        runs.iter()
            .for_each(|(offset, size, count)| lane.push(*offset, *size, *count));
        lane
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Beside a list of all boxes, one by one.
        #[test]
        fn a_lane_knows_each_of_its_boxes((runs, all) in boxes(), at in -30i64..300) {
            let lane = lane(&runs);
            prop_assert_eq!(lane.count(), all.len() as u64);
            for (n, (offset, size)) in all.iter().enumerate() {
                let (run, i) = lane.nth(n as u64).unwrap();
                prop_assert_eq!((run.offset_of(i), run.size, run.first + i), (*offset, *size, n as u64));
            }
            prop_assert_eq!(lane.nth(lane.count()), None);
            let holds = |(offset, size): &&(i64, u64)| (*offset..offset + *size as i64).contains(&at);
            let found = lane.at(at).map(|(run, i)| (run.offset_of(i), run.size));
            prop_assert_eq!(found, all.iter().find(holds).copied());
            let ended = all.iter().filter(|(offset, size)| offset + *size as i64 <= at).count();
            prop_assert_eq!(lane.before(at), ended as u64);
            let list: Vec<_> = (0..lane.runs().len()).filter_map(|n| lane.runs().get(n)).collect();
            let past = list.iter().filter(|run| run.end() <= at).count();
            prop_assert_eq!(lane.first_ending_after(at), past);
            prop_assert!(list.windows(2).all(|pair| pair[0].size != pair[1].size));
        }

        /// Only equal boxes share a lane.
        #[test]
        fn equal_lanes_are_shared((one, all) in boxes(), (other, others) in boxes(), cut in 0usize..60) {
            let known = Arc::new(lane(&one));
            let mut same = Growing::like(&known);
            all.iter().for_each(|(offset, size)| same.add(*offset, *size, 1));
            prop_assert!(Arc::ptr_eq(&known, &same.done()));
            let mut grown = Growing::like(&known);
            other.iter().for_each(|(offset, size, count)| grown.add(*offset, *size, *count));
            let grown = grown.done();
            prop_assert_eq!(Arc::ptr_eq(&known, &grown), all == others);
            prop_assert_eq!(&*grown, &lane(&other));
            // Boxes that differ after a common beginning get a lane of their own.
            let mut part = Growing::like(&known);
            all.iter().take(cut).for_each(|(offset, size)| part.add(*offset, *size, 1));
            if let [(from, size), ..] = all.get(cut..).unwrap_or_default() {
                part.add(*from, size + 1, 2);
            }
            let part = part.done();
            prop_assert_eq!(part.before(i64::MAX), part.count());
            prop_assert_eq!(part.count(), if cut < all.len() { cut as u64 + 2 } else { all.len() as u64 });
        }
    }
}
