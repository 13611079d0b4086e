//! The mappings behind a region.

use super::{Problem, ScenarioError, power_of_two};
use crate::{
    address::VirtAddr,
    process::{Area, Backing},
    scenario::{AreaSpec, Scenario},
    size::{Bytes, PageSize},
};
use alloc::{collections::BinaryHeap, format, vec::Vec};

impl Scenario {
    /// The areas by their addresses, in order.
    pub(super) fn areas(&self, page: PageSize) -> Result<Vec<Area>, ScenarioError> {
        let specs = self.memory.areas.iter().enumerate();
        // A heap: each of the library's sorts is several times its code.
        let areas: BinaryHeap<Area> = specs
            .map(|(i, spec)| self.area(i, spec, page))
            .collect::<Result<_, _>>()?;
        Ok(areas.into_sorted_vec())
    }

    /// The end of the region's last page; the last address if it wraps around.
    fn region_end(&self, page: PageSize) -> u64 {
        let region = &self.region;
        let end = region.va.checked_add(region.offset.0);
        let end = end.and_then(|start| start.checked_add(region.length.0));
        end.and_then(|end| end.align_up(page))
            .map_or(u64::MAX, VirtAddr::get)
    }

    fn area(&self, i: usize, spec: &AreaSpec, page: PageSize) -> Result<Area, ScenarioError> {
        let field = |name: &str| format!("memory.areas[{i}].{name}");
        let va = self.region.va;
        let Bytes(offset) = spec.offset;
        let start = va.checked_add(offset).ok_or_else(|| {
            let problem = Problem::Wraps {
                length: offset,
                from: va,
            };
            ScenarioError::new(field("offset"), problem)
        })?;
        for (name, bytes) in [("offset", Some(spec.offset)), ("length", spec.length)] {
            if let Some(Bytes(length)) = bytes.filter(|Bytes(bytes)| !page.divides(*bytes)) {
                let problem = Problem::PartialPage { length, page };
                return Err(ScenarioError::new(field(name), problem));
            }
        }
        let end = match spec.length {
            Some(Bytes(0)) => return Err(ScenarioError::new(field("length"), Problem::Zero)),
            Some(Bytes(length)) => start
                .checked_add(length)
                .ok_or_else(|| {
                    let problem = Problem::Wraps {
                        length,
                        from: start,
                    };
                    ScenarioError::new(field("length"), problem)
                })?
                .get(),
            None => self.region_end(page).max(start.get()),
        };
        // Only huge mappings have boundaries that count.
        let huge = matches!(spec.backing, Backing::Hugetlb | Backing::Devdax);
        let page_size = match spec.page_size.or(self.memory.page_size).filter(|_| huge) {
            Some(size) => power_of_two(&field("page_size"), size)?,
            None => page,
        };
        Ok(Area {
            start: start.get(),
            end,
            backing: spec.backing,
            shared: spec.shared.unwrap_or(matches!(
                spec.backing,
                Backing::Shmem | Backing::Devdax | Backing::Secret | Backing::Pfnmap
            )),
            protection: spec.protection,
            page_size,
        })
    }
}
