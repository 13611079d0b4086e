//! One region of a buffer, pinned for one device.

use std::{io, ops::Range, sync::atomic::Ordering::Relaxed};

use rustix::io::Errno;
use umem_core::{
    iommu,
    kernel::{Interior, KernelRules},
    size::{Bytes, PageSize},
    vectors::Vector,
};

use super::{
    Addressing, Judge, Way,
    known::{self, Made, When},
    lists::Lists,
};
use crate::{
    buffer::Recipe,
    check::{placement::whole_pages, verdict::Verdict},
    frames::Frames,
    mapping::Mapping,
    probe::{self, Layout, Probe, Region, Run, Target},
    recording,
};

/// What is pinned, and for whom.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// How the buffer was made.
    pub recipe: &'a Recipe,
    pub memory: &'a Mapping,
    pub range: Range<u64>,
    /// The bitmaps that are asked about.
    pub sizes: &'a [u64],
    pub target: &'a Target,
    pub way: Way,
    pub judge: Judge<'a>,
    /// Whether the device, which is the PCI one, reads some of the bytes.
    pub is_read: bool,
    /// The kernel's page.
    pub page: PageSize,
}

impl Case<'_> {
    /// How many answers were compared, all of which held; or which did not, or why there are none.
    pub fn compare(&self, probe: &Probe) -> Result<usize, Verdict> {
        match probe.pin(self.memory, self.range.clone(), self.target) {
            Ok(region) => self.held_against(&region),
            Err(error) => {
                let no_room = self.no_room(&error);
                let why = self.recipe.rightly_refused(&error).map(str::to_owned);
                Err(match no_room.or(why) {
                    Some(why) => Verdict::Skipped(why),
                    None => Verdict::Differed(self.about(refused(error))),
                })
            }
        }
    }

    /// Why POWER's table refuses the region, if by the rules it has no room for it even when it is empty: EIO.
    fn no_room(&self, error: &io::Error) -> Option<String> {
        let Addressing::Translated(Some(name)) = self.way.addressing else {
            return None;
        };
        let pages = whole_pages(self.range.clone(), self.page.bytes());
        let translation = iommu::find(name)?.translation();
        let refused = translation.place(pages.end - pages.start).is_err();
        let is_one = self.recipe.is_one_page();
        let is_eio = error.raw_os_error() == Some(Errno::IO.raw_os_error());
        (refused && is_one && is_eio).then(|| {
            self.about(format!(
                "refused with EIO, rightly: the window of {} has no pool with room for a segment so long",
                Bytes(1 << translation.address_bits)
            ))
        })
    }

    /// What was found, with the region that it was found in.
    fn about(&self, what: String) -> String {
        let Range { start, end } = self.range;
        format!("{} at +{start:#x}: {what}", Bytes(end - start))
    }

    fn held_against(&self, region: &Region<'_>) -> Result<usize, Verdict> {
        let broken = |error: String| Verdict::Differed(self.about(error));
        let differed = |error: String| self.judge.differed(self.about(error));
        let (sg, dma) = region.lists().map_err(|error| broken(refused(error)))?;
        let lists = Lists {
            page: self.page,
            pfns: self.pfns().map_err(broken)?,
            sg,
            dma,
        };
        self.is_reached(&lists.sg)?;
        let rules = self.judge.for_lists();
        lists.verify(self.way, rules).map_err(differed)?;
        let mut compared = 2;
        if let Judge::Known(rules) = self.judge {
            compared += self.sizes(region, &lists, rules).map_err(differed)?;
        }
        if self.is_read {
            compared += self.read(region, &lists.dma).map_err(broken)?;
        }
        Ok(compared)
    }

    /// The best sizes of all bitmaps, for the program's own addresses and for a zero-based region.
    fn sizes(
        &self,
        region: &Region<'_>,
        lists: &Lists,
        rules: &KernelRules,
    ) -> Result<usize, String> {
        let address = self.memory.start().get() + self.range.start;
        let mut compared = 0;
        for virt in [address, address & self.page.mask()] {
            for &sizes in self.sizes {
                let layout = Layout {
                    dma: &lists.dma,
                    address,
                    length: self.range.end - self.range.start,
                    virt,
                    sizes,
                };
                self.best(region, &layout, lists.sg.len(), rules)
                    .map_err(|error| format!("sizes {sizes:#x}, virt {virt:#x}: {error}"))?;
                compared += 1;
            }
        }
        Ok(compared)
    }

    /// Whether the device reaches all of the memory without an IOMMU: the kernel moves what it does not into a bounce buffer,
    /// or refuses it.
    fn is_reached(&self, sg: &[Run]) -> Result<(), Verdict> {
        let end = sg.iter().map(|run| run.start + run.length).max();
        let is_beyond = end.is_some_and(|end| end - 1 > self.way.mask);
        if self.way.addressing == Addressing::Physical && is_beyond {
            return Err(Verdict::Skipped(format!(
                "the device reaches addresses up to {:#x} only, and memory lies above: the kernel bounces it",
                self.way.mask
            )));
        }
        Ok(())
    }

    /// Where the pages are, by pagemap. Pinned, they stay there.
    fn pfns(&self) -> Result<Vec<Run>, String> {
        let frames = Frames::read(self.memory).map_err(|error| error.to_string())?;
        let runs = frames.runs_in(whole_pages(self.range.clone(), self.page.bytes()));
        Ok(runs
            .map(|run| Run {
                start: run.start.get() >> self.page.log2(),
                length: run.length >> self.page.log2(),
            })
            .collect())
    }

    /// The best size of one bitmap with its blocks, by the rules and by what has been measured before.
    fn best(
        &self,
        region: &Region<'_>,
        layout: &Layout<'_>,
        sg: usize,
        rules: &KernelRules,
    ) -> Result<(), String> {
        let answer = region
            .best(layout.virt, layout.sizes, probe::MAX_BLOCKS)
            .map_err(|error| error.to_string())?;
        let made = Made {
            sg,
            dma: layout.dma.len(),
            best: answer.size,
            blocks: answer.count,
        };
        Vector::Best(recording::best_vector(layout, answer))
            .replay(rules)
            .map_err(|mismatch| mismatch.to_string())?;
        // What was measured was measured with pages of 4K, and where contiguous entries count as one.
        if self.page != PageSize::K4 || rules.interior != Interior::Discontinuities {
            return Ok(());
        }
        let (max_segment, boundary) = self.way.limits;
        let when = When {
            buffer: self.recipe.name,
            addressing: self.way.addressing,
            range: self.range.clone(),
            max_segment,
            boundary,
            zero_based: layout.virt != layout.address,
            sizes: layout.sizes,
        };
        match known::find(&when) {
            Some(known) if known != made => {
                Err(format!("{made:?}, where other kernels made {known:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Has the device read bytes at both ends and in the middle, and holds them against the memory's own.
    fn read(&self, region: &Region<'_>, dma: &[Run]) -> Result<usize, String> {
        let start = whole_pages(self.range.clone(), self.page.bytes()).start;
        let samples = samples(dma, self.page);
        for &(offset, address) in &samples {
            let seen = region
                .read(address, SAMPLE)
                .map_err(|error| format!("the device cannot read: {error}"))?;
            let at = start + offset;
            let words = &self.memory.words()[at as usize / 8..][..SAMPLE / 8];
            if !words
                .iter()
                .flat_map(|word| word.load(Relaxed).to_ne_bytes())
                .eq(seen)
            {
                return Err(format!("the device reads other bytes at +{at:#x}"));
            }
        }
        Ok(samples.len())
    }
}

fn refused(error: io::Error) -> String {
    format!("the kernel refused: {error}")
}

/// How much the device reads at a place.
const SAMPLE: usize = 64;

/// Where the device reads: (offset from the first page, DMA address), at the beginning of the first segment, of the
/// page in the middle, and at the end of the last.
fn samples(dma: &[Run], page: PageSize) -> Vec<(u64, u64)> {
    let total: u64 = dma.iter().map(|run| run.length).sum();
    let address = |offset| {
        let mut before = 0;
        let holds = |run: &&Run| {
            before += run.length;
            offset < before
        };
        let run = dma.iter().find(holds)?;
        Some((offset, run.start + (offset - (before - run.length))))
    };
    let places = [
        0,
        (total / 2) & !page.mask(),
        total.saturating_sub(SAMPLE as u64),
    ];
    places.into_iter().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_the_first_the_last_and_bytes_between() {
        let run = |start, length| Run { start, length };
        assert_eq!(
            samples(
                &[run(0x10_0000, 0x1000), run(0x8_0000, 0x2000)],
                PageSize::K4
            ),
            [
                (0, 0x10_0000),
                (0x1000, 0x8_0000),
                (0x3000 - 64, 0x8_2000 - 64)
            ]
        );
        assert_eq!(samples(&[], PageSize::K4), []);
    }
}
