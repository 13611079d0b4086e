//! Ribbons: they link a box to its source in the lane above.

use super::{Command, LaneName, Paint, Stage, painter::Painter, visible::visible};
use crate::{registration::Lane, size::PageSize};

impl Painter<'_> {
    /// Ribbons from each lane to the one below, up to the lower one's front: one for each box of the finer lane.
    pub(super) fn ribbons(&mut self) {
        let shown = self.area.view.lanes.iter();
        for (above, below) in shown.clone().zip(shown.skip(1)) {
            if let Some(stage) = below.stage() {
                self.ribbons_between(above, below, stage);
            }
        }
    }

    /// Which of two lanes has the smaller boxes.
    fn finer(&self, above: LaneName, below: LaneName) -> LaneName {
        let count = |lane: LaneName| lane.boxes(self.index).map_or(0, Lane::count);
        match (above, below) {
            // An SG entry takes in whole frames.
            (LaneName::Frames, LaneName::Scatter) => above,
            // Where an SG entry became several segments, or several entries became one.
            (_, LaneName::Dma) if count(above) > count(below) => above,
            _ => below,
        }
    }

    fn ribbons_between(&mut self, above: LaneName, below: LaneName, stage: Stage) {
        let (top, bottom) = (self.area.rows(above).end, self.area.rows(below).start);
        let (pinned, pinned_end) = self.registration().pinned();
        let (from, to) = self.filled(stage);
        // Nothing comes from beyond the pinned pages, though a table's ends may reach there.
        let (from, to) = (from.max(pinned as f64), to.min(pinned_end as f64));
        let is_filled = |lane: &&Lane| !lane.runs().is_empty();
        if below.boxes(self.index).filter(is_filled).is_none() {
            return;
        }
        let finer = self.finer(above, below);
        let Some(boxes) = finer.boxes(self.index) else {
            return;
        };
        for item in visible(boxes, &self.area, to) {
            let (start, end) = (item.start().max(from), item.end().min(to));
            let Some((x, width)) = self.area.span(start, end) else {
                continue;
            };
            let gap = if width > 6.0 { 1.0 } else { 0.0 };
            let (left, right) = (x + gap, x + width - gap);
            let fill = match PageSize::new(item.size) {
                Some(size) if !matches!(finer, LaneName::Scatter | LaneName::Dma) => {
                    Paint::Tint(size)
                }
                _ => Paint::Ribbon,
            };
            self.push(Command::Polygon {
                points: [(left, top), (right, top), (right, bottom), (left, bottom)].into(),
                fill,
            });
        }
    }
}
