//! What the parts of the room [`Site`](super::part::Room::Site) do: the page, the element and the book, in browsers. Each asks first for all that
//! it needs of Debian: it takes minutes, and whoever installs that by hand installs it once.

use super::done::Done;
use crate::bench;
use crate::book;
use crate::debian;
use crate::native::NATIVE;
use crate::page::browser::{self, PROGRAMS, Page};
use anyhow::Result;
use xshell::{Shell, cmd};

pub fn page(sh: &Shell, built: Page) -> Result<Done> {
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm test").run()
    })?;
    // Now that the page is there to be built in.
    let native = NATIVE;
    cmd!(
        sh,
        "cargo test {native...} --test view -- --include-ignored --skip without_the_page"
    )
    .run()?;
    bench::agree(sh)?;
    Ok(Done::All)
}

pub fn firefox(sh: &Shell, built: Page) -> Result<Done> {
    let programs = [PROGRAMS, &[("firefox-esr", "firefox-esr")]].concat();
    debian::require_programs(sh, "testing in another browser", &programs)?;
    let _firefox = sh.push_env(
        "FIREFOX",
        debian::program("firefox-esr").unwrap_or_default(),
    );
    let _browser = sh.push_env("UMEM_BROWSER", "firefox");
    book::run(sh)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:firefox").run()
    })?;
    Ok(Done::All)
}

/// Safari's engine, as Debian has it.
pub fn webkit(sh: &Shell, built: Page) -> Result<Done> {
    let webkit = [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")];
    debian::require_programs(sh, "testing in WebKit", &[PROGRAMS, &webkit].concat())?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:webkit").run()
    })?;
    Ok(Done::All)
}

pub fn book(sh: &Shell, built: Page) -> Result<Done> {
    let packages = [&debian::of_absent(PROGRAMS), book::PACKAGES].concat();
    debian::require(sh, "testing the book", &packages)?;
    book::check(sh)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:book").run()
    })?;
    Ok(Done::All)
}
