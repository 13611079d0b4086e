//! A capture as a scenario in JSON, written as it is made: millions of extents are in memory but once.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use umem_core::{
    capture::Provenance,
    scenario::{DeviceSpec, IommuSpec, KernelSpec, Region},
    size::Bytes,
};

use super::{RunList, rebase};

/// What [`Scenario`](umem_core::scenario::Scenario) would be, but for the extents, which are not in a list of its kind.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// 1.
    pub version: u32,
    /// What it is.
    pub name: String,
    /// What of the memory would be registered.
    pub region: Region,
    /// Where it lies.
    pub memory: Memory<'a>,
    /// Whose pages.
    pub kernel: KernelSpec,
    /// What stands between.
    pub iommu: IommuSpec,
    /// Whose table.
    pub device: DeviceSpec,
    /// Where all this comes from.
    pub provenance: Provenance,
}

/// The extents of a list of runs, each address shifted.
#[derive(Debug, Serialize)]
pub struct Memory<'a> {
    extents: Extents<'a>,
}

#[derive(Debug)]
struct Extents<'a> {
    runs: &'a RunList,
    shift: u64,
}

impl<'a> Memory<'a> {
    /// The memory of `runs`, its addresses shifted down by `shift` bytes.
    pub fn new(runs: &'a RunList, shift: u64) -> Self {
        Self {
            extents: Extents { runs, shift },
        }
    }
}

impl Serialize for Extents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let extent = |run: umem_core::address::Extent<_>| {
            (rebase::rebased(run.start, self.shift), Bytes(run.length))
        };
        serializer.collect_seq(self.runs.iter().map(extent))
    }
}

impl Document<'_> {
    /// Writes it, on one line.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(1 << 16, out);
        serde_json::to_writer(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}
