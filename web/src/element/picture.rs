//! A drawing between the widget and the canvas.

use crate::figure::paint::{self, Colours};
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
