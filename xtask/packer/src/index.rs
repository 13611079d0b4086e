//! The page's `index.html`, with its first picture in it, and `build.json`: what a build consists of.
//!
//! The first picture needs no code: it is the mail's example as `diagram` draws it, wide and narrow, in the light and in the
//! dark. The page takes its place.

use crate::cases;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use umem_core::diagram::{
    self, Attention, Command, Drawing, Steps, TextStyle, View,
    palette::{DARK, LIGHT, Palette},
    svg,
};
use umem_core::registration::Registration;
use umem_core::scenario::presets::{PRESETS, Preset};

/// What a build of the page consists of, beside its index, its cases and `pkg`.
const FILES: [&str; 6] = [
    "app.js",
    "dialogs.js",
    "first.js",
    "icon.svg",
    "story.json",
    "style.css",
];
const INDEX: &str = "index.html";
const MANIFEST: &str = "build.json";

/// How wide the two pictures are drawn, in pixels: about as on a laptop, and as on a phone.
const WIDTHS: [(&str, f64); 2] = [("wide", 744.0), ("narrow", 358.0)];

/// The picture that stands beside a link to the page, and how large it is, in pixels.
const PREVIEW: (&str, u32, u32) = ("preview.png", 1200, 630);

/// Writes them into `out`, and the cases with them: from the template, from what was built into `site`, and from the reports. `address` is
/// where the page will be, if anybody knows.
pub fn write(
    site: &Path,
    template: &Path,
    reports: &Path,
    address: Option<&str>,
    out: &Path,
) -> Result<()> {
    let template = fs::read_to_string(template).with_context(|| template.display().to_string())?;
    let filled = fill(&template, &PRESETS[0], address)?;
    let cases = cases::text(reports)?;
    let mut files = vec![(cases::FILE.to_owned(), digest(cases.as_bytes()))];
    for file in FILES.map(str::to_owned).into_iter().chain(pkg(site)?) {
        let contents = fs::read(site.join(&file)).with_context(|| file.clone())?;
        files.push((file, digest(&contents)));
    }
    files.sort();
    let listed: String = files
        .iter()
        .map(|(file, digest)| format!("{file} {digest}\n"))
        .collect();
    // The index names the build, so what names the build is the index without it.
    let build = &digest((listed + &filled).as_bytes())[..16];
    let index = filled.replace("{build}", build);
    files.push((INDEX.to_owned(), digest(index.as_bytes())));
    for (file, text) in [
        (cases::FILE, &cases),
        (INDEX, &index),
        (MANIFEST, &manifest(build, &files)),
    ] {
        fs::write(out.join(file), text).with_context(|| out.join(file).display().to_string())?;
    }
    Ok(())
}

/// What was made of the page's code.
fn pkg(site: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(site.join("pkg")).context("pkg")? {
        let entry = entry?;
        ensure!(
            entry.file_type()?.is_file(),
            "pkg has a folder, which index.rs does not list: {}",
            entry.path().display()
        );
        names.extend(entry.file_name().into_string());
    }
    Ok(names
        .into_iter()
        .map(|name| format!("pkg/{name}"))
        .collect())
}

