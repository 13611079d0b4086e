//! `cargo xtask …`: the project's automation. It builds, serves, tests and boots; it knows no rule of umem.

mod bench;
mod book;
mod bpf;
mod debian;
mod dist;
mod fuzz;
mod interrupt;
mod lab;
mod native;
mod page;
mod place;
mod serve;
mod step;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};
use page::build::Profile;
use std::path::PathBuf;
use std::process::ExitCode;
use xshell::{Shell, cmd};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The project's automation"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page and the book and serve them on 127.0.0.1, from the first moment on
    Serve(serve::Serve),
    /// Build the page into static/pkg
    Build {
        /// How much the compiler tries
        #[arg(long, value_enum, default_value_t = Profile::Release)]
        profile: Profile,
    },
    /// Build the book, docs/, into static/book, and draw the examples' pictures
    Book,
    /// Build the element as an npm package, in target/npm
    Package,
    /// Draw the rooms of each crate and their uses into docs/ARCHITECTURE.md, from the code
    House,
    /// Make everything that there is to publish, in target/dist
    Dist(dist::Dist),
    /// Take screenshots of the page's main states, and the README's pictures
    Shots {
        /// The folder for them
        #[arg(long, value_name = "DIR", default_value = "target/shots")]
        out: PathBuf,
    },
    /// Test everything there is to test, with all set-up included
    Test(test::Test),
    /// Measure umem-core, natively and in a browser, and `umem capture`, each beside its peers
    Bench(bench::Bench),
    /// Feed the parsers and policies with what a fuzzer thinks up; needs nightly Rust
    Fuzz(fuzz::Fuzz),
    /// Build the BPF programs of `umem watch` anew, in the place of the object that is committed
    Bpf,
    /// Boot a VM with a real kernel, a soft RDMA device and huge pages, and run `umem` in it
    #[command(subcommand)]
    Lab(lab::Lab),
}

fn run() -> Result<ExitCode> {
    let task = Cli::parse().task;
    let sh = Shell::new()?;
    sh.change_dir(place::workspace());
    match task {
        Task::Serve(serve) => serve.run(&sh),
        Task::Build { profile } => page::build::build(&sh, profile).map(|()| ExitCode::SUCCESS),
        Task::Book => {
            book::run(&sh)?;
            println!("The book is in static/book; `cargo xtask serve` serves it at /book/");
            Ok(ExitCode::SUCCESS)
        }
        Task::Package => {
            let tarball = page::package::package(&sh)?;
            println!("The package is {}", tarball.display());
            Ok(ExitCode::SUCCESS)
        }
        Task::House => {
            cmd!(sh, "cargo run --quiet --package house")
                .quiet()
                .run()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Dist(dist) => dist.run(&sh).map(|()| ExitCode::SUCCESS),
        Task::Shots { out } => {
            let folder = place::workspace().join(out);
            page::browser::shots(&sh, &folder).map(|()| ExitCode::SUCCESS)
        }
        Task::Test(test) => test.run(&sh),
        Task::Bench(bench) => bench.run(&sh),
        Task::Fuzz(fuzz) => fuzz.run(&sh),
        Task::Bpf => bpf::build(&sh).map(|()| ExitCode::SUCCESS),
        Task::Lab(lab) => lab.run(&sh),
    }
}

/// What fails in the automation itself ends as cargo's own failures do, so that 0 to 3 stay the verdicts of `umem`.
const XTASK_FAILED: u8 = 101;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(exit_code(&error))
    })
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(interrupted) = error.downcast_ref::<interrupt::Interrupted>() {
        interrupted.exit_code()
    } else if error.is::<step::MachineCannot>() {
        3
    } else {
        XTASK_FAILED
    }
}
