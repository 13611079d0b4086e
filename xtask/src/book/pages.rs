//! The book's pages, with every marker replaced.

use super::marker::{self, Marker};
use super::scene::{self, Scene, escaped};
use super::umem::Umem;
use crate::place;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Writes to `draft` what mdBook builds, from the authors' folder `source`.
pub fn write(umem: &Umem, source: &Path, draft: &Path) -> Result<()> {
    let (pages, scenes) = (draft.join("src"), source.join("scenes"));
    fs::create_dir_all(pages.join("pictures"))?;
    fs::create_dir_all(draft.join("theme/fonts"))?;
    for file in ["book.toml", "umem.css", "umem.js", "theme/fonts/fonts.css"] {
        copy(&source.join(file), &draft.join(file))?;
    }
    // What is not Markdown mdBook copies as it is: readers can take the scenes from the book.
    fs::create_dir_all(pages.join("scenes"))?;
    for scene in files(&scenes)? {
        copy(&scenes.join(&scene), &pages.join("scenes").join(&scene))?;
    }
    for page in files(&source.join("src"))? {
        let path = source.join("src").join(&page);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let text = expand(&text, &format!("docs/src/{page}"), |marker| {
            replaced(umem, marker, &scenes, &pages)
        })?;
        fs::write(pages.join(&page), text)?;
    }
    Ok(())
}

/// The names of the files in a folder, in order.
fn files(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// The text with every marker outside of code replaced. A wrong one is an error that names file and line.
fn expand(
    text: &str,
    file: &str,
    mut put: impl FnMut(Marker<'_>) -> Result<String>,
) -> Result<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        in_code ^= line.trim_start().starts_with("```");
        let marker = if in_code {
            Ok(None)
        } else {
            marker::read(line)
        };
        let replaced = marker.and_then(|marker| marker.map(&mut put).transpose());
        match replaced.with_context(|| format!("{file}:{number}"))? {
            Some(replaced) => expanded += &replaced,
            None => expanded += line,
        }
        expanded.push('\n');
    }
    Ok(expanded)
}

fn replaced(umem: &Umem, marker: Marker<'_>, scenes: &Path, pages: &Path) -> Result<String> {
    match marker {
        Marker::Scene {
            name,
            at,
            attributes,
        } => Scene {
            name,
            at,
            attributes: &attributes,
        }
        .html(umem, scenes, pages),
        Marker::Run(words) => {
            let said = umem.ask(scenes, &words)?;
            // HTML, since mdBook would guess a language for a block of code and colour it.
            Ok(format!(
                "<pre class=\"run\"><code class=\"nohighlight\">$ umem {}\n{}</code></pre>\n",
                escaped(&words.join(" ")),
                unbroken(&said)
            ))
        }
        Marker::Bits { address, size } => scene::bits(umem, address, size, pages),
        Marker::Table(name) => umem.ask(scenes, &["book", "table", name]),
        Marker::File(name) => {
            let path = place::workspace().join("docs").join(name);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let language = path.extension().and_then(|end| end.to_str());
            Ok(format!(
                "```{}\n{}\n```\n",
                language.unwrap_or("text"),
                text.trim_end()
            ))
        }
    }
}

/// What a program printed, for a block of HTML in Markdown, which a blank line would end.
fn unbroken(said: &str) -> String {
    let lines = said.trim_end().lines().map(|line| match line.trim_end() {
        "" => "&#8203;".into(),
        line => escaped(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{expand, unbroken};
    use crate::place;
    use anyhow::bail;
    use std::fs;

    #[test]
    fn markers_are_replaced_outside_of_code() {
        let text = "# Title\n{{#table presets}}\n```text\n{{#umem mail}}\n```\nend";
        let expanded = expand(text, "page.md", |marker| Ok(format!("{marker:?}"))).unwrap();
        assert_eq!(
            expanded,
            "# Title\nTable(\"presets\")\n```text\n{{#umem mail}}\n```\nend\n"
        );
    }

    #[test]
    fn a_wrong_marker_is_found_by_file_and_line() {
        let wrong = ["one\n{{#umem}}\n", "one\n{{#umem nothing-of-that-name}}\n"];
        for text in wrong {
            let error = expand(text, "docs/src/why.md", |_| bail!("no such scene")).unwrap_err();
            assert!(
                format!("{error:#}").starts_with("docs/src/why.md:2: "),
                "{error:#}"
            );
        }
    }

    #[test]
    fn no_line_of_a_block_is_blank() {
        assert_eq!(unbroken("a < b\n\nc  \n"), "a &lt; b\n&#8203;\nc");
    }

    /// Prose has one style of numbers: "1023", "16,777,216". What `umem` prints has none of the commas, so that it can be pasted.
    #[test]
    fn numbers_are_in_one_style() {
        let book = place::workspace().join("docs/src");
        let chapters = fs::read_dir(book).unwrap().map(|file| file.unwrap().path());
        let readme = place::workspace().join("README.md");
        let mut wrong = Vec::new();
        for path in chapters.chain([readme]) {
            let text = fs::read_to_string(&path).unwrap();
            let mut code = false;
            for line in text.lines().filter(|line| !line.starts_with("{{#")) {
                code ^= line.starts_with("```");
                if code {
                    continue;
                }
                let mut before = "";
                for word in line.split('`').step_by(2).flat_map(str::split_whitespace) {
                    let number = word.trim_matches(|c| ".,;:!?()*|".contains(c));
                    // The number of an issue is a name.
                    if !["PR", "issue"].contains(&before) && !is_styled(number) {
                        wrong.push(format!("{}: {number}", path.display()));
                    }
                    before = word;
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// Whether a number of five digits and more has commas, and one of four has none. What is no number is styled.
    fn is_styled(word: &str) -> bool {
        let digits = word.replace(',', "");
        let is_number = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
        !is_number || (digits.len() >= 5) == word.contains(',')
    }

    #[test]
    fn a_style_is_told() {
        let styles = ["1023", "16,777,216", "6.12.117", "10499753", "1,023", "12"].map(is_styled);
        assert_eq!(styles, [true, true, true, false, false, true]);
    }
}
