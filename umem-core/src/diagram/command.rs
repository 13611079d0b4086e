//! The shapes of a picture.

use crate::size::PageSize;
use alloc::{string::String, vec::Vec};
use core::ops::Range;

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
    /// Upright lines of one height: marks of a ruler, borders of boxes too narrow to be drawn.
    Marks {
        /// Where they stand.
        xs: Vec<f64>,
        /// Their upper end.
        from: f64,
        /// Their lower end.
        to: f64,
        /// Their colour.
        paint: Paint,
        /// How thick they are.
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

impl Command {
    /// The same shape elsewhere: so many pixels to the right, and so many down.
    pub(super) fn moved(mut self, right: f64, down: f64) -> Self {
        match &mut self {
            Self::Rect { x, y, .. } | Self::Text { x, y, .. } => {
                *x += right;
                *y += down;
            }
            Self::Line { from, to, .. } => {
                for (x, y) in [from, to] {
                    *x += right;
                    *y += down;
                }
            }
            Self::Marks { xs, from, to, .. } => {
                xs.iter_mut().for_each(|x| *x += right);
                *from += down;
                *to += down;
            }
            Self::Polygon { points, .. } => {
                for (x, y) in points {
                    *x += right;
                    *y += down;
                }
            }
        }
        self
    }

    /// Where a line of text stands: from left to right, and from above to below; `None` for all else.
    pub(super) fn words(&self) -> Option<(Range<f64>, Range<f64>)> {
        let Self::Text {
            x,
            y,
            anchor,
            style,
            text,
            ..
        } = self
        else {
            return None;
        };
        let width = style.width(text);
        let left = match anchor {
            Anchor::Start => *x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        Some((left..left + width, y - style.pixels()..y + 4.0))
    }
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
    /// The heading of a picture.
    Heading,
    /// The name of a lane.
    Title,
    /// A label in a box.
    Label,
    /// A number on the axis, a count.
    Small,
    /// An address, in letters of one width.
    Address,
}

impl TextStyle {
    /// The height of its letters in pixels.
    pub const fn pixels(self) -> f64 {
        match self {
            Self::Heading => 16.0,
            Self::Title | Self::Label => 13.0,
            Self::Small => 12.0,
            Self::Address => 11.0,
        }
    }

    /// Whether it is set in bold.
    pub const fn bold(self) -> bool {
        matches!(self, Self::Heading | Self::Title)
    }

    /// Whether all its letters have one width.
    pub const fn monospaced(self) -> bool {
        matches!(self, Self::Address)
    }

    /// About how wide `text` is, in pixels: no less than in the widest fonts that systems have.
    pub fn width(self, text: &str) -> f64 {
        let em = |c: char| match c {
            _ if self.monospaced() => 0.61,
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.36,
            'f' | 'r' | 't' | '(' | ')' | '-' | '1' if !self.bold() => 0.5,
            'm' | 'w' | 'M' | 'W' | '×' | '…' | '+' | '→' => 0.9,
            'A'..='Z' => 0.72,
            _ => 0.63,
        };
        let weight = if self.bold() { 1.08 } else { 1.0 };
        text.chars().map(em).sum::<f64>() * self.pixels() * weight
    }
}

/// The paint of a shape: a meaning, which a [palette](super::palette::Palette) turns into a colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// A page size, on the ordered scale.
    Size(PageSize),
    /// Text on a page size.
    OnSize(PageSize),
    /// The ribbon of something that has a page size: a hint of its colour.
    Tint(PageSize),
    /// A length that is not a power of two.
    OddSize,
    /// The ground of the picture, and text on the accent.
    Ground,
    /// Text and outlines.
    Ink,
    /// Secondary text.
    Soft,
    /// Lines of the axis.
    Grid,
    /// The ground of boxes that have no size of their own.
    Card,
    /// Links between lanes.
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
