//! What drives the page in a real browser: the end-to-end tests, and the screenshots.

use super::build::{self, Profile};
use super::npm;
use super::package;
use super::site::{Site, Stage};
use crate::debian;
use crate::place;
use anyhow::Result;
use std::path::Path;
use xshell::{Shell, cmd};

/// What drives it, as (program, Debian's package).
pub const PROGRAMS: &[(&str, &str)] =
    &[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")];

/// Whether the page is built for release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Not that anybody knew.
    ToBuild,
    /// By this run.
    Built,
}

/// Does `work` in `web/e2e`, with the page built and served and a browser there.
pub fn with_page(
    sh: &Shell,
    page: Page,
    purpose: &str,
    work: impl FnOnce() -> xshell::Result<()>,
) -> Result<()> {
    require(sh, purpose)?;
    match page {
        Page::ToBuild => build::build(sh, Profile::Release)?,
        Page::Built => build::require_built()?,
    }
    let package = package::pack(sh)?;
    let site = Site::new(0)?;
    let address = site.address()?;
    let _served = site.start(Stage::Book)?;
    let _address = sh.push_env("UMEM_PAGE", address);
    let _package = sh.push_env("UMEM_PACKAGE", package);
    with_browser(sh, purpose, work)
}

/// Does `work` in `web/e2e`, with a browser there.
pub fn with_browser<T>(
    sh: &Shell,
    purpose: &str,
    work: impl FnOnce() -> xshell::Result<T>,
) -> Result<T> {
    require(sh, purpose)?;
    let _there = sh.push_dir("web/e2e");
    npm::install(sh, "what drives the browser")?;
    let _browser = sh.push_env("CHROMIUM", debian::program("chromium").unwrap_or_default());
    Ok(work()?)
}

fn require(sh: &Shell, purpose: &str) -> Result<()> {
    debian::require_programs(sh, purpose, PROGRAMS)
}

/// `cargo xtask shots`: pictures of the page's main states, for eyes; and those in the README.
pub fn shots(sh: &Shell, folder: &Path) -> Result<()> {
    let readme = place::workspace().join("docs");
    with_page(sh, Page::ToBuild, "taking screenshots", || {
        cmd!(sh, "node shots.mjs {folder} {readme}").run()
    })?;
    println!("The pictures are in {}", folder.display());
    Ok(())
}
