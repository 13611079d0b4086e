//! From what a scenario says to what the stages can trust.
//!
//! Here the region; each of the other parts has a room of its own.

use super::{KernelSpec, Scenario, ScenarioError};
use crate::{
    address::VirtAddr,
    device::{Bug, DeviceProfile, EntryLimit, LengthLimit},
    gate::Errno,
    iommu::{self, Translation},
    kernel::{GENERATIONS, Kernel, KernelRules, Release},
    memory::Memory,
    size::{Bytes, PageSize, PageSizes},
    table::{Edges, Mr, Policy, memory::Layout, single::Choice},
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

mod device;
mod memory;
mod translation;

/// A scenario that has been proven: every address in range, every size a power of two, every name known.
#[derive(Clone, Debug)]
pub struct Question {
    /// The backing memory.
    pub memory: Memory,
    /// The region.
    pub mr: Mr,
    /// The kernel, with its rules.
    pub kernel: Kernel,
    /// The IOMMU, unless it is off.
    pub iommu: Option<Translation>,
    /// The IOMMU's profile, where it is of the catalogue.
    pub iommu_profile: Option<&'static iommu::IommuProfile>,
    /// The device.
    pub device: Device,
}

/// A device whose every value is known.
#[derive(Clone, Debug)]
pub struct Device {
    /// What the scenario calls it.
    pub name: Option<String>,
    /// The sizes its entries may have.
    pub page_sizes: PageSizes,
    /// How its table is cut.
    pub policy: Policy,
    /// What the ends of a mixed table may do.
    pub edges: Edges,
    /// The longest SG entry and DMA segment in bytes.
    pub max_segment: u32,
    /// How one size for all blocks is chosen.
    pub choice: Choice,
    /// What the driver returns if no size fits; `None` if it does not check.
    pub none_fits: Option<Errno>,
    /// What it returns instead of whatever `ib_umem_get()` does, if it does not pass that on.
    pub umem_error: Option<Errno>,
    /// The lengths that it refuses to exceed.
    pub length_limits: Vec<LengthLimit>,
    /// The most entries of a table: all limits that hold for this region.
    pub entry_limits: Vec<EntryLimit>,
    /// How its table lies in memory.
    pub layout: Layout,
    /// The bytes of an entry.
    pub entry_bytes: u64,
    /// The driver, where it is of the catalogue.
    pub profile: Option<&'static DeviceProfile>,
    /// The kernel that the driver is of; `None` is the newest.
    pub release: Option<Release>,
    /// Whether that kernel's vendor may have taken up drivers of later ones.
    pub vendor: bool,
}

impl Device {
    /// The driver, if it is of the catalogue but not of the kernel, and no vendor may have added it.
    pub fn missing(&self) -> Option<&'static DeviceProfile> {
        let missing = |profile: &&DeviceProfile| !self.vendor && !profile.is_in(self.release);
        self.profile.filter(missing)
    }

    /// The bugs of the driver in this release.
    pub fn bugs(&self) -> impl Iterator<Item = &'static Bug> {
        let release = self.release;
        let bugs = self.profile.map_or(&[][..], |profile| profile.bugs);
        bugs.iter().filter(move |bug| bug.is_in(release))
    }
}

impl Scenario {
    /// Proves the scenario.
    ///
    /// # Errors
    /// The first field that is wrong, with what was expected of it.
    pub fn resolve(&self) -> Result<Question, ScenarioError> {
        if self.version != 1 {
            return Err(ScenarioError::new(
                "version",
                format_args!("is {}, but this program knows version 1 only", self.version),
            ));
        }
        let page = kernel_page(self.kernel.page_size)?;
        let kernel = self.kernel()?;
        let mr = self.mr(page)?;
        let memory = self.memory(&mr)?;
        let device = self.device(page, &kernel)?;
        let (iommu, iommu_profile) = self.iommu(page)?;
        Ok(Question {
            memory,
            mr,
            kernel: kernel.asked_for(device.page_sizes, page),
            iommu,
            iommu_profile,
            device,
        })
    }

    fn kernel(&self) -> Result<Kernel, ScenarioError> {
        let KernelSpec { rules, release, .. } = &self.kernel;
        let Some(release) = release else {
            let known = || GENERATIONS.iter().map(|rules| rules.name);
            let rules = KernelRules::find(rules);
            return match rules {
                Some(rules) => Ok(Kernel::generation(rules)),
                None => Err(unknown("kernel.rules", &self.kernel.rules, known())),
            };
        };
        if *rules != KernelSpec::default().rules {
            return Err(ScenarioError::new(
                "kernel.rules",
                "stands beside \"release\", which says the rules already: give one of them",
            ));
        }
        Kernel::named(release).map_err(|error| {
            ScenarioError::new("kernel.release", format_args!("\"{release}\" {error}"))
        })
    }

