//! `cargo xtask fuzz`: a parser or a policy of umem-core, fed by libFuzzer for a while.

use crate::page::tools;
use crate::step::MachineCannot;
use crate::{debian, place};
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::process::ExitCode;
use xshell::{Shell, cmd};

/// What is fuzzed.
#[derive(Args)]
pub struct Fuzz {
    /// The target, named as in umem-core/fuzz/fuzz_targets; all of them, one after the other, without it
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

impl Fuzz {
    /// Runs the targets; fails at the first that finds something.
    pub fn run(self, sh: &Shell) -> Result<ExitCode> {
        let folder = place::workspace().join("umem-core/fuzz");
        let sources = sh.read_dir(folder.join("fuzz_targets"))?;
        let known: Vec<_> = sources
            .iter()
            .filter_map(|source| source.file_stem()?.to_str())
            .collect();
        let targets = match &self.target {
            Some(target) => vec![target.as_str()],
            None => known.clone(),
        };
        for target in &targets {
            ensure!(
                known.contains(target),
                "no fuzz target is named {target}; there are {}",
                known.join(", ")
            );
        }
        require_nightly(sh)?;
        debian::require_programs(sh, "libFuzzer", &[("c++", "g++")])?;
        tools::require_cargo_fuzz(sh)?;

        let _path = sh.push_env("PATH", tools::path()?);
        // What the fuzzer counts its coverage by is lost in link-time optimisation, and the targets do not link.
        let _lto = sh.push_env("CARGO_PROFILE_RELEASE_LTO", "off");
        for target in targets {
            // What is found goes into the corpus, which is nobody's but this machine's; seeds are in the repository.
            let corpus = sh.create_dir(folder.join("corpus").join(target))?;
            let seeds = Some(folder.join("seeds").join(target)).filter(|seeds| seeds.is_dir());
            let time = format!("-max_total_time={}", self.seconds);
            cmd!(
                sh,
                "rustup run nightly cargo fuzz run --fuzz-dir {folder} {target} {corpus} {seeds...} -- {time} -timeout=30"
            )
            .run()
            .with_context(|| format!("the fuzz target {target} found something: see above"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Only nightly Rust can instrument code for a fuzzer.
fn require_nightly(sh: &Shell) -> Result<()> {
    let nightly = cmd!(sh, "rustup run nightly rustc --version")
        .quiet()
        .ignore_stderr()
        .read();
    if nightly.is_err() {
        return Err(MachineCannot(
            "fuzzing needs nightly Rust; install it with: rustup toolchain install nightly --profile minimal".into(),
        )
        .into());
    }
    Ok(())
}
