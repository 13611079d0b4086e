//! The kernel's questions, answered by the rules.

use super::{Best, Iommu, MOST_BLOCKS, Mismatch, hash};
use crate::{
    address::{Bits, Consecutive, DmaAddr, Extent, FrameNumber, PhysAddr},
    iommu::{self, DmaList, DmaSegment, Iova, IovaLayout, MapError, Translation},
    kernel::KernelRules,
    memory::{self, FrameRun, RunError},
    scatter::{self, ScatterList, SgEntry},
    scenario::{IommuSpec, Problem, ScenarioError},
    size::{PageSize, PageSizes},
    table::{EntryRun, Mr, single},
};
use alloc::{format, vec::Vec};
use core::fmt;

const EINVAL: i32 = -22;
const ENOMEM: i32 = -12;
/// What POWER's failures are.
const EIO: i32 = -5;

pub(super) fn same<T: PartialEq + fmt::Debug>(
    field: &'static str,
    kernel: &T,
    rules: &T,
) -> Result<(), Mismatch> {
    if kernel == rules {
        return Ok(());
    }
    Err(Mismatch {
        field,
        kernel: format!("{kernel:?}"),
        rules: format!("{rules:?}"),
    })
}

impl Best {
    fn mr(&self) -> Mr {
        Mr {
            hca_address: self.virt,
            ..Mr::new(self.address, self.length, self.page)
        }
    }

    fn segments(&self) -> impl Iterator<Item = DmaSegment> + Clone + '_ {
        Consecutive::new(self.dma.iter().copied())
    }

    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        let mut list = 0u64;
        for (i, &(start, length)) in self.dma.iter().enumerate() {
            list = memory::after_run(list, start, length, self.page).map_err(|error| {
                ScenarioError::new(format_args!("dma[{i}]"), Problem::Run(error))
            })?;
        }
        let (length, address) = (self.length, self.address);
        if length == 0 || length >= 1 << 62 || self.mr().pages() << self.page.log2() != list {
            let problem = Problem::NotThePages {
                length,
                address,
                list,
            };
            return Err(ScenarioError::new("length", problem));
        }
        Ok(())
    }

    /// What the rules answer: the question with everything after `dma` filled in.
    pub fn answer(&self, rules: &KernelRules) -> Self {
        let mr = self.mr();
        let best = single::best_page_size(
            self.segments(),
            &mr,
            PageSizes::from_bits(self.sizes.get()),
            rules,
        );
        let mut answer = Self {
            best: best.map_or(0, PageSize::bytes),
            blocks: None,
            first: None,
            last: None,
            hash: None,
            ..self.clone()
        };
        if let Some(size) = best.filter(|size| single::block_count(&mr, *size) <= MOST_BLOCKS) {
            let addresses = || {
                let runs = single::Single::new(self.segments(), &mr, size, rules);
                runs.flat_map(EntryRun::entries).map(|entry| entry.address)
            };
            answer.blocks = Some(addresses().count() as u64);
            answer.first = addresses().next();
            answer.last = addresses().last();
            answer.hash = Some(hash(addresses()));
        }
        answer
    }

    pub(super) fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        let answer = self.answer(rules);
        same("best", &self.best, &answer.best)?;
        same("blocks", &self.blocks, &answer.blocks)?;
        same("first", &self.first, &answer.first)?;
        same("last", &self.last, &answer.last)?;
        same("hash", &self.hash, &answer.hash)
    }
}

/// The runs of frames, with their offsets.
pub(super) fn frames(
    pfns: &[(FrameNumber, u64)],
    page: PageSize,
) -> Result<Vec<FrameRun>, ScenarioError> {
    let mut offset = 0u64;
    let mut runs = Vec::with_capacity(pfns.len());
    for (i, &(pfn, count)) in pfns.iter().enumerate() {
        let wrong = |error| ScenarioError::new(format_args!("pfns[{i}]"), Problem::Run(error));
        let start = PhysAddr::of_frame(pfn, page).map_err(|_| wrong(RunError::Wraps))?;
        let length = count.checked_mul(page.bytes());
        let length = length.ok_or_else(|| wrong(RunError::Wraps))?;
        let end = memory::after_run(offset, start, length, page).map_err(wrong)?;
        runs.push(Extent {
            offset,
            start,
            length,
        });
        offset = end;
    }
    Ok(runs)
}

/// Compares coalescing; the entries of the rules, unless the kernel refused.
pub(super) fn coalesce(
    pfns: &[(FrameNumber, u64)],
    page: PageSize,
    max_segment: u32,
    err: i32,
    sg: Option<&[(PhysAddr, u64)]>,
    rules: &KernelRules,
) -> Result<Option<Vec<SgEntry>>, Mismatch> {
    let longest = scatter::longest_entry(max_segment, page);
    same("err", &err, &if longest.is_some() { 0 } else { EINVAL })?;
    let Some(longest) = longest else {
        same("sg", &sg, &None)?;
        return Ok(None);
    };
    let runs = frames(pfns, page).unwrap_or_default();
    // One more than was recorded shows that there are more, without a list longer than the recording.
    let entries: Vec<_> = ScatterList::new(runs.into_iter(), longest, rules.coalescing, page)
        .take(sg.map_or(0, <[_]>::len) + 1)
        .collect();
    let list: Vec<_> = entries
        .iter()
        .map(|entry| (entry.start, entry.length))
        .collect();
    same("sg", &sg, &Some(&list[..]))?;
    Ok(Some(entries))
}

