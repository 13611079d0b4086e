//! Random access to every stage of a registration.

use super::Registration;
use crate::{address::DmaAddr, memory::Layout, scatter, table::Policy};
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

/// One stage's boxes along the region, in runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lane {
    runs: Vec<LaneRun>,
    /// By the numbers of their first boxes.
    landmarks: Landmarks,
}

/// Some of the keys of a long list in the order of its keys, few enough to stay in a cache: a search that went through the list itself
/// would wait for memory at nearly each step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Landmarks {
    /// Of every [`LANDMARK`]th item.
    near: Vec<u64>,
    /// Of every `LANDMARK`th of those.
    far: Vec<u64>,
}

/// How many items there are from landmark to landmark.
const LANDMARK: usize = 16;

impl Landmarks {
    /// Hears of the item that becomes number `number`.
    fn pass(&mut self, number: usize, key: u64) {
        if number.is_multiple_of(LANDMARK) {
            self.near.push(key);
        }
        if number.is_multiple_of(LANDMARK * LANDMARK) {
            self.far.push(key);
        }
    }

    /// The number of the last of the `items` that has a key of at most `key`.
    fn last<T>(&self, items: &[T], key: u64, key_of: impl Fn(&T) -> u64) -> Option<usize> {
        let far = self.far.partition_point(|landmark| *landmark <= key);
        let near = last_after(&self.near, far.checked_sub(1)?, |near| *near <= key);
        Some(last_after(items, near, |item| key_of(item) <= key))
    }
}

/// The number of the last of the `items` after landmark number `landmark` of which `passed` still holds, as it does of the first.
///
/// All of them are asked, since memory serves questions that do not depend on each other's answers at the same time.
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

    /// The n-th box, from 0: its run, and its number in that. In logarithmic time.
    pub fn nth(&self, n: u64) -> Option<(LaneRun, u64)> {
        let last = self.landmarks.last(&self.runs, n, |run| run.first)?;
        let run = self.runs[last];
        (n - run.first < run.count).then_some((run, n - run.first))
    }

    /// The box that holds `offset`: its run, and its number in that. In logarithmic time.
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

    fn push(&mut self, offset: i64, size: u64, count: u64) {
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

/// The lanes of a registration, each with random access. Whoever keeps one of them shares it.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// The batches in which pages are pinned.
    pub batches: Arc<Lane>,
    /// The physical frames of the backing memory: pages, or extents.
    pub frames: Arc<Lane>,
    /// The SG entries.
    pub scatter: Arc<Lane>,
    /// The DMA segments.
    pub dma: Arc<Lane>,
    /// The device's entries; empty where the table was refused.
    pub entries: Arc<Lane>,
    /// Where device addresses jump relative to offsets: from this offset on, this address. Empty without an IOMMU: the memory tells
    /// its addresses itself, and a second list of them would be as long as the capture.
    jumps: Vec<(u64, DmaAddr)>,
    /// By their offsets.
    jump_landmarks: Landmarks,
}

impl Index {
    pub(super) fn new(registration: &Registration) -> Self {
        let mut index = Self::default();
        let [mut batches, mut frames, mut scatter, mut dma, mut entries] =
            [(); 5].map(|()| Lane::default());
        let page = registration.question().mr.page;
        let (from, to) = registration.pinned();
        let batch = scatter::batch_pages(page) * page.bytes();
        let whole = (to - from) / batch;
        if whole > 0 {
            batches.push(from as i64, batch, whole);
        }
        if (to - from) % batch > 0 {
            batches.push((from + whole * batch) as i64, (to - from) % batch, 1);
        }
        let memory = &registration.question().memory;
        match memory.layout() {
            Layout::Extents(runs) => runs
                .iter()
                .for_each(|run| frames.push(run.offset as i64, run.length, 1)),
            _ => frames.push(
                0,
                memory.page_size().bytes(),
                memory.length().div_ceil(memory.page_size().bytes()),
            ),
        }
        for entry in registration.scatter() {
            scatter.push(entry.offset as i64, entry.length, 1);
        }
        if registration.dma_count.is_ok() {
            let listed = registration.mapping.is_some();
            let mut expected = None;
            for segment in registration.dma() {
                dma.push(segment.offset as i64, segment.length, 1);
                if listed && expected != Some(segment.start.get()) {
                    index.jump_landmarks.pass(index.jumps.len(), segment.offset);
                    index.jumps.push((segment.offset, segment.start));
                }
                expected = Some(segment.end());
            }
        }
        for run in registration.entries() {
            entries.push(run.offset, run.size, run.count);
        }
        let scatter = Arc::new(scatter);
        // Without an IOMMU they are the same boxes.
        let dma = match dma == *scatter {
            true => scatter.clone(),
            false => Arc::new(dma),
        };
        Self {
            batches: Arc::new(batches),
            frames: Arc::new(frames),
            scatter,
            dma,
            entries: Arc::new(entries),
            ..index
        }
    }

    /// The last jump of device addresses at `offset` or before it, by number.
    fn jump(&self, offset: u64) -> Option<usize> {
        self.jump_landmarks
            .last(&self.jumps, offset, |(from, _)| *from)
    }

    /// The device address of the byte at `offset`, which must be pinned.
    pub fn dma_address(&self, registration: &Registration, offset: u64) -> DmaAddr {
        match self.jump(offset) {
            Some(jump) => {
                let (from, start) = self.jumps[jump];
                DmaAddr::new(start.get() + (offset - from))
            }
            None => DmaAddr::new(registration.question().memory.frame(offset).get()),
        }
    }

    /// The offset at which the run of contiguous device addresses ends that holds `offset`, at the last pinned page at most.
    pub fn run_end(&self, registration: &Registration, offset: u64) -> u64 {
        let (_, end) = registration.pinned();
        match self.jump(offset) {
            Some(jump) => self.jumps.get(jump + 1).map_or(end, |(from, _)| *from),
            None => {
                (offset + 1 + registration.question().memory.contiguous_after(offset + 1)).min(end)
            }
        }
    }

    /// The device address in the table of the entry that begins at `offset`, in the region or before it.
    ///
    /// Under the single policy an entry's address is rounded down, so it is found from the first of the entry's bytes that is pinned.
    pub fn entry_address(&self, registration: &Registration, offset: i64) -> DmaAddr {
        let (from, _) = registration.pinned();
        let inside = offset.max(from as i64);
        let address = self.dma_address(registration, inside as u64).get();
        let back = inside.abs_diff(offset);
        match registration
            .table
            .as_ref()
            .map(|table| (table.policy, table.page_size))
        {
            Ok((Policy::Single, Some(size))) => DmaAddr::new(size.align_down(address)),
            _ => DmaAddr::new(address.wrapping_sub(back)),
        }
    }
}
