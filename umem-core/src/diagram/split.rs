//! How a NIC reads an address: the upper bits say which entry of the table, the lower ones how far into its block.

use super::{Anchor, Command, Drawing, Paint, TextStyle};
use crate::{
    address::VirtAddr,
    size::{Bytes, PageSize},
};
use alloc::{format, string::String, vec::Vec};
use core::ops::Range;

/// The width of a bit, and the height of its box, in pixels.
const BIT: f64 = 14.0;
const HIGH: f64 = 22.0;
/// Where the boxes begin, below the upper edge of their row.
const TOP: f64 = 26.0;
/// The height of a row.
const ROW: f64 = TOP + HIGH + 36.0;
/// So many bits stand in a row: on a phone they can be read.
const ACROSS: u32 = 24;

/// An address as hexadecimal digits and bits, cut where a table of blocks of `size` cuts it: which entry it takes, and the offset in the
/// block.
///
/// Two rows of 24 bits; three if one of the upper 16 of 64 is set.
///
/// ```
/// use umem_core::{address::VirtAddr, diagram::{self, palette, svg}, size::PageSize};
/// let size = PageSize::new(2 << 20).unwrap();
/// let drawing = diagram::split(VirtAddr::new(0x7f00_0020_1234), size);
/// let svg = svg::render(&drawing, &palette::LIGHT, "an address and pages of 2M");
/// assert!(svg.contains("offset: 0x1234 of 2M"));
/// ```
pub fn split(address: VirtAddr, size: PageSize) -> Drawing {
    let rows = if address.get() >> 48 == 0 { 2 } else { 3 };
    let top = (rows * ACROSS).min(64);
    let mut picture = Picture(Vec::new());
    for row in 0..rows {
        let bits = (rows - 1 - row) * ACROSS..(rows * ACROSS - row * ACROSS).min(top);
        picture.row(address, size, bits, f64::from(row) * ROW);
    }
    let low = size.log2();
    let words = [
        format!("which entry: {:#x}", address.get() >> low),
        format!(
            "offset: {:#x} of {}",
            address.offset_in(size),
            Bytes(size.bytes())
        ),
    ];
    for (side, words) in [low..top, 0..low].into_iter().zip(words) {
        picture.side(side, rows, words);
    }
    Drawing {
        width: f64::from(ACROSS) * BIT,
        height: f64::from(rows) * ROW,
        commands: picture.0,
    }
}

/// Where a bit's box begins, from the left edge.
fn left(bit: u32) -> f64 {
    f64::from(ACROSS - 1 - bit % ACROSS) * BIT
}

struct Picture(Vec<Command>);

impl Picture {
    /// These bits, each in a box, under their hexadecimal digits.
    fn row(&mut self, address: VirtAddr, size: PageSize, bits: Range<u32>, y: f64) {
        for bit in bits.rev() {
            let (fill, ink) = match bit < size.log2() {
                true => (Paint::Size(size), Paint::OnSize(size)),
                false => (Paint::Card, Paint::Ink),
            };
            self.0.push(Command::Rect {
                x: left(bit),
                y: y + TOP,
                width: BIT,
                height: HIGH,
                radius: 0.0,
                fill: Some(fill),
                stroke: Some(Paint::Grid),
                dashed: false,
            });
            let digit = format!("{}", address.get() >> bit & 1);
            self.text(
                (left(bit) + BIT / 2.0, y + TOP + 15.0),
                TextStyle::Address,
                ink,
                digit,
            );
            if bit % 4 == 3 {
                let hex = format!("{:x}", address.get() >> (bit - 3) & 0xf);
                let middle = left(bit) + 2.0 * BIT;
                self.text((middle, y + TOP - 8.0), TextStyle::Label, Paint::Ink, hex);
            }
        }
    }

    /// A line under all bits of a side, and its words where most of them stand.
    fn side(&mut self, bits: Range<u32>, rows: u32, words: String) {
        let pieces =
            (0..rows).map(|row| bits.start.max(row * ACROSS)..bits.end.min((row + 1) * ACROSS));
        let pieces: Vec<_> = pieces.filter(|piece| !piece.is_empty()).collect();
        let y = |piece: &Range<u32>| {
            f64::from(rows - 1 - piece.start / ACROSS) * ROW + TOP + HIGH + 8.0
        };
        for piece in &pieces {
            let (from, to) = (left(piece.end - 1) + 2.0, left(piece.start) + BIT - 2.0);
            self.0.push(Command::Line {
                from: (from, y(piece)),
                to: (to, y(piece)),
                paint: Paint::Soft,
                width: 1.0,
            });
        }
        if let Some(piece) = pieces.iter().max_by_key(|piece| piece.len()) {
            let middle = (left(piece.end - 1) + left(piece.start) + BIT) / 2.0;
            self.text(
                (middle, y(piece) + 17.0),
                TextStyle::Small,
                Paint::Ink,
                words,
            );
        }
    }

    fn text(&mut self, (x, y): (f64, f64), style: TextStyle, paint: Paint, text: String) {
        self.0.push(Command::Text {
            x,
            y,
            anchor: Anchor::Middle,
            style,
            paint,
            text,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::{
        address::VirtAddr,
        diagram::{Command, Drawing, TextStyle},
        size::PageSize,
    };
    use alloc::{string::String, vec::Vec};

    fn texts(drawing: &Drawing) -> Vec<&str> {
        let texts = drawing.commands.iter().filter_map(|command| match command {
            Command::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The digits spell the address, in both notations, and the two sides put together are the address again.
    #[test]
    fn the_two_sides_are_the_address() {
        for address in [0, 0x7f00_0020_1234, 0xffff_8000_0000_0fff, u64::MAX] {
            for log2 in [0, 12, 21, 30, 48, 63] {
                let size = PageSize::new(1 << log2).unwrap();
                let drawing = split(VirtAddr::new(address), size);
                let texts = texts(&drawing);
                let digits = |style| {
                    let digits = drawing
                        .commands
                        .iter()
                        .filter_map(move |command| match command {
                            Command::Text {
                                text, style: its, ..
                            } if *its == style => Some(&**text),
                            _ => None,
                        });
                    digits.collect::<String>()
                };
                assert_eq!(
                    u64::from_str_radix(&digits(TextStyle::Address), 2),
                    Ok(address)
                );
                assert_eq!(
                    u64::from_str_radix(&digits(TextStyle::Label), 16),
                    Ok(address)
                );
                let after = |word: &str| {
                    let side = texts.iter().find_map(|text| text.strip_prefix(word));
                    let hex = side.map_or("0", |side| side[2..].split(' ').next().unwrap());
                    u64::from_str_radix(hex, 16).unwrap()
                };
                let (entry, offset) = (after("which entry: "), after("offset: "));
                assert_eq!((entry << log2) + offset, address, "{log2}");
            }
        }
    }
}
