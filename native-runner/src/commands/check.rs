//! `umem check`.

use std::io::Write;

use anyhow::Context;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    buffer::{self, Recipe},
    check::{self, BufferReport, Options, Report},
    exit::Exit,
    missing::Missing,
    nic::Nic as _,
    probe::Probe,
    report,
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
/// Exit code: 0 all held, 1 something differed, 2 wrong usage, 3 this machine lacks something.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Check {
    /// The RDMA device [default: the first]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Check every buffer with every region and every policy (minutes), not a set that touches each once
    #[arg(long)]
    full: bool,

    /// Check these buffers only
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    buffers: Vec<String>,

    /// Exit with 3 when anything was skipped
    #[arg(long)]
    strict: bool,

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
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let device = self.device();
        let nic = device.as_ref().map_err(Clone::clone);
        let probe = Probe::open();
        let probe = || probe.as_ref().map_err(Clone::clone);
        let recipes = self.recipes()?;
        let options = Options {
            full: self.full,
            spoil_one_byte: self.spoil_one_byte,
        };
        let table = self.format == Format::Table;
        if table {
            let device = nic.as_ref().ok().map(|nic| nic.describe());
            report::table::heading(out, device.as_deref())?;
        }
        let bar = progress(recipes.len());
        let seen = &mut |buffer: &BufferReport| {
            bar.set_message(buffer.name);
            bar.inc(1);
            if table {
                bar.suspend(|| report::table::buffer(out, buffer))?;
            }
            Ok(())
        };
        let report = check::run(nic, probe(), &recipes, options, seen)?;
        bar.finish_and_clear();
        match self.format {
            Format::Table => report::table::conclusion(out, &report)?,
            Format::Json => report::json(out, &report)?,
            Format::Junit => report::junit(out, &report)?,
        }
        Ok(exit(&report, self.strict))
    }

    /// The buffers that are asked for.
    fn recipes(&self) -> anyhow::Result<Vec<Recipe>> {
        if self.buffers.is_empty() {
            return Ok(buffer::CATALOGUE.to_vec());
        }
        let find = |name: &String| {
            let found = buffer::CATALOGUE.iter().find(|recipe| recipe.name == name);
            found.copied().with_context(|| {
                let names: Vec<_> = buffer::CATALOGUE.iter().map(|recipe| recipe.name).collect();
                format!(
                    "--buffers: there is no buffer \"{name}\"; there are {}",
                    names.join(", ")
                )
            })
        };
        self.buffers.iter().map(find).collect()
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

/// How many buffers are done, for people who watch; nothing where standard error is no terminal.
fn progress(buffers: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} buffers, {elapsed}: {msg}");
    let style = style.expect("the template is well-formed");
    ProgressBar::new(buffers as u64).with_style(style)
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
