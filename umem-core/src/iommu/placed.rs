//! Where each entry of a list goes in IOVA space.

use super::{IovaLayout, Translation, tce::Pools};
use crate::{address::DmaAddr, scatter::SgEntry};
use alloc::boxed::Box;

/// The entries with their addresses: the first loop of `iommu_dma_map_sg()` [linux 7.2], or of another layout.
#[derive(Clone, Debug)]
pub(super) struct Placed<I> {
    entries: I,
    pub(super) translation: Translation,
    /// Where the range begins.
    start: DmaAddr,
    /// Bytes of IOVA used so far, what leads up to the list included: the kernel's `iova_len`.
    pub(super) length: u64,
    /// Of a table of TCEs.
    pools: Option<Box<Pools>>,
    /// Whether there was no room for an entry.
    pub(super) exhausted: bool,
}

impl<I> Placed<I> {
    /// The list's first page goes to `start`, which is `lead` bytes behind the beginning of its range. Address 0 stands for "where the
    /// kernel begins" if each entry is allocated by itself.
    pub(super) fn new(entries: I, translation: Translation, start: DmaAddr, lead: u64) -> Self {
        let pools = (translation.layout == IovaLayout::EachEntry).then(|| {
            let pools = Pools::new(&translation);
            Box::new(match start.get() {
                0 => pools,
                _ => pools.at(start),
            })
        });
        Self {
            entries,
            translation,
            start: start.wrapping_sub(lead),
            length: lead,
            pools,
            exhausted: false,
        }
    }
}

impl<I: Iterator<Item = SgEntry>> Placed<I> {
    /// Behind the entry before, or at a boundary that it would cross otherwise.
    #[inline]
    fn in_one_allocation(&mut self, entry: &SgEntry) -> DmaAddr {
        let within = entry.start.offset_in(self.translation.granule());
        let padded = self.translation.padded(entry);
        self.length += self.translation.pad(self.length, padded);
        let at = self.start.wrapping_add(self.length + within);
        self.length += padded;
        at
    }

    /// Below the entry before, at a multiple of its own length rounded up to a power of two: `iommu_dma_alloc_iova()` for each. First below
    /// 4G; when that is full, below the end of the address space.
    ///
    /// A real kernel also fills gaps, so only the alignment is a promise.
    fn by_itself(&mut self, entry: &SgEntry) -> Option<DmaAddr> {
        let translation = &self.translation;
        let within = entry.start.offset_in(translation.granule());
        let length = translation.granule_up(within + entry.length);
        let at = if self.start.get() == 0 {
            translation.place(length).ok()?
        } else if self.length == 0 {
            self.start.align_down(translation.granule())
        } else {
            let mask = length.checked_next_power_of_two()? - 1;
            let low = self.start.get() >> 32 == 0;
            let below = |end: u64| Some(end.checked_sub(length)? & !mask).filter(|at| *at > 0);
            let above = || {
                let end = Translation::end_of(translation.address_bits);
                below(end).filter(|at| at >> 32 > 0)
            };
            let at = match below(self.start.get()) {
                Some(at) if low || at >> 32 > 0 => at,
                _ if low => above()?,
                _ => return None,
            };
            DmaAddr::new(at)
        };
        self.start = at;
        self.length += length;
        Some(at + within)
    }
}

impl<I: Iterator<Item = SgEntry>> Iterator for Placed<I> {
    type Item = (DmaAddr, SgEntry);

    #[inline]
    fn next(&mut self) -> Option<(DmaAddr, SgEntry)> {
        let entry = self.entries.next()?;
        let at = match (self.translation.layout, &mut self.pools) {
            (IovaLayout::Direct { offset }, _) => {
                self.length += entry.length;
                DmaAddr::new(entry.start.get().wrapping_add(offset))
            }
            (IovaLayout::EachAligned, _) => {
                let at = self.by_itself(&entry);
                self.exhausted = at.is_none();
                at?
            }
            (_, Some(pools)) => {
                self.length += entry.length;
                let at = pools.allocate(entry.length);
                self.exhausted = at.is_none();
                at?
            }
            (_, None) => self.in_one_allocation(&entry),
        };
        Some((at, entry))
    }
}