    fn mr(&self, page: PageSize) -> Result<Mr, ScenarioError> {
        let region = &self.region;
        let (va, Bytes(offset), Bytes(length)) = (region.va, region.offset, region.length);
        if va.offset_in(page) != 0 {
            return Err(ScenarioError::new(
                "region.va",
                format_args!("{va} is no multiple of the kernel's page ({page})"),
            ));
        }
        if length == 0 {
            return Err(ScenarioError::new(
                "region.length",
                "is 0, and the kernel registers no empty region (EINVAL): give at least 1 byte",
            ));
        }
        let address = va.checked_add(offset).ok_or_else(|| {
            ScenarioError::new(
                "region.offset",
                format_args!(
                    "{} from {va} passes the end of the address space",
                    region.offset
                ),
            )
        })?;
        // `PAGE_ALIGN(addr + size)` must not wrap either.
        address
            .checked_add(length)
            .and_then(|end| page.align_up(end.get()))
            .ok_or_else(|| {
                ScenarioError::new(
                    "region.length",
                    format_args!(
                        "{} from {address} passes the end of the address space",
                        region.length
                    ),
                )
            })?;
        let mr = Mr {
            address: address.get(),
            length,
            hca_address: address.get(),
            page,
            offset,
        };
        if mr.pages() > u64::from(u32::MAX) {
            return Err(ScenarioError::new(
                "region.length",
                format_args!(
                    "{} are {} pages of {page}, and the kernel registers at most {} at once (ib_umem_get() returns EINVAL \
                     above UINT_MAX): split the region",
                    region.length,
                    mr.pages(),
                    u32::MAX
                ),
            ));
        }
        let Some(hca) = region.hca_address else {
            return Ok(mr);
        };
        if hca.offset_in(page) != mr.page_offset() {
            return Err(ScenarioError::new(
                "region.hca_address",
                format_args!(
                    "{hca} and the region's address {address} differ below the kernel's page ({page}), which uverbs refuses \
                     (EINVAL): make their offsets in the page equal"
                ),
            ));
        }
        if hca.checked_add(length).is_none() {
            return Err(ScenarioError::new(
                "region.hca_address",
                format_args!(
                    "{} from {hca} passes the end of the address space",
                    region.length
                ),
            ));
        }
        Ok(Mr {
            hca_address: hca.get(),
            ..mr
        })
    }
}

impl Question {
    /// The virtual address of the region's first byte.
    pub fn address(&self) -> VirtAddr {
        VirtAddr::new(self.mr.address)
    }

    /// Whether device addresses are looked up in an IOMMU: not those of software devices.
    pub fn translation(&self) -> Option<Translation> {
        self.iommu
            .filter(|_| !self.device.profile.is_some_and(|profile| profile.virt_dma))
    }

    /// Whose table, what stands in between, and whose rules: "for mlx5 behind vt-d, by the rules of Linux 7.2".
    pub fn about(&self) -> String {
        let device = match (&self.device.name, self.device.profile) {
            (Some(name), _) => name.clone(),
            (None, Some(profile)) => profile.name.to_owned(),
            (None, None) => {
                let sizes: Vec<String> = self
                    .device
                    .page_sizes
                    .iter()
                    .map(|size| size.to_string())
                    .collect();
                format!("a device of {{{}}}", sizes.join(", "))
            }
        };
        let iommu = match (&self.iommu, self.iommu_profile) {
            (None, _) => "without an IOMMU".to_owned(),
            (Some(_), Some(profile)) => format!("behind {}", profile.name),
            (Some(_), None) => "behind an IOMMU".to_owned(),
        };
        format!(
            "for {device} {iommu}, by the rules of Linux {}",
            self.kernel.name
        )
    }
}

fn unknown<'a>(field: &str, name: &str, known: impl Iterator<Item = &'a str>) -> ScenarioError {
    let known: Vec<_> = known.collect();
    ScenarioError::new(
        field,
        format_args!(
            "\"{name}\" is not known here; there are {}",
            known.join(", ")
        ),
    )
}

fn power_of_two(field: &str, Bytes(bytes): Bytes) -> Result<PageSize, ScenarioError> {
    PageSize::new(bytes)
        .filter(|size| size.log2() < 53)
        .ok_or_else(|| {
            ScenarioError::new(
                field,
                format_args!("{} is no power of two below 8P", Bytes(bytes)),
            )
        })
}

fn kernel_page(size: Bytes) -> Result<PageSize, ScenarioError> {
    let page = power_of_two("kernel.page_size", size)?;
    match page.log2() {
        12..=18 => Ok(page),
        _ => Err(ScenarioError::new(
            "kernel.page_size",
            format_args!("{page} is not between 4K and 256K, the pages that Linux has"),
        )),
    }
}

fn parse_page_sizes(field: &str, sizes: &[Bytes]) -> Result<PageSizes, ScenarioError> {
    if sizes.is_empty() {
        return Err(ScenarioError::new(
            field,
            "is empty: give at least one size",
        ));
    }
    sizes
        .iter()
        .enumerate()
        .map(|(i, size)| power_of_two(&format!("{field}[{i}]"), *size))
        .collect()
}
