//! `cargo xtask lab …`: a VM with Debian's own kernel, a soft RDMA device (rxe) and huge pages.
//!
//! `architecture` is the table of what can be booted, and `system` one kernel of it. `archive` asks Debian's archive, `kernel` gets the kernel, `headers` and `probe` build our module for it, `modules` picks
//! what it must load, `programs` what it runs, `initramfs` packs them, and `session` holds all that ready. `vectors` and `watch` are tasks. `machine` is QEMU's
//! command line (`unpacked_qemu` where Debian 12's is too old or cannot be installed), `boot` runs it to the guest's verdict, `voice` lets one guest speak after the other, `guest_files` brings home what guests leave, and
//! `run_folder` clears away.

mod architecture;
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
mod system;
mod unpacked_qemu;
mod vectors;
mod voice;
mod watch;
mod words;

use anyhow::Result;
use architecture::Architecture;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use system::Default as Machines;
use unpacked_qemu::UnpackedQemu;
use xshell::Shell;

pub use architecture::Page;
pub use archive::{Archive, Release};
pub use session::{Guest, Session};
pub use system::System;
pub use vectors::{recorder, verify};
pub use watch::script as watch_script;

/// What the lab can do.
#[derive(Subcommand)]
pub enum Lab {
    /// Run `umem check` in the guest, behind two IOMMUs if none is named; the worst verdict is the exit code
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
    /// Check and register a storm under `umem watch`, behind two IOMMUs if none is named: nothing is lost, each is as the rules have it
    Watch {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        watching: watch::Watching,
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
    /// The processor: x86-64, arm64 or ppc64le
    #[arg(long, value_name = "ARCHITECTURE", default_value_t = Options::default().arch)]
    pub arch: String,
    /// The Debian release whose kernel is booted [default: bookworm, or the first that has such a kernel]
    #[arg(long, value_enum)]
    pub kernel: Option<Release>,
    /// The kernel's page size [default: 4K; ppc64le: 64K]
    #[arg(long, value_enum, ignore_case = true)]
    pub page: Option<Page>,
    /// How the processor is emulated; `auto` takes KVM where it works
    #[arg(long, value_enum, default_value_t = Options::default().accel)]
    pub accel: machine::Accel,
    /// The IOMMU that the machine has; of several, each has a machine of its own. x86-64: off, intel, amd, identity (iommu=pt),
    /// virtio, intel-first-stage; arm64: off, smmuv3, virtio, identity; ppc64le: power-direct, power (tables of 4K), power-64k; all: each of them
    /// [default: two to check, one for vectors and overflow, none to run]
    #[arg(long, value_name = "NAME")]
    pub iommu: Option<String>,
    /// The machine's memory, as QEMU has it [default: 4G, on powernv 2G]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
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
            arch: "x86-64".to_owned(),
            kernel: None,
            page: None,
            accel: machine::Accel::Auto,
            iommu: None,
            memory: None,
            append: None,
            timeout: 300,
            input: None,
            out: None,
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
            Lab::Watch { options, watching } => watching.run(sh, &options),
            Lab::Overflow { options } => overflow(sh, options),
            Lab::Run { options, command } => run_in_guests(sh, &options, Machines::Plain, &command),
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
    let iommus = if full {
        Machines::All
    } else {
        Machines::Checked
    };
    let mut options = options.clone();
    // The whole product takes a machine minutes, and two run at once.
    if full && options.timeout == Options::default().timeout {
        options.timeout = 3600;
    }
    run_in_guests(sh, &options, iommus, &command)
}

fn overflow(sh: &Shell, mut options: Options) -> Result<u8> {
    // It takes more than 4G of memory in one run.
    options.memory.get_or_insert_with(|| "8G".to_owned());
    let command = ["umem", "vectors", "overflow"].map(String::from);
    System::of(&options)?.require("x86-64", "`lab overflow`")?;
    run_in_guests(sh, &options, Machines::Named("intel"), &command)
}

/// The command, in a guest for each of the options' IOMMUs; `default` is which if they name none.
fn run_in_guests(
    sh: &Shell,
    options: &Options,
    default: Machines<'_>,
    command: &[String],
) -> Result<u8> {
    let system = System::of(options)?;
    let machines = system.machines(options.iommu.as_deref(), default)?;
    let session = Session::prepare(sh, system)?;
    if let Some(why) = session.without_probe() {
        eprintln!("skipped: the kernel's own answers: {why}");
    }
    let guests: Vec<_> = machines
        .into_iter()
        .map(|iommu| Guest {
            iommu,
            command: command.to_vec(),
        })
        .collect();
    Ok(session::worst(&session.run(options, &guests)?))
}

/// Installs the programs that build the guest, and those that run in it. Where installing QEMU would take away a package that somebody has
/// chosen (a `qemu-utils` of another release does not bear Debian 12's QEMU beside it), it is unpacked, and returned.
fn set_up(sh: &Shell, architecture: &Architecture) -> Result<Option<UnpackedQemu>> {
    let mut packages = [
        machine::PACKAGES,
        architecture.packages,
        programs::PACKAGES,
        programs::BUILD_PACKAGES,
        probe::PACKAGES,
    ]
    .concat();
    let is_qemu = |package: &&str| package.starts_with("qemu-system-");
    let qemu = architecture.packages.iter().copied().find(is_qemu);
    let unpacked = match qemu {
        Some(qemu) => !crate::debian::removed_by(sh, &[qemu])?.is_empty(),
        None => false,
    };
    let (Some(qemu), true) = (qemu, unpacked) else {
        return crate::debian::require(sh, "the lab", &packages).map(|()| None);
    };
    let archive = Archive::new(sh, Release::Bookworm)?;
    let wanted = archive.dependencies(sh, qemu)?;
    packages.retain(|package| *package != qemu);
    packages.extend(unpacked_qemu::libraries(&wanted));
    crate::debian::require(sh, "the lab", &packages)?;
    UnpackedQemu::own(sh, qemu).map(Some)
}
