//! What drives the page in a real browser: the end-to-end tests, and the screenshots.

use super::build::{self, Profile};
use super::package;
use super::serve::Site;
use crate::debian;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::Result;
use std::path::Path;
use xshell::{Shell, cmd};

/// Does `work` in `web/e2e`, with the page built and served and a browser there.
pub fn with_page(
    sh: &Shell,
    purpose: &str,
    work: impl FnOnce() -> xshell::Result<()>,
) -> Result<()> {
    let programs = [("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")];
    debian::require_programs(sh, purpose, &programs)?;
    build::build(sh, Profile::Release)?;
    let package = package::pack(sh)?;
    let _there = sh.push_dir("web/e2e");
    step("installing what drives the browser", || {
        run_quietly(cmd!(sh, "npm ci"))
    })?;
    let site = Site::new(0)?;
    site.start();
    let _address = sh.push_env("UMEM_PAGE", site.address());
    let _package = sh.push_env("UMEM_PACKAGE", package);
    let _browser = sh.push_env("CHROMIUM", debian::program("chromium").unwrap_or_default());
    Ok(work()?)
}

/// `cargo xtask shots`: pictures of the page's main states, for eyes; and the one in the README.
pub fn shots(sh: &Shell, folder: &Path) -> Result<()> {
    let readme = place::workspace().join("docs/page.png");
    with_page(sh, "taking screenshots", || {
        cmd!(sh, "node shots.mjs {folder} {readme}").run()
    })?;
    println!("The pictures are in {}", folder.display());
    Ok(())
}
