//! Random lists of page frames, all of them memory of this machine, for coalescing and mapping.

use std::{fs, io};

use umem_core::size::PageSize;

use crate::random::Random;
use crate::{pagemap::kernel_page, probe::Run};

/// A question about frames.
#[derive(Clone, Debug)]
pub struct RandomFrames {
    /// Runs of frames: the number of the first, and how many.
    pub pfns: Vec<Run>,
    /// The longest segment, in bytes.
    pub max_segment: u32,
    /// The boundary that no segment crosses, less one.
    pub boundary: u64,
}

/// The longest list, in bytes, as a power of two.
const LONGEST: u32 = 30;

impl RandomFrames {
    /// The next one, of frames in `memory`.
    pub fn new(random: &mut Random, memory: &Memory, boundaries: Boundaries) -> Self {
        let page = memory.page;
        let mut left = random.magnitude(0, LONGEST - page.log2(), page.bytes());
        let mut pfns: Vec<Run> = Vec::new();
        for runs in (1..=random.between(1, 12)).rev() {
            let wanted = if runs == 1 {
                left
            } else {
                1 + random.below(left)
            };
            let run = memory.run(random, wanted, pfns.last().copied());
            pfns.push(run);
            left -= run.length.min(left);
            if left == 0 {
                break;
            }
        }
        let bytes = pfns.iter().map(|run| run.length).sum::<u64>() << page.log2();
        let max_segment = max_segment(random, bytes, page);
        let smallest = match boundaries {
            Boundaries::Any => page.bytes(),
            Boundaries::AboveEntries => bytes.min(max_segment.into()).next_power_of_two(),
        };
        Self {
            max_segment,
            boundary: boundary(random, page).max(smallest - 1),
            pfns,
        }
    }
}

/// Which boundaries a question may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundaries {
    /// Any of a page or more.
    Any,
    /// None smaller than an entry may be: behind POWER's tables the kernel would look for a place for ever.
    AboveEntries,
}

/// Those of drivers, and odd ones, unless they would cut so many `bytes` into too many pieces.
pub(super) fn max_segment(random: &mut Random, bytes: u64, page: PageSize) -> u32 {
    const DRIVERS: [u32; 4] = [u32::MAX, 2 << 30, 1 << 30, 64 << 10];
    const MOST_PIECES: u64 = 64;
    let smallest = page.bytes() as u32;
    let longest = match random.below(10) {
        0..=5 => random.pick(&DRIVERS),
        6 => smallest << random.below(10),
        7 => smallest * random.between(1, 64) as u32,
        _ => {
            let power = random.between(u64::from(page.log2()) + 1, 31);
            random.between(page.bytes(), 1 << power) as u32
        }
    };
    // 1 GiB is the most.
    longest.max((bytes / MOST_PIECES) as u32)
}

/// PCI's own, mostly.
pub(super) fn boundary(random: &mut Random, page: PageSize) -> u64 {
    match random.below(10) {
        0..=5 => u32::MAX.into(),
        6 => (1 << 48) - 1,
        _ => (1 << random.between(page.log2().into(), 34)) - 1,
    }
}

/// This machine's memory, as runs of frames.
#[derive(Clone, Debug)]
pub struct Memory {
    runs: Vec<Run>,
    page: PageSize,
}

