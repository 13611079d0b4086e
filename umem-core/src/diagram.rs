//! A registration → lanes of boxes, at a zoom and a moment → drawing commands → SVG.
//!
//! Nothing here knows a screen: [`draw`] yields a list of [`Command`]s that the page paints on a canvas and
//! [`svg::render`] writes as SVG. The list is as long as the picture is wide, never as long as the region.

use crate::{
    registration::{Index, LaneRun, Registration},
    size::{Bytes, PageSize},
    table::Policy,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

mod lanes;
pub mod palette;
mod steps;
pub mod svg;

pub use steps::{Fronts, Moment, Stage, Step, Steps};

/// What of the region is seen, and how large the picture is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct View {
    /// The first offset that is seen: bytes from `region.va`.
    pub from: f64,
    /// How many bytes are seen.
    pub span: f64,
    /// The width of the picture in pixels.
    pub width: f64,
}

impl View {
    /// All of the backing memory and of the table, in a picture of `width` pixels.
    pub fn whole(registration: &Registration, width: f64) -> Self {
        let (_, end) = registration.pinned();
        let length = registration
            .question()
            .memory
            .length()
            .min(end + registration.question().memory.page_size().bytes())
            .max(end);
        Self {
            from: 0.0,
            span: length as f64,
            width,
        }
    }

    /// The view magnified by `factor` around the offset that stands at `x` pixels, within what `whole` sees and down to 16 bytes.
    #[must_use]
    pub fn zoomed(self, factor: f64, x: f64, whole: Self) -> Self {
        let area = Area::new(self);
        let fixed = area.offset_at(x).clamp(self.from, self.from + self.span);
        let span = (self.span / factor).clamp(16f64.min(whole.span), whole.span);
        let from = fixed - (fixed - self.from) * (span / self.span);
        Self { from, span, ..self }.within(whole)
    }

    /// The view moved by `pixels` to the right, within what `whole` sees.
    #[must_use]
    pub fn panned(self, pixels: f64, whole: Self) -> Self {
        let area = Area::new(self);
        Self {
            from: self.from + pixels * self.span / area.width,
            ..self
        }
        .within(whole)
    }

    fn within(self, whole: Self) -> Self {
        let most = whole.from + whole.span - self.span;
        Self {
            from: self.from.clamp(whole.from, most.max(whole.from)),
            ..self
        }
    }
}

/// The rectangle in which lanes are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    view: View,
    /// Where the lanes begin, right of their names.
    left: f64,
    width: f64,
}

/// Narrower pictures have the lanes' names above the lanes, not beside them.
const NARROW: f64 = 600.0;

impl Area {
    pub(crate) fn new(view: View) -> Self {
        let (left, right) = if view.width < NARROW {
            (8.0, 8.0)
        } else {
            (116.0, 12.0)
        };
        Self {
            view,
            left,
            width: (view.width - left - right).max(16.0),
        }
    }

    pub(crate) fn x(&self, offset: f64) -> f64 {
        self.left + (offset - self.view.from) / self.view.span * self.width
    }

    pub(crate) fn offset_at(&self, x: f64) -> f64 {
        self.view.from + (x - self.left) / self.width * self.view.span
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }
}

/// A shape to be painted. Lengths are pixels, *y* grows downwards.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// A rectangle.
    Rect {
        /// Left edge.
        x: f64,
        /// Upper edge.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
        /// How round its corners are.
        radius: f64,
        /// What fills it.
        fill: Option<Paint>,
        /// What outlines it.
        stroke: Option<Paint>,
        /// Whether the outline is dashed.
        dashed: bool,
    },
    /// A straight line.
    Line {
        /// From here.
        from: (f64, f64),
        /// To here.
        to: (f64, f64),
        /// Its colour.
        paint: Paint,
        /// How thick it is.
        width: f64,
    },
    /// A filled polygon: ribbons and the playhead's tip.
    Polygon {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// What fills it.
        fill: Paint,
    },
    /// A line of text.
    Text {
        /// Where it is anchored.
        x: f64,
        /// Its base line.
        y: f64,
        /// Which end of it is at `x`.
        anchor: Anchor,
        /// How it looks.
        style: TextStyle,
        /// Its colour.
        paint: Paint,
        /// What it says.
        text: String,
    },
}

/// Which end of a text stands at its anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextStyle {
    /// The name of a lane.
    Title,
    /// A label in a box.
    Label,
    /// A number on the axis.
    Small,
}

impl TextStyle {
    /// The height of its letters in pixels.
    pub const fn pixels(self) -> f64 {
        match self {
            Self::Title | Self::Label => 13.0,
            Self::Small => 12.0,
        }
    }
}

