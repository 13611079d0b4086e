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
use anyhow::Result;
use std::path::PathBuf;
use umem::Umem;
use xshell::{Shell, cmd};

/// `cargo xtask book`: the book, and the examples' pictures.
pub fn run(sh: &Shell) -> Result<()> {
    let umem = Umem::build(sh)?;
    build(sh, &umem)?;
    examples::draw(&umem)
}

/// What compiling the program in the book takes, of Debian's packages.
pub const PACKAGES: &[&str] = &["gcc", "libc6-dev", "libibverbs-dev"];

/// The book, with the examples' pictures held to what `umem` draws, and its program compiled; wants [`PACKAGES`].
pub fn check(sh: &Shell) -> Result<()> {
    let umem = Umem::build(sh)?;
    build(sh, &umem)?;
    compile(sh)?;
    examples::require_current(&umem)
}

/// The program in C that the book shows, as its readers would compile it.
fn compile(sh: &Shell) -> Result<()> {
    let program = source().join("examples/register.c");
    step("compiling the book's program", || {
        let made = place::target().join("book/register");
        run_quietly(cmd!(
            sh,
            "cc -Wall -Wextra -Werror -o {made} {program} -libverbs"
        ))
    })
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
    place::renew(&draft.join("book"), &place::workspace().join("static/book"))
}

/// Where the book is written.
fn source() -> PathBuf {
    place::workspace().join("docs")
}
