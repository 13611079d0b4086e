//! The process that registers the region: its rights, its limits, its libibverbs, and what its mappings are.

use crate::{
    device::Access,
    gate::Errno,
    size::{Bytes, PageSize},
};
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
    #[cfg_attr(
        feature = "serde",
        serde(skip_serializing_if = "crate::notation::is_default")
    )]
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
    /// What the program saw when it registered the region, to be held against the answer.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub saw: Option<Errno>,
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

/// A mapping behind a region, its addresses as in the call. Mappings are in the order of their addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub struct Area {
    /// Its first byte.
    pub start: u64,
    /// The first byte after it.
    pub end: u64,
    /// What backs it.
    pub backing: Backing,
    /// Whether it is MAP_SHARED.
    pub shared: bool,
    /// How it is mapped.
    pub protection: Protection,
    /// Its pages: those of a huge mapping, else the kernel's.
    pub page_size: PageSize,
}

/// What backs a mapping.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Backing {
    /// Anonymous memory: malloc(), MAP_ANONYMOUS, transparent huge pages.
    #[default]
    Anonymous,
    /// hugetlbfs, MAP_HUGETLB, SHM_HUGETLB.
    Hugetlb,
    /// tmpfs, memfd_create(), shmget(), /dev/shm.
    Shmem,
    /// A file of a file system that tracks dirty pages: ext4, XFS, Btrfs, NFS.
    File,
    /// Device DAX: /dev/dax0.0.
    Devdax,
    /// A file of a file system on persistent memory that is mounted with -o dax.
    Fsdax,
    /// Memory without pages (VM_PFNMAP or VM_IO): a PCI BAR by its resource file, /dev/mem, gdrcopy, most GPUs' mappings, a
    /// dma-buf by mmap().
    Pfnmap,
    /// memfd_secret().
    Secret,
    /// `[vdso]`.
    Vdso,
    /// `[vvar]`.
    Vvar,
    /// Nothing is mapped.
    Hole,
    /// A mapping that goes on beyond the end of its file.
    BeyondEnd,
    /// A hugetlb mapping (MAP_NORESERVE) that the pool has no page for.
    NoHugePage,
    /// Pages that MADV_GUARD_INSTALL guards.
    Guard,
    /// Pages in ZONE_MOVABLE or CMA that something else holds as well, such as a pipe: the kernel cannot move them out.
    Unmovable,
}

impl Backing {
    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Hugetlb => "hugetlb",
            Self::Shmem => "shmem",
            Self::File => "file",
            Self::Devdax => "devdax",
            Self::Fsdax => "fsdax",
            Self::Pfnmap => "pfnmap",
            Self::Secret => "secret",
            Self::Vdso => "vdso",
            Self::Vvar => "vvar",
            Self::Hole => "hole",
            Self::BeyondEnd => "beyond-end",
            Self::NoHugePage => "no-huge-page",
            Self::Guard => "guard",
            Self::Unmovable => "unmovable",
        }
    }
}

/// How an area is mapped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Protection {
    /// PROT_READ | PROT_WRITE.
    #[default]
    ReadWrite,
    /// PROT_READ.
    Read,
    /// PROT_WRITE.
    Write,
    /// PROT_NONE.
    None,
}
