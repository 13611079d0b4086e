//! `cargo xtask lab vectors`: what the guest's kernel answers to random questions, held against the rules at once.

use super::architecture::{ARCHITECTURES, Architecture, Iommu};
use super::programs;
use super::session::worst;
use super::system::{Default, System};
use super::{Guest, Options, Session};
use anyhow::{Context, Result};
use clap::Args;
use std::path::Path;
use std::process::Command;
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
    /// Records in the guest and replays here, where it is quicker. With `--out` the recording is brought home, as vectors.jsonl.
    pub fn run(&self, sh: &Shell, options: &Options) -> Result<u8> {
        let system = System::of(options)?;
        // Mapping is asked about too.
        let iommus = system.machines(options.iommu.as_deref(), Default::Recorded)?;
        let session = Session::prepare(sh, system)?;
        let mut command = recorder(self.count);
        if let Some(seed) = self.seed {
            command.push_str(&format!(" --seed {seed}"));
        }
        let guests: Vec<_> = iommus
            .iter()
            .map(|iommu| Guest::new(iommu, &["sh", "-c", &command]))
            .collect();
        let recorded = worst(&session.run(options, &guests)?);
        if recorded != 0 {
            return Ok(recorded);
        }
        verify(sh, &session, &iommus, self.rules.as_deref())
    }
}

/// The guest's command that records so many vectors.
pub fn recorder(count: u64) -> String {
    format!("umem vectors record --count {count} --output {FILE}")
}

/// Where a guest leaves its recording.
const FILE: &str = "/out/vectors.jsonl";

/// Replays what the guests with these IOMMUs recorded; by the newest rules, if none are named.
///
/// Of 7.2's rules Linux 6.12.95 lacks only the checks for sums beyond 2^64, which no random question reaches.
pub fn verify(
    sh: &Shell,
    session: &Session,
    iommus: &[&'static Iommu],
    rules: Option<&str>,
) -> Result<u8> {
    let name = Path::new(FILE).file_name().expect("it is a file's path");
    let recordings = iommus.iter().map(|iommu| session.file(iommu, name));
    let recordings = recordings.collect::<Result<Vec<_>>>()?;
    let here = Architecture::of_this_machine();
    let umem = programs::build_umem(sh, here.unwrap_or(&ARCHITECTURES[0]))?;
    let status = Command::new(&umem)
        .args(["vectors", "verify"])
        .args(rules.iter().flat_map(|rules| ["--rules", rules]))
        .args(recordings)
        .status()
        .with_context(|| format!("cannot start {}", umem.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.with_context(|| format!("`umem vectors verify` ended with {status}"))
}
