//! The five lanes, their ribbons and the playhead, as drawing commands.

use super::{
    Anchor, Area, Command, Drawing, LaneName, Moment, Paint, Stage, TextStyle, View, count_label,
};
use crate::{
    registration::{Index, Lane, LaneRun, Registration},
    size::{Bytes, PageSize},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::ops::Range;

const AXIS: f64 = 26.0;
const BOX: f64 = 30.0;
const GAP: f64 = 34.0;
/// Names above the lanes need room.
const NARROW_GAP: f64 = 44.0;
/// Boxes at least this wide are drawn one by one.
const SEPARATE: f64 = 3.0;

/// Where a lane lies, from its upper edge to its lower.
pub(super) fn rows(area: &Area, lane: LaneName) -> Range<f64> {
    let name = if narrow(area) { 20.0 } else { 4.0 };
    let y = AXIS + name + f64::from(lane as u8) * (BOX + gap(area));
    y..y + BOX
}

fn narrow(area: &Area) -> bool {
    area.view.width < super::NARROW
}

fn gap(area: &Area) -> f64 {
    if narrow(area) { NARROW_GAP } else { GAP }
}

/// A lane's runs as far as they are done, and which box is drawn how.
pub(super) struct Painter<'a> {
    registration: &'a Registration,
    index: &'a Index,
    area: Area,
    moment: Moment,
    commands: Vec<Command>,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        registration: &'a Registration,
        index: &'a Index,
        view: View,
        moment: Moment,
    ) -> Self {
        Self {
            registration,
            index,
            area: Area::new(view),
            moment,
            commands: Vec::new(),
        }
    }

    pub(super) fn paint(mut self) -> Drawing {
        self.axis();
        self.ribbons();
        self.virtual_memory();
        self.lane(LaneName::Frames, Stage::Pin, &self.index.frames);
        self.lane(LaneName::Scatter, Stage::Gather, &self.index.scatter);
        self.lane(LaneName::Dma, Stage::Map, &self.index.dma);
        self.lane(LaneName::Entries, Stage::Cut, &self.index.entries);
        for lane in LaneName::ALL {
            self.name(lane);
        }
        self.playhead();
        let height = rows(&self.area, LaneName::Entries).end + 30.0;
        Drawing {
            width: self.area.view.width,
            height,
            commands: self.commands,
        }
    }

    fn name(&mut self, lane: LaneName) {
        let rows = rows(&self.area, lane);
        let y = if narrow(&self.area) {
            rows.start - 6.0
        } else {
            rows.start + 19.5
        };
        let x = if narrow(&self.area) {
            self.area.left
        } else {
            0.0
        };
        self.text(
            x,
            y,
            Anchor::Start,
            TextStyle::Title,
            Paint::Ink,
            lane.title().into(),
        );
    }

    fn text(
        &mut self,
        x: f64,
        y: f64,
        anchor: Anchor,
        style: TextStyle,
        paint: Paint,
        text: String,
    ) {
        self.commands.push(Command::Text {
            x,
            y,
            anchor,
            style,
            paint,
            text,
        });
    }

    /// The numbers along the top: bytes from `region.va`, at powers of two, or multiples of one.
    fn axis(&mut self) {
        let View { from, span, .. } = self.area.view;
        let wanted = span / (self.area.width / 84.0).max(1.0);
        let mut step = 1u64;
        while (step as f64) < wanted {
            step *= 2;
        }
        let bottom = rows(&self.area, LaneName::Entries).end + 4.0;
        let mut tick = (from.max(0.0) as u64).div_ceil(step) * step;
        while (tick as f64) <= from + span {
            let x = self.area.x(tick as f64);
            self.commands.push(Command::Line {
                from: (x, 20.0),
                to: (x, bottom),
                paint: Paint::Grid,
                width: 1.0,
            });
            let label = Bytes(tick).to_string();
            let half = text_width(&label, TextStyle::Small) / 2.0;
            let anchor = if x - half < 0.0 {
                Anchor::Start
            } else if x + half > self.area.view.width {
                Anchor::End
            } else {
                Anchor::Middle
            };
            self.text(x, 14.0, anchor, TextStyle::Small, Paint::Soft, label);
            tick += step;
        }
    }

    fn virtual_memory(&mut self) {
        let (memory, mr) = (
            &self.registration.question().memory,
            &self.registration.question().mr,
        );
        let row = rows(&self.area, LaneName::Virtual);
        if let Some((x, width)) = self.span(0.0, memory.length() as f64) {
            self.outline(x, row.start, width, Paint::Soft, true);
        }
        let (start, length) = (mr.offset as f64, mr.length as f64);
        if let Some((x, width)) = self.span(start, start + length) {
            self.outline(x, row.start, width, Paint::Ink, false);
            self.label(
                x,
                width,
                row.start,
                Paint::Ink,
                &[
                    format!("the registered region: {}", Bytes(mr.length)),
                    Bytes(mr.length).to_string(),
                ],
            );
        }
    }

    fn outline(&mut self, x: f64, y: f64, width: f64, paint: Paint, dashed: bool) {
        self.commands.push(Command::Rect {
            x: x + 0.75,
            y,
            width: (width - 1.5).max(1.0),
            height: BOX,
            radius: 4f64.min(width / 4.0),
            fill: (!dashed).then_some(Paint::Card),
            stroke: Some(paint),
            dashed,
        });
    }

    /// The first of `texts` that fits the box, in its middle.
    fn label(&mut self, x: f64, width: f64, y: f64, paint: Paint, texts: &[String]) {
        if let Some(text) = texts
            .iter()
            .find(|text| text_width(text, TextStyle::Label) + 8.0 <= width)
        {
            self.text(
                x + width / 2.0,
                y + 19.5,
                Anchor::Middle,
                TextStyle::Label,
                paint,
                text.clone(),
            );
        }
    }

    /// The pixels between two offsets, as far as they are seen.
    fn span(&self, from: f64, to: f64) -> Option<(f64, f64)> {
        let left = self.area.x(from).max(self.area.left);
        let right = self.area.x(to).min(self.area.right());
        (right > left).then(|| (left, (right - left).max(0.6)))
    }

    fn lane(&mut self, name: LaneName, stage: Stage, lane: &Lane) {
        let row = rows(&self.area, name);
        let front = self.moment.fronts.of(stage);
        let (Some(first), Some(last)) = (lane.runs().first(), lane.runs().last()) else {
            return self.refused(name, row);
        };
        // What is still to come, as a promise.
        if let Some((x, width)) = self.span(front.max(first.offset as f64), last.end() as f64) {
            self.outline(x, row.start, width, Paint::Grid, true);
        }
        let View { from, span, .. } = self.area.view;
        let mut next = lane.first_ending_after(from as i64);
        while let Some(run) = lane.runs().get(next) {
            if run.offset as f64 >= (from + span).min(front) {
                break;
            }
            self.run(name, row.start, run, front);
            // Of runs that share a pixel only the first is drawn, so a picture costs what it is wide.
            let pixel = self.area.offset_at(self.area.x(run.end() as f64) + 0.5);
            next = if self.area.x(run.end() as f64) - self.area.x(run.offset as f64) < 0.5 {
                lane.first_ending_after(pixel as i64).max(next + 1)
            } else {
                next + 1
            };
        }
    }

    fn refused(&mut self, name: LaneName, row: Range<f64>) {
        let message = match name {
            LaneName::Entries => "no table: the region is refused",
            _ => "no list: mapping is refused",
        };
        self.text(
            self.area.left + 4.0,
            row.start + 19.5,
            Anchor::Start,
            TextStyle::Label,
            Paint::Accent,
            message.into(),
        );
    }

    fn run(&mut self, name: LaneName, y: f64, run: &LaneRun, front: f64) {
        let pixels = run.size as f64 / self.area.view.span * self.area.width;
        let end = (run.end() as f64).min(front);
        if pixels < SEPARATE && run.count > 1 {
            let Some((x, width)) = self.span(run.offset as f64, end) else {
                return;
            };
            self.filled(name, x, y, width, run.size, 0.0);
            // Where boxes are too narrow to be told apart, their number says how many there are.
            let done = ((end - run.offset as f64) / run.size as f64) as u64;
            let paint = self.text_on(name, run.size);
            self.label(x, width, y, paint, &[count_label(done.max(1), run.size)]);
            return;
        }
        let View { from, span, .. } = self.area.view;
        let seen_from = ((from - run.offset as f64) / run.size as f64).max(0.0) as u64;
        for i in seen_from..run.count {
            let start = run.offset_of(i) as f64;
            if start >= (from + span).min(end) {
                break;
            }
            let Some((x, width)) = self.span(start, (start + run.size as f64).min(end)) else {
                continue;
            };
            let gap = if width > 4.0 { 1.0 } else { 0.3 };
            self.filled(
                name,
                x + gap / 2.0,
                y,
                (width - gap).max(0.4),
                run.size,
                4f64.min(width / 4.0),
            );
            let labels = self.box_labels(name, run.offset_of(i), run.size);
            let paint = self.text_on(name, run.size);
            self.label(x, width, y, paint, &labels);
        }
    }

    fn filled(&mut self, name: LaneName, x: f64, y: f64, width: f64, size: u64, radius: f64) {
        let list = matches!(name, LaneName::Scatter | LaneName::Dma);
        let fill = match PageSize::new(size) {
            Some(size) if !list => Paint::Size(size),
            _ => Paint::OddSize,
        };
        // Lists have no page size; they are outlined in the colour of their length's order.
        let order = size
            .checked_ilog2()
            .and_then(PageSize::from_log2)
            .unwrap_or(PageSize::K4);
        let stroke =
            (fill == Paint::OddSize && width > 2.0).then_some(Paint::Size(order.max(PageSize::M1)));
        let fill = if fill == Paint::OddSize && stroke.is_none() {
            Paint::Size(order.max(PageSize::M1))
        } else {
            fill
        };
        self.commands.push(Command::Rect {
            x,
            y,
            width,
            height: BOX,
            radius,
            fill: Some(fill),
            stroke,
            dashed: false,
        });
    }

    fn text_on(&self, name: LaneName, size: u64) -> Paint {
        match PageSize::new(size) {
            Some(size) if matches!(name, LaneName::Frames | LaneName::Entries) => {
                Paint::OnSize(size)
            }
            _ => Paint::Ink,
        }
    }

    fn box_labels(&self, name: LaneName, offset: i64, size: u64) -> Vec<String> {
        let address = match name {
            LaneName::Frames | LaneName::Scatter => self
                .registration
                .question()
                .memory
                .frame(offset as u64)
                .to_string(),
            LaneName::Dma => self
                .index
                .dma_address(self.registration, offset as u64)
                .to_string(),
            _ => self
                .index
                .entry_address(self.registration, offset)
                .to_string(),
        };
        [
            format!("{} at {address}", Bytes(size)),
            Bytes(size).to_string(),
        ]
        .into()
    }

    /// From each lane's runs to what they became below.
    fn ribbons(&mut self) {
        let lanes = [
            (
                LaneName::Virtual,
                LaneName::Frames,
                Stage::Pin,
                &self.index.frames,
            ),
            (
                LaneName::Frames,
                LaneName::Scatter,
                Stage::Gather,
                &self.index.scatter,
            ),
            (
                LaneName::Scatter,
                LaneName::Dma,
                Stage::Map,
                &self.index.dma,
            ),
            (
                LaneName::Dma,
                LaneName::Entries,
                Stage::Cut,
                &self.index.entries,
            ),
        ];
        for (above, below, stage, lane) in lanes {
            let (top, bottom) = (rows(&self.area, above).end, rows(&self.area, below).start);
            let front = self.moment.fronts.of(stage);
            let Some((first, last)) = lane.runs().first().zip(lane.runs().last()) else {
                continue;
            };
            let (pinned, pinned_end) = self.registration.pinned();
            let from = (first.offset as f64).max(if stage == Stage::Pin {
                0.0
            } else {
                pinned as f64
            });
            let to = front.min(last.end() as f64).min(if stage == Stage::Pin {
                f64::MAX
            } else {
                pinned_end as f64
            });
            let Some((x, width)) = self.span(from, to) else {
                continue;
            };
            let points = [(x, top), (x + width, top), (x + width, bottom), (x, bottom)].into();
            self.commands.push(Command::Polygon {
                points,
                fill: Paint::Ribbon,
            });
        }
    }

    fn playhead(&mut self) {
        let Some((step, at)) = self.moment.step.zip(self.moment.at()) else {
            return;
        };
        let x = self.area.x(at);
        if !(self.area.left - 1.0..=self.area.right() + 1.0).contains(&x) {
            return;
        }
        let bottom = rows(&self.area, LaneName::Entries).end;
        self.commands.push(Command::Line {
            from: (x, 20.0),
            to: (x, bottom + 6.0),
            paint: Paint::Accent,
            width: 2.0,
        });
        self.commands.push(Command::Polygon {
            points: [(x - 6.0, 18.0), (x + 6.0, 18.0), (x, 28.0)].into(),
            fill: Paint::Accent,
        });
        let text = step.text();
        let width = text_width(&text, TextStyle::Label);
        let (x, anchor) = match () {
            () if x + 8.0 + width <= self.area.view.width => (x + 8.0, Anchor::Start),
            () if x - 8.0 - width >= 0.0 => (x - 8.0, Anchor::End),
            () => (self.area.left, Anchor::Start),
        };
        self.text(
            x,
            bottom + 20.0,
            anchor,
            TextStyle::Label,
            Paint::Accent,
            text,
        );
    }
}

/// About how wide a text is, in pixels.
pub(super) fn text_width(text: &str, style: TextStyle) -> f64 {
    text.chars().count() as f64 * style.pixels() * 0.56
}
