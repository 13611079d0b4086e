//! The entries of the IOMMU's own page table. They do not change device addresses, but they, too, cost memory and
//! translation-cache misses.

use super::{IovaLayout, Mapping, Translation, placed::Placed};
use crate::{
    address::{DmaAddr, PhysAddr},
    scatter::SgEntry,
    tiling::Tiling,
};

/// Equal pages of an IOMMU's page table, one after the other in both address spaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IoPageRun {
    /// The IOVA of the first page.
    pub iova: DmaAddr,
    /// The physical address of the first page.
    pub frame: PhysAddr,
    /// The size of each page in bytes.
    pub size: u64,
    /// How many there are.
    pub count: u64,
}

/// The IOMMU's page-table entries for a mapping: `iommu_map_sg()` joins what is physically
/// adjacent, and each stretch takes the largest page that divides both addresses and fits:
/// `iommu_pgsize()` [linux 6.1], `pt_compute_best_pgsize()` [linux 7.2].
#[derive(Clone, Debug)]
pub struct IoPages<I> {
    placed: Placed<I>,
    next: Option<Stretch>,
    current: Option<(Tiling<DmaAddr>, Stretch)>,
}

/// A stretch that is contiguous in both address spaces.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    iova: DmaAddr,
    frame: PhysAddr,
    length: u64,
}

impl<I: Iterator<Item = SgEntry> + Clone> IoPages<I> {
    /// The pages that `translation` takes to map `entries` to `mapping`.
    pub fn new(entries: I, translation: Translation, mapping: Mapping) -> Self {
        let placed = Placed::new(entries, translation, mapping.start, mapping.lead);
        Self {
            placed,
            next: None,
            current: None,
        }
    }

    fn stretch(&mut self) -> Option<Stretch> {
        let mut stretch = self.next.take().or_else(|| self.entry())?;
        // A table of TCEs is written entry by entry.
        if self.placed.translation.layout != IovaLayout::OneAllocation {
            return Some(stretch);
        }
        while let Some(other) = self.entry() {
            // A padded entry is mapped with its pad, so the IOVA is contiguous either way.
            stretch.length = other.iova - stretch.iova;
            if stretch.frame.checked_add(stretch.length) != Some(other.frame) {
                self.next = Some(other);
                return Some(stretch);
            }
            stretch.length += other.length;
        }
        Some(stretch)
    }

    fn entry(&mut self) -> Option<Stretch> {
        let (at, entry) = self.placed.next()?;
        let granule = self.placed.translation.granule();
        // Whole IO pages, also where an exporter's entry begins within one.
        let within = entry.start.offset_in(granule);
        Some(Stretch {
            iova: at - within,
            frame: entry.start - within,
            length: self.placed.translation.granule_up(within + entry.length),
        })
    }
}

impl<I: Iterator<Item = SgEntry> + Clone> Iterator for IoPages<I> {
    type Item = IoPageRun;

    fn next(&mut self) -> Option<IoPageRun> {
        loop {
            if let Some((tiling, stretch)) = &mut self.current
                && let Some(run) = tiling.next()
            {
                return Some(IoPageRun {
                    iova: run.address,
                    frame: stretch.frame + (run.address - stretch.iova),
                    size: run.size.bytes(),
                    count: run.count,
                });
            }
            let stretch = self.stretch()?;
            // A size that divides both addresses divides their difference.
            let difference = stretch.iova.get() ^ stretch.frame.get();
            let sizes = self.placed.translation.page_sizes.aligned_to(difference);
            let tiling = Tiling::new(stretch.iova, stretch.iova + stretch.length, sizes);
            self.current = Some((tiling, stretch));
        }
    }
}
