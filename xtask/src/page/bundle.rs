//! What a browser loads as JavaScript: `static/umem-split.js`, the modules of `web/element` as one file to copy; `static/app.js`,
//! the page's, with its style sheet; and what wasm-pack wrote, made smaller: its wasm by binaryen's passes.

use super::npm;
use crate::debian;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::Result;
use std::fs;
use std::path::Path;
use xshell::{Shell, cmd};

const PURPOSE: &str = "bundling JavaScript";
/// What that takes, as (program, Debian's package).
pub const PROGRAMS: &[(&str, &str)] = &[("node", "nodejs"), ("npm", "npm")];

/// Fails where this machine lets nobody set that up: the code that it bundles takes minutes to compile.
pub fn foresee(sh: &Shell) -> Result<()> {
    debian::foresee_programs(sh, PURPOSE, PROGRAMS).map(drop)
}

/// Sets up what makes the files.
pub fn require(sh: &Shell) -> Result<()> {
    debian::require_programs(sh, PURPOSE, PROGRAMS)?;
    let _there = sh.push_dir("web/element");
    npm::install(sh, "what bundles JavaScript")
}

/// Makes wasm smaller to download, by passes of binaryen that only take away. All of `-Oz` makes it a tenth shorter, and yet
/// longer once it is packed: it gives each function locals and an order of its own, where the compiler's look alike.
pub fn shrink(sh: &Shell, code: &Path) -> Result<()> {
    let _there = sh.push_dir("web/element");
    run_quietly(cmd!(
        sh,
        "npm run --silent shrink -- {code} --output {code}"
    ))
}

/// Puts the functions of wasm into the order of their names.
pub fn reorder(sh: &Shell, code: &Path) -> Result<()> {
    let _there = sh.push_dir("web/element");
    run_quietly(cmd!(
        sh,
        "npm run --silent reorder -- {code} --output {code}"
    ))
}

/// Makes these files of JavaScript, named from `static`.
pub fn bundle(sh: &Shell, files: &[&str]) -> Result<()> {
    let _there = sh.push_dir("web/element");
    let (site, draft) = (
        place::workspace().join("static"),
        place::target().join("page/bundles"),
    );
    step("bundling JavaScript", || {
        let _site = sh.push_env("UMEM_STATIC", &site);
        let _draft = sh.push_env("UMEM_BUNDLE", &draft);
        let _files = sh.push_env("UMEM_FILES", files.join(" "));
        run_quietly(cmd!(sh, "npm run --silent bundle -- --silent"))
    })?;
    for file in files {
        place::renew_file(&site.join(file), &fs::read(draft.join(file))?)?;
    }
    Ok(())
}
