//! The lanes and their titles.

use super::{
    Anchor, Command, LaneName, Paint, Stage, TextStyle,
    painter::Painter,
    steps::count_label,
    view::BOX,
    visible::{Visible, visible},
};
use crate::{
    memory::Kind,
    registration::Lane,
    size::{Bytes, PageSize},
    table::Refusal,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// How far apart the marks are that stand for boxes too narrow to be drawn.
const TEXTURE: f64 = 4.0;
/// Narrower boxes can hardly be seen, in pixels.
const THIN: f64 = 2.0;
/// Nobody counts more boxes than this by eye.
const COUNTED: u64 = 16;
/// The room under a lane's name, in pixels.
const UNDER_NAME: f64 = 120.0;
/// Narrower boxes have room for no label, in pixels.
const LABELLED: f64 = 20.0;

impl Painter<'_> {
    /// A lane's name, and under it how much is in it so far.
    pub(super) fn name(&mut self, lane: LaneName) {
        let rows = self.area.rows(lane);
        let active = self.moment.step.map(|step| step.stage) == lane.stage();
        let paint = match self.moment.step {
            Some(_) if active => Paint::Accent,
            _ => match self.differing.map(|differing| differing.contains(lane)) {
                None => Paint::Ink,
                Some(true) => Paint::Accent,
                Some(false) => Paint::Soft,
            },
        };
        let (title, small) = (TextStyle::Title, TextStyle::Small);
        let count = self.count(lane);
        if self.area.narrow() {
            let y = rows.start - 7.0;
            self.text(
                (0.0, y),
                Anchor::Start,
                title,
                paint,
                lane.title(self.registration().question().kind()),
            );
            let at = (self.area.view.width, y);
            self.text(at, Anchor::End, small, Paint::Soft, count);
        } else {
            let at = (0.0, rows.start + 14.0);
            self.text(
                at,
                Anchor::Start,
                title,
                paint,
                lane.title(self.registration().question().kind()),
            );
            let at = (0.0, rows.start + 29.0);
            self.text(at, Anchor::Start, small, Paint::Soft, count);
        }
    }

    /// How much a lane holds so far: "137 of 257".
    fn count(&self, lane: LaneName) -> String {
        let question = self.registration().question();
        let (Some(stage), Some(boxes)) = (lane.stage(), lane.boxes(self.index)) else {
            return format!(
                "{} from +{}",
                Bytes(question.mr().length),
                Bytes(question.mr().offset)
            );
        };
        if boxes.runs().is_empty() {
            return match (self.is_never_filled(lane), self.veiled) {
                (true, _) => "none",
                (false, true) => "none yet",
                (false, false) => "not reached",
            }
            .into();
        }
        let (_, front) = self.filled(stage);
        let (done, all) = match stage {
            Stage::Pin => {
                let (from, to) = self.registration().pinned();
                let pinned = (front as u64).clamp(from, to) - from;
                (
                    pinned >> question.mr().page.log2(),
                    self.registration().pages(),
                )
            }
            _ => {
                let at = boxes.at(front as i64).map(|(run, i)| run.first + i);
                let before = boxes
                    .runs()
                    .first()
                    .is_none_or(|run| front <= run.offset as f64);
                (
                    at.unwrap_or(if before { 0 } else { boxes.count() }),
                    boxes.count(),
                )
            }
        };
        let what = match (stage, all) {
            (Stage::Pin, 1) => " page",
            (Stage::Pin, _) => " pages",
            _ => "",
        };
        let long = format!("{done} of {all}{what}");
        match done {
            _ if done == all => format!("{all}{what}{}", self.unseen(stage, boxes)),
            // Who is to predict reads no total before there is something of it.
            0 => "none yet".into(),
            _ if self.veiled => format!("{done}{what} so far"),
            _ if TextStyle::Small.width(&long) < UNDER_NAME => long,
            _ => format!("{done}{what}"),
        }
    }

    /// How many of a few boxes are too narrow to be seen: who counts what is drawn would miss them.
    fn unseen(&self, stage: Stage, lane: &Lane) -> String {
        if stage == Stage::Pin || lane.count() > COUNTED {
            return String::new();
        }
        let runs = (0..lane.runs().len()).filter_map(|n| lane.runs().get(n));
        let thin = runs.filter(|run| self.area.pixels(run.size as f64) < THIN);
        match thin.map(|run| run.count).sum::<u64>() {
            0 => String::new(),
            thin => format!(", {thin} too narrow"),
        }
    }

    pub(super) fn virtual_memory(&mut self) {
        let question = self.registration().question();
        let (memory, mr) = (question.memory().length(), question.mr());
        let y = self.area.rows(LaneName::Virtual).start;
        if let Some((x, width)) = self.area.span(0.0, memory as f64) {
            self.promise(x, y, width, Paint::Soft);
        }
        let (start, end) = (mr.offset as f64, (mr.offset + mr.length) as f64);
        if let Some((x, width)) = self.area.span(start, end) {
            self.solid(x, y, width, Paint::Card, Some(Paint::Ink));
            let length = Bytes(mr.length).to_string();
            let texts = [
                format!(
                    "the registered region: {length}, starting {} in",
                    Bytes(mr.offset)
                ),
                format!("the registered region: {length}"),
                length,
            ];
            let texts = if mr.offset == 0 { &texts[1..] } else { &texts };
            self.label((x, width), y, Paint::Ink, texts);
        }
    }

    /// The boxes of a lane: solid up to its stage's front, the rest dashed.
    pub(super) fn lane(&mut self, name: LaneName, stage: Stage, lane: &Lane) {
        let Some(last) = lane.runs().last() else {
            return self.empty(name);
        };
        let (from, front) = self.filled(stage);
        let y = self.area.rows(name).start;
        if stage == Stage::Pin {
            // Memory exists before it is pinned, and there may be more of it than the region needs.
            for item in visible(lane, &self.area, f64::INFINITY) {
                let whole = item.start() >= from && item.end() <= front;
                let Some((x, width)) = self.area.span(item.start(), item.end()) else {
                    continue;
                };
                if !whole {
                    self.promise(x, y, width, Paint::Soft);
                }
            }
        } else if let Some((x, width)) = self.area.span(front.max(from), last.end() as f64) {
            self.promise(x, y, width, Paint::Grid);
        }
        for item in visible(lane, &self.area, front) {
            self.item(name, y, &item, (from, front));
        }
    }

    /// A lane that stays empty: what lies behind a gate that refuses is never made.
    fn empty(&mut self, name: LaneName) {
        let (from, to) = self.registration().pinned();
        let Some((x, width)) = self.area.span(from as f64, to as f64) else {
            return;
        };
        let y = self.area.rows(name).start;
        let why = match name {
            _ if self.veiled => "",
            LaneName::Scatter if self.is_never_filled(name) => {
                "no list: pages come when the NIC touches them"
            }
            LaneName::Entries if self.is_never_filled(name) => "the driver keeps no table",
            _ => "",
        };
        self.promise(x, y, width, Paint::Grid);
        self.label((x, width), y, Paint::Soft, &[why.into()]);
    }

    /// Memory on demand is not gathered, and some drivers keep no table.
    fn is_never_filled(&self, name: LaneName) -> bool {
        match name {
            LaneName::Scatter => {
                self.registration().question().kind() == Kind::Odp && !self.stops_before(name)
            }
            LaneName::Entries => {
                matches!(self.registration().table(), Err(Refusal::NoTable { .. }))
            }
            _ => false,
        }
    }

    fn item(&mut self, name: LaneName, y: f64, item: &Visible, (from, front): (f64, f64)) {
        let (start, end) = (item.start().max(from), item.end().min(front));
        let Some((x, width)) = self.area.span(start, end) else {
            return;
        };
        let look = Look::of(name, item, width);
        let gap = match item.count {
            1 if width > 6.0 => 1.0,
            1 => 0.4,
            _ => 0.0,
        };
        let (left, inner) = (x + gap / 2.0, (width - gap).max(0.4));
        self.solid(left, y, inner, look.fill, look.stroke);
        if item.count > 1 {
            self.texture(item, (x, width), y, look.marks);
        }
        // Behind the region there is nothing to come.
        let region = self.registration().pinned().1 as f64;
        let all = (self.area.view.from + self.area.view.span).min(region);
        if end < item.end().min(all) {
            // Text on half a box is not readable.
            return;
        }
        // In a large capture hardly any box has room for text.
        if inner < LABELLED {
            return;
        }
        let texts = self.texts(name, item);
        if item.count > 1 {
            self.clearing((left, inner), y, look.fill, &texts);
        }
        self.label((left, inner), y, look.text, &texts);
    }

    /// Marks that stand for the borders of boxes too narrow to be drawn.
    fn texture(&mut self, item: &Visible, (x, width): (f64, f64), y: f64, paint: Paint) {
        // They stand still while the front moves on.
        let origin = self.area.x(item.start()).max(self.area.left);
        let first = ((x - origin) / TEXTURE) as u64 + 1;
        let xs: Vec<f64> = (first..)
            .map(|i| origin + i as f64 * TEXTURE)
            .take_while(|mark| *mark < x + width)
            .collect();
        self.push(Command::Marks {
            xs,
            from: y,
            to: y + BOX,
            paint,
            width: 0.6,
        });
    }

    /// Room for a label among marks.
    fn clearing(&mut self, (x, width): (f64, f64), y: f64, fill: Paint, texts: &[String]) {
        let widths = texts.iter().map(|text| TextStyle::Label.width(text) + 10.0);
        if let Some(room) = widths.into_iter().find(|room| *room <= width) {
            self.push(Command::Rect {
                x: x + (width - room) / 2.0,
                y: y + 6.0,
                width: room,
                height: BOX - 12.0,
                radius: 4.0,
                fill: Some(fill),
                stroke: None,
                dashed: false,
            });
        }
    }

    fn texts(&self, name: LaneName, item: &Visible) -> Vec<String> {
        let short = count_label(item.count, item.size);
        if item.count > 1 {
            return [short].into();
        }
        let address = match name {
            LaneName::Frames | LaneName::Scatter => {
                let memory = &self.registration().question().memory();
                memory.frame(item.offset as u64).to_string()
            }
            LaneName::Dma | LaneName::Iommu => {
                self.index.dma_address(item.offset as u64).to_string()
            }
            _ => self.index.entry_address(item.offset).to_string(),
        };
        [format!("{short} at {address}"), short].into()
    }
}

/// How a box is drawn.
struct Look {
    fill: Paint,
    stroke: Option<Paint>,
    text: Paint,
    marks: Paint,
}

impl Look {
    fn of(lane: LaneName, item: &Visible, width: f64) -> Self {
        let listed = matches!(lane, LaneName::Scatter | LaneName::Dma);
        if let Some(size) = PageSize::new(item.size).filter(|_| !listed) {
            return Self {
                fill: Paint::Size(size),
                stroke: None,
                text: Paint::OnSize(size),
                marks: Paint::Ground,
            };
        }
        // Lists have no page size; they are outlined in the colour of their length's order.
        let order = item.size.checked_ilog2().and_then(PageSize::from_log2);
        let outline = Paint::Size(order.map_or(PageSize::M1, |size| size.max(PageSize::M1)));
        let narrow = width <= 3.0;
        Self {
            fill: if narrow { outline } else { Paint::Card },
            stroke: (!narrow).then_some(outline),
            text: Paint::Ink,
            marks: outline,
        }
    }
}
