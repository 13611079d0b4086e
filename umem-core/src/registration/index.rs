//! Random access to every stage of a registration.

use super::{
    Registration, Scatter, Table,
    io_lane::io_lane,
    lane::{Growing, Landmarks, Lane},
    middle::Each,
};
use crate::{
    address::DmaAddr,
    memory::{Kind, Layout},
    scatter,
    table::Refusal,
};
use alloc::{sync::Arc, vec::Vec};
use core::cell::OnceCell;

/// A registration with random access to every stage: see [`Registration::index`].
#[derive(Clone, Debug)]
pub struct Index {
    registration: Registration,
    batches: Lane,
    frames: Arc<Lane>,
    scatter: Arc<Lane>,
    dma: Arc<Lane>,
    entries: Lane,
    io_pages: OnceCell<Lane>,
    jumps: Jumps,
}

/// Where device addresses jump relative to offsets: from this offset on, this address. Empty without an IOMMU, where addresses come
/// from the memory; a second list of them would be as long as the capture.
#[derive(Clone, Debug, Default)]
struct Jumps {
    list: Vec<(u64, DmaAddr)>,
    landmarks: Landmarks,
}

impl Jumps {
    fn push(&mut self, offset: u64, address: DmaAddr) {
        self.landmarks.pass(self.list.len(), offset);
        self.list.push((offset, address));
    }

    /// The number of the last jump at `offset` or before it.
    fn at(&self, offset: u64) -> Option<usize> {
        self.landmarks.last(&self.list, offset, |(from, _)| *from)
    }
}

impl Index {
    pub(super) fn new(registration: Registration, other: Option<&Self>) -> Self {
        let frames = frames(&registration, other.map(|other| &other.frames));
        // Extents that are not adjacent are SG entries unchanged, and without an IOMMU DMA segments.
        let other = other.filter(|other| Arc::ptr_eq(&other.frames, &frames));
        let scatter = entries_of_list(&registration, other.map_or(&frames, |other| &other.scatter));
        let is_mapped_alike = |other: &&Self| {
            other.registration.mapping().is_some() == registration.mapping().is_some()
        };
        let like = other.filter(is_mapped_alike).map(|other| &other.dma);
        let (dma, jumps) = segments(&registration, like.unwrap_or(&scatter));
        let mut entries = Lane::default();
        registration.each_box(
            &|mr, each| registration.entries_of(mr).each_box(each),
            &mut |(offset, size, count)| entries.push(offset, size, count),
        );
        Self {
            batches: batches(&registration),
            frames,
            scatter,
            dma,
            entries,
            io_pages: OnceCell::new(),
            jumps,
            registration,
        }
    }

    /// The registration.
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// The batches in which pages are pinned; none if the region is refused before that.
    pub fn batches(&self) -> &Lane {
        &self.batches
    }

    /// The physical frames of the backing memory: pages, or extents.
    pub fn frames(&self) -> &Lane {
        &self.frames
    }

    /// The SG entries; none if the region is refused before they are gathered.
    pub fn scatter(&self) -> &Lane {
        &self.scatter
    }

    /// The DMA segments; empty if mapping was refused.
    pub fn dma(&self) -> &Lane {
        &self.dma
    }

    /// The IOMMU's own page-table entries; empty where nothing is mapped by one. Worked out when somebody first asks for them.
    pub fn io_pages(&self) -> &Lane {
        self.io_pages.get_or_init(|| io_lane(&self.registration))
    }

    /// The device's entries; empty if the table was refused.
    pub fn entries(&self) -> &Lane {
        &self.entries
    }

    /// The device address of the byte at `offset`, which must be pinned.
    pub fn dma_address(&self, offset: u64) -> DmaAddr {
        match self.jumps.at(offset) {
            Some(jump) => {
                let (from, start) = self.jumps.list[jump];
                start + (offset - from)
            }
            None => DmaAddr::identical(self.registration.question().memory().frame(offset)),
        }
    }

