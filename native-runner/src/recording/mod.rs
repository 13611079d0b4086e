//! Random questions to the kernel, with its answers: the vectors that [`umem_core::vectors`] replays; and by which rules
//! the [running] kernel is judged.

mod dma_buf;
mod frames;
mod layout;
mod overflow;
pub mod running;

use std::{io, os::fd::AsFd};

use clap::ValueEnum;
use umem_core::{
    address::{Bits, DmaAddr, FrameNumber, PhysAddr, VirtAddr},
    scenario::IommuSpec,
    vectors::{self, Best, DmaBuf, Iommu, Sg, Vector},
};

use crate::{
    pagemap::kernel_page,
    probe::{self, Domain, Layout, Probe, Run},
    random::Random,
};
use dma_buf::RandomBuffer;
use frames::{Boundaries, RandomFrames};
use layout::RandomLayout;

pub use dma_buf::Files;
pub use frames::Memory;
pub use overflow::{CASES, room};

/// What the kernel is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// The best page size, and its blocks
    Best,
    /// How page frames are coalesced
    Sg,
    /// How they are mapped through the IOMMU
    Iommu,
    /// What becomes of dma-bufs, with or without an IOMMU
    DmaBuf,
}

/// Asks the probe random questions.
#[derive(Debug)]
pub struct Recorder<'a> {
    /// Who is asked.
    pub probe: &'a Probe,
    /// Where the questions come from.
    pub random: Random,
    /// Which frames there are to ask about.
    pub memory: Memory,
    /// What dma-bufs are made of; `None`: none are asked about.
    pub files: Option<Files>,
    /// How the PCI device's addresses are made.
    pub domain: Domain,
}

impl Recorder<'_> {
    /// A question of this kind, and what the kernel answered.
    ///
    /// # Errors
    /// The kernel refused the question, or answered it in a way that makes no sense.
    pub fn record(&mut self, kind: Kind) -> io::Result<Vector> {
        let Self {
            probe,
            random,
            memory,
            files,
            domain,
        } = self;
        let boundaries = match domain {
            Domain::Tables(_) | Domain::Window => Boundaries::AboveEntries,
            _ => Boundaries::Any,
        };
        let frames = |random: &mut Random| RandomFrames::new(random, memory, boundaries);
        match kind {
            Kind::Best => best(probe, &RandomLayout::new(random, kernel_page())).map(Vector::Best),
            Kind::Sg => sg(probe, &frames(random)).map(Vector::Sg),
            Kind::Iommu => iommu(probe, *domain, &frames(random)).map(Vector::Iommu),
            Kind::DmaBuf => {
                let files = files.as_ref().ok_or(io::ErrorKind::Unsupported)?;
                dma_buf(probe, *domain, &RandomBuffer::new(random, files)?).map(Vector::DmaBuf)
            }
        }
    }
}

fn best(probe: &Probe, layout: &RandomLayout) -> io::Result<Best> {
    const { assert!(probe::MAX_BLOCKS as u64 == vectors::MOST_BLOCKS) };
    let layout = layout.as_layout();
    let answer = probe.best(&layout, probe::MAX_BLOCKS)?;
    Ok(best_vector(&layout, answer))
}

/// A question about the best page size with its answer.
pub fn best_vector(layout: &Layout<'_>, answer: probe::Best) -> Best {
    // Where nothing fits there are no blocks.
    let blocks = answer.blocks.filter(|_| answer.size != 0);
    Best {
        page: kernel_page(),
        address: VirtAddr::new(layout.address),
        length: layout.length,
        virt: VirtAddr::new(layout.virt),
        sizes: Bits::new(layout.sizes),
        dma: list(layout.dma, DmaAddr::new),
        best: answer.size,
        blocks: blocks.as_ref().map(|blocks| blocks.len() as u64),
        first: blocks
            .as_ref()
            .and_then(|blocks| blocks.first().copied().map(DmaAddr::new)),
        last: blocks
            .as_ref()
            .and_then(|blocks| blocks.last().copied().map(DmaAddr::new)),
        hash: blocks.map(|blocks| vectors::hash(blocks.into_iter().map(DmaAddr::new))),
    }
}

fn sg(probe: &Probe, frames: &RandomFrames) -> io::Result<Sg> {
    let sg = probe.coalesce(&frames.pfns, frames.max_segment)?;
    Ok(Sg {
        page: kernel_page(),
        pfns: list(&frames.pfns, FrameNumber::new),
        max_segment: frames.max_segment,
        err: 0,
        sg: Some(list(&sg, PhysAddr::new)),
    })
}

fn dma_buf(probe: &Probe, domain: Domain, buffer: &RandomBuffer) -> io::Result<DmaBuf> {
    let region = &buffer.region;
    let cut = probe.cut_dma_buf(buffer.buffer.as_fd(), region, probe::MAX_BLOCKS)?;
    let layout = Layout {
        dma: &cut.dma,
        address: region.offset,
        length: region.length,
        virt: region.virt,
        sizes: region.sizes,
    };
    let iommu = match domain {
        Domain::None | Domain::Identity => Some(IommuSpec::OFF),
        _ => domain.catalogue_name(),
    };
    Ok(DmaBuf {
        entries: list(&cut.entries, PhysAddr::new),
        iommu: iommu.map(str::to_owned),
        max_segment: region.max_segment,
        boundary: Bits::new(region.boundary),
        region: best_vector(&layout, cut.best),
    })
}

fn iommu(probe: &Probe, domain: Domain, frames: &RandomFrames) -> io::Result<Iommu> {
    let mapped = probe.map(&frames.pfns, frames.max_segment, frames.boundary)?;
    Ok(iommu_vector(domain.catalogue_name(), frames, &mapped))
}

/// A question about mapping with its answer; `iommu` is the catalogue's name, where the rules are not the common ones.
fn iommu_vector(iommu: Option<&str>, frames: &RandomFrames, mapped: &probe::Mapped) -> Iommu {
    Iommu {
        page: kernel_page(),
        iommu: iommu.map(str::to_owned),
        pfns: list(&frames.pfns, FrameNumber::new),
        max_segment: frames.max_segment,
        err: 0,
        sg: Some(list(&mapped.sg, PhysAddr::new)),
        boundary: Some(Bits::new(frames.boundary)),
        maperr: Some(mapped.dma.as_ref().err().copied().unwrap_or(0)),
        dma: mapped
            .dma
            .as_deref()
            .ok()
            .map(|dma| list(dma, DmaAddr::new)),
    }
}

/// Runs as vectors have them.
pub fn list<A>(runs: &[Run], of: fn(u64) -> A) -> Vec<(A, u64)> {
    runs.iter().map(|run| (of(run.start), run.length)).collect()
}
