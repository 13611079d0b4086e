//! The process that registers the region: its rights, its limits, its libibverbs.

use crate::{device::Access, size::Bytes};
use alloc::{string::String, vec::Vec};

/// The process that registers the region. What is left out is not known, unless it says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct ProcessSpec {
    /// The flags of `ibv_reg_mr()`; an empty list is a registration for reading by the NIC alone.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub access: Option<Vec<Access>>,
    /// Its limit on locked memory (`ulimit -l`, RLIMIT_MEMLOCK): a size, or "unlimited".
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub memlock: Option<Memlock>,
    /// What it has registered already, on all devices (`VmPin` in /proc/PID/status).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pinned: Option<Bytes>,
    /// Whether it has CAP_IPC_LOCK in the first user namespace, as root outside of rootless containers has.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub privileged: Option<bool>,
    /// Whether libibverbs protects its memory from `fork()`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub fork_support: Option<ForkSupport>,
    /// The version of libibverbs: "44.0".
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub libibverbs: Option<String>,
    /// Whether RDMAV_HUGEPAGES_SAFE is set in its environment; not, if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "super::is_default"))]
    pub hugepages_safe: bool,
    /// How many more objects its rdma control group allows on the device (`hca_object` in rdma.max less that in rdma.current); no
    /// limit if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub hca_objects: Option<u64>,
    /// How many more mappings it may have (vm.max_map_count less the lines of /proc/PID/maps); enough if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mappings_left: Option<u64>,
    /// How much more its memory control group allows, for memory that is not touched yet (memory.max less memory.current); enough
    /// if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub memory_left: Option<Bytes>,
}

impl ProcessSpec {
    /// Whether it asks for `access`; `None` if nobody said what it asks for.
    pub fn asks_for(&self, access: Access) -> Option<bool> {
        Some(self.access.as_ref()?.contains(&access))
    }
}

/// A limit on locked memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memlock {
    /// None.
    Unlimited,
    /// So many bytes.
    Bytes(Bytes),
}

/// What libibverbs does about `fork()`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum ForkSupport {
    /// Nothing: the program calls no `ibv_fork_init()`, and neither RDMAV_FORK_SAFE nor IBV_FORK_SAFE is set.
    Off,
    /// It marks registered memory with MADV_DONTFORK (`ibv_is_fork_initialized()` returns 1).
    Libibverbs,
    /// Fork support is on, and the kernel copies pinned pages on `fork()` (`ibv_is_fork_initialized()` returns 2). Some versions of
    /// libibverbs mark the memory all the same.
    Kernel,
}

impl ForkSupport {
    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Libibverbs => "libibverbs",
            Self::Kernel => "kernel",
        }
    }
}