impl Iommu {
    /// Whether there is an IOMMU of that name.
    pub(super) fn check_name(name: Option<&str>) -> Result<(), ScenarioError> {
        let Some(name) = name.filter(|name| *name != IommuSpec::OFF) else {
            return Ok(());
        };
        match iommu::find(name) {
            Some(_) => Ok(()),
            None => {
                let known = [IommuSpec::OFF].into_iter().chain(iommu::names()).collect();
                let name = name.into();
                Err(ScenarioError::new(
                    "iommu",
                    Problem::Unknown { name, known },
                ))
            }
        }
    }

    /// The IOMMU, beginning where the recording does; `None` if there is none.
    fn translation(&self, start: DmaAddr) -> Option<Translation> {
        let profile = match self.iommu.as_deref() {
            Some(IommuSpec::OFF) => return None,
            name => name.and_then(iommu::find).unwrap_or(iommu::DEFAULT),
        };
        let translation = profile.translation();
        Some(Translation {
            iova: Iova::At(start),
            boundary_mask: self.boundary.map_or(u64::from(u32::MAX), Bits::get),
            // The rules ignore reserved ranges, so a recording may begin higher than a profile's hardware allows.
            address_bits: match translation.layout {
                IovaLayout::EachEntry => translation.address_bits,
                IovaLayout::OneAllocation | IovaLayout::EachAligned | IovaLayout::Direct { .. } => {
                    64
                }
            },
            ..translation
        })
    }

    pub(super) fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        let Some(entries) = coalesce(
            &self.pfns,
            self.page,
            self.max_segment,
            self.err,
            self.sg.as_deref(),
            rules,
        )?
        else {
            return same("maperr", &self.maperr, &None);
        };
        let dma = self.dma.as_deref().map(below_the_top);
        let start = dma
            .as_ref()
            .and_then(|dma| dma.first())
            .map_or(DmaAddr::new(0), |(start, _)| *start);
        let Some(translation) = self.translation(start) else {
            same("maperr", &self.maperr.unwrap_or(0), &0)?;
            return same(
                "dma",
                &dma,
                &Some(pairs(DmaList::identity(entries.into_iter()))),
            );
        };
        if translation.layout == IovaLayout::EachEntry {
            let recorded = dma.as_deref().unwrap_or_default();
            let expected = iommu::follow(
                &translation,
                self.page,
                &entries,
                self.max_segment,
                recorded,
            );
            let errno = if expected.is_some() { 0 } else { EIO };
            same("maperr", &self.maperr.unwrap_or(0), &errno)?;
            return same("dma", &dma, &expected);
        }
        self.mapped(translation, entries, start, dma)
    }

    /// Compares a list that was mapped as a whole, from `start` on.
    fn mapped(
        &self,
        translation: Translation,
        entries: Vec<SgEntry>,
        start: DmaAddr,
        dma: Option<Vec<(DmaAddr, u64)>>,
    ) -> Result<(), Mismatch> {
        let mapped = translation.map(entries.iter().copied());
        let errno = match &mapped {
            Ok(_) => 0,
            Err(MapError::PadOverflow { .. }) => EINVAL,
            Err(MapError::Exhausted { .. }) => ENOMEM,
        };
        same("maperr", &self.maperr.unwrap_or(0), &errno)?;
        let Ok(mapping) = mapped else {
            return same("dma", &dma, &None);
        };
        let aligned = mapping
            .length
            .checked_next_power_of_two()
            .and_then(PageSize::new);
        let is_aligned = |size: &PageSize| start.offset_in(*size) == 0;
        if translation.layout == IovaLayout::OneAllocation
            && let Some(size) = aligned.filter(|size| !is_aligned(size))
        {
            return Err(Mismatch {
                field: "dma",
                kernel: format!("the mapping begins at {start}"),
                rules: format!("at a multiple of {size}"),
            });
        }
        let segments =
            DmaList::translated(entries.into_iter(), translation, mapping, self.max_segment);
        same("dma", &dma, &Some(pairs(segments)))
    }
}

fn pairs(segments: impl Iterator<Item = DmaSegment>) -> Vec<(DmaAddr, u64)> {
    segments
        .map(|segment| (segment.start, segment.length))
        .collect()
}

/// The list as recorded, or 2^63 lower if it ends at 2^64, as AMD's may: the rules cannot represent that end, and their answer
/// depends on lower bits only.
fn below_the_top(dma: &[(DmaAddr, u64)]) -> Vec<(DmaAddr, u64)> {
    const DOWN: u64 = 1 << 63;
    let ends_at_the_top =
        |&&(start, length): &&(DmaAddr, u64)| start.wrapping_add(length) == DmaAddr::new(0);
    let down = dma.last().filter(ends_at_the_top).map_or(0, |_| DOWN);
    dma.iter()
        .map(|&(start, length)| (start.wrapping_sub(down), length))
        .collect()
}
