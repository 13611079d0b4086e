//! The folder that a web server serves: the page, the book, the examples; and the headers that it wants, written down.

use crate::page::site;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// What is built from `web` and `docs`, and what is served as it stands.
pub fn make(out: &Path) -> Result<()> {
    step("gathering the site", || {
        copy(&place::workspace().join("static"), out)?;
        // The picture beside a link to the page.
        fs::copy(
            place::workspace().join("docs/preview.png"),
            out.join("preview.png"),
        )
        .context("docs/preview.png")?;
        fs::write(out.join("_headers"), headers_file())
            .with_context(|| format!("cannot write into {}", out.display()))?;
        Ok(())
    })
}

/// The headers, in the form that several hosts of static pages read as it is (a path, then its headers), and people too.
fn headers_file() -> String {
    let mut text = String::from(
        "# What a careful server says with these files. Without it they work, too: what the page may do stands in its own <meta>.\n\
         # frame-ancestors is the one rule that only a header can give: 'self' keeps others from framing the page. The examples show the\n\
         # element in a page of its own, which needs no frame.\n",
    );
    for (path, headers) in site::headers() {
        text.push_str(path);
        text.push('\n');
        for (name, value) in *headers {
            text.push_str(&format!("  {name}: {value}\n"));
        }
    }
    text
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if !is_for_us_alone(&entry.file_name().to_string_lossy()) {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// What the build needs and no visitor asks for.
fn is_for_us_alone(name: &str) -> bool {
    name.starts_with('.') || name == "package.json"
}

#[cfg(test)]
mod tests {
    use super::headers_file;

    #[test]
    fn the_page_and_the_book_have_their_policies() {
        let text = headers_file();
        let (page, book) = text
            .split_once("\n/book/*\n")
            .expect("the book has a section");
        assert!(page.contains("\n/*\n"), "{page}");
        for section in [page, book] {
            assert!(section.contains("Content-Security-Policy: "), "{section}");
            assert!(section.contains("frame-ancestors 'self'"), "{section}");
        }
        assert!(page.contains("Cache-Control: no-cache"), "{page}");
    }
}
