//! umem-core's paths as wasm in Chromium, in turns with the same natively.

use super::table;
use crate::page::browser::with_browser;
use crate::page::tools;
use crate::place;
use crate::step::step;
use anyhow::Result;
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// How much longer than natively a path may take.
const MOST: f64 = 2.5;

/// Measures the paths whose section's name has `section` in it, and draws their table.
pub fn table(sh: &Shell, rounds: &str, section: Option<&str>) -> Result<String> {
    let [program, module] = build(sh, "release", "release")?;
    let measured = with_browser(sh, "measuring in a browser", || {
        cmd!(
            sh,
            "node wasm.mjs {program} {module} browser {rounds} {section...}"
        )
        .quiet()
        .read()
    })?;
    table::draw(&measured, ["native", "wasm"], Some(MOST))
}

/// Fails unless every path does the same in the browser as natively, at its small scale.
pub fn agree(sh: &Shell) -> Result<()> {
    let [program, module] = build(sh, "dev", "debug")?;
    with_browser(sh, "testing in a browser", || {
        cmd!(sh, "node wasm.mjs {program} {module} small 1")
            .ignore_stdout()
            .run()
    })
}

/// Builds the benchmark natively and as wasm, by the profile whose files lie in `folder`; tells where both are.
fn build(sh: &Shell, profile: &str, folder: &str) -> Result<[PathBuf; 2]> {
    let wasm = tools::WASM;
    tools::require_target(sh, wasm)?;
    step("building the benchmark, natively and as wasm", || {
        for target in [&[][..], &["--target", wasm]] {
            cmd!(
                sh,
                "cargo build --quiet --profile {profile} --package umem-bench {target...}"
            )
            .quiet()
            .run()?;
        }
        Ok(())
    })?;
    let target = place::target();
    Ok([
        target.join(folder).join("umem-bench"),
        target.join(wasm).join(folder).join("umem-bench.wasm"),
    ])
}
