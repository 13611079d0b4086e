//! The words of sets: many regions of one process on one device.

use super::{DeviceSpec, IommuSpec, KernelSpec, MemorySpec, ProcessSpec, Region, Scenario};
use crate::capture::Provenance;
use alloc::{string::String, vec::Vec};

/// A question about many regions: version 1 of the format of sets.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Set {
    /// The format's version: 1.
    pub version: u32,
    /// A title for people.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub name: Option<String>,
    /// The kernel that makes the rules.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::notation::is_default")
    )]
    pub kernel: KernelSpec,
    /// The IOMMU between memory and the device.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::notation::is_default")
    )]
    pub iommu: IommuSpec,
    /// The device on which all of them are registered.
    pub device: DeviceSpec,
    /// Who registers them.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::notation::is_default")
    )]
    pub process: ProcessSpec,
    /// The regions, in the order in which they are registered.
    pub registrations: Vec<Member>,
}

/// A region of a set, or many that are alike.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Member {
    /// A title for people.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub name: Option<String>,
    /// The region.
    pub region: Region,
    /// The memory behind it.
    pub memory: MemorySpec,
    /// How many regions like this there are.
    #[cfg_attr(
        feature = "serde",
        serde(default = "one", skip_serializing_if = "is_one")
    )]
    pub count: u64,
    /// Where it comes from, if a runner recorded it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub provenance: Option<Provenance>,
}

impl Set {
    /// The set of one region.
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            version: scenario.version,
            name: scenario.name.clone(),
            kernel: scenario.kernel.clone(),
            iommu: scenario.iommu.clone(),
            device: scenario.device.clone(),
            process: scenario.process.clone(),
            registrations: alloc::vec![Member {
                name: None,
                region: scenario.region.clone(),
                memory: scenario.memory.clone(),
                count: 1,
                provenance: scenario.provenance.clone(),
            }],
        }
    }

    /// The region of `member` as a scenario of its own.
    pub fn scenario(&self, member: &Member) -> Scenario {
        Scenario {
            version: self.version,
            name: member.name.clone(),
            region: member.region.clone(),
            memory: member.memory.clone(),
            kernel: self.kernel.clone(),
            iommu: self.iommu.clone(),
            device: self.device.clone(),
            process: self.process.clone(),
            provenance: member.provenance.clone(),
        }
    }
}

#[cfg(feature = "serde")]
fn one() -> u64 {
    1
}

#[cfg(feature = "serde")]
fn is_one(count: &u64) -> bool {
    *count == 1
}
