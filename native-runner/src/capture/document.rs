//! A capture as a scenario in JSON, or as a set of them, written as it is made: millions of extents are in memory but once.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use serde::{Serialize, Serializer};
use umem_core::{
    address::{Extent, PhysAddr},
    capture::Provenance,
    scenario::{DeviceSpec, IommuSpec, KernelSpec, Region},
};

use super::{RunList, rebase::Rebase};

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

/// What [`Set`](umem_core::set::Set) would be.
#[derive(Debug, Serialize)]
pub struct SetDocument<'a> {
    /// 1.
    pub version: u32,
    /// What it is.
    pub name: String,
    /// Whose pages.
    pub kernel: KernelSpec,
    /// What stands between.
    pub iommu: IommuSpec,
    /// Whose tables.
    pub device: DeviceSpec,
    /// The regions.
    pub registrations: Vec<Member<'a>>,
}

/// One region of a [`SetDocument`].
#[derive(Debug, Serialize)]
pub struct Member<'a> {
    /// What it is.
    pub name: String,
    /// What of the memory would be registered.
    pub region: Region,
    /// Where it lies.
    pub memory: Memory<'a>,
    /// Where all this comes from.
    pub provenance: Provenance,
}

/// The extents of a list of runs, each address rebased; lengths are in bytes.
#[derive(Debug, Serialize)]
pub struct Memory<'a> {
    extents: Extents<'a>,
}

#[derive(Debug)]
struct Extents<'a> {
    runs: &'a RunList,
    rebase: Rebase,
}

impl<'a> Memory<'a> {
    /// The memory of `runs`, its addresses shifted by `rebase`.
    pub fn new(runs: &'a RunList, rebase: Rebase) -> Self {
        Self {
            extents: Extents { runs, rebase },
        }
    }
}

impl Serialize for Extents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let extent =
            |run: Extent<PhysAddr>| (Hex(self.rebase.physical(run.start).get()), run.length);
        serializer.collect_seq(self.runs.iter().map(extent))
    }
}

/// A number as `0x…`, several times faster than `fmt` makes it: most of a capture's time goes into these.
struct Hex(u64);

impl Hex {
    /// The most that a number takes: the prefix and sixteen digits.
    const LENGTH: usize = 18;

    /// The text, at the end of `text`.
    fn text(self, text: &mut [u8; Self::LENGTH]) -> &str {
        let (mut number, mut at) = (self.0, Self::LENGTH);
        loop {
            at -= 1;
            text[at] = b"0123456789abcdef"[(number & 0xf) as usize];
            number >>= 4;
            if number == 0 {
                break;
            }
        }
        text[at - 2..at].copy_from_slice(b"0x");
        std::str::from_utf8(&text[at - 2..]).expect("digits are ASCII")
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self(self.0).text(&mut [0; Self::LENGTH]))
    }
}

/// Writes a document, on one line.
pub fn write(document: &impl Serialize, out: impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer(&mut out, document)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The same, packed by gzip.
pub fn write_packed(document: &impl Serialize, out: impl Write) -> io::Result<()> {
    let mut packer = GzEncoder::new(out, Compression::fast());
    write(document, &mut packer)?;
    packer.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_digits_are_the_right_ones() {
        let numbers =
            (0..64).flat_map(|bit| [1 << bit, (1 << bit) - 1, 0xfedc_ba98_7654_3210 >> bit]);
        for number in numbers.chain([0, u64::MAX]) {
            assert_eq!(
                Hex(number).text(&mut [0; Hex::LENGTH]),
                format!("{number:#x}")
            );
        }
    }
}
