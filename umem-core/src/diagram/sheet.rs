//! Pictures for files: with margins and with a heading that says what they show.

use super::{Anchor, Command, Drawing, Paint, TextStyle};
use alloc::{string::String, vec::Vec};

/// What is left free at both sides and below, in pixels.
const MARGIN: f64 = 16.0;
/// Where the words above a picture stand, from its upper edge, and how high they are together.
const TITLE: f64 = 30.0;
const ABOUT: f64 = 50.0;
const HEADING: f64 = 64.0;
/// The height of a line of notes.
const NOTE: f64 = 18.0;

/// The heading of a picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heading {
    /// The result: "257 entries: 255 × 4K + 1 × 1M + 1 × 2M".
    pub title: String,
    /// What it is of.
    pub about: String,
    /// Notes, a sentence each; they break into lines and are never cut.
    pub notes: Vec<String>,
}

impl Drawing {
    /// The picture with margins: at both sides and below, since its axis leaves room above.
    pub fn with_margins(self) -> Self {
        let (width, height) = (self.width + 2.0 * MARGIN, self.height + MARGIN);
        Self {
            width,
            height,
            commands: moved(self, 0.0).collect(),
        }
    }

    /// Pictures one below the other, each under its heading; words that do not fit are cut.
    pub fn sheet(pictures: impl IntoIterator<Item = (Heading, Self)>) -> Self {
        let mut sheet = Self {
            width: 0.0,
            height: 0.0,
            commands: Vec::new(),
        };
        for (heading, drawing) in pictures {
            let (top, width) = (sheet.height, drawing.width);
            let lines = [
                (TITLE, TextStyle::Heading, Paint::Ink, heading.title),
                (ABOUT, TextStyle::Small, Paint::Soft, heading.about),
            ];
            sheet
                .commands
                .extend(lines.map(|(y, style, paint, text)| Command::Text {
                    x: MARGIN,
                    y: top + y,
                    anchor: Anchor::Start,
                    style,
                    paint,
                    text: fitting(text, style, width),
                }));
            let mut heading_height = HEADING;
            for text in heading
                .notes
                .iter()
                .flat_map(|note| lines_of(note, TextStyle::Small, width))
            {
                sheet.commands.push(Command::Text {
                    x: MARGIN,
                    y: top + heading_height + NOTE - HEADING + ABOUT,
                    anchor: Anchor::Start,
                    style: TextStyle::Small,
                    paint: Paint::Soft,
                    text,
                });
                heading_height += NOTE;
            }
            sheet.width = sheet.width.max(width + 2.0 * MARGIN);
            sheet.height = top + heading_height + drawing.height + MARGIN;
            sheet.commands.extend(moved(drawing, top + heading_height));
        }
        sheet
    }
}

/// The shapes of `drawing`, right of the margin and `down` pixels lower.
fn moved(drawing: Drawing, down: f64) -> impl Iterator<Item = Command> {
    drawing
        .commands
        .into_iter()
        .map(move |command| command.moved(MARGIN, down))
}

/// `text`, in lines that are so wide; a word that is wider stands alone.
pub(super) fn lines_of(text: &str, style: TextStyle, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_ascii_whitespace() {
        match lines.last_mut() {
            Some(line) if style.width(line) + style.width(" ") + style.width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// As much of `text` as is so wide.
fn fitting(text: String, style: TextStyle, width: f64) -> String {
    if style.width(&text) <= width {
        return text;
    }
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if style.width(&cut) + style.width("…") > width {
            cut.pop();
            break;
        }
    }
    cut.push('…');
    cut
}
