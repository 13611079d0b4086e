//! Drawing commands as SVG: attributes only, no style, so that it stands under any Content-Security-Policy.

use super::{Anchor, Command, Drawing, palette::Palette};
use alloc::string::String;
use core::fmt::Write;

/// The picture as an SVG document, with `title` for screen readers.
pub fn render(drawing: &Drawing, palette: &Palette, title: &str) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write_svg(&mut svg, drawing, palette, title);
    svg
}

fn write_svg(
    svg: &mut String,
    drawing: &Drawing,
    palette: &Palette,
    title: &str,
) -> core::fmt::Result {
    let (width, height) = (Px(drawing.width), Px(drawing.height));
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" role="img">"#
    )?;
    writeln!(svg, "<title>{}</title>", Escaped(title))?;
    writeln!(
        svg,
        r##"<rect width="{width}" height="{height}" fill="#{:06x}"/>"##,
        palette.ground
    )?;
    for command in &drawing.commands {
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
                write!(
                    svg,
                    r#"<rect x="{}" y="{}" width="{}" height="{}""#,
                    Px(*x),
                    Px(*y),
                    Px(*width),
                    Px(*height)
                )?;
                if *radius > 0.0 {
                    write!(svg, r#" rx="{}""#, Px(*radius))?;
                }
                match fill {
                    Some(paint) => write!(svg, r##" fill="#{:06x}""##, palette.colour(*paint))?,
                    None => write!(svg, r#" fill="none""#)?,
                }
                if let Some(paint) = stroke {
                    write!(
                        svg,
                        r##" stroke="#{:06x}" stroke-width="1.5""##,
                        palette.colour(*paint)
                    )?;
                }
                if *dashed {
                    write!(svg, r#" stroke-dasharray="4 4""#)?;
                }
                writeln!(svg, "/>")?;
            }
            Command::Line {
                from,
                to,
                paint,
                width,
            } => writeln!(
                svg,
                r##"<path d="M{} {}L{} {}" stroke="#{:06x}" stroke-width="{}"/>"##,
                Px(from.0),
                Px(from.1),
                Px(to.0),
                Px(to.1),
                palette.colour(*paint),
                Px(*width)
            )?,
            Command::Marks {
                xs,
                from,
                to,
                paint,
                width,
            } => {
                if xs.is_empty() {
                    continue;
                }
                svg.write_str(r#"<path d=""#)?;
                for x in xs {
                    write!(svg, "M{} {}V{}", Px(*x), Px(*from), Px(*to))?;
                }
                writeln!(
                    svg,
                    r##"" stroke="#{:06x}" stroke-width="{}"/>"##,
                    palette.colour(*paint),
                    Px(*width)
                )?;
            }
            Command::Polygon { points, fill } => {
                write!(svg, r#"<path d=""#)?;
                for (i, (x, y)) in points.iter().enumerate() {
                    write!(
                        svg,
                        "{}{} {}",
                        if i == 0 { 'M' } else { 'L' },
                        Px(*x),
                        Px(*y)
                    )?;
                }
                writeln!(svg, r##"Z" fill="#{:06x}"/>"##, palette.colour(*fill))?;
            }
            Command::Text {
                x,
                y,
                anchor,
                style,
                paint,
                text,
            } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let weight = if style.bold() {
                    r#" font-weight="600""#
                } else if style.monospaced() {
                    r#" font-family="ui-monospace, monospace""#
                } else {
                    ""
                };
                writeln!(
                    svg,
                    r##"<text x="{}" y="{}" text-anchor="{anchor}" font-size="{}"{weight} fill="#{:06x}">{}</text>"##,
                    Px(*x),
                    Px(*y),
                    Px(style.pixels()),
                    palette.colour(*paint),
                    Escaped(text)
                )?;
            }
        }
    }
    svg.write_str("</svg>\n")
}

/// A length in pixels, to a tenth.
struct Px(f64);

impl core::fmt::Display for Px {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tenths = (self.0 * 10.0 + if self.0 < 0.0 { -0.5 } else { 0.5 }) as i64;
        let (sign, tenths) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
        match tenths % 10 {
            0 => write!(f, "{sign}{}", tenths / 10),
            tenth => write!(f, "{sign}{}.{tenth}", tenths / 10),
        }
    }
}

/// A text as it stands in XML and HTML, between tags or in an attribute.
///
/// ```
/// use umem_core::diagram::svg::Escaped;
/// assert_eq!(Escaped(r#"{"a":"<&>"}"#).to_string(), "{&quot;a&quot;:&quot;&lt;&amp;&gt;&quot;}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl core::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            // XML has no control characters, escaped or not.
            c if c.is_control() => f.write_str(" "),
            c => f.write_char(c),
        })
    }
}
