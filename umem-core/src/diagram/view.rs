//! The visible part of the region, and its position in the picture.

use super::{LaneName, Lanes};
use crate::registration::Registration;
use core::ops::Range;

/// The visible part of the region, and the size of the picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct View {
    /// The first offset that is seen: bytes from `region.va`.
    pub from: f64,
    /// How many bytes are seen.
    pub span: f64,
    /// The width of the picture in pixels.
    pub width: f64,
    /// Which of the lanes it has; the lens comes with the entries.
    pub lanes: Lanes,
    /// Whether its lanes stand closer together and it has no lens, so that it is two thirds as high.
    pub compact: bool,
}

impl View {
    /// All of the backing memory and of the table, in a picture of `width` pixels.
    pub fn whole(registration: &Registration, width: f64) -> Self {
        let (_, end) = registration.pinned();
        let memory = registration.question().memory();
        let length = memory
            .length()
            .min(end + memory.page_size().bytes())
            .max(end);
        Self {
            from: 0.0,
            span: length as f64,
            width,
            lanes: Lanes::USUAL,
            compact: false,
        }
    }

    /// The view magnified by `factor` around the offset that stands at `x` pixels, within what `whole` sees and down to 16 bytes.
    #[must_use]
    pub fn zoomed(self, factor: f64, x: f64, whole: Self) -> Self {
        let area = Area::new(self);
        let fixed = within(area.offset_at(x), self.from, self.from + self.span);
        let span = within(self.span / factor, 16f64.min(whole.span), whole.span);
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

    /// The view moved as little as possible so that `offset` is well inside it.
    #[must_use]
    pub fn showing(self, offset: f64, whole: Self) -> Self {
        let margin = self.span / 8.0;
        let (least, most) = (offset + margin - self.span, offset - margin);
        Self {
            from: within(self.from, least, most),
            ..self
        }
        .within(whole)
    }

    /// The view with its middle where `x` is on the [overview](OVERVIEW), within what `whole` sees.
    #[must_use]
    pub fn centred(self, x: f64, whole: Self) -> Self {
        let area = Area::new(self);
        let at = whole.from + (x - area.left) / area.width * whole.span;
        Self {
            from: at - self.span / 2.0,
            ..self
        }
        .within(whole)
    }

    /// Where `offset` stands in the picture, in pixels from its left edge.
    pub fn x(&self, offset: f64) -> f64 {
        Area::new(*self).x(offset)
    }

    fn within(self, whole: Self) -> Self {
        let most = whole.from + whole.span - self.span;
        Self {
            from: within(self.from, whole.from, most.max(whole.from)),
            ..self
        }
    }
}

/// `number`, or the bound that it passes. Not `f64::clamp`: its panic formats the bounds, which in WebAssembly costs more bytes than
/// all of this module.
pub(super) fn within(number: f64, least: f64, most: f64) -> f64 {
    number.min(most).max(least)
}

/// The height of the overview at the top of a picture that does not show all: which part of it is seen, in pixels.
pub const OVERVIEW: f64 = 10.0;
/// Narrower pictures have the lanes' names above the lanes, not beside them.
const NARROW: f64 = 600.0;
/// Where the lines of the axis begin.
pub(super) const AXIS: f64 = 30.0;
/// The height of a box.
pub(super) const BOX: f64 = 32.0;
/// What stands under the lens's boxes: addresses, and how many bits of them are 0.
const UNDER_LENS: f64 = 38.0;
/// The room under the lanes without a lens: for the end of the playhead.
const UNDER_LANES: f64 = 8.0;

/// Where the lanes are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) view: View,
    /// Where the lanes begin, right of their names.
    pub(super) left: f64,
    pub(super) width: f64,
}

impl Area {
    pub(super) fn new(view: View) -> Self {
        let (left, right) = if view.width < NARROW {
            (7.0, 7.0)
        } else {
            (128.0, 14.0)
        };
        Self {
            view,
            left,
            width: (view.width - left - right).max(16.0),
        }
    }

    pub(super) fn narrow(&self) -> bool {
        self.view.width < NARROW
    }

    pub(super) fn x(&self, offset: f64) -> f64 {
        self.left + (offset - self.view.from) / self.view.span * self.width
    }

    pub(super) fn offset_at(&self, x: f64) -> f64 {
        self.view.from + (x - self.left) / self.width * self.view.span
    }

    /// How many pixels `bytes` are wide.
    pub(super) fn pixels(&self, bytes: f64) -> f64 {
        bytes / self.view.span * self.width
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The visible pixels between two offsets: left edge and width.
    pub(super) fn span(&self, from: f64, to: f64) -> Option<(f64, f64)> {
        let left = self.x(from).max(self.left);
        let right = self.x(to).min(self.right());
        (right > left).then(|| (left, (right - left).max(0.6)))
    }

    /// Where a lane lies, from its upper edge to its lower.
    pub(super) fn rows(&self, lane: LaneName) -> Range<f64> {
        let y = self.row(f64::from(self.view.lanes.above(lane)));
        y..y + BOX
    }

    /// Whether the picture has the lane.
    pub(super) fn shows(&self, lane: LaneName) -> bool {
        self.view.lanes.contains(lane)
    }

    /// Where the lowest lane ends.
    pub(super) fn bottom(&self) -> f64 {
        self.rows(self.view.lanes.last()).end
    }

    /// Whether the picture has room for the lens, or for why there is no table.
    pub(super) fn has_lens(&self) -> bool {
        self.shows(LaneName::Entries) && !self.view.compact
    }

    /// Where the lens's boxes lie.
    pub(super) fn lens_rows(&self) -> Range<f64> {
        let y = self.rows(LaneName::Entries).end + if self.narrow() { 50.0 } else { 44.0 };
        y..y + BOX
    }

    fn row(&self, n: f64) -> f64 {
        // Names above the lanes need room.
        let (first, gap) = match (self.narrow(), self.view.compact) {
            (true, _) => (26.0, 46.0),
            (false, false) => (6.0, 36.0),
            (false, true) => (6.0, 18.0),
        };
        AXIS + first + n * (BOX + gap)
    }

    /// The height of the whole picture.
    pub(super) fn height(&self) -> f64 {
        match self.has_lens() {
            true => self.lens_rows().end + UNDER_LENS,
            false => self.bottom() + UNDER_LANES,
        }
    }
}

/// The size of the mark of a gate, in pixels.
pub(super) const MARK: (f64, f64) = (5.0, 9.0);

/// Where the marks stand of the gates in front of `lane`: in the gap above it. `None` where there is none.
pub(super) fn room(area: &Area, lane: LaneName) -> Option<Range<f64>> {
    let shown = area.view.lanes;
    if !shown.contains(lane) || shown.above(lane) == 0 {
        return None;
    }
    let top = area.rows(lane).start;
    // In a narrow picture the lane's name stands right above it.
    let y = if area.narrow() {
        top - 40.0
    } else {
        top - 15.0
    };
    Some(y..y + MARK.1)
}
