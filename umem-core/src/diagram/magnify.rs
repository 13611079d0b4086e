//! The lens, painted: its boxes, a fan of lines to where they are on the axis, and what they say.

use super::{
    Anchor, Command, LaneName, Paint, Stage, TextStyle,
    lens::{Lens, Magnified},
    painter::Painter,
    view::{BOX, within},
};
use crate::size::{Bytes, PageSize};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

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
        self.captions(&lens);
    }

    /// The lens's name, the numbers of its entries, and what stands under its boxes.
    fn captions(&mut self, lens: &Lens) {
        let rows = self.area.lens_rows();
        let last = lens.first + lens.boxes.len() as u64;
        let (style, soft) = (TextStyle::Small, Paint::Soft);
        let numbers = match lens.boxes.len() {
            1 => format!("entry {}", lens.first),
            _ => format!("{} to {}", lens.first, last - 1),
        };
        let name = |at| {
            (
                at,
                Anchor::Start,
                TextStyle::Title,
                Paint::Ink,
                "Lens".into(),
            )
        };
        let small = |at, text: &str| (at, Anchor::Start, style, soft, String::from(text));
        let texts: Vec<(_, _, _, _, String)> = if self.area.narrow() {
            let y = rows.start - 7.0;
            let numbers = match lens.boxes.len() {
                2.. if !self.told => format!("entries {numbers}"),
                _ => numbers,
            };
            let mut texts: Vec<_> = [name((0.0, y))].into();
            if self.told && self.area.view.width > 300.0 {
                texts.push(small((38.0, y), "address, and its zero bits"));
            }
            texts.push(((self.area.view.width, y), Anchor::End, style, soft, numbers));
            texts
        } else {
            let mut texts: Vec<_> = [
                name((0.0, rows.start + 14.0)),
                small((0.0, rows.start + 29.0), &numbers),
            ]
            .into();
            if self.told {
                texts.push(small((0.0, rows.end + 15.0), "address"));
                texts.push(small((0.0, rows.end + 31.0), "zero bits"));
            }
            texts
        };
        for (at, anchor, style, paint, text) in texts {
            self.text(at, anchor, style, paint, text);
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
        let address = self.index.entry_address(magnified.offset);
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
            _ => address.trailing_zeros().to_string(),
        };
        let at = (middle, y + 31.0);
        self.text(at, Anchor::Middle, TextStyle::Small, Paint::Ink, zeros);
    }

    fn addresses(&self, lens: &Lens) -> Vec<String> {
        let address =
            |magnified: &Magnified| self.index.entry_address(magnified.offset).to_string();
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
