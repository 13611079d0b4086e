//! `cargo xtask lab …`: a VM with Debian's own kernel, a soft RDMA device (rxe) and huge pages.
//!
//! `archive` asks Debian's archive, `kernel` gets the kernel, `headers` and `probe` build our module for it, `modules` picks
//! what it must load, `programs` what it runs, `initramfs` packs them, and `session` holds all that ready. `machine` is QEMU's
//! command line, `boot` runs it to the guest's verdict, `voice` lets one guest speak after the other, `guest_files` brings home what guests leave, and
//! `run_folder` clears away.

mod archive;
mod boot;
mod cpio;
mod guest_files;
mod headers;
mod host_tools;
mod image;
mod initramfs;
mod kernel;
mod kvm;
mod machine;
mod modules;
mod probe;
pub mod programs;
mod run_folder;
mod session;
mod vectors;
mod voice;
mod words;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use xshell::Shell;

pub use archive::{Archive, Release};
pub use machine::Iommu;
pub use session::{Guest, Session};
pub use vectors::{recorder, verify};

/// What the lab can do.
#[derive(Subcommand)]
pub enum Lab {
    /// Run `umem check` in the guest, behind both IOMMUs if none is named; the worst verdict is the exit code
    Check {
        #[command(flatten)]
        options: Options,
        /// Check the whole product: every buffer, behind every kind of IOMMU and none
        #[arg(long)]
        full: bool,
        /// Arguments for `umem check`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Record random questions with the guest kernel's answers, and replay them at once; the verdict is the exit code
    Vectors {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        recording: vectors::Recording,
    },
    /// Map lists of 4G and more, some of which meet a bug of Linux; the exit code says whether the rules tell which
    Overflow {
        #[command(flatten)]
        options: Options,
    },
    /// Run any command in the guest, as in `lab run -- umem doctor`
    Run {
        #[command(flatten)]
        options: Options,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// Which machines are booted, and for how long.
#[derive(Args, Clone)]
pub struct Options {
    /// The Debian release whose kernel is booted
    #[arg(long, value_enum, default_value_t = Options::default().kernel)]
    pub kernel: Release,
    /// How the processor is emulated; `auto` takes KVM where it works
    #[arg(long, value_enum, default_value_t = Options::default().accel)]
    pub accel: machine::Accel,
    /// The IOMMU that the machine has; of several, each has a machine of its own
    /// [default: both to check, intel for vectors and overflow, off to run]
    #[arg(long, value_enum, hide_default_value = true)]
    pub iommu: Option<Choice>,
    /// The machine's memory, as QEMU has it
    #[arg(long, value_name = "SIZE", default_value_t = Options::default().memory)]
    pub memory: String,
    /// Words to add to the kernel's command line
    #[arg(long, value_name = "WORDS")]
    pub append: Option<String>,
    /// The guest is stopped after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().timeout)]
    pub timeout: u64,
    /// A folder that the guest reads at /in
    #[arg(long = "in", value_name = "DIR")]
    pub input: Option<PathBuf>,
    /// Where files go that the guest leaves in /out: all of them, once its command has ended
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kernel: Release::Bookworm,
            accel: machine::Accel::Auto,
            iommu: None,
            memory: "4G".to_owned(),
            append: None,
            timeout: 300,
            input: None,
            out: None,
        }
    }
}

/// Which IOMMUs, as the command line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// None
    Off,
    /// Intel's VT-d
    Intel,
    /// AMD-Vi
    Amd,
    /// Intel's VT-d, told to translate nothing (iommu=pt)
    Identity,
    /// Intel's and AMD's
    Both,
    /// All of these, and none
    All,
}

impl Choice {
    fn iommus(self) -> &'static [Iommu] {
        match self {
            Choice::Off => &[Iommu::Off],
            Choice::Intel => &[Iommu::Intel],
            Choice::Amd => &[Iommu::Amd],
            Choice::Identity => &[Iommu::Identity],
            Choice::Both => &[Iommu::Intel, Iommu::Amd],
            Choice::All => &[Iommu::Intel, Iommu::Amd, Iommu::Identity, Iommu::Off],
        }
    }
}

impl Lab {
    /// Does it; the guest's exit code becomes ours.
    pub fn run(self, sh: &Shell) -> Result<ExitCode> {
        let verdict = match self {
            Lab::Check {
                options,
                full,
                arguments,
            } => check(sh, &options, full, arguments),
            Lab::Vectors { options, recording } => recording.run(sh, &options),
            Lab::Overflow { options } => overflow(sh, options),
            Lab::Run { options, command } => run_in_guests(sh, &options, Choice::Off, &command),
        };
        verdict.map(ExitCode::from)
    }
}

fn check(sh: &Shell, options: &Options, full: bool, arguments: Vec<String>) -> Result<u8> {
    let flag = full.then(|| "--full".to_owned());
    let command: Vec<_> = ["umem", "check"]
        .map(String::from)
        .into_iter()
        .chain(flag)
        .chain(arguments)
        .collect();
    let iommus = if full { Choice::All } else { Choice::Both };
    let mut options = options.clone();
    // The whole product takes a machine minutes, and two run at once.
    if full && options.timeout == Options::default().timeout {
        options.timeout = 3600;
    }
    run_in_guests(sh, &options, iommus, &command)
}

fn overflow(sh: &Shell, mut options: Options) -> Result<u8> {
    // It takes more than 4G of memory in one run.
    if options.memory == Options::default().memory {
        options.memory = "8G".to_owned();
    }
    let command = ["umem", "vectors", "overflow"].map(String::from);
    run_in_guests(sh, &options, Choice::Intel, &command)
}

/// The command, in a guest for each of the options' IOMMUs; `default` is which if they name none.
fn run_in_guests(sh: &Shell, options: &Options, default: Choice, command: &[String]) -> Result<u8> {
    let session = Session::prepare(sh, options.kernel)?;
    if let Some(why) = session.without_probe() {
        eprintln!("skipped: the kernel's own answers: {why}");
    }
    let guests: Vec<_> = options
        .iommu
        .unwrap_or(default)
        .iommus()
        .iter()
        .map(|iommu| Guest {
            iommu: *iommu,
            command: command.to_vec(),
        })
        .collect();
    Ok(session::worst(&session.run(options, &guests)?))
}

/// Installs the programs that build the guest, and those that run in it.
fn set_up(sh: &Shell) -> Result<()> {
    let packages = [
        machine::PACKAGES,
        programs::PACKAGES,
        programs::BUILD_PACKAGES,
        probe::PACKAGES,
    ]
    .concat();
    crate::debian::require(sh, "the lab", &packages)
}
