//! `umem vectors`: a kernel's answers, recorded and replayed.

#[cfg(feature = "rdma")]
mod gates;
mod lines;
mod overflow;
mod record;
#[cfg(feature = "rdma")]
mod storm;
mod torture;
mod unplug;
mod verify;
mod watched;

use crate::{exit::Exit, screen::Out};

/// Replay recorded kernel answers, or record them
#[derive(Debug, clap::Args)]
pub struct Vectors {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Verify),
    Record(record::Record),
    #[command(hide = true)]
    Torture(torture::Torture),
    #[command(hide = true)]
    Overflow(overflow::Overflow),
    #[command(hide = true)]
    Unplug(unplug::Unplug),
    #[command(hide = true)]
    Watched(watched::Watched),
    #[cfg(feature = "rdma")]
    #[command(hide = true)]
    Gates(gates::Gates),
    #[cfg(feature = "rdma")]
    #[command(hide = true)]
    Storm(storm::Storm),
}

impl Vectors {
    /// Does it.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        match &self.command {
            Command::Verify(verify) => verify.run(out),
            Command::Record(record) => record.run(out),
            Command::Torture(torture) => torture.run(out),
            Command::Overflow(overflow) => overflow.run(out),
            Command::Unplug(unplug) => unplug.run(out),
            Command::Watched(watched) => watched.run(out),
            #[cfg(feature = "rdma")]
            Command::Gates(gates) => gates.run(out),
            #[cfg(feature = "rdma")]
            Command::Storm(storm) => storm.run(out),
        }
    }
}
