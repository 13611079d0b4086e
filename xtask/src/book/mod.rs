//! `cargo xtask book`: the teaching book, `docs/`, built by mdBook into `static/book`.
//!
//! Authors write Markdown with markers (see [`marker`]); here each is replaced by what `umem` says of it, and mdBook gets
//! the result. So a number, a table or a picture in the book cannot differ from the code.

mod examples;
mod marker;
mod pages;
mod scene;
mod umem;

use crate::page::tools;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use umem::Umem;
use xshell::{Shell, cmd};

/// `cargo xtask book`: the book, and the examples' pictures.
pub fn run(sh: &Shell) -> Result<()> {
    let umem = Umem::build(sh)?;
    build(sh, &umem)?;
    examples::draw(&umem)
}

/// The book, with the examples' pictures held to what `umem` draws.
pub fn check(sh: &Shell) -> Result<()> {
    let umem = Umem::build(sh)?;
    build(sh, &umem)?;
    examples::require_current(&umem)
}

/// Builds the book with all its set-up.
fn build(sh: &Shell, umem: &Umem) -> Result<()> {
    tools::require_mdbook(sh)?;
    let draft = place::target().join("book");
    sh.remove_path(&draft)?;
    step("drawing the book's pictures", || {
        pages::write(umem, &source(), &draft)
    })?;
    step("building the book", || {
        let _path = sh.push_env("PATH", tools::path()?);
        run_quietly(cmd!(sh, "mdbook build {draft}"))
    })?;
    // Only what differs is written: `umem` carries the folder `static`, and is built again when a file in it is newer.
    renew(&draft.join("book"), &place::workspace().join("static/book"))
}

/// Where the book is written.
fn source() -> PathBuf {
    place::workspace().join("docs")
}

/// Makes the folder `to` what `from` is; files that are the same already stay untouched.
fn renew(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(to)? {
        let old = entry?;
        if !from.join(old.file_name()).exists() {
            if old.file_type()?.is_dir() {
                fs::remove_dir_all(old.path())?;
            } else {
                fs::remove_file(old.path())?;
            }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            renew(&entry.path(), &target)?;
        } else {
            let contents = fs::read(entry.path())?;
            if fs::read(&target).ok().as_ref() != Some(&contents) {
                fs::write(&target, contents)
                    .with_context(|| format!("cannot write {}", target.display()))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::renew;
    use std::fs;

    #[test]
    fn what_is_the_same_stays_untouched_and_what_is_gone_goes() {
        let root = std::env::temp_dir().join(format!("umem-renew-{}", std::process::id()));
        let (from, to) = (root.join("from"), root.join("to"));
        for (file, text) in [
            ("from/a", "1"),
            ("from/b/c", "2"),
            ("to/a", "1"),
            ("to/b/old", "3"),
            ("to/gone/d", "4"),
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        }
        let before = fs::metadata(to.join("a")).unwrap().modified().unwrap();
        renew(&from, &to).unwrap();
        let after = fs::metadata(to.join("a")).unwrap().modified().unwrap();
        let (new, old, gone) = (
            fs::read(to.join("b/c")),
            to.join("b/old").exists(),
            to.join("gone").exists(),
        );
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(before, after);
        assert_eq!(new.unwrap(), b"2");
        assert!(!old && !gone);
    }
}
