//! `cargo xtask lab …`: a VM with Debian's own kernel, a soft RDMA device (rxe) and huge pages.
//!
//! `archive` asks Debian's archive, `kernel` gets the kernel, `headers` and `probe` build our module for it, `modules` picks what it must load, `programs` what it runs, `initramfs` packs them,
//! `machine` is QEMU's command line, and `boot` runs it to the guest's verdict.

mod archive;
mod boot;
mod cpio;
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
mod vectors;

use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use xshell::Shell;

/// What the lab can do.
#[derive(Subcommand)]
pub enum Lab {
    /// Run `umem check` in the guest; its verdict is the exit code
    Check {
        #[command(flatten)]
        options: Options,
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
    /// Run any command in the guest, as in `lab run -- umem doctor`
    Run {
        #[command(flatten)]
        options: Options,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// Which machine is booted, and for how long.
#[derive(Args, Clone)]
pub struct Options {
    /// The Debian release whose kernel is booted
    #[arg(long, value_enum, default_value_t = Options::default().kernel)]
    pub kernel: archive::Release,
    /// How the processor is emulated; `auto` takes KVM where it works
    #[arg(long, value_enum, default_value_t = Options::default().accel)]
    pub accel: machine::Accel,
    /// The IOMMU that the machine has (with one, QEMU's `edu` DMA device is there too)
    #[arg(long, value_enum, default_value_t = Options::default().iommu)]
    pub iommu: machine::Iommu,
    /// Words to add to the kernel's command line
    #[arg(long, value_name = "WORDS")]
    pub append: Option<String>,
    /// The guest is stopped after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().timeout)]
    pub timeout: u64,
    /// A folder that the guest sees as /out, to bring files home
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kernel: archive::Release::Bookworm,
            accel: machine::Accel::Auto,
            iommu: machine::Iommu::Off,
            append: None,
            timeout: 300,
            out: None,
        }
    }
}

impl Lab {
    /// Does it; the guest's exit code becomes ours.
    pub fn run(self, sh: &Shell) -> Result<ExitCode> {
        let (options, command) = match self {
            Lab::Check { options, arguments } => (
                options,
                ["umem", "check"]
                    .map(String::from)
                    .into_iter()
                    .chain(arguments)
                    .collect(),
            ),
            Lab::Run { options, command } => (options, command),
            Lab::Vectors { options, recording } => {
                return recording.run(sh, &options).map(ExitCode::from);
            }
        };
        let verdict = run_in_guest(sh, &options, &command)?;
        Ok(ExitCode::from(verdict))
    }
}

/// Everything from "what is installed?" to the guest's verdict.
pub fn run_in_guest(sh: &Shell, options: &Options, command: &[String]) -> Result<u8> {
    set_up(sh)?;
    let kernel = kernel::get(sh, options.kernel)?;
    let run = boot::RunFolder::new()?;
    initramfs::write(sh, &kernel, command, &run.initramfs())?;
    let machine = machine::Machine::new(options, &kernel)?;
    boot::boot(&machine, &run, options.timeout)
}

/// Installs the programs that build the guest, and those that run in it.
pub fn set_up(sh: &Shell) -> Result<()> {
    let packages = [
        machine::PACKAGES,
        programs::PACKAGES,
        programs::BUILD_PACKAGES,
        probe::PACKAGES,
    ]
    .concat();
    crate::debian::require(sh, "the lab", &packages)
}
