//! Random access to every stage of a registration.

use super::{
    Registration,
    lane::{Growing, Landmarks, Lane},
};
use crate::{address::DmaAddr, memory::Layout, scatter, table::Policy};
use alloc::{sync::Arc, vec::Vec};

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
        let mut batches = Lane::default();
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
        let mut frames = Lane::default();
        match memory.layout() {
            Layout::Extents(runs) => runs
                .iter()
                .for_each(|run| frames.push(run.offset as i64, run.length, 1)),
            _ => {
                let size = memory.page_size().bytes();
                frames.push(0, size, memory.length().div_ceil(size));
            }
        }
        let frames = Arc::new(frames);
        // Extents that are not adjacent are SG entries as they are, and without an IOMMU DMA segments.
        let mut scatter = Growing::like(&frames);
        for entry in registration.scatter() {
            scatter.add(entry.offset as i64, entry.length, 1);
        }
        let scatter = scatter.done();
        let mut dma = Growing::like(&scatter);
        let (mut jumps, mut jump_landmarks) = (Vec::new(), Landmarks::default());
        if registration.dma_count.is_ok() {
            let listed = registration.mapping.is_some();
            let mut expected = None;
            for segment in registration.dma() {
                dma.add(segment.offset as i64, segment.length, 1);
                if listed && expected != Some(segment.start.get()) {
                    jump_landmarks.pass(jumps.len(), segment.offset);
                    jumps.push((segment.offset, segment.start));
                }
                expected = Some(segment.end());
            }
        }
        let dma = dma.done();
        let mut entries = Lane::default();
        for run in registration.entries() {
            entries.push(run.offset, run.size, run.count);
        }
        Self {
            batches: Arc::new(batches),
            frames,
            scatter,
            dma,
            entries: Arc::new(entries),
            jumps,
            jump_landmarks,
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
