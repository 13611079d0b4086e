//! Lists of 4G and more behind an IOMMU, some of which meet a bug of Linux.
//!
//! `iommu_dma_map_sg()` lets no entry cross a multiple of 4G: it lengthens the entry before it up to there. Where that
//! one begins at a multiple of 4G itself, its length becomes 2^32, which `scatterlist.length` cannot hold: it is 0, less
//! is mapped than was asked for, and the whole fails with `EINVAL` ([`umem_core::iommu::MapError::PadOverflow`]).
//! What was mapped by then stays, so that the device can still read it, though its addresses are given back: Linux 6.1.192
//! and 6.12.95 warn when the next mapping takes them, 7.2.12 refuses it (`cargo xtask lab overflow`, VT-d and AMD-Vi).

use std::io;

use umem_core::vectors::Iommu;

use super::{Memory, frames::RandomFrames, iommu_vector};
use crate::probe::{Probe, Run};

/// Frames to be mapped, in their order.
#[derive(Debug)]
pub struct Case {
    /// What it is.
    pub name: &'static str,
    /// Whether the addresses that it takes still hold what the failure before it left: the rules know no past.
    pub after_failure: bool,
    /// Runs of frames, counted from the first of a large free run: no two of them join.
    runs: &'static [(u64, u64)],
}

/// As many 4K frames as make 1G.
const G: u64 = 1 << 18;

/// In this order: a mapping of 4G to 8G takes the highest 8G of addresses, and one that is longer the 8G below those.
pub const CASES: [Case; 6] = [
    Case::new("4G-4K", &[(0, 4 * G - 1)]),
    Case::new(
        "4G-4K, 4K, 4K: up to the boundary",
        &[(4, 4 * G - 1), (2, 1), (0, 1)],
    ),
    Case::new("8K, 2G, 2G, 8K: padded", PADDED),
    // What a device without a largest segment makes of 4G and more in one run: 4G-4K, and the rest.
    Case::new("4G+4K in one run", &[(0, 4 * G + 1)]),
    Case {
        after_failure: true,
        ..Case::new("8K, 2G, 2G, 8K: after that", PADDED)
    },
    Case::new("3G, 2G, 3G", &[(4, 3 * G), (2, 2 * G), (0, 3 * G)]),
];

/// Padded, but not beyond the limit: two times 2G, each with as much padding at most.
const PADDED: &[(u64, u64)] = &[(4, 2), (16, 2 * G), (8, 2 * G), (0, 2)];

/// How many frames the cases need in one run.
pub const FRAMES: u64 = 4 * G + 4;

impl Case {
    const fn new(name: &'static str, runs: &'static [(u64, u64)]) -> Self {
        Self {
            name,
            after_failure: false,
            runs,
        }
    }

    /// Asks the kernel, about frames from `first` on.
    pub fn record(&self, probe: &Probe, first: u64) -> io::Result<Iommu> {
        let frames = RandomFrames {
            pfns: self
                .runs
                .iter()
                .map(|&(start, length)| Run {
                    start: first + start,
                    length,
                })
                .collect(),
            max_segment: u32::MAX,
            boundary: u32::MAX.into(),
        };
        let mapped = probe.map_over_4g(&frames.pfns, frames.max_segment, frames.boundary)?;
        Ok(iommu_vector(None, &frames, &mapped))
    }
}

/// The first frame of a run that holds all cases, aligned to 1G; `None`: this machine has too little memory.
pub fn room(memory: &Memory) -> Option<u64> {
    memory.runs().iter().find_map(|run| {
        let first = run.start.next_multiple_of(G);
        (first + FRAMES <= run.start + run.length).then_some(first)
    })
}

#[cfg(test)]
mod tests {
    use umem_core::size::PageSize;

    use super::*;

    #[test]
    fn no_two_runs_join_and_all_lie_in_the_room() {
        for case in &CASES {
            for pair in case.runs.windows(2) {
                assert_ne!(pair[0].0 + pair[0].1, pair[1].0, "{}", case.name);
            }
            assert!(
                case.runs
                    .iter()
                    .all(|(start, length)| start + length <= FRAMES)
            );
        }
    }

    #[test]
    fn there_is_room_only_in_one_long_run() {
        let room = |iomem: &str| room(&Memory::parse(iomem, PageSize::K4).unwrap());
        let low = "00100000-7ffdffff : System RAM\n";
        assert_eq!(room(low), None);
        assert_eq!(
            room(&format!("{low}100000000-27fffffff : System RAM\n")),
            Some(4 * G)
        );
    }
}
