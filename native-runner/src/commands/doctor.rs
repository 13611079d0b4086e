//! `umem doctor`.

use clap::ValueEnum;

use crate::{
    doctor::{self, Finding, Subject},
    exit::Exit,
    report,
    screen::Out,
};

/// Tell what this machine can check, and how to enable what it cannot
///
/// Looks at the kernel and its modules, RDMA devices and their ports, the limit on locked memory, control groups, huge pages, the right to
/// see frame numbers, the IOMMU, BTF, the rights to watch registrations, Secure Boot and the kernel module umem_probe. It changes nothing. Each line is OK, or says what the lack
/// prevents and the command that provides it.
///
/// Limits, control groups and namespaces are those of this program itself. With --pid, only what decides whether that process can register
/// memory is told, its limits and rights first.
///
/// Exit code: 0 looked, 2 wrong usage, or no such process; with --strict 3 where anything lacks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem doctor
  umem doctor --pid 4242")]
pub struct Doctor {
    /// Report the limits, control groups and namespaces of this process
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Exit with 3 when anything lacks
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

impl Doctor {
    /// Looks, and tells.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        let (findings, abilities) = match self.pid {
            // What umem itself could do here is another question.
            Some(pid) => (doctor::examine_process(&Subject::other(pid)?), Vec::new()),
            None => {
                let findings = doctor::examine();
                let abilities = doctor::abilities(&findings);
                (findings, abilities)
            }
        };
        match self.format {
            Format::Table => report::doctor::table(out, &findings, &abilities)?,
            Format::Json => report::doctor::json(out.exact(), &findings, &abilities)?,
        }
        Ok(match self.strict && !findings.iter().all(Finding::is_ok) {
            true => Exit::Unable,
            false => Exit::Held,
        })
    }
}
