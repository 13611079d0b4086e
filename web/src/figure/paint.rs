//! Drawing commands → a canvas.

use umem_core::diagram::{
    Anchor, Command, Drawing, Paint, TextStyle,
    palette::{DARK, LIGHT, Palette},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

const SANS: &str = "system-ui, -apple-system, \"Segoe UI\", Roboto, sans-serif";
const MONO: &str = "ui-monospace, \"SF Mono\", Menlo, Consolas, monospace";

/// Whose colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Theme {
    /// Ours, for light grounds.
    Light,
    /// Ours, for dark grounds.
    Dark,
    /// The reader's own: few, so that boxes are outlined and told by their labels.
    Forced,
}

/// The colours of a picture: a theme's, of which somebody may have changed some.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Colours {
    /// `None` where the reader's own are used.
    palette: Option<Palette>,
}

impl Colours {
    /// The theme's own.
    pub(crate) const fn of(theme: Theme) -> Self {
        Self {
            palette: match theme {
                Theme::Light => Some(LIGHT),
                Theme::Dark => Some(DARK),
                Theme::Forced => None,
            },
        }
    }

    /// The palette, to change it; `None` where the colours are the reader's own.
    pub(crate) fn palette(&mut self) -> Option<&mut Palette> {
        self.palette.as_mut()
    }

    /// Whether they are the reader's own.
    fn forced(&self) -> bool {
        self.palette.is_none()
    }

    /// The colour of `paint` in the words of CSS.
    fn css(&self, paint: Paint) -> String {
        match &self.palette {
            Some(palette) => hex(palette.colour(paint)),
            None => forced(paint).into(),
        }
    }
}

/// "#rrggbb".
fn hex(colour: u32) -> String {
    let digit = |i: u32| char::from_digit((colour >> (4 * i)) & 15, 16).unwrap_or('0');
    let mut text = String::from("#");
    text.extend((0..6).rev().map(digit));
    text
}

fn forced(paint: Paint) -> &'static str {
    match paint {
        Paint::Ink | Paint::Soft | Paint::OnSize(_) => "CanvasText",
        Paint::Grid | Paint::Ribbon | Paint::Tint(_) => "GrayText",
        Paint::Accent => "Highlight",
        _ => "Canvas",
    }
}

/// Paints `drawing` on `canvas`, with so many dots a pixel.
pub(crate) fn paint(canvas: &HtmlCanvasElement, drawing: &Drawing, colours: &Colours, ratio: f64) {
    let Some(context) = canvas
        .get_context("2d")
        .ok()
        .flatten()
        .and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok())
    else {
        return;
    };
    let (width, height) = (
        (drawing.width * ratio) as u32,
        (drawing.height * ratio) as u32,
    );
    // Setting a size empties the canvas and its memory, so only when it changes.
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
    let mut painter = Painter {
        context: &context,
        colours,
        fill: None,
        stroke: None,
        font: None,
        dashes: lengths(&[4.0, 4.0]),
        solid: lengths(&[]),
    };
    painter.fill_with(Paint::Ground);
    context.fill_rect(0.0, 0.0, drawing.width, drawing.height);
    for command in &drawing.commands {
        painter.command(command);
    }
}

fn lengths(pixels: &[f64]) -> JsValue {
    pixels
        .iter()
        .copied()
        .map(JsValue::from)
        .collect::<js_sys::Array>()
        .into()
}

/// A canvas, and what it was last told: telling it costs more than drawing.
struct Painter<'a> {
    context: &'a CanvasRenderingContext2d,
    colours: &'a Colours,
    fill: Option<Paint>,
    stroke: Option<Paint>,
    font: Option<TextStyle>,
    dashes: JsValue,
    solid: JsValue,
}

