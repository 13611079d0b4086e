//! `umem check`.

use std::io;

use clap::ValueEnum;

use crate::{
    buffer::{self, Recipe},
    check::{self, BufferReport, Options, Report},
    exit::Exit,
    interrupt::Interrupt,
    missing::Missing,
    nic::Nic,
    probe::Probe,
    progress, report,
    screen::{Out, say},
    timing,
};

/// Hold the rules against this machine: real buffers, their frames, an RDMA device
///
/// Makes buffers whose pages lie in known ways, registers a memory region in each, reads from the
/// kernel where the pages are, computes the device's entries under every policy, and then checks
/// that each entry is aligned and contiguous (level "frames") and that its bytes arrive when the
/// device moves them (level "data"). Where the kernel module umem_probe is loaded, what the kernel
/// itself builds is compared too (level "kernel"). And what the device must refuse is tried. Takes root, for frame numbers;
/// see "way out" in its answer for everything else that it takes.
///
/// With --time it checks nothing, and measures what registering and releasing take on this machine with this device.
///
/// Exit code: 0 all held, 1 something differed, 2 wrong usage, 3 this machine lacks something.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem check
  sudo umem check --device mlx5_0 --full
  umem check --format junit")]
#[command(verbatim_doc_comment)]
pub struct Check {
    /// The RDMA device [default: the first with an active port]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Check every buffer with every region and every policy (minutes), not a set that touches each once
    #[arg(long)]
    full: bool,

    /// Check these buffers only
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = super::buffer_names())]
    buffers: Vec<String>,

    /// Exit with 3 when anything was skipped
    #[arg(long)]
    strict: bool,

    /// Measure instead what registering and releasing take here, by kind of pages, beside what others have measured
    #[arg(long, conflicts_with_all = ["full", "buffers", "strict"])]
    time: bool,

    /// Change one byte after it arrived, to prove that the check notices
    #[arg(long, hide = true)]
    spoil_one_byte: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For CI servers: JUnit's XML
    Junit,
}

impl Check {
    /// Checks, and prints what was found.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        let device = self.device();
        if self.time {
            return self.measure(device, out);
        }
        let nic = device.as_ref().map_err(Clone::clone);
        let probe = Probe::open();
        let probe = || probe.as_ref().map_err(Clone::clone);
        let recipes = self.recipes();
        let options = Options {
            full: self.full,
            spoil_one_byte: self.spoil_one_byte,
        };
        let table = self.format == Format::Table;
        if table {
            let device = nic.as_ref().ok().map(|nic| nic.describe());
            report::table::heading(out, device.as_deref())?;
        }
        let progress = progress::Steps::new("buffers", recipes.len());
        let seen = &mut |buffer: &BufferReport| {
            progress.done(buffer.name, || match table {
                true => report::table::buffer(out, buffer),
                false => Ok(()),
            })
        };
        let report = check::run(nic, probe(), &recipes, options, seen)?;
        drop(progress);
        match self.format {
            Format::Table => report::table::conclusion(out, &report)?,
            Format::Json => report::json(out.exact(), &report)?,
            Format::Junit => report::junit(out.exact(), &report)?,
        }
        Ok(exit(&report, self.strict))
    }

    /// What registering takes.
    fn measure<N: Nic>(&self, device: Result<N, Missing>, out: &mut Out) -> anyhow::Result<Exit> {
        anyhow::ensure!(
            self.format != Format::Junit,
            "--time: there is no verdict for JUnit; --format table or json"
        );
        let device = match device {
            Ok(device) => device,
            Err(missing) => {
                say!("umem: {missing}");
                return Ok(Exit::Unable);
            }
        };
        let interrupt = Interrupt::watch();
        let times = timing::measure(&device, &mut || Ok(Interrupt::check()?));
        drop(interrupt);
        let times = times.map_err(|error| match error.raw_os_error() {
            Some(_) => io::Error::new(
                error.kind(),
                format!(
                    "--time: the device refuses a region: {error}; umem doctor says what limits it"
                ),
            ),
            None => error,
        })?;
        match self.format {
            Format::Json => report::time::json(out.exact(), &times)?,
            _ => report::time::table(out, &times)?,
        }
        Ok(Exit::Held)
    }

    /// The buffers that are asked for.
    fn recipes(&self) -> Vec<Recipe> {
        let all = buffer::CATALOGUE.iter().copied();
        all.filter(|recipe| {
            self.buffers.is_empty() || self.buffers.iter().any(|name| name == recipe.name)
        })
        .collect()
    }

    #[cfg(feature = "rdma")]
    fn device(&self) -> Result<crate::verbs::Device, Missing> {
        crate::verbs::Device::open(self.device.as_deref())
    }

    #[cfg(not(feature = "rdma"))]
    fn device(&self) -> Result<crate::nic::Never, Missing> {
        Err(Missing::verbs())
    }
}

/// A difference outweighs everything; a check that lacked something did not check.
fn exit(report: &Report, strict: bool) -> Exit {
    match report {
        Report { differed: 1.., .. } => Exit::Differed,
        Report { missing, .. } if !missing.is_empty() => Exit::Unable,
        Report { skipped: 1.., .. } if strict => Exit::Unable,
        _ => Exit::Held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides_how_it_ends() {
        let mut report = Report::new(None);
        assert_eq!(exit(&report, true), Exit::Held);
        report.skipped = 1;
        assert_eq!(
            (exit(&report, false), exit(&report, true)),
            (Exit::Held, Exit::Unable)
        );
        report.missing.push(Missing::frame_permission());
        assert_eq!(exit(&report, false), Exit::Unable);
        report.differed = 1;
        assert_eq!(exit(&report, false), Exit::Differed);
    }
}
