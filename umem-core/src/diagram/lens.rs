//! The lens: a dozen entries side by side, large enough to read, wherever the playhead is.
//!
//! On the axis a 4K entry may be a pixel wide and its neighbour half the picture. Here widths grow with the order of
//! the size only, so both can be seen.

use super::{
    Anchor, Command, LaneName, Moment, Paint, Stage, TextStyle,
    painter::Painter,
    view::{Area, BOX, within},
};
use crate::{
    registration::{Index, Registration},
    size::{Bytes, PageSize},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// How many boxes there are at most.
const MOST: u64 = 13;
/// The room that a box wants at least, in pixels.
const ROOM: f64 = 58.0;
/// The most that a box gets, when there are few.
const WIDEST: f64 = 200.0;

/// The offset at which the lens looks if nobody chose one: the playhead while the table is cut, its beginning before that,
/// and when all is done where the size of entries first changes. `None` where there is no table.
pub fn focus(registration: &Registration, index: &Index, moment: &Moment) -> Option<i64> {
    let first = index.entries.runs().first()?;
    let last = index.entries.runs().last()?;
    let (from, _) = registration.pinned();
    match (moment.step, index.entries.runs().get(1)) {
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
    first: u64,
    /// The number, among the table's entries, of the one that it looks at.
    focus: u64,
}

impl Lens {
    pub(super) fn new(index: &Index, area: &Area, focus: i64) -> Option<Self> {
        let entries = &index.entries;
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

impl Painter<'_> {
    pub(super) fn magnify(&mut self) {
        let Some(lens) = self.lens.take() else {
            return;
        };
        let rows = self.area.lens_rows();
        self.fan(&lens);
        let front = self.moment.fronts.of(Stage::Cut);
        let every = label_every(&self.addresses(&lens), &lens.boxes);
        for (i, magnified) in lens.boxes.iter().enumerate() {
            let done = magnified.offset as f64 + magnified.size as f64 <= front;
            let number = lens.first + i as u64;
            self.magnified(magnified, rows.start, done);
            // What a cut has not come near yet is for the reader to predict.
            if self.told {
                self.annotate(
                    magnified,
                    rows.end,
                    number.abs_diff(lens.focus) % every == 0,
                );
            }
            if number == lens.focus {
                self.push(Command::Rect {
                    x: magnified.x + 0.5,
                    y: rows.start - 1.0,
                    width: (magnified.width - 1.0).max(1.0),
                    height: BOX + 2.0,
                    radius: 5.0,
                    fill: None,
                    stroke: Some(Paint::Accent),
                    dashed: false,
                });
            }
        }
        let last = lens.first + lens.boxes.len() as u64;
        let (style, soft) = (TextStyle::Small, Paint::Soft);
        let numbers = match lens.boxes.len() {
            1 => format!("entry {}", lens.first),
            _ => format!("{} to {}", lens.first, last - 1),
        };
        if self.area.narrow() {
            let at = (0.0, rows.start - 7.0);
            self.text(at, Anchor::Start, TextStyle::Title, Paint::Ink, "Lens");
            if self.told && self.area.view.width > 300.0 {
                let at = (38.0, rows.start - 7.0);
                self.text(at, Anchor::Start, style, soft, "address, and its zero bits");
            }
            let at = (self.area.view.width, rows.start - 7.0);
            let numbers = match self.told {
                true => numbers,
                false => format!("entries {numbers}"),
            };
            self.text(at, Anchor::End, style, soft, numbers);
        } else {
            let at = (0.0, rows.start + 14.0);
            self.text(at, Anchor::Start, TextStyle::Title, Paint::Ink, "Lens");
            self.text(
                (0.0, rows.start + 29.0),
                Anchor::Start,
                style,
                soft,
                numbers,
            );
            if self.told {
                self.text(
                    (0.0, rows.end + 15.0),
                    Anchor::Start,
                    style,
                    soft,
                    "address",
                );
                self.text(
                    (0.0, rows.end + 31.0),
                    Anchor::Start,
                    style,
                    soft,
                    "zero bits",
                );
            }
        }
    }

    /// From the entries on the axis to the lens.
    fn fan(&mut self, lens: &Lens) {
        let (Some(first), Some(last)) = (lens.boxes.first(), lens.boxes.last()) else {
            return;
        };
        let top = self.area.rows(LaneName::Entries).end;
        let bottom = self.area.lens_rows().start;
        let seen = |offset: f64| within(self.area.x(offset), self.area.left, self.area.right());
        let (left, right) = (
            seen(first.offset as f64),
            seen(last.offset as f64 + last.size as f64),
        );
        let right = right.max(left + 1.5);
        self.push(Command::Polygon {
            points: [
                (left, top + 2.0),
                (right, top + 2.0),
                (last.x + last.width, bottom),
                (first.x, bottom),
            ]
            .into(),
            fill: Paint::Ribbon,
        });
        self.push(Command::Line {
            from: (left, top + 2.0),
            to: (right, top + 2.0),
            paint: Paint::Accent,
            width: 2.0,
        });
    }

    fn magnified(&mut self, magnified: &Magnified, y: f64, done: bool) {
        let Magnified { x, width, size, .. } = *magnified;
        let colour = PageSize::new(size);
        let paint = match (done, colour) {
            (true, Some(size)) => {
                self.solid(x + 1.0, y, width - 2.0, Paint::Size(size), None);
                Paint::OnSize(size)
            }
            (true, None) => {
                let stroke = Some(Paint::Size(PageSize::M2));
                self.solid(x + 1.0, y, width - 2.0, Paint::Card, stroke);
                Paint::Ink
            }
            (false, _) => {
                self.promise(x + 1.0, y, width - 2.0, Paint::Soft);
                Paint::Soft
            }
        };
        if done || self.told {
            let label = Bytes(size).to_string();
            self.label((x - 4.0, width + 8.0), y, paint, &[label]);
        }
    }

    /// What stands under a box: where it begins, and how many bits of that are 0.
    fn annotate(&mut self, magnified: &Magnified, y: f64, labelled: bool) {
        let address = self
            .index
            .entry_address(self.registration, magnified.offset);
        let middle = magnified.x + magnified.width / 2.0;
        if labelled {
            let style = TextStyle::Address;
            let text = address.to_string();
            let half = style.width(&text) / 2.0;
            let x = middle.max(half).min(self.area.view.width - half);
            self.text((x, y + 15.0), Anchor::Middle, style, Paint::Soft, text);
        }
        let zeros = match address.get() {
            0 => "all".to_string(),
            address => address.trailing_zeros().to_string(),
        };
        let at = (middle, y + 31.0);
        self.text(at, Anchor::Middle, TextStyle::Small, Paint::Ink, zeros);
    }

    fn addresses(&self, lens: &Lens) -> Vec<String> {
        let address = |magnified: &Magnified| {
            self.index
                .entry_address(self.registration, magnified.offset)
                .to_string()
        };
        lens.boxes.iter().map(address).collect()
    }
}

/// How many boxes an address needs at most, so that addresses under every so many boxes do not collide.
fn label_every(addresses: &[String], boxes: &[Magnified]) -> u64 {
    let widest = addresses
        .iter()
        .map(|address| TextStyle::Address.width(address) + 10.0)
        .fold(0.0, f64::max);
    let narrowest = boxes
        .iter()
        .map(|magnified| magnified.width)
        .fold(f64::MAX, f64::min);
    ((widest / narrowest.max(1.0)) as u64 + 1).max(1)
}
