//! `cargo xtask lab vectors`: what the guest's kernel answers to random questions, held against the rules at once.

use super::Options;
use super::archive::Release;
use super::machine::Iommu;
use anyhow::Result;
use clap::Args;
use xshell::Shell;

/// What is recorded.
#[derive(Args)]
pub struct Recording {
    /// How many vectors
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    count: u64,
    /// The seed of the questions [default: a fresh one, which is printed]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// The rules to replay by, as `umem list kernels` names them [default: those that the kernel is known to follow]
    #[arg(long, value_name = "VERSION")]
    rules: Option<String>,
}

impl Recording {
    /// Records and replays in the guest. With `--out` the recording is brought home as vectors.jsonl.
    pub fn run(&self, sh: &Shell, options: &Options) -> Result<u8> {
        let mut options = options.clone();
        // Mapping is asked about too.
        if options.iommu == Iommu::Off {
            options.iommu = Iommu::Intel;
        }
        let file = if options.out.is_some() {
            "/out/vectors.jsonl"
        } else {
            "/tmp/vectors.jsonl"
        };
        let seed = self
            .seed
            .map(|seed| format!("--seed {seed}"))
            .unwrap_or_default();
        let rules = match &self.rules {
            Some(rules) => rules.as_str(),
            None => rules_of(options.kernel),
        };
        let script = format!(
            "umem vectors record --count {} {seed} --output {file} && umem vectors verify --rules '{rules}' {file}",
            self.count
        );
        super::run_in_guest(sh, &options, &["sh".into(), "-c".into(), script])
    }
}

/// The rules that a release's kernel follows: its stable updates carry later fixes than its version tells.
fn rules_of(release: Release) -> &'static str {
    match release {
        // 6.1.192 has the boundary checks of 7.2; 6.12.95 has not.
        Release::BookwormBackports | Release::Trixie => "6.15",
        Release::Bookworm | Release::TrixieBackports | Release::Forky | Release::Sid => "7.2",
    }
}
