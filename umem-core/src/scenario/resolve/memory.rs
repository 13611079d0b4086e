//! The backing memory of a scenario.

use super::{Problem, ScenarioError, power_of_two};
use crate::{
    address::PhysAddr,
    memory::{self, CheckedExtents, Exporter, Extents, Kind, Layout, Memory, RunError},
    scenario::{DEFAULT_START, LayoutName, MemorySpec, Scenario},
    size::{Bytes, PageSize},
    table::Mr,
};

impl Scenario {
    pub(super) fn memory(&self, mr: &Mr) -> Result<Memory, ScenarioError> {
        let spec = &self.memory;
        if spec.exporter != Exporter::default() && spec.kind != Kind::DmaBuf {
            return Err(ScenarioError::new(
                "memory.exporter",
                Problem::OnlyForDmaBufs,
            ));
        }
        let page_size = page_size(spec, mr.page)?;
        let end = mr.offset + mr.length;
        let beyond = |memory: u64| {
            let field = if mr.offset >= memory {
                "region.offset"
            } else {
                "region.length"
            };
            ScenarioError::new(field, Problem::BeyondMemory { end, memory })
        };
        let length = length(spec, mr.page)?;
        if let Some(length) = length.filter(|length| end > *length) {
            return Err(beyond(length));
        }
        let (layout, length) = match (&spec.extents, spec.layout) {
            (Some(_), Some(_)) => {
                return Err(ScenarioError::new("memory", Problem::LayoutAndExtents));
            }
            (None, None) => return Err(ScenarioError::new("memory", Problem::NoLayout)),
            (Some(list), None) => {
                not_for_extents(spec)?;
                let (runs, total) = match spec.kind {
                    Kind::DmaBuf => entries(list, mr.page)?,
                    Kind::Pages | Kind::Odp => extents(list, mr.page)?,
                };
                if end > total {
                    return Err(beyond(total));
                }
                if let Some(length) = length.filter(|length| *length > total) {
                    let extents = total;
                    let problem = Problem::LongerThanExtents { length, extents };
                    return Err(ScenarioError::new("memory.length", problem));
                }
                (Layout::Extents(runs), length.unwrap_or(total))
            }
            (None, Some(name)) => {
                let length = length
                    .or_else(|| page_size.align_up(end))
                    .ok_or_else(|| beyond(u64::MAX))?;
                (layout(spec, name, page_size, length)?, length)
            }
        };
        Ok(Memory {
            page_size,
            length,
            layout,
        })
    }
}

fn page_size(spec: &MemorySpec, page: PageSize) -> Result<PageSize, ScenarioError> {
    let field = "memory.page_size";
    match spec.page_size {
        None => Ok(page),
        Some(size) => match power_of_two(field, size)? {
            size if size < page => {
                Err(ScenarioError::new(field, Problem::SmallPage { size, page }))
            }
            size => Ok(size),
        },
    }
}

fn length(spec: &MemorySpec, page: PageSize) -> Result<Option<u64>, ScenarioError> {
    match spec.length {
        Some(Bytes(length)) if !page.divides(length) => {
            let problem = Problem::PartialPage { length, page };
            Err(ScenarioError::new("memory.length", problem))
        }
        length => Ok(length.map(|Bytes(length)| length)),
    }
}

/// Refuses what only layouts have.
fn not_for_extents(spec: &MemorySpec) -> Result<(), ScenarioError> {
    let field = match (spec.start, spec.seed) {
        (Some(_), _) => "memory.start",
        (None, Some(_)) => "memory.seed",
        (None, None) => return Ok(()),
    };
    Err(ScenarioError::new(field, Problem::OnlyForLayouts))
}

fn layout(
    spec: &MemorySpec,
    layout: LayoutName,
    page: PageSize,
    length: u64,
) -> Result<Layout, ScenarioError> {
    let start = spec.start.unwrap_or(DEFAULT_START);
    let wrong = |problem| ScenarioError::new("memory.start", problem);
    if start.offset_in(page) != 0 {
        return Err(wrong(Problem::StartInPage { start, page }));
    }
    let pages = length.div_ceil(page.bytes());
    // The whole of the last page, and one byte more, so that every run's end is a number.
    let slots = match layout {
        LayoutName::Descending => 1,
        LayoutName::Contiguous => pages,
        LayoutName::Scattered => memory::scattered_slots(pages),
    };
    let end = slots
        .checked_mul(page.bytes())
        .and_then(|bytes| start.checked_add(bytes));
    let sinks = layout == LayoutName::Descending && (pages - 1) > start.get() >> page.log2();
    if end.is_none() || sinks {
        return Err(wrong(Problem::LayoutWraps {
            layout,
            length,
            start,
        }));
    }
    Ok(match layout {
        LayoutName::Contiguous => Layout::Contiguous(start),
        LayoutName::Descending => Layout::Descending(start),
        LayoutName::Scattered => Layout::Scattered {
            start,
            seed: spec.seed.unwrap_or(0),
        },
    })
}

/// The extents with their offsets, and their length together.
fn extents(list: &Extents, page: PageSize) -> Result<(CheckedExtents, u64), ScenarioError> {
    listed(list, |total, start, length| {
        memory::after_run(total, start, length, page)
    })
}

/// The entries of a dma-buf's exporter: of any lengths, which together are whole pages, as the size of every dma-buf is.
fn entries(list: &Extents, page: PageSize) -> Result<(CheckedExtents, u64), ScenarioError> {
    let (runs, length) = listed(list, memory::after_entry)?;
    if page.divides(length) {
        Ok((runs, length))
    } else {
        let problem = Problem::PartialPage { length, page };
        Err(ScenarioError::new("memory.extents", problem))
    }
}

/// The runs of the list; `after` is the offset after each.
fn listed(
    list: &Extents,
    after: impl Fn(u64, PhysAddr, u64) -> Result<u64, RunError>,
) -> Result<(CheckedExtents, u64), ScenarioError> {
    if list.is_empty() {
        return Err(ScenarioError::new("memory.extents", Problem::NoExtents));
    }
    let mut total = 0u64;
    let mut runs = CheckedExtents::new(list);
    for (i, &(start, Bytes(length))) in list.iter().enumerate() {
        runs.pass(i, total);
        total = after(total, start, length).map_err(|error| {
            let problem = Problem::Extent {
                start,
                length,
                error,
            };
            ScenarioError::new(format_args!("memory.extents[{i}]"), problem)
        })?;
    }
    Ok((runs, total))
}
