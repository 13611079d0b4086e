//! A registration → lanes of boxes, at a zoom and a moment → drawing commands → SVG.
//!
//! Nothing here knows a screen: [`draw`] yields a list of [`Command`]s that the page paints on a canvas and
//! [`svg::render`] writes as SVG. The list is as long as the picture is wide, never as long as the region.
//!
//! From top to bottom: the axis; five lanes, each box linked to its source above by a ribbon; a ruler that shows the alignment
//! of each device address; and a lens on a dozen entries, because a 4K entry may be one pixel wide. Between the lanes stand the
//! gates that a region must pass. Where one refuses, a bar closes the way, the lanes behind it stay empty, and the cause and the way
//! out take the place of the lens.

use crate::{gate::Gate, memory::Kind, registration::Index, size::Bytes};
use alloc::{
    format,
    string::{String, ToString},
};

mod axis;
mod command;
mod detail;
mod film;
mod lanes;
mod lens;
mod magnify;
mod painter;
pub mod palette;
mod placing;
mod ribbons;
mod ruler;
mod sheet;
mod shown;
mod steps;
mod stop;
pub mod svg;
mod view;
mod visible;

pub use command::{Anchor, Command, Drawing, Paint, TextStyle};
pub use detail::{Detail, beside, detail, detail_at, named};
pub use film::film;
pub use lens::focus;
pub use sheet::Heading;
pub use shown::{Lanes, LanesError};
pub use steps::{Fronts, Moment, Stage, Step, Steps};
pub use view::{OVERVIEW, View};

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
    /// The device's entries.
    Entries,
}

impl LaneName {
    /// All lanes, from above.
    pub const ALL: [Self; 5] = [
        Self::Virtual,
        Self::Frames,
        Self::Scatter,
        Self::Dma,
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

    /// The stage that fills the lane; the virtual memory is there from the start.
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Virtual => None,
            Self::Frames => Some(Stage::Pin),
            Self::Scatter => Some(Stage::Gather),
            Self::Dma => Some(Stage::Map),
            Self::Entries => Some(Stage::Cut),
        }
    }
}

/// What a picture emphasises.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attention {
    /// The lens is at the entry that holds this offset; at the [playhead](focus) if it is `None`.
    pub chosen: Option<i64>,
    /// A box to be framed, with lines up to its sources: the one in that lane that contains that offset.
    pub pointed: Option<(LaneName, i64)>,
    /// Whether the future stays hidden, so that a reader can predict it.
    pub veiled: bool,
}

/// Draws a registration as it is at `moment` (a step, and a part of the next), seen through `view`.
pub fn draw(index: &Index, view: View, moment: f64, attention: Attention) -> Drawing {
    let moment = Steps::new(index).moment(moment);
    painter::Painter::new(index, view, moment, attention).paint()
}

/// A label for a box or a run of equal boxes: "2M", "255 × 4K".
pub(crate) fn count_label(count: u64, size: u64) -> String {
    match count {
        1 => Bytes(size).to_string(),
        _ => format!("{count} × {}", Bytes(size)),
    }
}
