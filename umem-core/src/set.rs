//! Many regions of one process on one device: what they take together, and where they are refused.
//!
//! A [`Set`] lists registrations in the order in which the program makes them; alike ones stand there once, with their count. Planned,
//! it has each region's own result, the sums, and the region at which a limit that holds for all of them together is met: locked
//! memory, the objects of an rdma control group, the entries that a device keeps.
//!
//! ```
//! use umem_core::set::Set;
//! let set = Set::from_json(br#"{"version":1,"device":"mlx5","registrations":[
//!     {"region":{"length":"4M"},"memory":{"layout":"scattered"},"count":52},
//!     {"region":{"length":"4M"},"memory":{"page_size":"2M","layout":"scattered"},"count":157}]}"#)?;
//! let plan = set.plan()?;
//! assert_eq!((plan.total().regions, plan.total().entries), (209, 52 * 1024 + 157 * 2));
//! # Ok::<(), umem_core::scenario::ScenarioError>(())
//! ```

use crate::capture::Provenance;
use crate::scenario::{
    DeviceSpec, IommuSpec, KernelSpec, MemorySpec, ProcessSpec, Region, Scenario,
};
use alloc::{string::String, vec::Vec};

mod advice;
mod limits;
mod plan;
#[cfg(feature = "serde")]
mod report;

pub use advice::{SetAdvice, SetOutcome};
pub use plan::{Planned, SetPlan, SetRefusal, Total};
#[cfg(feature = "serde")]
pub use report::SetReport;

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
    /// The kernel, whose rules apply.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::scenario::is_default")
    )]
    pub kernel: KernelSpec,
    /// The IOMMU between memory and the device.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::scenario::is_default")
    )]
    pub iommu: IommuSpec,
    /// The device on which all of them are registered.
    pub device: DeviceSpec,
    /// Who registers them.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::scenario::is_default")
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
impl Set {
    /// Reads a set. It is not [planned](Set::plan) yet.
    ///
    /// # Errors
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks; the field is named. A scenario of one region says
    /// that it is one.
    pub fn from_json(json: &[u8]) -> Result<Self, crate::scenario::ScenarioError> {
        let mut reader = crate::scenario::ScenarioReader::new();
        reader.feed(json)?;
        reader.finish_set()
    }

    /// The shortest JSON that means this set: defaults are left out.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a set has only string keys")
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
