//! Ribbons: they link a box to its source in the lane above.

use super::{Command, LaneName, Paint, Stage, painter::Painter, visible::visible};
use crate::size::PageSize;

impl Painter<'_> {
    /// Ribbons from each lane to the one below, up to the lower one's front: one for each box of the finer lane.
    pub(super) fn ribbons(&mut self) {
        let shown = self.area.view.lanes.iter();
        for (above, below) in shown.clone().zip(shown.skip(1)) {
            if let Some(stage) = below.stage() {
                let finer = self.finer(above, stage);
                self.ribbons_between(above, below, stage, finer);
            }
        }
    }

    /// Which boxes are smaller: those of the lane `above`, or what `stage` made of them.
    fn finer(&self, above: LaneName, stage: Stage) -> Stage {
        match (above.stage(), stage) {
            // An SG entry takes in whole frames.
            (Some(Stage::Pin), Stage::Gather) => Stage::Pin,
            // Where an SG entry became several segments, or several entries became one.
            (Some(above), Stage::Map) if self.boxes(above).count() > self.boxes(stage).count() => {
                above
            }
            _ => stage,
        }
    }

    fn ribbons_between(&mut self, above: LaneName, below: LaneName, stage: Stage, finer: Stage) {
        let (top, bottom) = (self.area.rows(above).end, self.area.rows(below).start);
        let (pinned, pinned_end) = self.registration().pinned();
        let (from, to) = self.filled(stage);
        // Nothing comes from beyond the pinned pages, though a table's ends may reach there.
        let (from, to) = (from.max(pinned as f64), to.min(pinned_end as f64));
        if self.boxes(stage).runs().is_empty() {
            return;
        }
        for item in visible(self.boxes(finer), &self.area, to) {
            let (start, end) = (item.start().max(from), item.end().min(to));
            let Some((x, width)) = self.area.span(start, end) else {
                continue;
            };
            let gap = if width > 6.0 { 1.0 } else { 0.0 };
            let (left, right) = (x + gap, x + width - gap);
            let fill = match PageSize::new(item.size) {
                Some(size) if finer == Stage::Cut || finer == Stage::Pin => Paint::Tint(size),
                _ => Paint::Ribbon,
            };
            self.push(Command::Polygon {
                points: [(left, top), (right, top), (right, bottom), (left, bottom)].into(),
                fill,
            });
        }
    }
}
