//! `umem completions`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{Cli, exit::Exit};

/// Print the completions of a shell
///
/// For bash: umem completions bash > /usr/share/bash-completion/completions/umem
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints them.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        // In one piece: clap_complete panics where a pipe is closed on it.
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "umem", &mut script);
        out.write_all(&script)?;
        Ok(Exit::Held)
    }
}