    /// The offset at which the run of contiguous device addresses around `offset` ends, at most the end of the pinned pages.
    pub fn run_end(&self, offset: u64) -> u64 {
        let (_, end) = self.registration.pinned();
        match self.jumps.at(offset) {
            Some(jump) => self.jumps.list.get(jump + 1).map_or(end, |(from, _)| *from),
            None => {
                let memory = self.registration.question().memory();
                (offset + 1 + memory.contiguous_after(offset + 1)).min(end)
            }
        }
    }

    /// The device address of the entry that begins at `offset`: in the region, before it, or after it where a kernel's bug makes more
    /// entries than the region has room for.
    ///
    /// Under the single policy an entry's address is rounded down, so it is found from the entry's first byte that is pinned.
    pub fn entry_address(&self, offset: i64) -> DmaAddr {
        let (from, to) = self.registration.pinned();
        let inside = offset.max(from as i64).min(to as i64 - 1);
        let address = self.dma_address(inside as u64);
        // Negative before the region.
        let beyond = offset.wrapping_sub(inside);
        match self.registration.table() {
            Ok(Table {
                page_size: Some(size),
                ..
            }) => address.wrapping_add(beyond.max(0) as u64).align_down(*size),
            _ => address.wrapping_add(beyond as u64),
        }
    }
}

/// Whether a gate before the SG list refuses the region: then nothing is pinned, and there is no list.
fn is_stopped(registration: &Registration) -> bool {
    matches!(registration.table(), Err(Refusal::Stopped(_)))
}

fn entries_of_list(registration: &Registration, like: &Arc<Lane>) -> Arc<Lane> {
    if is_stopped(registration) {
        return Arc::default();
    }
    let mut scatter = Growing::like(like);
    registration.each_box(
        &|mr, each| each_entry(registration.lists.scatter_of(mr), each),
        &mut |(offset, size, count)| scatter.add(offset, size, count),
    );
    scatter.done()
}

fn batches(registration: &Registration) -> Lane {
    let mut batches = Lane::default();
    if is_stopped(registration) {
        return batches;
    }
    let page = registration.question().mr().page;
    let (from, to) = registration.pinned();
    let batch = match registration.question().kind() {
        Kind::Pages => scatter::batch_pages(page) * page.bytes(),
        // Nothing is pinned.
        Kind::DmaBuf | Kind::Odp => to - from,
    };
    let (whole, rest) = ((to - from) / batch, (to - from) % batch);
    if whole > 0 {
        batches.push(from as i64, batch, whole);
    }
    if rest > 0 {
        batches.push((from + whole * batch) as i64, rest, 1);
    }
    batches
}

fn frames(registration: &Registration, like: Option<&Arc<Lane>>) -> Arc<Lane> {
    let none = Arc::default();
    let mut frames = Growing::like(like.unwrap_or(&none));
    let memory = registration.question().memory();
    let page = memory.page_size().bytes();
    match memory.layout() {
        Layout::Extents(runs) => runs
            .iter()
            .for_each(|run| frames.add(run.offset as i64, run.length, 1)),
        _ => frames.add(0, page, memory.length().div_ceil(page)),
    }
    frames.done()
}

fn segments(registration: &Registration, like: &Arc<Lane>) -> (Arc<Lane>, Jumps) {
    if is_stopped(registration) || registration.dma_count().is_err() {
        return Default::default();
    }
    if registration.lists.middle.is_some() {
        // Without an IOMMU they are the SG entries.
        return (entries_of_list(registration, like), Jumps::default());
    }
    let (mut dma, mut jumps) = (Growing::like(like), Jumps::default());
    let listed = registration.mapping().is_some();
    let mut expected = None;
    for segment in registration.dma() {
        dma.add(segment.offset as i64, segment.length, 1);
        if listed && expected != Some(segment.start) {
            jumps.push(segment.offset, segment.start);
        }
        expected = Some(segment.end());
    }
    (dma.done(), jumps)
}

fn each_entry(list: Scatter<'_>, each: &mut Each<'_>) {
    for entry in list {
        each((entry.offset as i64, entry.length, 1));
    }
}
