//! `umem completions`.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{Cli, exit::Exit, screen::Out};

/// Print the completions of a shell
///
/// For bash: umem completions bash > /usr/share/bash-completion/completions/umem
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem completions bash")]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints them.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        // In one piece: clap_complete panics where a pipe is closed on it.
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "umem", &mut script);
        out.exact().write_all(&script)?;
        Ok(Exit::Held)
    }
}
