//! `umem`, asked.

use crate::native::NATIVE;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result, ensure};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use xshell::{Shell, cmd};

/// The program, as this workspace has it.
pub struct Umem(PathBuf);

impl Umem {
    /// Builds it.
    pub fn build(sh: &Shell) -> Result<Self> {
        let native = NATIVE;
        step("compiling umem", || {
            Ok(cmd!(sh, "cargo build --quiet {native...} --bin umem")
                .quiet()
                .run()?)
        })?;
        Ok(Umem(place::target().join("debug/umem")))
    }

    /// What it prints, run in `folder`; that it fails is an error with its own words.
    pub fn ask<S: AsRef<OsStr>>(&self, folder: &Path, words: &[S]) -> Result<String> {
        let output = Command::new(&self.0)
            .args(words)
            .current_dir(folder)
            .output()
            .with_context(|| format!("cannot run {}", self.0.display()))?;
        ensure!(
            output.status.success(),
            "{}",
            reason(&String::from_utf8_lossy(&output.stderr))
        );
        String::from_utf8(output.stdout).context("umem prints UTF-8")
    }
}

/// What went wrong, without the advice on usage that clap adds below it.
fn reason(said: &str) -> &str {
    said.split("\n\nFor more").next().unwrap_or(said).trim()
}
