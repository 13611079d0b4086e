//! The backing memory of a scenario.

use super::{ScenarioError, power_of_two};
use crate::{
    memory::{self, Extents, Layout, Memory, Runs},
    scenario::{DEFAULT_START, LayoutName, Scenario},
    size::{Bytes, PageSize},
    table::Mr,
};
use alloc::format;

impl Scenario {
    pub(super) fn memory(&self, mr: &Mr) -> Result<Memory, ScenarioError> {
        let spec = &self.memory;
        let page_size = match spec.page_size {
            Some(size) => power_of_two("memory.page_size", size)?,
            None => mr.page,
        };
        if page_size < mr.page {
            return Err(ScenarioError::new(
                "memory.page_size",
                format_args!(
                    "{page_size} is smaller than the kernel's page ({})",
                    mr.page
                ),
            ));
        }
        let end = mr.offset + mr.length;
        let length = match spec.length {
            Some(Bytes(length)) if !mr.page.divides(length) => {
                return Err(ScenarioError::new(
                    "memory.length",
                    format_args!(
                        "{} is no multiple of the kernel's page ({})",
                        Bytes(length),
                        mr.page
                    ),
                ));
            }
            Some(Bytes(length)) => Some(length),
            None => None,
        };
        let beyond = |length: u64| {
            let field = if mr.offset >= length {
                "region.offset"
            } else {
                "region.length"
            };
            ScenarioError::new(
                field,
                format_args!(
                    "the region ends {} after region.va, beyond the {} of memory: make it shorter, or memory.length longer",
                    Bytes(end),
                    Bytes(length)
                ),
            )
        };
        if let Some(length) = length.filter(|length| end > *length) {
            return Err(beyond(length));
        }
        let (layout, length) = match (&spec.extents, spec.layout) {
            (Some(_), Some(_)) => {
                return Err(ScenarioError::new(
                    "memory",
                    "has both layout and extents: give one of them",
                ));
            }
            (None, None) => {
                return Err(ScenarioError::new(
                    "memory",
                    "has neither layout nor extents: give one of them",
                ));
            }
            (Some(list), None) => {
                if spec.start.is_some() || spec.seed.is_some() {
                    let field = if spec.start.is_some() {
                        "memory.start"
                    } else {
                        "memory.seed"
                    };
                    return Err(ScenarioError::new(
                        field,
                        "belongs to a layout, but the memory is given by extents: leave it out",
                    ));
                }
                let (runs, total) = extents(list, mr.page)?;
                if end > total {
                    return Err(beyond(total));
                }
                match length.filter(|length| *length > total) {
                    Some(length) => {
                        return Err(ScenarioError::new(
                            "memory.length",
                            format_args!(
                                "{} are more than the extents' {}",
                                Bytes(length),
                                Bytes(total)
                            ),
                        ));
                    }
                    None => (Layout::Extents(runs), length.unwrap_or(total)),
                }
            }
            (None, Some(name)) => {
                let length = length
                    .or_else(|| page_size.align_up(end))
                    .ok_or_else(|| beyond(u64::MAX))?;
                (self.layout(name, page_size, length)?, length)
            }
        };
        Ok(Memory {
            page_size,
            length,
            layout,
        })
    }

    fn layout(
        &self,
        name: LayoutName,
        page: PageSize,
        length: u64,
    ) -> Result<Layout, ScenarioError> {
        let start = self.memory.start.unwrap_or(DEFAULT_START);
        if start.offset_in(page) != 0 {
            return Err(ScenarioError::new(
                "memory.start",
                format_args!("{start} is no multiple of the memory's page ({page})"),
            ));
        }
        let pages = length.div_ceil(page.bytes());
        let overflow = || {
            ScenarioError::new(
                "memory.start",
                format_args!(
                    "{} of {} memory from {start} leave the address space",
                    Bytes(length),
                    name.name()
                ),
            )
        };
        // The whole of the last page, and one byte more, so that every run's end is a number.
        let slots = match name {
            LayoutName::Descending => 1,
            LayoutName::Contiguous => pages,
            LayoutName::Scattered => memory::scattered_slots(pages),
        };
        slots
            .checked_mul(page.bytes())
            .and_then(|bytes| start.checked_add(bytes))
            .ok_or_else(overflow)?;
        Ok(match name {
            LayoutName::Contiguous => Layout::Contiguous(start),
            LayoutName::Descending if (pages - 1) > start.get() >> page.log2() => {
                return Err(overflow());
            }
            LayoutName::Descending => Layout::Descending(start),
            LayoutName::Scattered => Layout::Scattered {
                start,
                seed: self.memory.seed.unwrap_or(0),
            },
        })
    }
}

/// The extents with their offsets, and their length together.
fn extents(list: &Extents, page: PageSize) -> Result<(Runs, u64), ScenarioError> {
    let mut total = 0u64;
    let mut runs = Runs::new(list);
    for (i, &(start, Bytes(length))) in list.iter().enumerate() {
        let wrong = |problem: &str| {
            ScenarioError::new(
                format_args!("memory.extents[{i}]"),
                format_args!("[{start}, {}] {problem}", Bytes(length)),
            )
        };
        if length == 0 {
            return Err(wrong("is empty"));
        }
        if start.offset_in(page) != 0 || !page.divides(length) {
            return Err(wrong(&format!(
                "is not made of whole kernel pages ({page})"
            )));
        }
        if start.checked_add(length).is_none() {
            return Err(wrong("leaves the address space"));
        }
        runs.pass(i, total);
        total = total
            .checked_add(length)
            .filter(|total| *total <= i64::MAX as u64)
            .ok_or_else(|| wrong("makes the memory too long"))?;
    }
    if list.is_empty() {
        return Err(ScenarioError::new(
            "memory.extents",
            "is empty: give at least one extent",
        ));
    }
    Ok((runs, total))
}
