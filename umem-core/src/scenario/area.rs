//! What the mappings behind a region are: not all memory can be pinned.

use crate::{
    process::{Backing, Protection},
    size::Bytes,
};

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
    #[cfg_attr(
        feature = "serde",
        serde(skip_serializing_if = "crate::notation::is_default")
    )]
    pub offset: Bytes,
    /// How long it is; up to the end of the region if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub length: Option<Bytes>,
    /// What backs it; anonymous memory if left out.
    #[cfg_attr(
        feature = "serde",
        serde(skip_serializing_if = "crate::notation::is_default")
    )]
    pub backing: Backing,
    /// Whether it is mapped MAP_SHARED; that is decided by the backing if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub shared: Option<bool>,
    /// How it is mapped; for reading and writing if left out.
    #[cfg_attr(
        feature = "serde",
        serde(skip_serializing_if = "crate::notation::is_default")
    )]
    pub protection: Protection,
    /// The size of its huge pages, of hugetlb and device DAX memory; `memory.page_size` if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub page_size: Option<Bytes>,
}
