//! umem-core, asked: frames → the entries that a device's table would have.
//!
//! The only place where a check meets the rules. What it does with their answer is its own.

pub use umem_core::table::{Policy, Tally};
use umem_core::{
    address::VirtAddr,
    registration::Registration,
    scenario::{self, DeviceObject, DeviceSpec, IommuSpec, KernelSpec, MemorySpec, Scenario},
    size::{Bytes, PageSize},
    table::EntryRun,
};

use crate::{frames::Frames, region::Region};

/// The page sizes of the device that is asked about: the mail's.
pub const DEVICE_SIZES: [PageSize; 3] = [PageSize::K4, PageSize::M1, PageSize::M2];

/// An entry of a device's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it begins in the buffer, in bytes; negative where it begins before.
    pub offset: i64,
    /// The address on the device's bus. Without an IOMMU it is the physical one.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// A device's table, as runs of equal entries.
#[derive(Clone, Debug)]
pub struct Table {
    runs: Vec<EntryRun>,
}

impl Table {
    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.runs
            .iter()
            .flat_map(|run| run.entries())
            .map(|entry| Entry {
                offset: entry.offset,
                address: entry.address.get(),
                size: entry.size,
            })
    }

    /// How many there are of each size.
    pub fn tally(&self) -> Tally {
        self.runs.iter().copied().collect()
    }
}

/// The table for `region` of a buffer that begins at `start` and lies on `frames`, for a
/// device of [`DEVICE_SIZES`] without an IOMMU. The error is the rules' own, in words.
pub fn table(
    start: VirtAddr,
    frames: &Frames,
    region: Region,
    policy: Policy,
) -> Result<Table, String> {
    let registration = Registration::new(&scenario(start, frames, region, policy))
        .map_err(|error| error.to_string())?;
    match registration.table() {
        Ok(_) => Ok(Table {
            runs: registration.entries().collect(),
        }),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn scenario(start: VirtAddr, frames: &Frames, region: Region, policy: Policy) -> Scenario {
    let extents = frames
        .runs()
        .iter()
        .map(|run| (run.start, Bytes(run.length)));
    let device = DeviceObject {
        page_sizes: Some(
            DEVICE_SIZES
                .iter()
                .map(|size| Bytes(size.bytes()))
                .collect(),
        ),
        policy: Some(policy),
        ..DeviceObject::default()
    };
    Scenario {
        version: 1,
        name: None,
        region: scenario::Region {
            va: start,
            offset: Bytes(region.offset),
            length: Bytes(region.length),
            hca_address: region
                .zero_based
                .then(|| VirtAddr::new(region.device_address(start, frames.page_size()))),
        },
        memory: MemorySpec {
            extents: Some(extents.collect()),
            ..MemorySpec::default()
        },
        // Where rules differ between kernels, the newest are meant: only the probe, which asks the
        // kernel itself, could tell them apart.
        kernel: KernelSpec {
            page_size: Bytes(frames.page_size()),
            ..KernelSpec::default()
        },
        iommu: IommuSpec::default(),
        device: DeviceSpec::Custom(device),
        process: scenario::ProcessSpec::default(),
        provenance: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::tests::frames;

    const M: u64 = 1 << 20;

    fn words(runs: &[(u64, u64)], policy: Policy) -> String {
        let start = VirtAddr::new(0x7f00_0000_0000);
        table(start, &frames(runs), Region::new(4096..4 * M), policy)
            .unwrap()
            .tally()
            .to_string()
    }

    /// The numbers of the mail and of design.md's presets.
    #[test]
    fn known_layouts_have_known_tables() {
        let adjacent = [(8 * M, 4 * M)];
        assert_eq!(
            words(&adjacent, Policy::Mixed),
            "257 entries: 255 × 4K + 1 × 1M + 1 × 2M"
        );
        assert_eq!(words(&adjacent, Policy::Single), "2 entries: 2 × 2M");
        assert_eq!(words(&adjacent, Policy::Unaligned), "1 entry: 1 × 4092K");
        let descending = [(8 * M, 2 * M), (6 * M, 2 * M)];
        assert_eq!(
            words(&descending, Policy::Mixed),
            "257 entries: 255 × 4K + 1 × 1M + 1 × 2M"
        );
        assert_eq!(
            words(&descending, Policy::Unaligned),
            "2 entries: 1 × 2044K + 1 × 2M"
        );
    }

    #[test]
    fn what_the_rules_refuse_is_an_error_in_words() {
        let short = frames(&[(8 * M, M)]);
        let error = table(
            VirtAddr::new(0),
            &short,
            Region::new(0..2 * M),
            Policy::Mixed,
        )
        .unwrap_err();
        assert!(error.contains("region"), "{error}");
    }
}
