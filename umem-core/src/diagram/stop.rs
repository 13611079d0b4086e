//! The gates between the lanes, and where a region that is refused stops.

use super::{
    Anchor, Command, LaneName, Paint, TextStyle,
    painter::Painter,
    sheet::lines_of,
    view::{Area, MARK, room},
};
use crate::{gate::Gate, table::Refusal};
use alloc::{format, string::String, vec::Vec};

/// How far it is from the mark of a gate to the next, in pixels.
const APART: f64 = 9.0;
/// The height of a line of the cause.
const LINE: f64 = 15.0;

impl<'a> Painter<'a> {
    /// A mark for each gate in front of the lane behind it, and a bar where the region is refused.
    pub(super) fn gates(&mut self) {
        let refusing = self.refusal().and_then(Refusal::gate);
        for lane in LaneName::ALL.into_iter().skip(1) {
            let Some(rows) = room(&self.area, lane) else {
                continue;
            };
            let gates = Gate::ALL
                .into_iter()
                .filter(|gate| LaneName::behind(*gate) == lane);
            let x = if self.area.narrow() {
                self.area.left
            } else {
                0.0
            };
            for (i, gate) in gates.enumerate() {
                self.mark((x + i as f64 * APART, rows.start), gate, refusing);
            }
        }
        if let Some(refusal) = self.refusal() {
            self.stop(refusal);
        }
    }

    /// Why the region is refused, once that is known to who looks.
    fn refusal(&self) -> Option<&'a Refusal> {
        let is_seen = !self.veiled && self.moment.step.is_none();
        let refusal = self.registration().table().err().filter(|_| is_seen)?;
        refusal.gate().map(|_| refusal)
    }

    /// Whether the region is refused before this lane is filled.
    pub(super) fn stops_before(&self, lane: LaneName) -> bool {
        let gate = self.registration().table().err().and_then(Refusal::gate);
        gate.is_some_and(|gate| !lane.is_above(LaneName::behind(gate)))
    }

    fn mark(&mut self, (x, y): (f64, f64), gate: Gate, refusing: Option<Gate>) {
        let stage = LaneName::behind(gate).stage();
        let is_reached = self
            .moment
            .step
            .is_none_or(|step| Some(step.stage) >= stage);
        let fill = match refusing {
            Some(refusing) if gate == refusing => Some(Paint::Accent),
            Some(refusing) if gate > refusing => None,
            _ => Some(Paint::Soft).filter(|_| is_reached),
        };
        self.push(Command::Rect {
            x,
            y,
            width: MARK.0,
            height: MARK.1,
            radius: 1.5,
            stroke: fill.is_none().then_some(Paint::Soft),
            fill,
            dashed: false,
        });
    }

    /// The bar at the gate that refuses; the cause and the way out where the lens would be.
    fn stop(&mut self, refusal: &Refusal) {
        let (Some(gate), Some(stop)) = (refusal.gate(), refusal.stopped_at()) else {
            return;
        };
        let lane = LaneName::behind(gate);
        let (left, right) = (self.area.left, self.area.right());
        let foot = self.area.rows(self.area.view.lanes.last()).end + 5.0;
        let y = bar(&self.area, lane);
        self.push(Command::Line {
            from: (left, y),
            to: (right, y),
            paint: Paint::Accent,
            width: 3.0,
        });
        let (style, paint) = (TextStyle::Title, Paint::Accent);
        match room(&self.area, lane) {
            Some(rows) => {
                let gates = Gate::ALL.iter();
                let marks = gates
                    .filter(|gate| LaneName::behind(**gate) == lane)
                    .count();
                let x = match self.area.narrow() {
                    true => left + marks as f64 * APART + 4.0,
                    false => left,
                };
                self.ground(x - 2.0, rows.start - 3.0, style.width(&stop) + 8.0);
                let at = (x, rows.start + 9.0);
                self.text(at, Anchor::Start, style, paint, stop);
                self.cause(refusal, foot);
            }
            None => {
                self.text((left, foot + LINE), Anchor::Start, style, paint, stop);
                self.cause(refusal, foot + LINE);
            }
        }
    }

    /// The cause and the way out, in as many lines as there is room for below `y`.
    fn cause(&mut self, refusal: &Refusal, mut y: f64) {
        if !self.area.has_lens() {
            return;
        }
        let x = self.area.left;
        let way_out = Some(refusal.way_out()).filter(|way_out| !way_out.is_empty());
        let told = [
            Some(format!("Why: {}", refusal.cause())),
            way_out.map(|way_out| format!("What to do: {way_out}")),
        ];
        let style = TextStyle::Small;
        let lines = told
            .iter()
            .flatten()
            .flat_map(|text| lines_of(text, style, self.area.width));
        let mut lines: Vec<String> = lines.collect();
        let room = ((self.area.height() - y - 4.0) / LINE) as usize;
        if lines.len() > room {
            lines.truncate(room);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        for line in lines {
            y += LINE;
            self.text((x, y), Anchor::Start, style, Paint::Ink, line);
        }
    }

    /// Room for words among the marks of the ruler.
    fn ground(&mut self, x: f64, y: f64, width: f64) {
        self.push(Command::Rect {
            x,
            y,
            width,
            height: 15.0,
            radius: 0.0,
            fill: Some(Paint::Ground),
            stroke: None,
            dashed: false,
        });
    }
}

/// Where a bar in front of `lane` lies, or in front of the first lane below it that is shown.
fn bar(area: &Area, lane: LaneName) -> f64 {
    let lane = area.view.lanes.from(lane);
    let top = area.rows(lane).start;
    match area.narrow() && area.view.lanes.above(lane) > 0 {
        true => top - 25.0,
        false => top - 3.0,
    }
}
