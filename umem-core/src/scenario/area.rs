//! What the mappings behind a region are: not all memory can be pinned.

use crate::size::Bytes;

/// A part of the memory, as /proc/PID/maps has it: what backs it, and how it is mapped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct AreaSpec {
    /// Where it begins, in bytes from `region.va`; 0 if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "super::is_default"))]
    pub offset: Bytes,
    /// How long it is; up to the end of the region if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub length: Option<Bytes>,
    /// What backs it; anonymous memory if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "super::is_default"))]
    pub backing: Backing,
    /// Whether it is mapped MAP_SHARED; that is decided by the backing if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub shared: Option<bool>,
    /// How it is mapped; for reading and writing if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "super::is_default"))]
    pub protection: Protection,
    /// The size of its huge pages, of hugetlb and device DAX memory; `memory.page_size` if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub page_size: Option<Bytes>,
}

/// What backs a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
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
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
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
