//! Random layouts for the best page size: segments as an IOMMU, or none, may have left them.

use umem_core::size::PageSize;

use crate::probe::{Layout, Run};
use crate::random::Random;

/// The largest region: 4 TiB.
const LARGEST: u32 = 42;
/// Segments lie below this address.
const DMA_BITS: u32 = 52;

/// A layout with its segments: see [`Layout`].
#[derive(Clone, Debug)]
pub struct RandomLayout {
    dma: Vec<Run>,
    address: u64,
    length: u64,
    virt: u64,
    sizes: u64,
}

impl RandomLayout {
    /// The next one, where the kernel's pages are of size `page`.
    pub fn new(random: &mut Random, page: PageSize) -> Self {
        let length = random.magnitude(8, LARGEST, page.bytes());
        let address = aligned(random, 47, page) + start_in_page(random, page);
        let first_page = address & !page.mask();
        let bytes = (address + length).next_multiple_of(page.bytes()) - first_page;
        Self {
            dma: segments(random, first_page, bytes, page),
            address,
            length,
            virt: virt(random, address, page),
            sizes: sizes(random),
        }
    }

    /// As the probe is asked.
    pub fn as_layout(&self) -> Layout<'_> {
        let Self {
            ref dma,
            address,
            length,
            virt,
            sizes,
        } = *self;
        Layout {
            dma,
            address,
            length,
            virt,
            sizes,
        }
    }
}

/// An address below 2^`bits` that is a multiple of some power of two from a page to 1T.
fn aligned(random: &mut Random, bits: u32, page: PageSize) -> u64 {
    let zeros = random.between(page.log2().into(), 40);
    random.next() >> (64 - bits) >> zeros << zeros
}

fn start_in_page(random: &mut Random, page: PageSize) -> u64 {
    match random.below(10) {
        0 | 1 => random.below(page.bytes() / 256) * 256,
        2 | 3 => random.below(page.bytes()),
        _ => 0,
    }
}

/// The address that the NIC uses: most often the program's, else zero-based, congruent to some power of two, or anything.
fn virt(random: &mut Random, address: u64, page: PageSize) -> u64 {
    match random.below(10) {
        0..=4 => address,
        5 => address & page.mask(),
        6 => 0,
        7 | 8 => {
            let low = (1 << random.between(page.log2().into(), 34)) - 1;
            (random.next() >> 17) & !low | address & low
        }
        _ => random.next() >> 17,
    }
}

/// From 1 to 12 segments, each a continuation of the one before, with a hole after it, or congruent to the address in some of its
/// bits; cut into pieces as a device's largest segment demands.
fn segments(random: &mut Random, first_page: u64, bytes: u64, page: PageSize) -> Vec<Run> {
    let cuts = cuts(random, first_page, bytes, page);
    let largest = largest_segment(random, bytes, page);
    let joining = random.pick(&[0, 40, 40, 80]);
    let mut dma: Vec<Run> = Vec::new();
    for pair in cuts.windows(2) {
        let (at, length) = (first_page + pair[0], pair[1] - pair[0]);
        let start = place(random, at, dma.last(), joining, page).min((1 << DMA_BITS) - length);
        let pieces = (0..length).step_by(largest as usize);
        dma.extend(pieces.map(|offset| Run {
            start: start + offset,
            length: largest.min(length - offset),
        }));
    }
    dma
}

