//! The pictures of `static/examples`: in the repository, so that the pages can be copied as they are; drawn by `umem`, and
//! held to that by a test.

use super::umem::Umem;
use crate::place;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Draws them.
pub fn draw(umem: &Umem) -> Result<()> {
    for (name, svg) in drawn(umem)? {
        let path = folder().join(&name);
        if fs::read(&path).ok().as_deref() != Some(svg.as_bytes()) {
            fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

/// Fails where a picture is not what `umem` draws today.
pub fn require_current(umem: &Umem) -> Result<()> {
    for (name, svg) in drawn(umem)? {
        ensure!(
            fs::read(folder().join(&name)).ok().as_deref() == Some(svg.as_bytes()),
            "static/examples/{name} is not what `umem plan` draws: run `cargo xtask book`"
        );
    }
    Ok(())
}

/// Each picture that is there, as `umem plan --svg` draws the preset that it is named after.
fn drawn(umem: &Umem) -> Result<Vec<(String, String)>> {
    let scratch = place::target().join("book-examples");
    fs::create_dir_all(&scratch)?;
    let svg = scratch.join("picture.svg");
    let mut all = Vec::new();
    for name in presets(umem, &scratch)? {
        let words = ["plan", "--preset", &name, "--svg", "picture.svg"];
        umem.ask(&scratch, &words)?;
        all.push((format!("{name}.svg"), fs::read_to_string(&svg)?));
    }
    Ok(all)
}

/// The names that `umem list presets` begins its lines with.
fn presets(umem: &Umem, folder: &Path) -> Result<Vec<String>> {
    let list = umem.ask(folder, &["list", "presets"])?;
    let names = list.lines().filter(|line| !line.starts_with(' '));
    Ok(names
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect())
}

fn folder() -> PathBuf {
    place::workspace().join("static/examples/pictures")
}
