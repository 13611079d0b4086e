//! `static/umem-split.js`: the modules of `web/element` as one file to copy.

use super::npm;
use crate::debian;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::Result;
use std::fs;
use xshell::{Shell, cmd};

/// Bundles them, with all set-up.
pub fn bundle(sh: &Shell) -> Result<()> {
    let programs = [("node", "nodejs"), ("npm", "npm")];
    debian::require_programs(sh, "bundling the element", &programs)?;
    let _there = sh.push_dir("web/element");
    npm::install(sh, "what bundles the element")?;
    let draft = place::target().join("page/umem-split.js");
    step("bundling the element", || {
        let _draft = sh.push_env("UMEM_BUNDLE", &draft);
        run_quietly(cmd!(sh, "npm run --silent bundle -- --silent"))
    })?;
    place::renew_file(
        &place::workspace().join("static/umem-split.js"),
        &fs::read(&draft)?,
    )
}
