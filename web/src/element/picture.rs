//! A drawing between the widget and the canvas.

use crate::{
    figure::{
        Frame,
        paint::{self, Colours},
    },
    player::{Player, Shown},
};
use umem_core::diagram::Drawing;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

/// A drawing that is ready to be painted, on its own: a browser that fails to paint it leaves the widget unharmed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Picture {
    pub(super) drawing: Drawing,
    pub(super) scale: f64,
    pub(super) colours: Colours,
}

#[wasm_bindgen]
impl Picture {
    /// Its height on the page, in pixels.
    pub fn height(&self) -> f64 {
        self.drawing.height * self.scale
    }

    /// Paints it, with so many dots a pixel.
    pub fn paint(self, canvas: &HtmlCanvasElement, ratio: f64) {
        paint::paint(canvas, &self.drawing, &self.colours, ratio * self.scale);
    }
}

/// Drawn smaller than this, labels can hardly be read.
const READABLE: f64 = 0.82;

/// The picture in the room that there is, of any height if that is 0.
fn laid_out(shown: &Shown, player: Player, (width, height): (f64, f64)) -> (Frame, Drawing) {
    let mut frame = Frame {
        compact: player.compact,
        ..Frame::natural(width)
    };
    let mut drawing = shown.draw(&player, frame.width);
    // A picture's height hangs on the width only where names move above their lanes: two tries find the scale.
    for _ in 0..2 {
        if height > 0.0 && (drawing.height * frame.scale - height).abs() > 0.5 {
            frame.scale = height / drawing.height;
            frame.width = width / frame.scale;
            drawing = shown.draw(&player, frame.width);
        }
    }
    (frame, drawing)
}

/// The same; where labels would be too small to be read, without the lens, so that all else is larger.
pub(super) fn readable(shown: &Shown, player: Player, room: (f64, f64)) -> (Frame, Drawing) {
    let laid = laid_out(shown, player, room);
    if laid.0.scale >= READABLE {
        return laid;
    }
    let compact = Player {
        compact: true,
        ..player
    };
    laid_out(shown, compact, room)
}

/// The name of a picture that is laid out so: whether there is a lens, too. There is none without entries, where they are hidden, and
/// where there is no room.
pub(super) fn named(label: &str, shown: &Shown, frame: Frame) -> String {
    match !shown.veiled && !frame.compact && shown.player.focus(&shown.scene).is_some() {
        true => format!("{label}, with a lens on the entries"),
        false => label.to_owned(),
    }
}
