//! Painting a picture: the order of its parts, and the shapes that they share.

use super::{
    Anchor, Command, Drawing, LaneName, Lanes, Moment, Paint, Stage, TextStyle, View, detail_at,
    lens::{self, Lens},
    view::{Area, BOX},
};
use crate::registration::{Index, Registration};
use alloc::{string::String, vec::Vec};

/// What a picture emphasises.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attention {
    /// The lens is at the entry that holds this offset; at the [playhead](super::focus) if it is `None`.
    pub chosen: Option<i64>,
    /// A box to be framed, with lines up to its sources: the one in that lane that contains that offset.
    pub pointed: Option<(LaneName, i64)>,
    /// Whether the future stays hidden, so that a reader can predict it.
    pub veiled: bool,
    /// Of two pictures that are compared, the lanes in which they differ: their names stand out.
    pub differing: Option<Lanes>,
}

/// Draws one picture.
#[derive(Debug)]
pub(super) struct Painter<'a> {
    pub(super) index: &'a Index,
    pub(super) area: Area,
    pub(super) moment: Moment,
    pub(super) lens: Option<Lens>,
    /// Whether the lens has captions: during the cut, or if the reader put it there.
    pub(super) told: bool,
    /// Whether the future stays hidden.
    pub(super) veiled: bool,
    /// The lanes with highlighted names.
    pub(super) differing: Option<Lanes>,
    /// The box that is framed.
    pointed: Option<(LaneName, i64)>,
    commands: Vec<Command>,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        index: &'a Index,
        view: View,
        moment: Moment,
        Attention {
            chosen,
            pointed,
            veiled,
            differing,
        }: Attention,
    ) -> Self {
        let area = Area::new(view);
        // The lens shows the future.
        let lens = chosen
            .or_else(|| lens::focus(index, &moment))
            .filter(|_| !veiled && area.has_lens())
            .and_then(|focus| Lens::new(index, &area, focus));
        Self {
            index,
            area,
            moment,
            lens,
            veiled,
            differing,
            pointed,
            told: chosen.is_some() || moment.step.is_none_or(|step| step.stage == Stage::Cut),
            commands: Vec::new(),
        }
    }

    pub(super) fn paint(mut self) -> Drawing {
        let index = self.index;
        self.grid();
        self.ribbons();
        self.ruler();
        for name in self.area.view.lanes.iter() {
            match (name.stage(), name.boxes(index)) {
                (Some(stage), Some(boxes)) => self.lane(name, stage, boxes),
                _ => self.virtual_memory(),
            }
            self.name(name);
        }
        self.gates();
        self.sink();
        self.magnify();
        self.frame_of_pointed();
        self.numbers();
        self.playhead();
        Drawing {
            width: self.area.view.width,
            height: self.area.height(),
            commands: self.commands,
        }
    }

    pub(super) fn registration(&self) -> &'a Registration {
        self.index.registration()
    }

    /// The part of the axis that `stage` has filled so far: the whole pages of the region, and what a table's ends add.
    pub(super) fn filled(&self, stage: Stage) -> (f64, f64) {
        let (from, to) = self.registration().pinned();
        let front = match (stage, self.placing()) {
            (Stage::Map, Some(placing)) => placing.from,
            _ => self.moment.fronts.of(stage),
        };
        match stage {
            Stage::Pin => (from as f64, front.min(to as f64)),
            _ => {
                let lane = LaneName::of(stage).boxes(self.index);
                let first = lane.and_then(|lane| lane.runs().first());
                let from = first.map_or(from as i64, |run| run.offset);
                (from as f64, front)
            }
        }
    }

    /// A frame around the box that is pointed at, with lines up to its sources: all lanes share the axis.
    fn frame_of_pointed(&mut self) {
        let shown = |(lane, _): &(LaneName, i64)| self.area.shows(*lane) && !self.veiled;
        let Some((lane, offset)) = self.pointed.filter(shown) else {
            return;
        };
        let detail = detail_at(self.index, lane, offset);
        let seen = detail.and_then(|detail| {
            let start = detail.offset as f64;
            self.area.span(start, start + detail.size as f64)
        });
        if let Some((x, width)) = seen {
            self.push(Command::Rect {
                x: x - 1.0,
                y: self.area.rows(lane).start - 2.0,
                width: width + 2.0,
                height: BOX + 4.0,
                radius: 5.0,
                fill: None,
                stroke: Some(Paint::Accent),
                dashed: false,
            });
            let lanes = self.area.view.lanes;
            let top = lanes
                .iter()
                .next()
                .map_or(0.0, |lane| self.area.rows(lane).start);
            let foot = self.area.rows(lane).start - 2.0;
            for x in [x, x + width] {
                self.line_behind_words(x, top, foot, 1.0);
            }
        }
    }

    /// The commands so far.
    pub(super) fn commands(&self) -> &[Command] {
        &self.commands
    }

    pub(super) fn push(&mut self, command: Command) {
        self.commands.push(command);
    }

    pub(super) fn text(
        &mut self,
        (x, y): (f64, f64),
        anchor: Anchor,
        style: TextStyle,
        paint: Paint,
        text: impl Into<String>,
    ) {
        self.commands.push(Command::Text {
            x,
            y,
            anchor,
            style,
            paint,
            text: text.into(),
        });
    }

    /// A box that is there: filled, or outlined on the ground of a card.
    pub(super) fn solid(&mut self, x: f64, y: f64, width: f64, fill: Paint, stroke: Option<Paint>) {
        let inset = if stroke.is_some() { 0.75 } else { 0.0 };
        let width = (width - 2.0 * inset).max(0.5);
        self.commands.push(Command::Rect {
            x: x + inset,
            y: y + inset,
            width,
            height: BOX - 2.0 * inset,
            radius: 4f64.min(width / 4.0),
            fill: Some(fill),
            stroke,
            dashed: false,
        });
    }

    /// A box that is not filled yet, or never.
    pub(super) fn promise(&mut self, x: f64, y: f64, width: f64, paint: Paint) {
        let width = (width - 1.5).max(0.5);
        self.commands.push(Command::Rect {
            x: x + 0.75,
            y: y + 0.75,
            width,
            height: BOX - 1.5,
            radius: 4f64.min(width / 4.0),
            fill: None,
            stroke: Some(paint),
            dashed: true,
        });
    }

    /// The first of `texts` that fits the box, in its middle.
    pub(super) fn label(&mut self, (x, width): (f64, f64), y: f64, paint: Paint, texts: &[String]) {
        let style = TextStyle::Label;
        let fitting = texts.iter().find(|text| style.width(text) + 10.0 <= width);
        if let Some(text) = fitting {
            let at = (x + width / 2.0, y + BOX / 2.0 + 4.5);
            self.text(at, Anchor::Middle, style, paint, text.clone());
        }
    }
}