fn digest(contents: &[u8]) -> String {
    Sha256::digest(contents)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn manifest(build: &str, files: &[(String, String)]) -> String {
    let rows: Vec<_> = files
        .iter()
        .map(|(file, digest)| format!("    \"{file}\": \"{digest}\""))
        .collect();
    format!(
        "{{\n  \"build\": \"{build}\",\n  \"files\": {{\n{}\n  }}\n}}\n",
        rows.join(",\n")
    )
}

/// The template with everything but the build.
fn fill(template: &str, preset: &Preset, address: Option<&str>) -> Result<String> {
    let mut filled = template.to_owned();
    for (mark, text) in [
        ("{about}", escaped(preset.about)),
        ("{preview}", preview(address)),
        ("{presets}", options()),
        ("{pictures}", pictures(preset)?),
    ] {
        ensure!(filled.contains(mark), "web/page/index.html lacks {mark}");
        filled = filled.replace(mark, &text);
    }
    Ok(filled)
}

/// What stands beside a link to the page where people share it. A picture needs an absolute address there.
fn preview(address: Option<&str>) -> String {
    let Some(address) = address else {
        return "<meta name=\"twitter:card\" content=\"summary\">".into();
    };
    let (name, width, height) = PREVIEW;
    let address = escaped(address.trim_end_matches('/'));
    format!(
        "<meta property=\"og:url\" content=\"{address}/\">\n\
         <meta property=\"og:image\" content=\"{address}/{name}\">\n\
         <meta property=\"og:image:width\" content=\"{width}\">\n\
         <meta property=\"og:image:height\" content=\"{height}\">\n\
         <meta property=\"og:image:alt\" content=\"4 MiB of two 2M pages, starting 4K in: 255 × 4K + 1 × 1M + 1 × 2M\">\n\
         <meta name=\"twitter:card\" content=\"summary_large_image\">"
    )
}

/// The titles of all presets, so that the select is as wide as the page's will be.
fn options() -> String {
    PRESETS.iter().fold(String::new(), |mut html, preset| {
        // Writing to a string cannot fail.
        let _ = write!(html, "<option>{}</option>", escaped(preset.title));
        html
    })
}

fn escaped(text: &str) -> String {
    svg::Escaped(text).to_string()
}

/// The finished picture in each width and each theme; the style sheet shows one of them.
fn pictures(preset: &Preset) -> Result<String> {
    let index = Registration::new(&preset.scenario())?.index();
    let (registration, steps) = (index.registration(), Steps::new(&index));
    let mut html = String::new();
    for (name, width) in WIDTHS {
        let view = View::whole(registration, width);
        let end = steps.count() as f64;
        let drawing = diagram::draw(&index, view, end, Attention::default());
        for (theme, palette) in [("light", &LIGHT), ("dark", &DARK)] {
            html += &picture(
                &drawing,
                palette,
                &format!("{name} {theme}"),
                &registration.status(),
            )?;
        }
    }
    Ok(html)
}

/// One of them: the lanes' names, which are there for every scenario, and the rest, which is the example's alone.
fn picture(drawing: &Drawing, palette: &Palette, class: &str, title: &str) -> Result<String> {
    let is_name = |command: &Command| {
        matches!(
            command,
            Command::Text {
                style: TextStyle::Title,
                ..
            }
        )
    };
    let (names, rest): (Vec<_>, Vec<_>) = drawing.commands.iter().cloned().partition(is_name);
    ensure!(!names.is_empty(), "the picture names no lane");
    let lines = |commands| {
        let part = Drawing {
            commands,
            ..drawing.clone()
        };
        svg::render(&part, palette, title)
    };
    let (names, rest) = (lines(names), lines(rest));
    let head = rest.lines().next().context("an empty drawing")?;
    let head = head.replacen("<svg ", &format!("<svg class=\"{class}\" "), 1);
    // Head, title and ground come first, and the end last.
    let body = |svg: &str| {
        let lines: Vec<_> = svg.trim_end().lines().skip(3).collect();
        lines[..lines.len() - 1].join("\n")
    };
    Ok(format!(
        "{head}\n<title>{}</title>\n<g class=\"full\">{}</g>\n<g>{}</g>\n</svg>\n",
        escaped(title),
        body(&rest),
        body(&names)
    ))
}

#[cfg(test)]
mod tests {
    use super::{PREVIEW, digest, fill, manifest};
    use umem_core::scenario::presets::PRESETS;

    const TEMPLATE: &str = "<p>{about}</p><select>{presets}</select>{preview}{pictures}";

    #[test]
    fn the_first_picture_stands_under_a_strict_policy() {
        let html = fill(TEMPLATE, &PRESETS[0], None).unwrap();
        assert_eq!(html.matches("<svg ").count(), 4);
        assert_eq!(html.matches("</svg>").count(), 4);
        assert_eq!(html.matches("<g ").count() + html.matches("<g>").count(), 8);
        for forbidden in ["style", "<script", "onload", "{about}"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(html.contains(">Virtual memory</text>"));
        assert!(html.contains("257 entries: 255 × 4K + 1 × 1M + 1 × 2M"));
    }

    #[test]
    fn a_template_without_a_place_for_the_picture_is_refused() {
        let error = fill("<p>{about}</p>{preview}{presets}", &PRESETS[0], None).unwrap_err();
        assert!(error.to_string().contains("{pictures}"), "{error}");
    }

    #[test]
    fn a_link_has_a_picture_where_the_address_is_known() {
        let without = fill(TEMPLATE, &PRESETS[0], None).unwrap();
        assert!(!without.contains("og:image"));
        assert!(without.contains("content=\"summary\""));
        for address in ["https://example.org/a&b", "https://example.org/a&b/"] {
            let html = fill(TEMPLATE, &PRESETS[0], Some(address)).unwrap();
            for tag in [
                "og:url\" content=\"https://example.org/a&amp;b/\"",
                "og:image\" content=\"https://example.org/a&amp;b/preview.png\"",
                "content=\"summary_large_image\"",
            ] {
                assert!(html.contains(tag), "{tag}: {html}");
            }
        }
    }

    /// What `cargo xtask shots` draws, and `cargo xtask dist` puts beside the index.
    #[test]
    fn the_picture_of_a_link_is_as_large_as_it_says() {
        let (name, width, height) = PREVIEW;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/");
        let png = std::fs::read(format!("{path}{name}")).unwrap();
        // The header of a PNG: its size stands behind the signature and the first chunk's name.
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!(&png[1..4], b"PNG");
        assert_eq!((number(16), number(20)), (width, height));
    }

    #[test]
    fn a_manifest_names_every_file_with_its_digest() {
        let files = [
            ("app.js".to_owned(), digest(b"")),
            ("pkg/web.js".to_owned(), digest(b"x")),
        ];
        let json = manifest("0123", &files);
        assert!(json.contains(
            "\"app.js\": \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
        ));
        assert!(json.ends_with("\"\n  }\n}\n"), "{json}");
    }
}
