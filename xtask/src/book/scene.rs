//! A scene in the book: the element, with its picture for whoever cannot run it, and the command that answers the same.

use super::umem::Umem;
use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What a scene shows.
pub struct Scene<'a> {
    pub name: &'a str,
    pub at: &'a str,
    pub attributes: &'a [(&'a str, &'a str)],
}

/// What `umem` says of a scene.
struct Told(String);

impl Told {
    fn of(&self, key: &str) -> Result<&str> {
        self.0
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .with_context(|| format!("umem does not tell the scene's {key}"))
    }
}

impl Scene<'_> {
    /// Draws the picture into `book/pictures`, and writes the HTML that shows it. Scenes that are files lie in `scenes`.
    pub fn html(&self, umem: &Umem, scenes: &Path, book: &Path) -> Result<String> {
        let file = format!("{}.json", self.name);
        let is_file = scenes.join(&file).is_file();
        let picture = match self.at {
            "end" => format!("pictures/{}.svg", self.name),
            at => format!("pictures/{}-{at}.svg", self.name),
        };
        let told = draw(
            umem,
            scenes,
            self.source(is_file),
            self.at,
            &book.join(&picture),
        )
        .with_context(|| match is_file {
            true => format!("docs/scenes/{file}"),
            false => format!("{} (there is no docs/scenes/{file})", self.name),
        })?;
        let what = if is_file {
            format!(r#"scenario="{}""#, escaped(told.of("scenario")?))
        } else {
            format!(r#"preset="{}""#, self.name)
        };
        let (command, page) = if is_file {
            let download = format!(r#"umem plan <a href="scenes/{file}">{file}</a> --why"#);
            (download, format!("../?src=book/scenes/{file}"))
        } else {
            let command = format!("umem plan --preset {} --why", self.name);
            (command, format!("../#preset={}", self.name))
        };
        // No blank line in it: that would end the HTML for Markdown.
        Ok(format!(
            r#"<figure class="{class}">
<umem-split {what} at="{at}"{more}><img src="{picture}" width="{width}" height="{height}" alt="{alt}"></umem-split>
<figcaption><code>{command}</code> <a href="{page}">Open in the page</a></figcaption>
</figure>
"#,
            // Before its end a scene asks something.
            class = if self.at == "end" {
                "scene"
            } else {
                "scene asks"
            },
            at = told.of("at")?,
            more = self.attributes()?,
            width = told.of("width")?,
            height = told.of("height")?,
            alt = escaped(told.of("alt")?),
        ))
    }

    fn source(&self, is_file: bool) -> [OsString; 2] {
        if is_file {
            // Names never begin with a dash here; `--` would end the options that follow.
            ["--".into(), format!("{}.json", self.name).into()]
        } else {
            ["--preset".into(), self.name.into()]
        }
    }

    /// The attributes of the element, of which `controls` is always there.
    fn attributes(&self) -> Result<String> {
        let mut html = String::new();
        if !self.attributes.iter().any(|(key, _)| *key == "controls") {
            html.push_str(r#" controls="play""#);
        }
        for (key, value) in self.attributes {
            match (*key, *value) {
                ("controls", "full" | "play" | "none") => {}
                ("controls", other) => {
                    bail!("controls are full, play or none, and not \"{other}\"")
                }
                ("loop" | "autoplay", "") => {
                    html += &format!(" {key}");
                    continue;
                }
                ("loop" | "autoplay", _) => bail!("{key} has no value"),
                (_, "") => bail!("{key} needs a value"),
                _ => {}
            }
            // Lists have commas in a marker, and spaces in the attribute.
            html += &format!(r#" {key}="{}""#, escaped(&value.replace(',', " ")));
        }
        Ok(html)
    }
}

/// Draws an address as bits into `book/pictures`, and writes the HTML that shows it.
pub fn bits(umem: &Umem, address: &str, size: &str, book: &Path) -> Result<String> {
    let picture = format!("pictures/bits-{address}-{size}.svg");
    let svg = book.join(&picture);
    let words = ["book", "bits", address, size, "--svg"].map(OsStr::new);
    let told = Told(umem.ask(book, &[&words[..], &[svg.as_os_str()]].concat())?);
    Ok(format!(
        r#"<figure class="bits"><img src="{picture}" width="{}" height="{}" alt="{}"></figure>
"#,
        told.of("width")?,
        told.of("height")?,
        escaped(told.of("alt")?)
    ))
}

fn draw(umem: &Umem, folder: &Path, source: [OsString; 2], at: &str, svg: &Path) -> Result<Told> {
    let options = ["book", "scene", "--at", at, "--svg"].map(OsString::from);
    let mut words = Vec::from(options);
    words.push(svg.into());
    words.extend(source);
    Ok(Told(umem.ask::<&OsStr>(
        folder,
        &words.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
    )?))
}

/// Text as it may stand in HTML, in an attribute or outside.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::{Scene, escaped};

    #[test]
    fn attributes_are_checked() {
        let html = |attributes: &[(&str, &str)]| {
            let scene = Scene {
                name: "mail",
                at: "end",
                attributes,
            };
            scene.attributes().map_err(|error| error.to_string())
        };
        assert_eq!(html(&[]).unwrap(), r#" controls="play""#);
        assert_eq!(
            html(&[("controls", "none"), ("lanes", "sg,dma"), ("loop", "")]).unwrap(),
            r#" controls="none" lanes="sg dma" loop"#
        );
        assert!(html(&[("controls", "many")]).unwrap_err().contains("many"));
        assert!(html(&[("loop", "1")]).unwrap_err().contains("no value"));
    }

    #[test]
    fn json_stands_in_an_attribute() {
        assert_eq!(
            escaped(r#"{"a":"<&"}"#),
            "{&quot;a&quot;:&quot;&lt;&amp;&quot;}"
        );
    }
}
