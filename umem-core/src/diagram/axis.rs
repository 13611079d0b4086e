//! The axis above the lanes, and the playhead that sweeps along it.

use super::{
    Anchor, Command, LaneName, Paint, Stage, Step, TextStyle,
    painter::Painter,
    view::{AXIS, View},
};
use crate::size::{Bytes, Near};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::ops::Range;

/// How far apart the axis's numbers are at least, in pixels.
const APART: f64 = 84.0;
const NUMBERS: f64 = 21.0;

/// An offset that is a multiple of `step`: "266K"; where that would be a long number and there is room for it, "266K+512".
fn label(offset: u64, step: u64) -> String {
    let exact = Bytes(offset).to_string();
    // P is the largest.
    let unit = (step.trailing_zeros() / 10 * 10).min(50);
    let rest = offset & ((1024 << unit) - 1);
    if rest == 0 || exact.len() <= 5 {
        return exact;
    }
    let parts = format!("{}+{}", Bytes(offset - rest), Bytes(rest));
    match TextStyle::Small.width(&parts) < APART - 6.0 {
        true => parts,
        false => exact,
    }
}

impl Painter<'_> {
    /// How far apart the lines are: a power of two.
    fn step(&self) -> u64 {
        let wanted = self.area.view.span / (self.area.width / APART).max(1.0);
        let mut step = 1u64;
        while (step as f64) < wanted {
            step *= 2;
        }
        step
    }

    /// The offsets that have a line.
    fn ticks(&self) -> Vec<(f64, u64)> {
        let (View { from, span, .. }, step) = (self.area.view, self.step());
        let first = (from.max(0.0) as u64).div_ceil(step) * step;
        (0..)
            .map(|i| first + i * step)
            .take_while(|tick| *tick as f64 <= from + span)
            .map(|tick| (self.area.x(tick as f64), tick))
            .collect()
    }

    /// The lines that all lanes share.
    pub(super) fn grid(&mut self) {
        let xs = self.ticks().into_iter().map(|(x, _)| x).collect();
        let to = self.area.bottom();
        self.push(Command::Marks {
            xs,
            from: AXIS,
            to,
            paint: Paint::Grid,
            width: 1.0,
        });
        self.overview();
    }

    /// Above everything, when it is not the whole that is seen: which part of it is.
    fn overview(&mut self) {
        let View { from, span, .. } = self.area.view;
        let whole = View::whole(self.registration(), self.area.view.width);
        if span >= whole.span {
            return;
        }
        let (left, width) = (self.area.left, self.area.width);
        let mut bar = |x: f64, width: f64, paint| {
            self.push(Command::Rect {
                x,
                y: 1.0,
                width,
                height: 6.0,
                radius: 3.0,
                fill: Some(paint),
                stroke: None,
                dashed: false,
            });
        };
        bar(left, width, Paint::Grid);
        let part = (span / whole.span * width).max(8.0);
        let x = left + (from / whole.span * width).min(width - part);
        bar(x, part, Paint::Soft);
    }

    /// The numbers along the top: bytes from `region.va`.
    pub(super) fn numbers(&mut self) {
        let flag = self.flag();
        let (style, step) = (TextStyle::Small, self.step());
        for (x, tick) in self.ticks() {
            let label = label(tick, step);
            let width = style.width(&label);
            let left = self.beside(x, width);
            let hidden = flag.as_ref().is_some_and(|flag| {
                left < flag.x + flag.width + 4.0 && left + width > flag.x - 4.0
            });
            if !hidden {
                let at = (left + width / 2.0, NUMBERS);
                self.text(at, Anchor::Middle, style, Paint::Soft, label);
            }
        }
    }

    /// The left edge of something this wide with its middle at `x`, kept inside the picture.
    fn beside(&self, x: f64, width: f64) -> f64 {
        (x - width / 2.0)
            .min((self.area.view.width - width).max(0.0))
            .max(0.0)
    }

    /// Where the playhead stands, if it is seen.
    fn playhead_x(&self) -> Option<(Step, f64)> {
        let (step, at) = self.moment.step.zip(self.moment.at())?;
        let x = self.area.x(at);
        (self.area.left - 1.0..=self.area.right() + 1.0)
            .contains(&x)
            .then_some((step, x))
    }

    fn flag(&self) -> Option<Flag> {
        let (step, x) = self.playhead_x()?;
        let text = match self.veiled {
            true => verb(&step).to_owned(),
            false => progress(&step, self.moment.part),
        };
        let width = TextStyle::Label.width(&text) + 16.0;
        let x = self.beside(x, width);
        Some(Flag { x, width, text })
    }

    pub(super) fn playhead(&mut self) {
        let Some(((step, x), flag)) = self.playhead_x().zip(self.flag()) else {
            return;
        };
        let lane = self.area.view.lanes.from(LaneName::of(step.stage));
        let paint = Paint::Accent;
        self.line_behind_words(x, AXIS - 4.0, self.area.rows(lane).end + 5.0, 2.0);
        self.push(Command::Polygon {
            points: [
                (x - 6.0, AXIS - 4.0),
                (x + 6.0, AXIS - 4.0),
                (x, AXIS + 4.0),
            ]
            .into(),
            fill: paint,
        });
        self.push(Command::Rect {
            x: flag.x,
            y: AXIS - 25.0,
            width: flag.width,
            height: 22.0,
            radius: 5.0,
            fill: Some(paint),
            stroke: None,
            dashed: false,
        });
        let at = (flag.x + flag.width / 2.0, AXIS - 9.5);
        let style = TextStyle::Label;
        self.text(at, Anchor::Middle, style, Paint::Ground, flag.text);
    }

    /// An upright line in the accent that leaves out what words are in its way, so that they can be read.
    pub(super) fn line_behind_words(&mut self, x: f64, from: f64, to: f64, width: f64) {
        let crossed =
            |(across, down): (Range<f64>, Range<f64>)| across.contains(&x).then_some(down);
        let words = self.commands().iter().filter_map(Command::words);
        let mut gaps: Vec<Range<f64>> = Vec::new();
        for gap in words.filter_map(crossed) {
            // A line crosses few words: sorting them would weigh more than all of this.
            let index = gaps.partition_point(|known| known.start <= gap.start);
            gaps.insert(index, gap);
        }
        gaps.push(to..to);
        let mut at = from;
        for gap in gaps {
            let end = gap.start.min(to);
            if end > at {
                let (from, to) = ((x, at), (x, end));
                self.push(Command::Line {
                    from,
                    to,
                    paint: Paint::Accent,
                    width,
                });
            }
            at = at.max(gap.end);
        }
    }
}

