//! One region of a buffer, pinned for one device.

use std::{io, ops::Range, sync::atomic::Ordering::Relaxed};

use umem_core::{size::Bytes, vectors::Vector};

use super::{
    Addressing, SIZES,
    known::{self, Made, When},
    lists::Lists,
    replay,
};
use crate::{
    check::placement::whole_pages,
    frames::Frames,
    mapping::Mapping,
    probe::{self, Layout, Probe, Region, Run, Target},
    recording,
};

/// What is pinned, and for whom.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The buffer's name.
    pub name: &'a str,
    pub memory: &'a Mapping,
    pub range: Range<u64>,
    pub target: &'a Target,
    pub addressing: Addressing,
}

impl Case<'_> {
    /// How many answers were compared, all of which held; or in words, which did not.
    pub fn compare(&self, probe: &Probe) -> Result<usize, String> {
        self.attempt(probe).map_err(|error| {
            let Range { start, end } = self.range;
            format!("{} at +{start:#x}: {error}", Bytes(end - start))
        })
    }

    fn attempt(&self, probe: &Probe) -> Result<usize, String> {
        let refused = |error: io::Error| format!("the kernel refused: {error}");
        let range = self.range.clone();
        let region = probe
            .pin(self.memory, range, self.target)
            .map_err(refused)?;
        let (sg, dma) = region.lists().map_err(refused)?;
        let lists = Lists {
            pfns: self.pfns()?,
            sg,
            dma,
        };
        lists.verify(self.target, self.addressing)?;
        let address = self.memory.start().get() + self.range.start;
        let mut compared = 2;
        // The program's own addresses, and a zero-based region.
        for virt in [address, address % PAGE] {
            for sizes in SIZES {
                let layout = Layout {
                    dma: &lists.dma,
                    address,
                    length: self.range.end - self.range.start,
                    virt,
                    sizes,
                };
                self.best(&region, &layout, lists.sg.len())
                    .map_err(|error| format!("sizes {sizes:#x}, virt {virt:#x}: {error}"))?;
                compared += 1;
            }
        }
        // Reading takes the device half a second: under one of its limits is enough.
        if matches!(self.target, Target::Pci { .. }) && self.target.limits() == Target::NO_LIMITS {
            compared += self.read(&region, &lists.dma)?;
        }
        Ok(compared)
    }

    /// Where the pages are, by pagemap. Pinned, they stay there.
    fn pfns(&self) -> Result<Vec<Run>, String> {
        let frames = Frames::read(self.memory).map_err(|error| error.to_string())?;
        let runs = frames.runs_in(whole_pages(self.range.clone(), PAGE));
        Ok(runs
            .map(|run| Run {
                start: run.start.get() / PAGE,
                length: run.length / PAGE,
            })
            .collect())
    }

    /// The best size of one bitmap with its blocks, by the rules and by what has been measured before.
    fn best(&self, region: &Region<'_>, layout: &Layout<'_>, sg: usize) -> Result<(), String> {
        let answer = region
            .best(layout.virt, layout.sizes, probe::MAX_BLOCKS)
            .map_err(|error| error.to_string())?;
        let made = Made {
            sg,
            dma: layout.dma.len(),
            best: answer.size,
            blocks: answer.count,
        };
        replay(&Vector::Best(recording::best_vector(layout, answer)))?;
        let (max_segment, boundary) = self.target.limits();
        let when = When {
            buffer: self.name,
            addressing: self.addressing,
            range: self.range.clone(),
            max_segment,
            boundary,
            zero_based: layout.virt != layout.address,
        };
        match known::find(&when).filter(|_| layout.sizes == known::SIZES) {
            Some(known) if known != made => {
                Err(format!("{made:?}, where other kernels made {known:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Has the device read bytes of the first and the last segment, and holds them against the memory's own.
    fn read(&self, region: &Region<'_>, dma: &[Run]) -> Result<usize, String> {
        let start = whole_pages(self.range.clone(), PAGE).start;
        let samples = samples(dma);
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

/// The probe takes no other page size.
const PAGE: u64 = 4096;

/// How much the device reads at a place.
const SAMPLE: usize = 64;

/// Where the device reads: (offset from the first page, DMA address), in the first segment and the last.
fn samples(dma: &[Run]) -> Vec<(u64, u64)> {
    let total: u64 = dma.iter().map(|run| run.length).sum();
    let first = dma.first().map(|run| (0, run.start));
    let last = dma.last().map(|run| {
        let into = run.length - SAMPLE as u64;
        (total - SAMPLE as u64, run.start + into)
    });
    first.into_iter().chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_the_first_and_last_bytes() {
        let run = |start, length| Run { start, length };
        assert_eq!(
            samples(&[run(0x10_0000, 0x1000), run(0x8_0000, 0x2000)]),
            [(0, 0x10_0000), (0x3000 - 64, 0x8_2000 - 64)]
        );
    }
}
