//! `umem man`.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::{Cli, exit::Exit, screen::Out, whole_file};

/// Write the manual pages
///
/// To read one: umem man | man -l -
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem man /usr/local/share/man/man1")]
pub struct Man {
    /// The folder to write all of them into, as umem.1, umem-plan.1, … [default: the first page, to standard output]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    /// Writes them.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        match &self.folder {
            None => out.exact().write_all(&rendered(&command)?)?,
            Some(folder) => {
                fs::create_dir_all(folder).map_err(|error| {
                    anyhow::anyhow!("{} cannot be made: {error}", folder.display())
                })?;
                for (name, page) in pages(command)? {
                    whole_file::write(&folder.join(format!("{name}.1")), &page)?;
                }
            }
        }
        Ok(Exit::Held)
    }
}

/// A page for `command`, and one for each of those below it that are not hidden; each with its name.
fn pages(command: Command) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut all = vec![(name.to_owned(), rendered(&command)?)];
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        all.extend(pages(below.clone())?);
    }
    Ok(all)
}

fn rendered(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    Page::new(command.clone())
        .render(&mut page)
        .context("a manual page")?;
    Ok(page)
}
