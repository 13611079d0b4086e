//! What the parts of the room [`Site`](super::part::Room::Site) do: the page, the element and the book, in browsers.

use super::code::NATIVE;
use super::done::Done;
use crate::bench;
use crate::book;
use crate::debian;
use crate::page::browser::{self, Page};
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
    debian::require_programs(
        sh,
        "testing in another browser",
        &[("firefox-esr", "firefox-esr")],
    )?;
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
    let programs = [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")];
    debian::require_programs(sh, "testing in WebKit", &programs)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:webkit").run()
    })?;
    Ok(Done::All)
}

pub fn book(sh: &Shell, built: Page) -> Result<Done> {
    // Most of what it is built of is compiled for the tests already.
    book::check(sh, NATIVE)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:book").run()
    })?;
    Ok(Done::All)
}
