//! How a NIC reads an address: the upper bits say which entry of the table, the lower ones how far into its block.

use super::{Anchor, Command, Drawing, Paint, TextStyle};
use crate::{
    address::VirtAddr,
    size::{Bytes, PageSize},
};
use alloc::{format, string::String, vec::Vec};

/// The width of a bit, and the height of its box, in pixels.
const BIT: f64 = 14.0;
const HIGH: f64 = 22.0;
/// Where the boxes begin, from the upper edge.
const TOP: f64 = 26.0;

/// An address as hexadecimal digits and bits, cut where a table of blocks of `size` cuts it: left which entry it takes, right the offset
/// in the block.
///
/// 48 bits, or all 64 if one of the upper 16 is set.
///
/// ```
/// use umem_core::{address::VirtAddr, diagram::{self, palette, svg}, size::PageSize};
/// let size = PageSize::new(2 << 20).unwrap();
/// let drawing = diagram::split(VirtAddr::new(0x7f00_0020_1234), size);
/// let svg = svg::render(&drawing, &palette::LIGHT, "an address and pages of 2M");
/// assert!(svg.contains("offset: 0x1234 of 2M"));
/// ```
pub fn split(address: VirtAddr, size: PageSize) -> Drawing {
    let bits = if address.get() >> 48 == 0 { 48 } else { 64 };
    let low = size.log2().min(bits);
    let left = |bit: u32| f64::from(bits - 1 - bit) * BIT;
    let mut commands: Vec<Command> = Vec::new();
    let text = |x, y, style, paint, text: String| Command::Text {
        x,
        y,
        anchor: Anchor::Middle,
        style,
        paint,
        text,
    };
    for bit in (0..bits).rev() {
        let (fill, ink) = match bit < low {
            true => (Paint::Size(size), Paint::OnSize(size)),
            false => (Paint::Card, Paint::Ink),
        };
        commands.push(Command::Rect {
            x: left(bit),
            y: TOP,
            width: BIT,
            height: HIGH,
            radius: 0.0,
            fill: Some(fill),
            stroke: Some(Paint::Grid),
            dashed: false,
        });
        let digit = format!("{}", address.get() >> bit & 1);
        commands.push(text(
            left(bit) + BIT / 2.0,
            TOP + 15.0,
            TextStyle::Address,
            ink,
            digit,
        ));
    }
    for digit in 0..bits / 4 {
        let hex = format!("{:x}", address.get() >> (digit * 4) & 0xf);
        let middle = left(digit * 4 + 1);
        commands.push(text(middle, TOP - 8.0, TextStyle::Label, Paint::Ink, hex));
    }
    let entry = address.get() >> low;
    let offset = address.offset_in(size);
    let sides = [
        (low, bits, format!("which entry: {entry:#x}")),
        (
            0,
            low,
            format!("offset: {offset:#x} of {}", Bytes(size.bytes())),
        ),
    ];
    for (from, to, words) in sides.into_iter().filter(|(from, to, _)| from < to) {
        let (x, end) = (left(to - 1), left(from) + BIT);
        let y = TOP + HIGH + 8.0;
        let paint = Paint::Soft;
        let line = |from, to| Command::Line {
            from,
            to,
            paint,
            width: 1.0,
        };
        commands.push(line((x + 2.0, y), (end - 2.0, y)));
        commands.push(text(
            (x + end) / 2.0,
            y + 17.0,
            TextStyle::Small,
            Paint::Ink,
            words,
        ));
    }
    Drawing {
        width: f64::from(bits) * BIT,
        height: TOP + HIGH + 32.0,
        commands,
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::{
        address::VirtAddr,
        diagram::{Command, Drawing},
        size::PageSize,
    };
    use alloc::{string::String, vec::Vec};

    fn texts(drawing: &Drawing) -> Vec<&str> {
        let text = |command| match command {
            &Command::Text { ref text, .. } => Some(text.as_str()),
            _ => None,
        };
        drawing.commands.iter().filter_map(text).collect()
    }

    /// The digits spell the address, in both notations, and the two sides put together are the address again.
    #[test]
    fn the_two_sides_are_the_address() {
        for address in [0, 0x7f00_0020_1234, 0xffff_8000_0000_0fff, u64::MAX] {
            for log2 in [0, 12, 21, 30, 48, 63] {
                let size = PageSize::new(1 << log2).unwrap();
                let drawing = split(VirtAddr::new(address), size);
                let texts = texts(&drawing);
                let bits = if address >> 48 == 0 { 48 } else { 64 };
                let binary: String = texts[..bits].concat();
                assert_eq!(u64::from_str_radix(&binary, 2), Ok(address));
                let hex: String = texts[bits..bits + bits / 4].iter().rev().copied().collect();
                assert_eq!(u64::from_str_radix(&hex, 16), Ok(address));
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
