//! From a scenario's values to checked ones that the stages can trust.

use super::{KernelSpec, Problem, Scenario, ScenarioError};
use crate::{
    device::Device,
    iommu::{IommuProfile, Translation},
    kernel::{GENERATIONS, Kernel, KernelRules},
    memory::{Exporter, Kind, Memory},
    process::Area,
    request::Request,
    size::{Bytes, PageSize, PageSizes},
    table::Mr,
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

mod areas;
mod device;
mod early;
mod evidence;
mod memory;
mod region;
mod translation;

/// A scenario that [resolved](Scenario::resolve): every address in range, every size a power of two, every name known.
#[derive(Clone, Debug)]
pub struct Question {
    scenario: Scenario,
    memory: Memory,
    areas: Vec<Area>,
    mr: Mr,
    kernel: Kernel,
    iommu: Option<Translation>,
    iommu_profile: Option<&'static IommuProfile>,
    device: Device,
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
                Problem::Version(self.version),
            ));
        }
        let page = kernel_page(self.kernel.page_size)?;
        let kernel = self.kernel()?;
        let mr = self.mr(page)?;
        let memory = self.memory(&mr)?;
        let areas = self.areas(page)?;
        let device = self.device(page, &kernel)?;
        let (iommu, iommu_profile) = self.iommu(&mr, &device)?;
        Ok(Question {
            scenario: self.clone(),
            memory,
            areas,
            mr,
            kernel: kernel.asked_for(device.page_sizes, page),
            iommu,
            iommu_profile,
            device,
        })
    }
}

impl Scenario {
    fn kernel(&self) -> Result<Kernel, ScenarioError> {
        let KernelSpec { rules, release, .. } = &self.kernel;
        let Some(release) = release else {
            let rules = KernelRules::find(rules).ok_or_else(|| {
                let known = GENERATIONS.iter().map(|rules| rules.name);
                unknown("kernel.rules", rules, known)
            })?;
            return Ok(Kernel::generation(rules));
        };
        if *rules != KernelSpec::default().rules {
            return Err(ScenarioError::new("kernel.rules", Problem::RulesAndRelease));
        }
        Kernel::named(release).map_err(|error| {
            let name = release.chars().take(100).collect();
            ScenarioError::new("kernel.release", Problem::Kernel { name, error })
        })
    }
}

impl Question {
    /// The scenario as it was given.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The backing memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What the memory is to the kernel.
    pub fn kind(&self) -> Kind {
        self.scenario.kind()
    }

    /// The mappings behind the region, as far as the scenario gives them.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// What the gates before the SG list look at.
    pub(crate) fn request(&self) -> Request<'_> {
        let provenance = self.scenario.provenance.as_ref();
        Request {
            kind: self.kind(),
            start: self.mr.address.get(),
            length: self.mr.length,
            hca: self.mr.hca_address.get(),
            page: self.mr.page,
            memory_page: self.memory.page_size(),
            process: &self.scenario.process,
            areas: &self.areas,
            captured: provenance.map(|provenance| provenance.refused_when_registered.as_ref()),
            device: &self.device,
        }
    }

    /// The region.
    pub fn mr(&self) -> &Mr {
        &self.mr
    }

    /// The kernel's rules.
    pub fn rules(&self) -> &KernelRules {
        &self.kernel.rules
    }

    /// The kernel, with its rules.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The same question, asked of a kernel with other rules.
    pub(crate) fn by_rules(&self, rules: KernelRules) -> Self {
        let mut other = self.clone();
        other.kernel.rules = rules;
        other
    }

    /// The IOMMU, unless it is off.
    pub fn iommu(&self) -> Option<Translation> {
        self.iommu
    }

    /// The IOMMU's profile, if it is in the catalogue.
    pub fn iommu_profile(&self) -> Option<&'static IommuProfile> {
        self.iommu_profile
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The IOMMU that translates the device's addresses. Software devices never use one.
    pub fn translation(&self) -> Option<Translation> {
        let software = self.device.profile.is_some_and(|profile| profile.virt_dma);
        let translation = self.iommu.filter(|_| !software)?;
        Some(match self.scenario.memory.exporter {
            Exporter::DmaMap => translation,
            Exporter::PerEntry => translation.entry_by_entry(),
        })
    }

    /// The device, the IOMMU and the kernel's rules: "for mlx5 behind vt-d, by the rules of Linux 7.2".
    pub fn about(&self) -> String {
        let device = match (&self.device.name, self.device.profile) {
            (Some(name), _) => name.clone(),
            (None, Some(profile)) => profile.name.to_owned(),
            (None, None) => {
                let sizes = self.device.page_sizes.iter();
                let sizes: Vec<String> = sizes.map(|size| size.to_string()).collect();
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

fn unknown(
    field: &str,
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> ScenarioError {
    let problem = Problem::Unknown {
        name: name.to_owned(),
        known: known.into_iter().collect(),
    };
    ScenarioError::new(field, problem)
}

fn power_of_two(field: &str, Bytes(bytes): Bytes) -> Result<PageSize, ScenarioError> {
    PageSize::new(bytes)
        .filter(|size| size.log2() < 53)
        .ok_or_else(|| ScenarioError::new(field, Problem::NotPowerOfTwo(bytes)))
}

fn kernel_page(size: Bytes) -> Result<PageSize, ScenarioError> {
    let field = "kernel.page_size";
    let page = power_of_two(field, size)?;
    match page.log2() {
        12..=18 => Ok(page),
        _ => Err(ScenarioError::new(field, Problem::KernelPage(page))),
    }
}

fn parse_page_sizes(field: &str, sizes: &[Bytes]) -> Result<PageSizes, ScenarioError> {
    if sizes.is_empty() {
        return Err(ScenarioError::new(field, Problem::NoSizes));
    }
    sizes
        .iter()
        .enumerate()
        .map(|(i, size)| power_of_two(&format!("{field}[{i}]"), *size))
        .collect()
}
