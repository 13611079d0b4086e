//! The visible boxes of a lane: at most a few a pixel, however many the lane holds.

use super::view::Area;
use crate::registration::{Lane, LaneRun};

/// Boxes at least this wide, in pixels, are drawn one by one.
const SEPARATE: f64 = 3.0;

/// Narrower runs share what a screen can show, in pixels.
const PIXEL: f64 = 1.0;

/// Something to draw: a box, or a run of boxes too narrow to be drawn one by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visible {
    /// Where it begins: bytes from `region.va`.
    pub(super) offset: i64,
    /// The bytes of one box.
    pub(super) size: u64,
    /// How many boxes it stands for.
    pub(super) count: u64,
}

impl Visible {
    pub(super) fn start(&self) -> f64 {
        self.offset as f64
    }

    pub(super) fn end(&self) -> f64 {
        self.offset as f64 + self.size as f64 * self.count as f64
    }
}

/// The boxes of `lane` in `area` that begin before the offset `until`.
pub(super) fn visible<'a>(lane: &'a Lane, area: &Area, until: f64) -> VisibleBoxes<'a> {
    VisibleBoxes {
        lane,
        area: *area,
        until: until.min(area.view.from + area.view.span),
        next: lane.first_ending_after(area.view.from as i64),
        run: None,
    }
}

/// See [`visible`].
#[derive(Clone, Debug)]
pub(super) struct VisibleBoxes<'a> {
    lane: &'a Lane,
    area: Area,
    until: f64,
    /// The next run.
    next: usize,
    /// The run being walked, and the number of its next box.
    run: Option<(LaneRun, u64)>,
}

impl Iterator for VisibleBoxes<'_> {
    type Item = Visible;

    fn next(&mut self) -> Option<Visible> {
        if self.run.is_none() {
            let run = self.lane.runs().get(self.next)?;
            if run.offset as f64 >= self.until {
                return None;
            }
            let (left, right) = (
                self.area.x(run.offset as f64),
                self.area.x(run.end() as f64),
            );
            // Of runs that share a pixel only the first is drawn, so a picture costs what it is wide.
            self.next = if right - left < PIXEL {
                let pixel = self.area.offset_at(right + PIXEL);
                self.lane
                    .first_ending_after(pixel as i64)
                    .max(self.next + 1)
            } else {
                self.next + 1
            };
            if run.count > 1 && self.area.pixels(run.size as f64) < SEPARATE {
                return Some(Visible {
                    offset: run.offset,
                    size: run.size,
                    count: run.count,
                });
            }
            let seen = (self.area.view.from - run.offset as f64) / run.size as f64;
            self.run = Some((run, seen.max(0.0) as u64));
        }
        let (run, i) = self.run?;
        let offset = run.offset_of(i);
        if offset as f64 >= self.until {
            return None;
        }
        self.run = (i + 1 < run.count).then_some((run, i + 1));
        Some(Visible {
            offset,
            size: run.size,
            count: 1,
        })
    }
}
