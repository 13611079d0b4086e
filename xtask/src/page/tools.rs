//! wasm-pack, the wasm-bindgen that fits `Cargo.lock`, cargo-fuzz, cargo-deny, cargo-deb, cargo-cyclonedx and mdBook: taken from PATH where they are there in
//! just the version that is named here, else installed under `target/tools`.
//!
//! wasm-pack by itself would fetch a prebuilt wasm-bindgen from the network; one of the right version on PATH is used as
//! it is. Unoptimised builds of the two write the same bytes as optimised ones, and are ready in a third of the time.

use crate::place;
use crate::step::step;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// The page's target.
pub const WASM: &str = "wasm32-unknown-unknown";

/// A tool, and the version that it is taken in: another may build other files, or find other faults.
struct Tool {
    name: &'static str,
    version: &'static str,
    /// Options of cargo that leave out what is not used here.
    less: &'static [&'static str],
}

const WASM_PACK: Tool = Tool {
    name: "wasm-pack",
    version: "0.15.1",
    less: &[],
};
const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
    less: &[],
};
/// What builds the book, without its server. Its markup and its files' names change between versions.
const MDBOOK: Tool = Tool {
    name: "mdbook",
    version: "0.5.4",
    less: &["--no-default-features", "--features", "search"],
};
const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    less: &[],
};

const CARGO_DEB: Tool = Tool {
    name: "cargo-deb",
    version: "3.8.0",
    less: &[],
};
const CARGO_CYCLONEDX: Tool = Tool {
    name: "cargo-cyclonedx",
    version: "0.5.9",
    less: &[],
};

impl Tool {
    /// Installs it, with just the dependencies that its authors tested, unless it is there in this version.
    fn require(&self, sh: &Shell) -> Result<()> {
        let _alone = place::set_up_alone()?;
        let found = version(sh, self.name);
        if found.as_deref().map(|found| found.trim_start_matches('v')) == Some(self.version) {
            return Ok(());
        }
        let what = [self.name, "--version", self.version, "--locked"];
        install(sh, &[&what, self.less].concat())
    }
}

/// The tools that building the page needs, beside the wasm target.
pub fn require(sh: &Shell) -> Result<()> {
    WASM_PACK.require(sh)?;
    require_bindgen(sh)
}

/// The fuzzer's driver.
pub fn require_cargo_fuzz(sh: &Shell) -> Result<()> {
    CARGO_FUZZ.require(sh)
}

/// mdBook.
pub fn require_mdbook(sh: &Shell) -> Result<()> {
    MDBOOK.require(sh)
}

/// What checks licences and sources.
pub fn require_cargo_deny(sh: &Shell) -> Result<()> {
    CARGO_DENY.require(sh)
}

/// What makes Debian packages.
pub fn require_cargo_deb(sh: &Shell) -> Result<()> {
    CARGO_DEB.require(sh)
}

/// What lists the crates that a program is made of.
pub fn require_cargo_cyclonedx(sh: &Shell) -> Result<()> {
    CARGO_CYCLONEDX.require(sh)
}

/// wasm-bindgen, and the runner of its tests, of exactly the version in `Cargo.lock`.
pub fn require_bindgen(sh: &Shell) -> Result<()> {
    let lock = fs::read_to_string(place::workspace().join("Cargo.lock"))
        .context("cannot read Cargo.lock")?;
    let wanted = locked(&lock, "wasm-bindgen")
        .context("Cargo.lock has no wasm-bindgen: does `web` depend on it?")?;
    let bins = ["wasm-bindgen", "wasm-bindgen-test-runner"];
    let _alone = place::set_up_alone()?;
    if bins
        .iter()
        .any(|bin| version(sh, bin).as_deref() != Some(wanted))
    {
        // Not --locked: the lock file of 0.2.130 names a webpki-roots (1.0.11) that not every registry has.
        install(
            sh,
            &[
                "wasm-bindgen-cli",
                "--version",
                wanted,
                // Without TLS: the browser that tests run in is on this machine.
                "--no-default-features",
                "--bin",
                bins[0],
                "--bin",
                bins[1],
            ],
        )?;
    }
    Ok(())
}

/// Rust's standard library for `target`.
pub fn require_target(sh: &Shell, target: &str) -> Result<()> {
    let _alone = place::set_up_alone()?;
    let installed = cmd!(sh, "rustup target list --installed").quiet().ignore_stderr().read().with_context(|| {
        format!("Rust's target {target} is needed, and there is no rustup to ask for it; install Rust by rustup")
    })?;
    if installed.lines().any(|line| line == target) {
        return Ok(());
    }
    step(&format!("installing Rust's target {target}"), || {
        Ok(cmd!(sh, "rustup --quiet target add {target}")
            .quiet()
            .run()?)
    })
}

/// PATH with our own tools before all others.
pub fn path() -> Result<OsString> {
    let present = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(
        [bin()].into_iter().chain(std::env::split_paths(&present)),
    )?)
}

fn bin() -> PathBuf {
    place::target().join("tools/bin")
}

/// The version that a tool on PATH says it has: the last word of `tool 1.2.3`. Some of cargo's tell it by way of cargo alone.
fn version(sh: &Shell, tool: &str) -> Option<String> {
    let _path = sh.push_env("PATH", path().ok()?);
    let (program, subcommand) = match tool.strip_prefix("cargo-") {
        Some(subcommand) => ("cargo", Some(subcommand)),
        None => (tool, None),
    };
    let said = cmd!(sh, "{program} {subcommand...} --version")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()?;
    said.split_whitespace().last().map(String::from)
}

fn install(sh: &Shell, what: &[&str]) -> Result<()> {
    let root = place::target().join("tools");
    let build = root.join("build");
    step(
        &format!(
            "installing {} with cargo below {}, once: takes one or two minutes",
            what[0],
            root.display()
        ),
        || {
            // One target directory for all tools: what they have in common is compiled once.
            let _target = sh.push_env("CARGO_TARGET_DIR", &build);
            let _debug = sh.push_env("CARGO_PROFILE_DEV_DEBUG", "0");
            let _incremental = sh.push_env("CARGO_INCREMENTAL", "0");
            Ok(cmd!(
                sh,
                "cargo install --quiet --debug --force --root {root} {what...}"
            )
            .quiet()
            .run()?)
        },
    )
}

/// The version of `package` in the text of a `Cargo.lock`.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{package}\""))?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::locked;

    #[test]
    fn the_lock_tells_the_version_of_exactly_this_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked(lock, "bindgen"), None);
    }

    #[test]
    fn what_binds_the_served_page_fits_what_it_is_compiled_with() {
        let lock = include_str!("../../../Cargo.lock");
        let version = locked(lock, "wasm-bindgen");
        assert!(version.is_some());
        assert_eq!(locked(lock, "wasm-bindgen-cli-support"), version);
    }
}
