//! Mapping, animated: an SG entry sinks to its device address.

use super::{Command, LaneName, Paint, Stage, painter::Painter, view::BOX};

/// A segment on its way from the lane of the SG entries to its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placing {
    /// Where it begins and ends: bytes from `region.va`.
    pub(super) from: f64,
    pub(super) to: f64,
    /// How much of the way is done, from 0 to 1.
    part: f64,
}

impl Painter<'_> {
    /// The one segment that is being placed; a run of several fills its lane as a front instead.
    pub(super) fn placing(&self) -> Option<Placing> {
        let step = self.moment.step?;
        let lanes = self.area.shows(LaneName::Scatter) && self.area.shows(LaneName::Dma);
        (lanes && step.stage == Stage::Map && step.run.count == 1).then(|| Placing {
            from: step.run.offset as f64,
            to: step.run.end() as f64,
            part: self.moment.part,
        })
    }

    /// The segment on its way, with the ribbon that it draws after it.
    pub(super) fn sink(&mut self) {
        let Some(Placing { from, to, part }) = self.placing().filter(|placing| placing.part > 0.0)
        else {
            return;
        };
        let Some((x, width)) = self.area.span(from, to) else {
            return;
        };
        let above = self.area.rows(LaneName::Scatter);
        let y = above.start + (self.area.rows(LaneName::Dma).start - above.start) * part;
        if y > above.end {
            self.push(Command::Polygon {
                points: [
                    (x + 1.0, above.end),
                    (x + width - 1.0, above.end),
                    (x + width - 1.0, y),
                    (x + 1.0, y),
                ]
                .into(),
                fill: Paint::Ribbon,
            });
        }
        // While it leaves the SG entry, only the part below is visible.
        let top = y.max(above.end);
        if y + BOX > top {
            self.push(Command::Rect {
                x: x + 0.75,
                y: top,
                width: (width - 1.5).max(0.5),
                height: y + BOX - top,
                radius: 4f64.min(width / 4.0),
                fill: Some(Paint::Card),
                stroke: Some(Paint::Accent),
                dashed: false,
            });
        }
    }
}