impl Painter<'_> {
    fn fill_with(&mut self, paint: Paint) {
        if self.fill != Some(paint) {
            self.fill = Some(paint);
            self.context.set_fill_style_str(&self.colours.css(paint));
        }
    }

    fn stroke_with(&mut self, paint: Paint) {
        if self.stroke != Some(paint) {
            self.stroke = Some(paint);
            // A box that has its size's colour as its outline has an outline all the same where sizes have no colour.
            let seen = self.outlined(Some(paint)).unwrap_or(paint);
            self.context.set_stroke_style_str(&self.colours.css(seen));
        }
    }

    /// Where colours are the reader's own, sizes have none: their boxes get outlines.
    fn outlined(&self, fill: Option<Paint>) -> Option<Paint> {
        let sized = matches!(fill, Some(Paint::Size(_) | Paint::OddSize));
        (sized && self.colours.forced()).then_some(Paint::Ink)
    }

    /// Text on the accent has the ground's colour, for which readers with colours of their own have a word.
    fn text_with(&mut self, paint: Paint) {
        if self.colours.forced() && paint == Paint::Ground {
            self.fill = None;
            return self.context.set_fill_style_str("HighlightText");
        }
        self.fill_with(paint);
    }

    fn command(&mut self, command: &Command) {
        let context = self.context;
        match command {
            Command::Rect {
                x,
                y,
                width,
                height,
                radius,
                fill,
                stroke,
                dashed,
            } => {
                let outlined = self.outlined(*fill);
                let stroke = stroke.as_ref().or(outlined.as_ref());
                if *radius < 0.5 && stroke.is_none() {
                    if let Some(paint) = fill {
                        self.fill_with(*paint);
                        context.fill_rect(*x, *y, *width, *height);
                    }
                    return;
                }
                context.begin_path();
                // Refused are negative radii only, and there are none.
                let _ = context.round_rect_with_f64(*x, *y, *width, *height, *radius);
                if let Some(paint) = fill {
                    self.fill_with(*paint);
                    context.fill();
                }
                if let Some(paint) = stroke {
                    self.stroke_with(*paint);
                    context.set_line_width(1.5);
                    if *dashed {
                        let _ = context.set_line_dash(&self.dashes);
                    }
                    context.stroke();
                    if *dashed {
                        let _ = context.set_line_dash(&self.solid);
                    }
                }
            }
            Command::Line {
                from,
                to,
                paint,
                width,
            } => {
                self.stroke_with(*paint);
                context.set_line_width(*width);
                context.begin_path();
                context.move_to(from.0, from.1);
                context.line_to(to.0, to.1);
                context.stroke();
            }
            Command::Marks {
                xs,
                from,
                to,
                paint,
                width,
            } => {
                self.stroke_with(*paint);
                context.set_line_width(*width);
                context.begin_path();
                for x in xs {
                    context.move_to(*x, *from);
                    context.line_to(*x, *to);
                }
                context.stroke();
            }
            Command::Polygon { points, fill } => {
                context.begin_path();
                for (i, (x, y)) in points.iter().enumerate() {
                    match i {
                        0 => context.move_to(*x, *y),
                        _ => context.line_to(*x, *y),
                    }
                }
                if self.colours.forced() && matches!(fill, Paint::Ribbon | Paint::Tint(_)) {
                    // Filled, it would be as dark as what it joins.
                    context.close_path();
                    self.stroke_with(*fill);
                    context.set_line_width(0.75);
                    context.stroke();
                    return;
                }
                self.fill_with(*fill);
                context.fill();
            }
            Command::Text {
                x,
                y,
                anchor,
                style,
                paint,
                text,
            } => {
                self.text_with(*paint);
                if self.font != Some(*style) {
                    self.font = Some(*style);
                    context.set_font(&font(*style));
                }
                context.set_text_align(match anchor {
                    Anchor::Start => "left",
                    Anchor::Middle => "center",
                    Anchor::End => "right",
                });
                // Refused by no browser for finite places.
                let _ = context.fill_text(text, *x, *y);
            }
        }
    }
}

fn font(style: TextStyle) -> String {
    let weight = if style.bold() { "600 " } else { "" };
    let family = if style.monospaced() { MONO } else { SANS };
    format!("{weight}{}px {family}", style.pixels() as u32)
}
