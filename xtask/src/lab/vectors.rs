//! `cargo xtask lab vectors`: what the guest's kernel answers to random questions, held against the rules at once.

use super::Options;
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
    /// The rules to replay by, as `umem list kernels` names them [default: the newest, which today's
    /// stable kernels follow too]
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
        // Of 7.2's rules Linux 6.12.95 lacks only the checks for sums beyond 2^64, which no random question reaches.
        let rules = self
            .rules
            .as_ref()
            .map(|rules| format!("--rules '{rules}'"))
            .unwrap_or_default();
        let script = format!(
            "umem vectors record --count {} {seed} --output {file} && umem vectors verify {rules} {file}",
            self.count
        );
        super::run_in_guest(sh, &options, &["sh".into(), "-c".into(), script])
    }
}