impl Memory {
    /// Reads `/proc/iomem`.
    ///
    /// # Errors
    /// The file cannot be read, or hides its addresses from this user.
    pub fn read() -> io::Result<Self> {
        Self::parse(&fs::read_to_string("/proc/iomem")?, kernel_page()).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::PermissionDenied,
                "/proc/iomem hides where memory is: run it with sudo",
            )
        })
    }

    /// Its runs, from the lowest to the highest.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(super) fn parse(iomem: &str, page: PageSize) -> Option<Self> {
        let runs = iomem.lines().filter_map(|line| {
            let (range, _) = line
                .split_once(" : System RAM")
                .filter(|(range, _)| !range.starts_with(' '))?;
            let (first, last) = range.split_once('-')?;
            let start = u64::from_str_radix(first, 16).ok()?.div_ceil(page.bytes());
            let end = (u64::from_str_radix(last, 16).ok()? + 1) / page.bytes();
            (end > start).then_some(Run {
                start,
                length: end - start,
            })
        });
        let runs: Vec<_> = runs.collect();
        (!runs.is_empty()).then_some(Self { runs, page })
    }

    /// A run of `wanted` frames, or of as many as there are where it begins: after `before`, below it, or anywhere.
    fn run(&self, random: &mut Random, wanted: u64, before: Option<Run>) -> Run {
        let start = match before {
            Some(before) if random.percent(40) => before.start + before.length,
            Some(before) if random.percent(20) => {
                before.start + before.length + random.between(1, 64)
            }
            Some(before) if random.percent(20) => before.start.saturating_sub(wanted),
            _ => self.anywhere(random, wanted),
        };
        self.clip(start, wanted).unwrap_or_else(|| {
            let start = self.anywhere(random, wanted);
            self.clip(start, wanted).unwrap_or(Run {
                length: 1,
                ..self.runs[0]
            })
        })
    }

    /// The frames from `start` on, if that is memory.
    fn clip(&self, start: u64, wanted: u64) -> Option<Run> {
        let within = self
            .runs
            .iter()
            .find(|run| (run.start..run.start + run.length).contains(&start))?;
        Some(Run {
            start,
            length: wanted.min(within.start + within.length - start),
        })
    }

    /// A frame with room for `wanted` behind it where there is such; most often aligned to some power of two.
    fn anywhere(&self, random: &mut Random, wanted: u64) -> u64 {
        let total: u64 = self.runs.iter().map(|run| run.length).sum();
        let mut at = random.below(total);
        let within = self.runs.iter().find(|run| {
            let here = at < run.length;
            at -= if here { 0 } else { run.length };
            here
        });
        let within = *within.expect("it is below the sum of the lengths");
        let start = within.start + at.min(within.length.saturating_sub(wanted));
        let zeros = if random.percent(70) {
            random.below(19)
        } else {
            0
        };
        (start >> zeros << zeros).max(within.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IOMEM: &str = "00000000-00000fff : Reserved\n00001000-0009fbff : System RAM\n00100000-7ffdffff : System RAM\n  \
                         02400000-031fffff : System RAM code\n100000000-17fffffff : System RAM\n";

    fn memory(log2: u32) -> Memory {
        Memory::parse(IOMEM, PageSize::of_log2(log2)).unwrap()
    }

    #[test]
    fn memory_is_whole_pages_of_ram() {
        for (log2, runs) in [
            (
                12,
                &[(1, 0x9e), (0x100, 0x7fee0), (0x10_0000, 0x8_0000)][..],
            ),
            (16, &[(1, 8), (0x10, 0x7fee), (0x1_0000, 0x8000)]),
        ] {
            let runs: Vec<_> = runs
                .iter()
                .map(|&(start, length)| Run { start, length })
                .collect();
            assert_eq!(memory(log2).runs, runs);
        }
        let hidden = "00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n";
        assert!(Memory::parse(hidden, PageSize::K4).is_none());
    }

    #[test]
    fn every_frame_is_memory() {
        for log2 in [12, 14, 16] {
            for boundaries in [Boundaries::Any, Boundaries::AboveEntries] {
                asked(&memory(log2), boundaries);
            }
        }
    }

    fn asked(memory: &Memory, boundaries: Boundaries) {
        let mut random = Random::new(3);
        let page = memory.page.bytes();
        let (mut joined, mut most, mut narrow) = (0, 0, 0);
        for _ in 0..5000 {
            let frames = RandomFrames::new(&mut random, memory, boundaries);
            assert!(u64::from(frames.max_segment) >= page);
            assert!((frames.boundary + 1).is_power_of_two() && frames.boundary >= page - 1);
            for run in &frames.pfns {
                assert!(
                    run.length > 0 && memory.clip(run.start, run.length) == Some(*run),
                    "{run:?}"
                );
            }
            let bytes: u64 = frames.pfns.iter().map(|run| run.length * page).sum();
            narrow += usize::from(frames.boundary < bytes.min(frames.max_segment.into()) - 1);
            most = most.max(bytes);
            joined += frames
                .pfns
                .windows(2)
                .filter(|pair| pair[0].start + pair[0].length == pair[1].start)
                .count();
        }
        assert_eq!(most, 1 << LONGEST);
        assert!(joined > 1000, "{joined}");
        match boundaries {
            Boundaries::Any => assert!(narrow > 300, "{narrow}"),
            Boundaries::AboveEntries => assert_eq!(narrow, 0),
        }
    }
}