/// Where segments begin, and where the last one ends. Most lie where the address is a multiple of a large power of two.
fn cuts(random: &mut Random, first_page: u64, bytes: u64, page: PageSize) -> Vec<u64> {
    let mut cuts = vec![0, bytes];
    for _ in 0..random.below(12) {
        let at = first_page + random.below(bytes);
        let zeros = random.between(page.log2().into(), bytes.ilog2().into());
        let at = if random.percent(75) {
            at >> zeros << zeros
        } else {
            at & !page.mask()
        };
        if at > first_page {
            cuts.push(at - first_page);
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// Where the segment of the pages from `at` on lies: so many times in a hundred right behind the one before.
fn place(random: &mut Random, at: u64, before: Option<&Run>, joining: u64, page: PageSize) -> u64 {
    let congruent = |random: &mut Random| {
        let low = (1u64 << random.between(page.log2().into(), 42)) - 1;
        (random.next() >> (64 - DMA_BITS)) & !low | at & low
    };
    match before.map(|run| run.start + run.length) {
        Some(end) if random.percent(joining) => end,
        Some(end) if random.percent(25) => end + (page.bytes() << random.below(20)),
        _ if random.percent(60) => congruent(random),
        _ => aligned(random, DMA_BITS, page),
    }
}

/// `ib_dma_max_seg_size()` of some driver, if it does not make too long a list.
fn largest_segment(random: &mut Random, bytes: u64, page: PageSize) -> u64 {
    let largest = random.pick(&[(4 << 30) - page.bytes(), 2 << 30, 1 << 30, 64 << 10]);
    if bytes / largest > 1024 {
        2 << 30
    } else {
        largest
    }
}

/// A bitmap: a driver's, a few sizes with gaps between them, one, or none. Most begin with 4K whatever the kernel's page: a driver
/// that supports no more is the mail's case.
pub(super) fn sizes(random: &mut Random) -> u64 {
    const K4: u64 = 1 << 12;
    const DRIVERS: [u64; 7] = [
        0x40201000,
        0x201000,
        0x301000,
        0x7fff_f000,
        0xffff_f000,
        0x001f_f000,
        0xffff_ffff_ffff_f000,
    ];
    let bit = |random: &mut Random| 1u64 << random.between(8, 43);
    match random.below(20) {
        0..=8 => random.pick(&DRIVERS),
        9 | 10 => random.pick(&DRIVERS) & !K4,
        11 => bit(random),
        12 if random.percent(10) => 0,
        _ => {
            let few = (0..random.between(1, 8)).fold(0, |bits, _| bits | bit(random));
            if random.percent(60) { few | K4 } else { few }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_one_that_the_probe_accepts() {
        for log2 in [12, 14, 16] {
            accepted(PageSize::of_log2(log2));
        }
    }

    fn accepted(page: PageSize) {
        let mut random = Random::new(7);
        let (mut segments, mut contiguous, mut holes, mut congruent) = ([0; 13], 0, 0, 0);
        let mut inside = 0;
        for _ in 0..5000 {
            let random = RandomLayout::new(&mut random, page);
            let Layout {
                dma,
                address,
                length,
                virt,
                ..
            } = random.as_layout();
            let bytes: u64 = dma.iter().map(|run| run.length).sum();
            assert_eq!(
                bytes,
                (address + length).next_multiple_of(page.bytes()) - (address & !page.mask())
            );
            for run in dma {
                assert!(run.length > 0 && run.length <= u32::MAX.into(), "{run:?}");
                assert!(
                    (run.start | run.length).is_multiple_of(page.bytes()),
                    "{run:?}"
                );
                assert!(run.start + run.length <= 1 << DMA_BITS, "{run:?}");
            }
            let joins = |pair: &[Run]| pair[0].start + pair[0].length == pair[1].start;
            contiguous += dma.windows(2).filter(|pair| joins(pair)).count();
            let runs = 1 + dma.windows(2).filter(|pair| !joins(pair)).count();
            segments[runs.min(12)] += 1;
            holes += dma
                .windows(2)
                .filter(|pair| pair[0].start < pair[1].start && !joins(pair))
                .count();
            congruent += usize::from((dma[0].start ^ virt).is_multiple_of(2 << 20));
            inside += usize::from(address & page.mask() > page.bytes() / 2);
        }
        assert!(segments[1..].iter().all(|count| *count > 0), "{segments:?}");
        assert!(
            contiguous > 1000 && holes > 1000 && congruent > 1000 && inside > 500,
            "{page}: {contiguous} {holes} {congruent} {inside}"
        );
    }
}
