//! The ruler between DMA segments and entries: how far each device address is aligned.
//!
//! The more zero bits an address ends in, the taller its mark, up to what the device's largest size needs.
//! An IOMMU that moves the addresses moves the marks; the cut follows them.

use super::{
    Anchor, Command, LaneName, Paint, Stage, TextStyle, painter::Painter, view::Area,
    visible::visible,
};
use crate::size::{PageSize, PageSizes};
use alloc::{vec, vec::Vec};

/// How far apart the finest marks are at least, in pixels.
const APART: f64 = 5.0;
/// The height of the tallest mark; of a compact picture's.
pub(super) const TALLEST: f64 = 22.0;
const TALLEST_COMPACT: f64 = 12.0;

impl Painter<'_> {
    pub(super) fn ruler(&mut self) {
        // It needs the gap between the two lanes.
        if !self.area.shows(LaneName::Dma) || !self.area.shows(LaneName::Entries) {
            return;
        }
        let (_, front) = self.filled(Stage::Map);
        let top = self.area.rows(LaneName::Dma).end;
        let Some(finest) = finest(&self.area) else {
            return;
        };
        let sizes = self.registration().question().device().page_sizes;
        // More alignment than the largest size needs makes no difference.
        let highest = sizes
            .largest()
            .map_or(0, |largest| largest.log2().saturating_sub(finest.log2()));
        let marks = self.marks(front, finest, highest);
        let tallest = match self.area.view.compact {
            true => TALLEST_COMPACT,
            false => TALLEST,
        };
        let mut any = false;
        for (level, xs) in (0..).zip(marks) {
            if xs.is_empty() {
                continue;
            }
            any = true;
            let height = tallest * f64::from(level + 1) / f64::from(highest + 1);
            self.push(Command::Marks {
                xs,
                from: top + 2.0,
                to: top + 2.0 + height,
                paint: paint(sizes, finest.log2() + level),
                width: 1.0 + f64::from(level) / f64::from(highest + 1),
            });
        }
        if !self.area.narrow() && !self.area.view.compact && any {
            let at = (0.0, top + 14.0);
            let paint = Paint::Soft;
            self.text(at, Anchor::Start, TextStyle::Small, paint, "alignment");
        }
    }

    /// Where the marks of each level stand, in pixels; those of level 0 are aligned to `finest` only.
    fn marks(&self, front: f64, finest: PageSize, highest: u32) -> Vec<Vec<f64>> {
        let mut marks: Vec<Vec<f64>> = vec![Vec::new(); highest as usize + 1];
        for segment in visible(self.index.dma(), &self.area, front) {
            if segment.count > 1 || self.area.pixels(segment.size as f64) < 2.0 * APART {
                continue;
            }
            let start = (segment.offset as f64).max(self.area.view.from) as u64;
            let address = self.index.dma_address(start).get();
            let end = segment
                .end()
                .min(front)
                .min(self.area.view.from + self.area.view.span);
            let Some(mut mark) = finest.align_up(address) else {
                continue;
            };
            loop {
                let offset = start as f64 + (mark - address) as f64;
                // Nothing starts at the end of a segment.
                if offset >= end {
                    break;
                }
                let level = (mark.trailing_zeros() - finest.log2()).min(highest);
                let x = self.area.x(offset);
                if x >= self.area.left {
                    marks[level as usize].push(x);
                }
                match mark.checked_add(finest.bytes()) {
                    Some(next) => mark = next,
                    None => break,
                }
            }
        }
        marks
    }
}

/// The finest alignment with marks that do not run into each other.
fn finest(area: &Area) -> Option<PageSize> {
    (0..63)
        .filter_map(PageSize::from_log2)
        .find(|size| area.pixels(size.bytes() as f64) >= APART)
}

/// A mark stands out where a block of one of the device's sizes may begin, and none larger.
fn paint(sizes: PageSizes, zeros: u32) -> Paint {
    match PageSize::from_log2(zeros) {
        Some(size) if sizes.contains(size) => Paint::Ink,
        _ => Paint::Soft,
    }
}
