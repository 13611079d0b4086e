//! `cargo xtask build`: the page's code, compiled by wasm-pack into `static/pkg`.

use super::tools;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::fs;
use std::path::PathBuf;
use std::thread;
use xshell::{Shell, cmd};

/// How much the compiler tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Built in seconds when something changed
    Quick,
    /// As small and fast as it gets
    Release,
}

/// Builds the page with all its set-up.
pub fn build(sh: &Shell, profile: Profile) -> Result<()> {
    let cargo_profile = match profile {
        Profile::Quick => "quick",
        Profile::Release => "release",
    };
    tools::require_target(sh, tools::WASM)?;
    // On a fresh machine the tools' own builds leave a core idle now and then: the page's code is compiled meanwhile.
    // wasm-pack then finds it done.
    thread::scope(|scope| {
        let code = scope.spawn(|| {
            step(&format!("compiling the page ({cargo_profile})"), || {
                compile(cargo_profile)
            })
        });
        tools::require(sh)?;
        code.join().expect("compiling does not panic")
    })?;
    let package = packaged();
    // wasm-pack leaves what it finds: files of an earlier build would be served for ever.
    let draft = place::target().join("page/pkg");
    sh.remove_path(&draft)?;
    step("packing the page", || {
        let _path = sh.push_env("PATH", tools::path()?);
        cmd!(sh, "wasm-pack --quiet build web --target web --no-pack --no-opt --no-gitignore --no-typescript")
            .args(["--mode", "no-install", "--profile", cargo_profile, "--out-dir"])
            .arg(&draft)
            .quiet()
            .run()?;
        sh.remove_path(&package)?;
        fs::rename(&draft, &package)
            .with_context(|| format!("cannot move the page to {}", package.display()))
    })?;
    report()
}

/// The page's code alone, as wasm-pack has it compiled.
fn compile(profile: &str) -> Result<()> {
    // A shell of its own: this runs beside the installation of the tools.
    let sh = Shell::new()?;
    sh.change_dir(place::workspace());
    let wasm = tools::WASM;
    Ok(cmd!(
        sh,
        "cargo build --quiet --package web --lib --target {wasm} --profile {profile}"
    )
    .quiet()
    .run()?)
}

/// Fails where the page was never built.
pub fn require_built() -> Result<()> {
    ensure!(
        packaged().exists(),
        "the page is not built yet: run `cargo xtask build`, or leave out --no-build"
    );
    Ok(())
}

/// Where the page's code lands.
fn packaged() -> PathBuf {
    place::workspace().join("static/pkg")
}

/// Says what the page weighs.
fn report() -> Result<()> {
    for entry in fs::read_dir(packaged())? {
        let entry = entry?;
        let size = entry.metadata()?.len();
        eprintln!(
            "  static/pkg/{}: {} KB",
            entry.file_name().display(),
            size.div_ceil(1000)
        );
    }
    Ok(())
}
