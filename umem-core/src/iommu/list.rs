//! The DMA list: the entries at their addresses, merged.

use super::{DmaSegment, IovaLayout, Mapping, Translation, placed::Placed};
use crate::{
    address::{DmaAddr, Extent},
    scatter::SgEntry,
};
use core::iter::from_fn;

/// The DMA list as an iterator, made from the entries of a scatter-gather list.
#[derive(Clone, Debug)]
pub struct DmaList<I>(Rule<I>);

#[derive(Clone, Debug)]
enum Rule<I> {
    Identity(I),
    Translated(Merged<I>),
    Part(Part<I>),
}

/// The part of a mapped buffer that a region takes: `ib_umem_dmabuf_map_pages()` [linux 7.2].
#[derive(Clone, Debug)]
struct Part<I> {
    whole: Whole<I>,
    from: u64,
    to: u64,
}

#[derive(Clone, Debug)]
enum Whole<I> {
    Identity(I),
    Translated(Merged<I>),
}

impl<I: Iterator<Item = SgEntry>> DmaList<I> {
    /// Device addresses are physical ones, entry for entry: `dma_direct_map_sg()` [linux 7.2].
    pub fn identity(entries: I) -> Self {
        Self(Rule::Identity(entries))
    }

    /// The list as `translation` mapped it to `mapping`, for a device whose segments are at
    /// most `max_segment` bytes long.
    pub fn translated(
        entries: I,
        translation: Translation,
        mapping: Mapping,
        max_segment: u32,
    ) -> Self {
        let placed = Placed::new(entries, translation, mapping.start, mapping.lead);
        Self(Rule::Translated(Merged {
            placed,
            next: None,
            max_segment,
        }))
    }

    /// The same list, cut to the bytes from offset `from` to offset `to`, as of a dma-buf that was mapped whole.
    pub fn part(self, from: u64, to: u64) -> Self {
        let whole = match self.0 {
            Rule::Identity(entries) => Whole::Identity(entries),
            Rule::Translated(merged) => Whole::Translated(merged),
            Rule::Part(part) => {
                let (from, to) = (from.max(part.from), to.min(part.to));
                return Self(Rule::Part(Part { from, to, ..part }));
            }
        };
        Self(Rule::Part(Part { whole, from, to }))
    }
}

impl<I: Iterator<Item = SgEntry>> Part<I> {
    fn next(&mut self) -> Option<DmaSegment> {
        loop {
            let segment = match &mut self.whole {
                Whole::Identity(entries) => entries.next().map(identical)?,
                Whole::Translated(merged) => merged.next()?,
            };
            let end = segment.end_offset().min(self.to);
            if segment.offset >= self.to {
                return None;
            }
            if end > self.from {
                let cut = self.from.saturating_sub(segment.offset);
                let offset = segment.offset + cut;
                return Some(Extent {
                    offset,
                    start: segment.start + cut,
                    length: end - offset,
                });
            }
        }
    }
}

impl<I: Iterator<Item = SgEntry>> Iterator for DmaList<I> {
    type Item = DmaSegment;

    #[inline]
    fn next(&mut self) -> Option<DmaSegment> {
        match &mut self.0 {
            Rule::Identity(entries) => entries.next().map(identical),
            Rule::Translated(merged) => merged.next(),
            Rule::Part(part) => part.next(),
        }
    }

    // `next` with the match outside the loop: a registration of scattered pages takes a third fewer instructions.
    #[inline]
    fn fold<B, F: FnMut(B, DmaSegment) -> B>(self, start: B, each: F) -> B {
        match self.0 {
            Rule::Identity(entries) => entries.map(identical).fold(start, each),
            Rule::Translated(mut merged) => from_fn(|| merged.next()).fold(start, each),
            Rule::Part(mut part) => from_fn(|| part.next()).fold(start, each),
        }
    }
}

/// `dma_direct_map_sg()`: the device's address is the physical one.
#[inline]
fn identical(entry: SgEntry) -> DmaSegment {
    Extent {
        offset: entry.offset,
        start: DmaAddr::identical(entry.start),
        length: entry.length,
    }
}

/// `__finalise_sg()` [linux 7.2]: an entry joins the segment before it unless that would cross
/// a boundary, leave a hole, or make the segment too long. (Linux 7.3.4 was seen to join entries after one that is too long already.)
#[derive(Clone, Debug)]
struct Merged<I> {
    placed: Placed<I>,
    next: Option<DmaSegment>,
    max_segment: u32,
}

impl<I: Iterator<Item = SgEntry>> Merged<I> {
    #[inline]
    fn take(&mut self) -> Option<DmaSegment> {
        self.next.take().or_else(|| {
            let (at, entry) = self.placed.next()?;
            Some(Extent {
                offset: entry.offset,
                start: at,
                length: entry.length,
            })
        })
    }

    /// `max_len - cur_len`, in unsigned ints: after a segment that is longer than the limit, as an exporter's entries can be, the room is
    /// unlimited.
    #[inline]
    fn room_after(&self, length: u64) -> u64 {
        match self.placed.translation.layout {
            IovaLayout::OneAllocation => self.max_segment.wrapping_sub(length as u32).into(),
            // `ppc_iommu_map_sg()` adds up.
            _ => u64::from(self.max_segment).saturating_sub(length),
        }
    }

    #[inline]
    fn next(&mut self) -> Option<DmaSegment> {
        let mask = self.placed.translation.boundary_mask;
        let layout = self.placed.translation.layout;
        if let IovaLayout::Direct { .. } | IovaLayout::EachAligned = layout {
            return self.take();
        }
        let mut segment = self.take()?;
        while let Some(entry) = self.take() {
            let adjacent = entry.start == segment.end();
            let at_boundary = layout == IovaLayout::OneAllocation && entry.start.get() & mask == 0;
            if !adjacent || at_boundary || self.room_after(segment.length) < entry.length {
                self.next = Some(entry);
                break;
            }
            segment.length += entry.length;
        }
        Some(segment)
    }
}
