//! `umem`: the rules of umem-core, held against real memory, real devices and real kernels.
//!
//! | room | what lives there |
//! |---|---|
//! | [`commands`] | the command line: one module a command |
//! | [`check`], [`region`] | model = frames = data, and what was found; the part of a buffer that is checked |
//! | [`model`] | umem-core, asked |
//! | [`capture`] | how memory really lies, recorded as a scenario |
//! | [`doctor`] | what this machine can check, and how to enable what it cannot |
//! | [`mapping`], [`huge_file`], [`pagemap`], [`frames`] | memory, and where it lies |
//! | [`process`], [`sysfs`] | another process, and the machine's RDMA devices, as the kernel shows them |
//! | [`buffer`] | memory made so that it lies in a way known beforehand |
//! | [`nic`], `verbs`, [`pattern`] | devices that move bytes, and bytes that know their place |
//! | [`nldev`], [`inspect`] | the kernel, asked by rdma netlink; all that a device tells |
//! | `registrar` | the lab's module that registers for a PCI device |
//! | [`probe`], [`recording`] | the kernel module, asked; random questions, and its answers |
//! | [`watch`] | registrations of this machine, seen by BPF |
//! | [`timing`] | what registering takes here |
//! | [`report`], [`progress`] | what was found, printed; how far a long task is |
//! | [`screen`] | what people see, with nothing in it that could steer a terminal |
//! | [`page`] | the page, served |
//! | [`whole_file`], [`interrupt`] | files, written whole; signals that end programs, noticed |
//! | [`missing`], [`exit`] | what a machine lacks, and how a command ends |

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod buffer;
mod capture;
mod cases;
mod check;
mod commands;
mod doctor;
mod exit;
mod frames;
mod huge_file;
mod inspect;
mod interrupt;
mod mapping;
mod missing;
mod model;
mod nic;
mod nldev;
mod page;
mod pagemap;
mod pattern;
mod probe;
mod process;
mod progress;
mod random;
mod recording;
mod region;
#[cfg(feature = "rdma")]
mod registrar;
mod report;
mod screen;
mod sysfs;
mod timing;
#[cfg(feature = "rdma")]
mod trial;
mod udmabuf;
#[cfg(test)]
mod untested;
#[cfg(feature = "rdma")]
mod verbs;
mod watch;
mod whole_file;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use commands::Command;
use exit::Exit;
use screen::{Out, one_line, say};

/// How Linux turns a pinned memory region into an RDMA device's page-table entries, on this machine.
///
/// Without a command: what one would do first on this machine.
#[derive(Debug, Parser)]
#[command(name = "umem", bin_name = "umem", version, propagate_version = true, after_help = exit::TABLE)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            // It quotes the command line, on which a shell may have put names of files.
            say!("{}", error.render().to_string().trim_end());
            return Exit::Usage.into();
        }
        Err(help) => help.exit(),
    };
    let mut out = Out::stdout();
    let ended = match cli.command {
        Some(command) => command.run(&mut out),
        None => commands::first::steps(&mut out),
    };
    let ended = ended.and_then(|exit| Ok(out.flush().map(|()| exit)?));
    interrupt::end_if_interrupted();
    ended.unwrap_or_else(failed).into()
}

/// Says what went wrong, in one line whatever it quotes. Whoever closed the pipe that we write to knows already.
fn failed(error: anyhow::Error) -> Exit {
    let exit = match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Unable,
        Some(_) => Exit::Unable,
        None => Exit::Usage,
    };
    say!("umem: {}", one_line(format_args!("{error:#}")));
    exit
}
