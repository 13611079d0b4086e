//! `packer`: makes the files of the page and of the element out of compiled code. `cargo xtask build` runs it.
//!
//! It is a program of its own so that it compiles while the page's code does: whoever runs `cargo xtask serve` for the first time waits for
//! both. It downloads nothing and runs no other program.

mod bind;
mod cases;
mod index;
mod order;
mod shrink;
#[cfg(feature = "apart")]
mod split;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The JavaScript that loads what is apart, beside the code. It goes into that of the code when the two are bundled.
const LOADER: &str = "more.js";
/// What is apart.
const APART: &str = "split_more.wasm";

#[derive(Parser)]
#[command(
    name = "packer",
    about = "Makes the files of the page out of its compiled code"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the JavaScript that calls the code, and the code as that calls it
    Bind {
        /// What was compiled
        code: PathBuf,
        /// The folder for both: NAME.js and NAME_bg.wasm
        folder: PathBuf,
        #[arg(long)]
        name: String,
        /// Takes the code apart at its doors: what is behind them goes into split_more.wasm, which more.js loads
        #[arg(long)]
        apart: bool,
    },
    /// Takes from what `bind` or wasm-pack wrote what nobody reads
    Shrink {
        /// Where it is
        folder: PathBuf,
        #[arg(long)]
        name: String,
    },
    /// Names the functions so that those that are alike stand together where they stand in the order of their names
    Order {
        /// The code
        code: PathBuf,
    },
    /// Writes index.html with its first picture, cases.json, and build.json, which lists all that the page is made of
    Index {
        /// The page's folder, with all that the page is made of
        site: PathBuf,
        /// The index, with marks where something is to stand
        #[arg(long, value_name = "FILE")]
        template: PathBuf,
        /// The public reports
        #[arg(long, value_name = "FOLDER")]
        cases: PathBuf,
        /// Where the page will be, for the picture beside a link to it
        #[arg(long, value_name = "URL")]
        address: Option<String>,
        /// The folder for the three
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

fn run() -> Result<()> {
    match Cli::parse().task {
        Task::Bind {
            code,
            folder,
            name,
            apart,
        } => bind::bind(&code, &folder, &name, apart),
        Task::Shrink { folder, name } => shrink::folder(&folder, &name),
        Task::Order { code } => order::file(&code),
        Task::Index {
            site,
            template,
            cases,
            address,
            out,
        } => index::write(&site, &template, &cases, address.as_deref(), &out),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