/// What a shape is painted with: its meaning, which a [palette](palette::Palette) turns into a colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// A page size, on the ordered scale.
    Size(PageSize),
    /// A length that is no power of two.
    OddSize,
    /// Text on a page size.
    OnSize(PageSize),
    /// Text and outlines.
    Ink,
    /// What matters less.
    Soft,
    /// Lines of the axis.
    Grid,
    /// The ground of boxes that have no size of their own.
    Card,
    /// What a box became in the next lane.
    Ribbon,
    /// The present moment.
    Accent,
}

/// A picture: what to paint, in order, and how large it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Drawing {
    /// Its width in pixels.
    pub width: f64,
    /// Its height in pixels.
    pub height: f64,
    /// Its shapes, those below first.
    pub commands: Vec<Command>,
}

/// Which lanes a picture has.
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

    /// What stands beside the lane.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Virtual => "Virtual memory",
            Self::Frames => "Physical frames",
            Self::Scatter => "SG entries",
            Self::Dma => "DMA segments",
            Self::Entries => "Device entries",
        }
    }
}

/// Draws `registration` as it is at `moment` (a step, and a part of the next), seen through `view`.
pub fn draw(
    registration: &Registration,
    index: &Index,
    steps: &Steps,
    view: View,
    moment: f64,
) -> Drawing {
    lanes::Painter::new(registration, index, view, steps.moment(moment)).paint()
}

/// A box of a lane, in words: what a pointer over it, or a screen reader, is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Its lane.
    pub lane: LaneName,
    /// Where it begins in the region, in bytes from `region.va`.
    pub offset: i64,
    /// Its size in bytes.
    pub size: u64,
    /// Its number in the lane, from 0.
    pub number: u64,
    /// The sentence.
    pub text: String,
}

/// What stands at (`x`, `y`) of the picture that `view` has.
pub fn detail(
    registration: &Registration,
    index: &Index,
    view: View,
    x: f64,
    y: f64,
) -> Option<Detail> {
    let area = Area::new(view);
    let lane = LaneName::ALL
        .into_iter()
        .find(|lane| lanes::rows(&area, *lane).contains(&y))?;
    let offset = area.offset_at(x);
    (area.left..=area.right())
        .contains(&x)
        .then(|| detail_at(registration, index, lane, offset as i64))?
}

/// The box of `lane` that holds `offset`.
pub fn detail_at(
    registration: &Registration,
    index: &Index,
    lane: LaneName,
    offset: i64,
) -> Option<Detail> {
    let mr = &registration.question().mr;
    let of = |run: LaneRun, i: u64| (run.offset_of(i), run.size, run.first + i);
    let boxes = match lane {
        LaneName::Virtual => {
            let (start, end) = (mr.offset as i64, (mr.offset + mr.length) as i64);
            let text = format!(
                "the registered region: {} from {:#x}, which the NIC knows as {:#x}",
                Bytes(mr.length),
                mr.address,
                mr.hca_address
            );
            return (start..end).contains(&offset).then_some(Detail {
                lane,
                offset: start,
                size: mr.length,
                number: 0,
                text,
            });
        }
        LaneName::Frames => &index.frames,
        LaneName::Scatter => &index.scatter,
        LaneName::Dma => &index.dma,
        LaneName::Entries => &index.entries,
    };
    let (start, size, number) = boxes.at(offset).map(|(run, i)| of(run, i))?;
    let frame = |offset: i64| registration.question().memory.frame(offset as u64);
    let text = match lane {
        LaneName::Frames => format!("frames {} + {}", frame(start), Bytes(size)),
        LaneName::Scatter => format!("SG entry {number}: {} + {}", frame(start), Bytes(size)),
        LaneName::Dma => format!(
            "DMA segment {number}: {} + {}",
            index.dma_address(registration, start as u64),
            Bytes(size)
        ),
        _ => {
            let entry = format!(
                "entry {number}: {} at {}",
                Bytes(size),
                index.entry_address(registration, start)
            );
            match registration.question().device.policy {
                Policy::Mixed if start >= 0 => {
                    let cut = registration.cut_at(index, start as u64);
                    format!(
                        "{entry}. {}",
                        cut.text(registration.question().device.page_sizes)
                    )
                }
                _ => entry,
            }
        }
    };
    Some(Detail {
        lane,
        offset: start,
        size,
        number,
        text,
    })
}

/// A label for a box or a run of equal boxes: "2M", "255 × 4K".
pub(crate) fn count_label(count: u64, size: u64) -> String {
    match count {
        1 => Bytes(size).to_string(),
        _ => format!("{count} × {}", Bytes(size)),
    }
}
