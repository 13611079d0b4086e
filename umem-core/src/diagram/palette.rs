//! Colours: one ordered scale for page sizes, one warm accent for the present moment.
//!
//! Sizes go from pale to deep in one hue (in the dark, from deep to pale), so their order survives every kind of colour
//! blindness and print. Boxes carry labels, so colour is never the only sign of a size.

use super::Paint;
use crate::size::PageSize;

/// The colours of a theme, as `0xrrggbb`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Palette {
    /// The ground.
    pub ground: u32,
    /// Text and outlines.
    pub ink: u32,
    /// Secondary text.
    pub soft: u32,
    /// Lines of the axis.
    pub grid: u32,
    /// Boxes without a size of their own.
    pub card: u32,
    /// Links between lanes.
    pub ribbon: u32,
    /// The present moment.
    pub accent: u32,
    /// The scale, at 4K, 64K, 1M, 2M, 1G and beyond: see [`STOPS`].
    pub sizes: [u32; 6],
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
    sizes: [0xa9d3ea, 0x74b3d8, 0x4592c8, 0x14559a, 0x0b2e66, 0x051a40],
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
};

impl Palette {
    /// The colour of `paint`, as `0xrrggbb`.
    pub fn colour(&self, paint: Paint) -> u32 {
        match paint {
            Paint::Size(size) => self.size(size),
            Paint::OddSize => self.card,
            Paint::OnSize(size) => legible_on(self.size(size)),
            Paint::Tint(size) => mix(self.ground, self.size(size), 22, 100),
            Paint::Ground => self.ground,
            Paint::Ink => self.ink,
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
        mix(
            self.sizes[i],
            colour,
            log2.saturating_sub(STOPS[i]),
            next - STOPS[i],
        )
    }
}

/// The colour `part` of `whole` on the way from one to the other.
const fn mix(from: u32, to: u32, part: u32, whole: u32) -> u32 {
    let (mut colour, mut shift) = (0, 0);
    while shift < 24 {
        let (from, to) = ((from >> shift) & 0xff, (to >> shift) & 0xff);
        colour |= ((from * (whole - part) + to * part) / whole) << shift;
        shift += 8;
    }
    colour
}

/// White or black, whichever is easier to read on `colour`: a contrast of 4.5 or more (WCAG 2.2, 1.4.3).
fn legible_on(colour: u32) -> u32 {
    let linear = |shift: u32| {
        // The usual cubic for sRGB's curve: `powf` is not in `core`.
        let c = f64::from((colour >> shift) & 0xff) / 255.0;
        c * (c * (c * 0.305_306_011 + 0.682_171_111) + 0.012_522_878)
    };
    let luminance = 0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0);
    // Where (1.05 / (l + 0.05)) and ((l + 0.05) / 0.05) are equal.
    if luminance < 0.179 {
        0xffffff
    } else {
        0x000000
    }
}

/// The last stop at or below `size`.
fn stop(size: PageSize) -> usize {
    STOPS
        .iter()
        .rposition(|stop| *stop <= size.log2())
        .unwrap_or(0)
}