/// What the playhead says, and where.
struct Flag {
    x: f64,
    width: f64,
    text: String,
}

/// What the step under way does: "cut 137 of 255 × 4K".
fn progress(step: &Step, part: f64) -> String {
    let (run, verb) = (step.run, verb(step));
    match run.count {
        1 => format!("{verb} {}", Near(run.size)),
        count => {
            let done = (count as f64 * part) as u64;
            format!("{verb} {done} of {count} × {}", Near(run.size))
        }
    }
}

fn verb(step: &Step) -> &'static str {
    match step.stage {
        Stage::Pin => "pin",
        Stage::Gather => "gather",
        Stage::Map => "map",
        Stage::Cut => "cut",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_told_in_two_parts() {
        for (offset, step, text) in [
            (0, 1, "0"),
            (266 << 10, 512, "266K"),
            ((266 << 10) + 512, 512, "266K+512"),
            (3 << 19, 1 << 19, "1536K"),
            ((512 << 30) + (8 << 10), 8 << 10, "512G+8K"),
            ((512 << 30) + (24 << 10), 1 << 13, "512G+24K"),
            ((1 << 40) - (8 << 10), 1 << 13, "1073741816K"),
            ((1 << 30) - 8, 8, "1073741816"),
            (1 << 62, 1 << 62, "4096P"),
        ] {
            assert_eq!(label(offset, step), text);
        }
    }
}
