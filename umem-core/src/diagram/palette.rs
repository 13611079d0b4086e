//! Colours: one ordered scale for page sizes, one warm accent for the present moment.
//!
//! Sizes go from pale to deep in one hue (in the dark, from deep to pale), so their order survives every kind of colour
//! blindness and print; and no size is told by colour alone, since boxes carry labels.

use super::Paint;
use crate::size::PageSize;

/// The colours of a theme, as `0xrrggbb`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Palette {
    /// The ground.
    pub ground: u32,
    /// Text and outlines.
    pub ink: u32,
    /// What matters less.
    pub soft: u32,
    /// Lines of the axis.
    pub grid: u32,
    /// Boxes without a size of their own.
    pub card: u32,
    /// What a box became.
    pub ribbon: u32,
    /// The present moment.
    pub accent: u32,
    /// The scale, at 4K, 64K, 1M, 2M, 1G and beyond: see [`STOPS`].
    pub sizes: [u32; 6],
    /// The first size, as an index of `sizes`, on which text has the colour of the ground.
    pub ground_text_from: usize,
}

/// The log2 of the sizes at which the scale has its stops.
pub const STOPS: [u32; 6] = [12, 16, 20, 21, 30, 40];

/// For light grounds.
pub const LIGHT: Palette = Palette {
    ground: 0xfbfaf7,
    ink: 0x1d2430,
    soft: 0x5b6576,
    grid: 0xd9d6cd,
    card: 0xffffff,
    ribbon: 0xe6eaee,
    accent: 0xc2410c,
    sizes: [0xa9d3ea, 0x74b3d8, 0x3a86bd, 0x14559a, 0x0b2e66, 0x051a40],
    ground_text_from: 3,
};

/// For dark grounds.
pub const DARK: Palette = Palette {
    ground: 0x12161d,
    ink: 0xe8ecf3,
    soft: 0x9aa6b8,
    grid: 0x2b3340,
    card: 0x181e28,
    ribbon: 0x1d2836,
    accent: 0xff9d66,
    sizes: [0x2a5578, 0x3b78a6, 0x5aa5d6, 0x93cdf2, 0xd3ecff, 0xf0f8ff],
    ground_text_from: 2,
};

impl Palette {
    /// The colour of `paint`, as `0xrrggbb`.
    pub fn colour(&self, paint: Paint) -> u32 {
        match paint {
            Paint::Size(size) => self.size(size),
            Paint::OddSize => self.card,
            Paint::OnSize(size) if stop(size) >= self.ground_text_from => self.ground,
            Paint::OnSize(_) | Paint::Ink => self.ink,
            Paint::Soft => self.soft,
            Paint::Grid => self.grid,
            Paint::Card => self.card,
            Paint::Ribbon => self.ribbon,
            Paint::Accent => self.accent,
        }
    }

    /// The colour of a page size: between the stops on either side.
    fn size(&self, size: PageSize) -> u32 {
        let (log2, i) = (size.log2(), stop(size));
        let (Some(&next), Some(&colour)) = (STOPS.get(i + 1), self.sizes.get(i + 1)) else {
            return self.sizes[i];
        };
        let (part, whole) = (log2.saturating_sub(STOPS[i]), next - STOPS[i]);
        let channel = |shift: u32| {
            let (from, to) = (self.sizes[i] >> shift & 0xff, colour >> shift & 0xff);
            ((from * (whole - part) + to * part) / whole) << shift
        };
        channel(16) | channel(8) | channel(0)
    }
}

/// The last stop at or below `size`.
fn stop(size: PageSize) -> usize {
    STOPS
        .iter()
        .rposition(|stop| *stop <= size.log2())
        .unwrap_or(0)
}
