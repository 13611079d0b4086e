//! The kernel level: does the kernel build what the rules say, entry for entry?
//!
//! The probe pins the buffer as a driver does. What the kernel made of it is written down as
//! [vectors](umem_core::vectors), with the frames from pagemap as the question, and replayed.

mod case;
mod known;
mod lists;

use std::{ops::Range, path::Path};

use serde::Serialize;
use umem_core::{kernel::KernelRules, size::Bytes};

use super::verdict::Verdict;
use crate::{
    buffer::{self, Recipe},
    mapping::Mapping,
    missing::Missing,
    pagemap::kernel_page,
    probe::{DeviceDma, Domain, Probe, Target},
    sysfs,
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
    /// What an IOMMU makes of them: the catalogue's name of it, where its rules are not those that most share.
    Translated(Option<&'static str>),
}

/// By which rules a kernel is judged.
#[derive(Clone, Copy, Debug)]
pub enum Judge<'a> {
    /// These are its rules.
    Known(&'a KernelRules),
    /// Nobody knows them; why. Lists have been built the same way since Linux 5.15, the oldest that the probe builds for, so they
    /// are compared anyway, but a mismatch is not called a difference.
    Open(&'a str),
}

impl<'a> Judge<'a> {
    /// Of the running kernel.
    pub fn of(rules: &'a Result<KernelRules, String>) -> Self {
        match rules {
            Ok(rules) => Self::Known(rules),
            Err(why) => Self::Open(why),
        }
    }

    /// The rules for lists.
    fn for_lists(self) -> &'a KernelRules {
        match self {
            Self::Known(rules) => rules,
            Self::Open(_) => KernelRules::newest(),
        }
    }

    /// What to make of an answer that the rules do not give.
    fn differed(self, what: String) -> Verdict {
        match self {
            Self::Known(_) => Verdict::Differed(what),
            Self::Open(why) => Verdict::Skipped(format!("not judged: {why}. Seen: {what}")),
        }
    }
}

/// Holds the rules against the kernel for every device that there is; unless `full`, most buffers without the PCI
/// device's limits.
pub fn check(
    probe: Result<&Probe, Missing>,
    judge: Judge<'_>,
    recipe: &Recipe,
    memory: &Mapping,
    full: bool,
) -> Vec<KernelReport> {
    let probe = match probe {
        Ok(probe) => probe,
        Err(missing) => {
            return vec![skipped(
                "kernel".to_owned(),
                format!("needs {}", missing.what),
            )];
        }
    };
    let mut targets = targets(probe);
    if is_gigantic(recipe) || !(full || LIMITED.contains(&recipe.name)) {
        targets.retain(|target| target.limits() == Target::NO_LIMITS);
    }
    let (regions, sizes) = questions(recipe);
    let of_target = |target: &Target| {
        let way = match Way::of(probe, target) {
            Ok(way) => way,
            Err(why) => return skipped(target.to_string(), why),
        };
        let cases = regions.clone().map(|range| Case {
            recipe,
            // Reading takes the device its time: under one of its limits, and out of one region, is enough.
            is_read: (full || LIMITED.contains(&recipe.name))
                && *target == Target::PCI
                && range == regions[0],
            memory,
            range,
            sizes,
            target,
            way,
            judge,
            page: kernel_page(),
        });
        let compared = cases
            .iter()
            .map(|case| case.compare(probe))
            .sum::<Result<usize, Verdict>>();
        KernelReport {
            target: describe(target, way),
            compared: *compared.as_ref().unwrap_or(&0),
            verdict: compared.map_or_else(|verdict| verdict, |_| Verdict::Held),
        }
    };
    let mut reports: Vec<_> = targets.iter().map(of_target).collect();
    if let Judge::Open(why) = judge {
        let what = "best page sizes and their blocks";
        reports.push(skipped(
            what.to_owned(),
            format!("{what} were not compared: {why}"),
        ));
    }
    reports
}

fn skipped(target: String, why: String) -> KernelReport {
    KernelReport {
        target,
        compared: 0,
        verdict: Verdict::Skipped(why),
    }
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

/// The machine's RDMA devices, and the probe's PCI device under several limits.
fn targets(probe: &Probe) -> Vec<Target> {
    let devices = sysfs::entries(Path::new("/sys/class/infiniband"));
    let mut targets: Vec<_> = devices
        .iter()
        .map(|device| Target::Rdma(sysfs::name(device)))
        .collect();
    if let Some(domain) = probe.pci_domain() {
        targets.extend(LIMITS.map(|(max_segment, boundary)| Target::Pci {
            max_segment,
            boundary: match domain {
                // A boundary smaller than an entry would hang the kernel behind a table; the probe refuses it on POWER.
                Domain::Tables(_) | Domain::Window => {
                    u64::from(boundary).max(buffer::LENGTH as u64 - 1)
                }
                _ => boundary.into(),
            },
        }));
    }
    targets
}

/// How a device reaches memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Way {
    addressing: Addressing,
    /// Its longest segment in bytes, and the boundary that none crosses, less one.
    limits: (u32, u64),
    /// The highest address that it reaches.
    mask: u64,
}

impl Way {
    /// As the probe has it of `target`; or why nothing can be said about its lists.
    fn of(probe: &Probe, target: &Target) -> Result<Self, String> {
        let device = probe
            .device(target)
            .map_err(|error| format!("the probe does not know the device: {error}"))?;
        Self::from(target, device)
    }

    fn from(target: &Target, device: DeviceDma) -> Result<Self, String> {
        let addressing = match device.domain {
            Domain::Cpu => Addressing::Virtual,
            Domain::None | Domain::Identity => Addressing::Physical,
            Domain::Translated | Domain::Tables(_) | Domain::Window => {
                Addressing::Translated(device.domain.catalogue_name())
            }
            Domain::Other => {
                return Err(
                    "its addresses are neither physical nor an IOMMU's: swiotlb is forced, or the IOMMU's domain is of another type"
                        .to_owned(),
                );
            }
        };
        let limits = match (target, addressing) {
            // We set the limits of the PCI device. A software device has only those of 32-bit fields.
            (Target::Pci { .. }, _) | (_, Addressing::Virtual) => target.limits(),
            _ => (device.max_segment, device.boundary),
        };
        Ok(Self {
            addressing,
            limits,
            mask: device.mask,
        })
    }
}

fn describe(target: &Target, way: Way) -> String {
    let addresses = match way.addressing {
        Addressing::Virtual => return target.to_string(),
        Addressing::Translated(None) => "through the IOMMU",
        Addressing::Translated(Some("power-direct")) => "through POWER's direct window",
        Addressing::Translated(Some(_)) => "through POWER's table",
        Addressing::Physical => "physical addresses",
    };
    let longest = match way.limits.0 {
        u32::MAX => "of any length".to_owned(),
        longest => format!("up to {}", Bytes(longest.into())),
    };
    let boundary = match way.limits.1.checked_add(1) {
        Some(boundary) => format!("boundary {}", Bytes(boundary)),
        None => "no boundary".to_owned(),
    };
    format!("{target}, {addresses}, segments {longest}, {boundary}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A NIC, as the probe describes it.
    fn nic(domain: Domain) -> DeviceDma {
        DeviceDma {
            domain,
            max_segment: 2 << 30,
            boundary: u32::MAX.into(),
            mask: u64::MAX,
        }
    }

    #[test]
    fn a_real_device_is_held_to_its_own_limits() {
        let target = Target::Rdma("mlx5_0".to_owned());
        let way = |domain| Way::from(&target, nic(domain));
        let translated = way(Domain::Translated).unwrap();
        assert_eq!(
            describe(&target, translated),
            "mlx5_0, through the IOMMU, segments up to 2G, boundary 4G"
        );
        let physical = way(Domain::Identity).unwrap();
        assert_eq!(physical.addressing, Addressing::Physical);
        assert_eq!(physical.limits, (2 << 30, u32::MAX.into()));
        assert_eq!(way(Domain::None), Ok(physical));
        assert!(way(Domain::Other).is_err());
        let software = way(Domain::Cpu).unwrap();
        assert_eq!(software.limits, Target::NO_LIMITS);
        assert_eq!(describe(&target, software), "mlx5_0");
    }

    #[test]
    fn a_mismatch_with_unknown_rules_is_not_a_difference() {
        let known = Judge::of(&Ok(*KernelRules::newest())).differed("4K".to_owned());
        assert_eq!(known, Verdict::Differed("4K".to_owned()));
        match Judge::of(&Err("a vendor's kernel".to_owned())).differed("4K".to_owned()) {
            Verdict::Skipped(why) => {
                assert_eq!(why, "not judged: a vendor's kernel. Seen: 4K");
            }
            other => panic!("{other:?}"),
        }
    }
}
