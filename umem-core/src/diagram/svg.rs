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
    open(svg, (drawing.width, drawing.height), title)?;
    ground(svg, (drawing.width, drawing.height), palette)?;
    for command in &drawing.commands {
        shape(svg, command, palette)?;
    }
    svg.write_str("</svg>\n")
}

/// The document's beginning: its size, and what it is called.
pub(super) fn open(svg: &mut String, size: (f64, f64), title: &str) -> core::fmt::Result {
    let (width, height) = (Px(size.0), Px(size.1));
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" role="img">"#
    )?;
    writeln!(svg, "<title>{}</title>", Escaped(title))
}

/// What everything is drawn on.
pub(super) fn ground(svg: &mut String, size: (f64, f64), palette: &Palette) -> core::fmt::Result {
    let (width, height) = (Px(size.0), Px(size.1));
    let ground = palette.ground;
    writeln!(
        svg,
        r##"<rect width="{width}" height="{height}" fill="#{ground:06x}"/>"##
    )
}

/// One command; nothing where there is nothing to be seen.
pub(super) fn shape(svg: &mut String, command: &Command, palette: &Palette) -> core::fmt::Result {
    let colour = |paint| Colour(palette.colour(paint));
    match command {
        Command::Rect { .. } => rect(svg, command, palette),
        Command::Line {
            from,
            to,
            paint,
            width,
        } => {
            let path = [*from, *to];
            write!(svg, r#"<path d="{}""#, Path(&path))?;
            let (paint, width) = (colour(*paint), Px(*width));
            writeln!(svg, r#" stroke="{paint}" stroke-width="{width}"/>"#)
        }
        Command::Marks { xs, .. } if xs.is_empty() => Ok(()),
        Command::Marks {
            xs,
            from,
            to,
            paint,
            width,
        } => {
            svg.write_str(r#"<path d=""#)?;
            for x in xs {
                write!(svg, "M{} {}v{}", Px(*x), Px(*from), Px(to - from))?;
            }
            let (paint, width) = (colour(*paint), Px(*width));
            writeln!(svg, r#"" stroke="{paint}" stroke-width="{width}"/>"#)
        }
        Command::Polygon { points, fill } => {
            let (path, fill) = (Path(points), colour(*fill));
            writeln!(svg, r#"<path d="{path}Z" fill="{fill}"/>"#)
        }
        Command::Text { .. } => text(svg, command, palette),
    }
}

fn rect(svg: &mut String, command: &Command, palette: &Palette) -> core::fmt::Result {
    let colour = |paint| Colour(palette.colour(paint));
    let Command::Rect {
        x,
        y,
        width,
        height,
        radius,
        fill,
        stroke,
        dashed,
    } = command
    else {
        return Ok(());
    };
    let (x, y, width, height) = (Px(*x), Px(*y), Px(*width), Px(*height));
    write!(
        svg,
        r#"<rect x="{x}" y="{y}" width="{width}" height="{height}""#
    )?;
    if *radius > 0.0 {
        write!(svg, r#" rx="{}""#, Px(*radius))?;
    }
    match fill {
        Some(paint) => write!(svg, r#" fill="{}""#, colour(*paint))?,
        None => write!(svg, r#" fill="none""#)?,
    }
    if let Some(paint) = stroke {
        write!(svg, r#" stroke="{}" stroke-width="1.5""#, colour(*paint))?;
    }
    if *dashed {
        write!(svg, r#" stroke-dasharray="4 4""#)?;
    }
    writeln!(svg, "/>")
}

fn text(svg: &mut String, command: &Command, palette: &Palette) -> core::fmt::Result {
    let colour = |paint| Colour(palette.colour(paint));
    let Command::Text {
        x,
        y,
        anchor,
        style,
        paint,
        text,
    } = command
    else {
        return Ok(());
    };
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => r#" text-anchor="middle""#,
        Anchor::End => r#" text-anchor="end""#,
    };
    let weight = if style.bold() {
        r#" font-weight="600""#
    } else if style.monospaced() {
        r#" font-family="ui-monospace, monospace""#
    } else {
        ""
    };
    let (x, y, size, paint) = (Px(*x), Px(*y), Px(style.pixels()), colour(*paint));
    writeln!(
        svg,
        r#"<text x="{x}" y="{y}"{anchor} font-size="{size}"{weight} fill="{paint}">{}</text>"#,
        Escaped(text)
    )
}

/// A colour as XML has it.
struct Colour(u32);

impl core::fmt::Display for Colour {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "#{:06x}", self.0)
    }
}

/// Points joined by lines.
struct Path<'a>(&'a [(f64, f64)]);

impl core::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (i, (x, y)) in self.0.iter().enumerate() {
            let letter = if i == 0 { 'M' } else { 'L' };
            write!(f, "{letter}{} {}", Px(*x), Px(*y))?;
        }
        Ok(())
    }
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
