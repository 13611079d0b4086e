//! `umem vectors torture`: what the probe does with wrong questions.

use std::io::Write;

use crate::{
    exit::Exit,
    probe::{KernelLog, Probe},
    random::Random,
    screen::say,
};

/// Ask the probe wrong questions, and watch the kernel's log
///
/// Exit code: 0 what is forbidden was refused and the kernel did not complain, 1 otherwise, 3 the probe is not here.
#[derive(Debug, clap::Args)]
pub struct Torture {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    count: u64,

    /// Where they begin [default: a fresh one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

impl Torture {
    /// Asks, and says how it was answered.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let probe = match Probe::open() {
            Ok(probe) => probe,
            Err(missing) => {
                say!("umem: {missing}");
                return Ok(Exit::Unable);
            }
        };
        let seed = self.seed.map_or_else(super::record::fresh_seed, Ok)?;
        say!("asking {} questions with --seed {seed}", self.count);
        let log = KernelLog::open()?;
        let allowed = probe.forbidden();
        for what in &allowed {
            writeln!(out, "{what}")?;
        }
        for (outcome, count) in probe.torture(&mut Random::new(seed), self.count) {
            writeln!(out, "{count:>8} {outcome}")?;
        }
        drop(probe);
        let warnings = log.warnings();
        for warning in &warnings {
            writeln!(out, "the kernel complains: {warning}")?;
        }
        Ok(if warnings.is_empty() && allowed.is_empty() {
            Exit::Held
        } else {
            Exit::Differed
        })
    }
}
