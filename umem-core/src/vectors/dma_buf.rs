//! A dma-buf, mapped whole and cut to a region.

use super::{Best, Iommu, Mismatch, replay::same};
use crate::{
    address::{Bits, Consecutive, DmaAddr, PhysAddr},
    iommu::{self, DmaList, Iova, IovaLayout, Translation},
    kernel::KernelRules,
    memory,
    scatter::ScatterList,
    scenario::{Problem, ScenarioError},
};
use alloc::{format, string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// `ib_umem_dmabuf_get_pinned()`, `ib_umem_find_best_pgsz()` and `rdma_umem_for_each_dma_block()`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DmaBuf {
    /// The exporter's entries, of the whole buffer: address and length in bytes.
    pub entries: Vec<(PhysAddr, u64)>,
    /// Behind which IOMMU, as in [`Iommu`](super::Iommu).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iommu: Option<String>,
    /// The importer's maximum segment in bytes.
    pub max_segment: u32,
    /// Its segment boundary as a mask.
    pub boundary: Bits,
    /// The region, whose `address` is where it begins in the buffer, the segments that were cut out, the best size and its blocks.
    pub region: Best,
}

impl DmaBuf {
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        let mut size = 0;
        for (i, &(start, length)) in self.entries.iter().enumerate() {
            size = memory::after_entry(size, start, length).map_err(|error| {
                ScenarioError::new(format_args!("entries[{i}]"), Problem::Run(error))
            })?;
        }
        Iommu::check_name(self.iommu.as_deref())?;
        self.region.check()?;
        let (from, to) = self.ends();
        if to > size {
            let problem = Problem::BeyondMemory {
                end: to,
                memory: size,
            };
            return Err(ScenarioError::new("region.length", problem));
        }
        debug_assert!(from < to);
        Ok(())
    }

    /// The pages of the region, in bytes from the beginning of the buffer.
    fn ends(&self) -> (u64, u64) {
        let (page, from) = (self.region.page, self.region.address);
        let end = from.get().saturating_add(self.region.length);
        (
            from.align_down(page).get(),
            page.align_up(end).unwrap_or(u64::MAX),
        )
    }

    /// The segments by the rules, if the mapping begins at `start`; at most one more than were recorded.
    fn segments(&self, translation: Option<Translation>) -> Option<Vec<(DmaAddr, u64)>> {
        let entries = ScatterList::listed(
            Consecutive::new(self.entries.iter().copied()),
            self.region.page,
        );
        let list = match translation {
            None => DmaList::identity(entries),
            Some(translation) => {
                let mapping = translation.map(entries.clone()).ok()?;
                DmaList::translated(entries, translation, mapping, self.max_segment)
            }
        };
        let (from, to) = self.ends();
        let segments = list.part(from, to).take(self.region.dma.len() + 1);
        Some(
            segments
                .map(|segment| (segment.start, segment.length))
                .collect(),
        )
    }

    pub(super) fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        let recorded = &self.region.dma;
        let profile = iommu::find(self.iommu.as_deref().unwrap_or(iommu::DEFAULT.name));
        let expected = match profile {
            None => self.segments(None),
            Some(profile) => {
                let at = |start| Translation {
                    iova: Iova::At(start),
                    boundary_mask: self.boundary.get(),
                    address_bits: 64,
                    ..profile.translation()
                };
                // Where the whole buffer was mapped is not recorded; it follows from the region's first segment.
                let zero = self.segments(Some(at(DmaAddr::new(0))));
                let start = recorded.first().zip(zero.as_deref().and_then(<[_]>::first));
                let start =
                    start.map_or(0, |(there, here)| there.0.get().wrapping_sub(here.0.get()));
                self.is_aligned(at(DmaAddr::new(start)))?;
                self.segments(Some(at(DmaAddr::new(start))))
            }
        };
        same("region.dma", &Some(recorded.clone()), &expected)?;
        self.region.replay(rules)
    }

    /// A mapping begins at a multiple of its length, rounded up to a power of two.
    fn is_aligned(&self, translation: Translation) -> Result<(), Mismatch> {
        let Iova::At(start) = translation.iova else {
            return Ok(());
        };
        let entries = ScatterList::listed(
            Consecutive::new(self.entries.iter().copied()),
            self.region.page,
        );
        let mapped = translation.map(entries).ok();
        let length = mapped.and_then(|mapping| mapping.length.checked_next_power_of_two());
        match length {
            Some(length)
                if translation.layout == IovaLayout::OneAllocation
                    && start.get() & (length - 1) != 0 =>
            {
                Err(Mismatch {
                    field: "region.dma",
                    kernel: format!("the mapping begins at {start}"),
                    rules: format!("at a multiple of {length:#x}"),
                })
            }
            _ => Ok(()),
        }
    }
}
