//! The lens: a dozen entries side by side, large enough to read, wherever the playhead is.
//!
//! On the axis a 4K entry may be a pixel wide and its neighbour half the picture. Here widths grow with the order of
//! the size only, so both can be seen.

use super::{Moment, Stage, view::Area};
use crate::registration::Index;
use alloc::vec::Vec;

/// How many boxes there are at most.
const MOST: u64 = 13;
/// The room that a box wants at least, in pixels.
const ROOM: f64 = 58.0;
/// The most that a box gets, when there are few.
const WIDEST: f64 = 200.0;

/// The offset at which the lens looks unless the reader chose one: the playhead while the table is cut, its beginning before that,
/// and at the end the entry at which sizes first change. `None` if there is no table.
pub fn focus(index: &Index, moment: &Moment) -> Option<i64> {
    let runs = index.entries().runs();
    let (first, last) = (runs.first()?, runs.last()?);
    let (from, _) = index.registration().pinned();
    match (moment.step, runs.get(1)) {
        (Some(step), _) if step.stage == Stage::Cut => {
            let front = moment.fronts.of(Stage::Cut) as i64;
            Some(front.clamp(first.offset, last.end() - 1))
        }
        (None, Some(second)) => Some(second.offset),
        _ => Some(first.offset.max(from as i64)),
    }
}

/// An entry under the lens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Magnified {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) offset: i64,
    pub(super) size: u64,
}

/// What is under the lens.
#[derive(Clone, Debug)]
pub(super) struct Lens {
    pub(super) boxes: Vec<Magnified>,
    /// The number of the first box among the table's entries.
    pub(super) first: u64,
    /// The number, among the table's entries, of the one that it looks at.
    pub(super) focus: u64,
}

impl Lens {
    pub(super) fn new(index: &Index, area: &Area, focus: i64) -> Option<Self> {
        let entries = index.entries();
        let (run, i) = entries.at(focus)?;
        let focus = run.first + i;
        let room = ((area.width / ROOM) as u64).clamp(1, MOST);
        let count = room.min(entries.count());
        // Two thirds of what is seen lies behind: the table grows from there.
        let first = focus
            .saturating_sub(count * 2 / 3)
            .min(entries.count() - count);
        let weight = |size: u64| 1.0 + 0.1 * f64::from(size.max(4096).ilog2() - 12);
        let sizes: Vec<_> = (first..first + count)
            .filter_map(|n| entries.nth(n))
            .map(|(run, i)| (run.offset_of(i), run.size))
            .collect();
        let total: f64 = sizes.iter().map(|(_, size)| weight(*size)).sum();
        let unit = (area.width / total).min(WIDEST);
        let mut x = area.left;
        let boxes = sizes
            .into_iter()
            .map(|(offset, size)| {
                let width = weight(size) * unit;
                x += width;
                Magnified {
                    x: x - width,
                    width,
                    offset,
                    size,
                }
            })
            .collect();
        Some(Self {
            boxes,
            first,
            focus,
        })
    }

    /// The box at `x` pixels.
    pub(super) fn at(&self, x: f64) -> Option<&Magnified> {
        self.boxes
            .iter()
            .find(|magnified| (magnified.x..magnified.x + magnified.width).contains(&x))
    }
}
