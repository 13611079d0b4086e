//! The kernel level: does the kernel build what the rules say, entry for entry?
//!
//! The probe pins the buffer as a driver does. What the kernel made of it is written down as
//! [vectors](umem_core::vectors), with the frames from pagemap as the question, and replayed.

mod case;
mod known;
mod lists;

use std::{fs, ops::Range};

use serde::Serialize;
use umem_core::{kernel::KernelRules, size::Bytes, vectors::Vector};

use super::Verdict;
use crate::{
    buffer::{self, Recipe},
    mapping::Mapping,
    missing::Missing,
    probe::{Domain, Probe, Target},
};
use case::Case;

/// The regions in a buffer: the mail's, all of it, and one that begins and ends inside pages.
const REGIONS: [Range<u64>; 3] = [
    4096..buffer::LENGTH as u64,
    0..buffer::LENGTH as u64,
    0x800..0x800 + 0xe000,
];

/// Bitmaps of page sizes: the mail's, drivers', with gaps, without 4K, with one size, without any.
const SIZES: [u64; 20] = [
    0x0030_1000,
    0x4020_1000,
    0x0020_1000,
    0x7fff_f000,
    0xffff_f000,
    0x001f_f000,
    0xffff_ffff_ffff_f000,
    0x0000_1000,
    0x0000_2000,
    0x0001_0000,
    0x0010_0000,
    0x0020_0000,
    0x4000_0000,
    0x4020_0000,
    0x0030_0000,
    0x0001_1000,
    0x0000_0f00,
    0x0000_0100,
    0x8000_0000_0000_0000,
    0,
];

/// The regions in the gigantic page: all of it, all but 2M, and half of it, 4K beside a boundary of 2M.
const GIGANTIC_REGIONS: [Range<u64>; 3] = [
    0..1 << 30,
    2 << 20..1 << 30,
    0x20_1000..0x20_1000 + (512 << 20),
];

/// Its bitmaps: each answer may have 2^18 blocks, so few are asked for.
const GIGANTIC_SIZES: [u64; 2] = [0x4020_1000, 0x4000_0000];

/// What was found about one buffer, pinned for one device.
#[derive(Clone, Debug, Serialize)]
pub struct KernelReport {
    /// The device, and what its DMA layer was told.
    pub target: String,
    /// How many lists, sizes and blocks were compared.
    pub compared: usize,
    /// Whether all are as the rules say.
    pub verdict: Verdict,
}

/// How device addresses come from physical ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Addressing {
    /// Kernel virtual addresses: physical ones plus a constant.
    Virtual,
    /// Physical addresses.
    Physical,
    /// What an IOMMU makes of them.
    Translated,
}

/// Holds the rules against the kernel for every device that there is; unless `full`, most buffers without the PCI
/// device's limits.
pub fn check(
    probe: Result<&Probe, Missing>,
    recipe: &Recipe,
    memory: &Mapping,
    full: bool,
) -> Vec<KernelReport> {
    let probe = match probe {
        Ok(probe) => probe,
        Err(missing) => {
            return vec![KernelReport {
                target: "kernel".to_owned(),
                compared: 0,
                verdict: Verdict::Skipped(format!("needs {}", missing.what)),
            }];
        }
    };
    let mut targets = targets(probe);
    if is_gigantic(recipe) || !(full || LIMITED.contains(&recipe.name)) {
        targets.retain(|(target, _)| target.limits() == Target::NO_LIMITS);
    }
    let (regions, sizes) = questions(recipe);
    targets
        .iter()
        .map(|&(ref target, addressing)| {
            let cases = regions.clone().map(|range| Case {
                recipe,
                // Reading takes the device its time: under one of its limits, and out of one region, is enough.
                is_read: (full || LIMITED.contains(&recipe.name))
                    && matches!(target, Target::Pci { .. })
                    && target.limits() == Target::NO_LIMITS
                    && range == regions[0],
                memory,
                range,
                sizes,
                target,
                addressing,
            });
            let compared = cases
                .iter()
                .map(|case| case.compare(probe))
                .sum::<Result<usize, Verdict>>();
            KernelReport {
                target: describe(target, addressing),
                compared: *compared.as_ref().unwrap_or(&0),
                verdict: compared.map_or_else(|verdict| verdict, |_| Verdict::Held),
            }
        })
        .collect()
}

/// Whether the buffer is so long that every answer takes its time.
fn is_gigantic(recipe: &Recipe) -> bool {
    recipe.length() > buffer::LENGTH
}

/// What the kernel is asked about a buffer: which regions, and which bitmaps of each. Bytes are read out of the first.
fn questions(recipe: &Recipe) -> ([Range<u64>; 3], &'static [u64]) {
    if is_gigantic(recipe) {
        (GIGANTIC_REGIONS, &GIGANTIC_SIZES)
    } else {
        (REGIONS, &SIZES)
    }
}

/// What the PCI device is told about itself: its longest segment, and the boundary that none crosses, less one.
const LIMITS: [(u32, u32); 4] = [
    (u32::MAX, u32::MAX),
    (64 << 10, u32::MAX),
    (2 << 20, u32::MAX),
    (u32::MAX, (1 << 20) - 1),
];

/// The buffers that are pinned under all of [`LIMITS`], and read, even in a quick check: few runs, and very many.
const LIMITED: [&str; 2] = ["huge-descending", "scattered"];

/// The soft RDMA devices, whose DMA is the CPU's; and the probe's PCI device, told of several limits.
fn targets(probe: &Probe) -> Vec<(Target, Addressing)> {
    let devices = fs::read_dir("/sys/class/infiniband")
        .into_iter()
        .flatten()
        .flatten();
    let mut targets: Vec<_> = devices
        .filter(|device| {
            fs::canonicalize(device.path())
                .is_ok_and(|path| path.starts_with("/sys/devices/virtual"))
        })
        .filter_map(|device| device.file_name().into_string().ok())
        .map(|name| (Target::Rdma(name), Addressing::Virtual))
        .collect();
    let addressing = match probe.domain() {
        Ok(Domain::Translated) => Addressing::Translated,
        Ok(Domain::None | Domain::Identity) => Addressing::Physical,
        _ => return targets,
    };
    if probe.has_device() {
        targets.extend(LIMITS.map(|(max_segment, boundary)| {
            (
                Target::Pci {
                    max_segment,
                    boundary: boundary.into(),
                },
                addressing,
            )
        }));
    }
    targets
}

fn describe(target: &Target, addressing: Addressing) -> String {
    let (max_segment, boundary) = target.limits();
    if let Target::Rdma(name) = target {
        return name.clone();
    }
    let addresses = match addressing {
        Addressing::Translated => "through the IOMMU",
        _ => "physical addresses",
    };
    let longest = match max_segment {
        u32::MAX => "of any length".to_owned(),
        longest => format!("up to {}", Bytes(longest.into())),
    };
    format!(
        "PCI device, {addresses}, segments {longest}, boundary {}",
        Bytes(boundary + 1)
    )
}

fn replay(vector: &Vector) -> Result<(), String> {
    vector
        .replay(KernelRules::newest())
        .map_err(|mismatch| mismatch.to_string())
}
