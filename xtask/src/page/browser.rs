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
    require(sh, purpose)?;
    build::build(sh, Profile::Release)?;
    let package = package::pack(sh)?;
    let site = Site::new(0)?;
    let address = site.address()?;
    site.start()?;
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
    install(sh)?;
    let _browser = sh.push_env("CHROMIUM", debian::program("chromium").unwrap_or_default());
    Ok(work()?)
}

fn require(sh: &Shell, purpose: &str) -> Result<()> {
    let programs = [("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")];
    debian::require_programs(sh, purpose, &programs)
}

/// What drives the browser, as the lock file in the present folder has it: npm takes half a minute even to change nothing.
fn install(sh: &Shell) -> Result<()> {
    let installed = "node_modules/.installed-lock.json";
    let wanted = sh.read_file("package-lock.json")?;
    if sh.read_file(installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    step("installing what drives the browser", || {
        run_quietly(cmd!(sh, "npm ci"))
    })?;
    Ok(sh.write_file(installed, wanted)?)
}

/// `cargo xtask shots`: pictures of the page's main states, for eyes; and those in the README.
pub fn shots(sh: &Shell, folder: &Path) -> Result<()> {
    let readme = place::workspace().join("docs");
    with_page(sh, "taking screenshots", || {
        cmd!(sh, "node shots.mjs {folder} {readme}").run()
    })?;
    println!("The pictures are in {}", folder.display());
    Ok(())
}
