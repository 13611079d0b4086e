//! What a runner recorded on a machine: a [`Scenario`](crate::scenario::Scenario) with its provenance.

use alloc::string::String;

/// Where a capture comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Provenance {
    /// The kernel's release, as `uname -r` has it.
    pub kernel: String,
    /// The kernel's page size.
    pub page_size: crate::size::Bytes,
    /// The RDMA device, where there is one.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub device: Option<String>,
    /// How the IOMMU treats the device: "off", "identity", "DMA-FQ", ….
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub iommu_mode: Option<String>,
    /// When: RFC 3339, in UTC.
    pub time: String,
    /// Whether physical addresses were shifted by a common distance, to hide where they lie.
    pub rebased: bool,
}
