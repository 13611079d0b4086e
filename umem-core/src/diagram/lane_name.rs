//! The lanes of a picture, and the stages that fill them.

use crate::{
    gate::Gate,
    memory::Kind,
    registration::{Index, Lane},
};

/// The lanes that a picture can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaneName {
    /// The virtual memory.
    Virtual,
    /// The physical frames.
    Frames,
    /// The SG entries.
    Scatter,
    /// The DMA segments.
    Dma,
    /// The entries of the IOMMU's own page table.
    Iommu,
    /// The device's entries.
    Entries,
}

impl LaneName {
    /// All lanes, from above.
    pub const ALL: [Self; 6] = [
        Self::Virtual,
        Self::Frames,
        Self::Scatter,
        Self::Dma,
        Self::Iommu,
        Self::Entries,
    ];

    /// Whether it stands above `other`.
    pub(crate) const fn is_above(self, other: Self) -> bool {
        (self as u8) < other as u8
    }

    /// The lane's title in a picture of memory of this kind.
    pub const fn title(self, kind: Kind) -> &'static str {
        match self {
            Self::Virtual => "Virtual memory",
            Self::Frames if matches!(kind, Kind::DmaBuf) => "Exported buffer",
            Self::Frames => "Physical frames",
            Self::Scatter if matches!(kind, Kind::DmaBuf) => "Exporter's list",
            Self::Scatter => "SG entries",
            Self::Dma => "DMA segments",
            Self::Iommu => "IOMMU entries",
            Self::Entries => "Device entries",
        }
    }

    /// What it shows, for readers who do not know the word yet.
    pub const fn about(self, kind: Kind) -> &'static str {
        match self {
            Self::Frames if matches!(kind, Kind::DmaBuf) => {
                "Exported buffer: the memory of another device, or of a heap, as its driver exports it. The NIC's driver does not pin it."
            }
            Self::Frames if matches!(kind, Kind::Odp) => {
                "Physical frames: the pages of real memory behind it now. They are not pinned: each may come, go and move until the NIC \
                 touches it."
            }
            Self::Scatter if matches!(kind, Kind::DmaBuf) => {
                "Exporter's list: the entries as the exporter made them. The whole buffer is mapped; shown is what the region takes of it."
            }
            Self::Scatter if matches!(kind, Kind::Odp) => {
                "SG entries: none. Memory on demand has no list; the table has an entry for each page from the start."
            }
            Self::Virtual => {
                "Virtual memory: the region as the program sees it, by its own addresses."
            }
            Self::Frames => {
                "Physical frames: the pages of real memory behind it, which are pinned so that they stay where they are."
            }
            Self::Scatter => {
                "SG entries: the scatter-gather list, in which neighbouring frames are one entry, however long."
            }
            Self::Dma => {
                "DMA segments: the list with the addresses that the device uses, the IOMMU's (IOVA) if there is one."
            }
            Self::Iommu => {
                "IOMMU entries: the IOMMU's own page table, which leads from these addresses to the frames. Its page sizes are its own."
            }
            Self::Entries => {
                "Device entries: the table in the NIC, cut into the page sizes that the device supports."
            }
        }
    }

    /// The lane right behind a gate: it stays empty where that gate refuses.
    pub const fn behind(gate: Gate) -> Self {
        match gate {
            Gate::ForkSupport | Gate::Uverbs | Gate::Driver | Gate::Memlock | Gate::Pin => {
                Self::Frames
            }
            Gate::Gather => Self::Scatter,
            Gate::Map => Self::Dma,
            Gate::PageSize | Gate::Table | Gate::Firmware => Self::Entries,
        }
    }

    /// The boxes of the lane; none of the virtual memory, which is one piece.
    pub fn boxes(self, index: &Index) -> Option<&Lane> {
        Some(match self {
            Self::Virtual => return None,
            Self::Frames => index.frames(),
            Self::Scatter => index.scatter(),
            Self::Dma => index.dma(),
            Self::Iommu => index.io_pages(),
            Self::Entries => index.entries(),
        })
    }

    /// The stage that fills the lane; the virtual memory is there from the start.
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Virtual => None,
            Self::Frames => Some(Stage::Pin),
            Self::Scatter => Some(Stage::Gather),
            Self::Dma | Self::Iommu => Some(Stage::Map),
            Self::Entries => Some(Stage::Cut),
        }
    }
}

/// The stages, in the order in which they play.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// Pages are pinned, batch by batch.
    Pin,
    /// Frames grow together into SG entries.
    Gather,
    /// The IOMMU (or its absence) gives them device addresses.
    Map,
    /// The table is cut.
    Cut,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 4] = [Self::Pin, Self::Gather, Self::Map, Self::Cut];

    /// The stage's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pin => "Pin",
            Self::Gather => "Gather",
            Self::Map => "Map",
            Self::Cut => "Cut",
        }
    }
}
