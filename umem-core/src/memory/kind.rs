//! What the registered memory is to the kernel.

/// How the kernel comes by the memory of a region.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Kind {
    /// Pages of the process, pinned: `ib_umem_get()`.
    #[default]
    Pages,
    /// A buffer that another driver exports, such as a GPU's memory: `ib_umem_dmabuf_get()`. The exporter lists its entries, the whole
    /// buffer is mapped, and the region is cut out of the mapped list: `ib_umem_dmabuf_map_pages()` [linux 7.2].
    DmaBuf,
    /// Pages of the process that come when the NIC touches them: on-demand paging, `ib_umem_odp_get()`. Nothing is pinned, and the table
    /// has an entry for each page of the region from the start.
    Odp,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pages, Self::DmaBuf, Self::Odp];

    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::DmaBuf => "dma-buf",
            Self::Odp => "odp",
        }
    }

    /// What one entry, and what several entries of its list are called.
    pub const fn entries(self) -> [&'static str; 2] {
        match self {
            Self::Pages | Self::Odp => ["SG entry", "SG entries"],
            Self::DmaBuf => ["exporter's entry", "exporter's entries"],
        }
    }

    /// How to describe a region's pages that are not pinned.
    pub const fn unpinned(self) -> Option<&'static str> {
        match self {
            Self::Pages => None,
            Self::DmaBuf => Some("not pinned: the exporter holds the buffer"),
            Self::Odp => Some("not pinned: each comes when the NIC touches it"),
        }
    }
}

/// How the exporter of a dma-buf maps it for the device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Exporter {
    /// The list as a whole, `dma_map_sgtable()`: behind an IOMMU it is one mapping, merged and aligned like any other. udmabuf and
    /// system heaps do so.
    #[default]
    DmaMap,
    /// Each entry by itself, `dma_map_resource()`: behind an IOMMU each has its own address. GPUs do so with their memory.
    PerEntry,
}

impl Exporter {
    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DmaMap => "dma-map",
            Self::PerEntry => "per-entry",
        }
    }
}
