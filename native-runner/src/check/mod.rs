//! The check: is what the rules say true of real memory?
//!
//! Every buffer of the [catalogue](crate::buffer) is made, filled, and registered, in one [`Region`] or in many; its
//! frames are read from the kernel, the rules cut them into entries, and each policy's entries are held
//! against the truth on three levels:
//!
//! - **frames** ([`placement`]): every entry is aligned and lies on contiguous frames, by pagemap;
//! - **kernel** ([`kernel`]): what the kernel itself builds for devices is what the rules say, by
//!   the probe;
//! - **data** ([`transport`]): a device moves the bytes of every entry into other memory, and
//!   every byte arrives, at its place and nowhere else.
//!
//! And what a device must refuse, it has to refuse ([`trespass`]).
//!
//! What the machine cannot do is said, and the rest is checked all the same.

mod kernel;
mod placement;
mod report;
mod settling;
#[cfg(test)]
mod tests;
mod transport;
mod trespass;
mod verdict;

use std::{io, time::Instant};

use rustix::{
    io::Errno,
    process::{Resource, getrlimit},
};

pub use kernel::KernelReport;
pub use report::{BufferReport, MemoryFacts, Report, Row};
pub use trespass::TrespassReport;
pub use verdict::Verdict;

use crate::{
    buffer::{self, Recipe, Unavailable},
    frames::Frames,
    mapping::Mapping,
    missing::Missing,
    model::Policy,
    nic::{Claim, Nic, Rights},
    probe::Probe,
    recording::running,
    region::{self, Region},
};
use kernel::Judge;
use transport::{Sink, Window};

/// How to check.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Check every buffer with every region and policy, instead of a set that touches each once.
    pub full: bool,
    /// Change one byte after it arrived: a check that does not notice is worth nothing.
    pub spoil_one_byte: bool,
}

/// Checks the buffers of `recipes` with `nic`, or as far as it goes without one; `progress` sees
/// each buffer as it is done.
pub fn run<N: Nic>(
    nic: Result<&N, Missing>,
    probe: Result<&Probe, Missing>,
    recipes: &[Recipe],
    options: Options,
    progress: &mut dyn FnMut(&BufferReport) -> io::Result<()>,
) -> io::Result<Report> {
    let mut report = Report::new(nic.as_ref().ok().map(|nic| nic.describe()));
    let rules = running::rules();
    let sink_memory = transport::sink_memory()?;
    let sink = nic.and_then(|nic| {
        Sink::new(nic, &sink_memory).map_err(|error| registration_refused(&error, nic.describe()))
    });
    let sink = sink.map_err(|missing| report.lacks(missing)).ok();
    for recipe in recipes {
        let buffer = match recipe.make() {
            Ok(memory) => {
                let (mut buffer, missing) = check_buffer(recipe, &memory, sink.as_ref(), options);
                if buffer.skipped.is_none() {
                    buffer.kernel = kernel::check(
                        probe.clone(),
                        Judge::of(&rules),
                        recipe,
                        &memory,
                        options.full,
                    );
                }
                missing
                    .into_iter()
                    .for_each(|missing| report.lacks(missing));
                buffer
            }
            Err(Unavailable::Refused(why)) => BufferReport::skipped(recipe, why),
            Err(Unavailable::Missing(missing)) => {
                let why = format!("needs {}", missing.what);
                report.lacks(missing);
                BufferReport::skipped(recipe, why)
            }
        };
        progress(&buffer)?;
        report.add(buffer);
    }
    if let Some(sink) = &sink {
        match trespass::check(sink.nic()) {
            Ok(trespasses) => report.add_trespasses(trespasses),
            Err(error) => report.lacks(registration_refused(&error, sink.nic().describe())),
        }
    }
    Ok(report)
}

/// One buffer, in every region and under every policy. Also says what the machine lacked for it.
fn check_buffer<N: Nic>(
    recipe: &Recipe,
    memory: &Mapping,
    sink: Option<&Sink<'_, N>>,
    options: Options,
) -> (BufferReport, Option<Missing>) {
    let window = Window::fill(memory, recipe);
    let mut report = BufferReport::new(recipe);
    let mut missing = None;
    for (region, policies) in region::of(recipe, options.full) {
        let source = match source(recipe, window, sink, region) {
            Ok(source) => Ok(source),
            Err(Unavailable::Refused(why)) => Err(why),
            Err(Unavailable::Missing(what)) => {
                missing = Some(what);
                Err("no device registered the memory".to_owned())
            }
        };
        // Pinning may move pages (out of CMA, for one), so only now do the frames stay as they are.
        let mut frames = match Frames::read(memory) {
            Ok(frames) => frames,
            Err(error) => return (BufferReport::skipped(recipe, error.to_string()), missing),
        };
        report
            .memory
            .get_or_insert_with(|| MemoryFacts::of(memory, &frames, recipe.window()));
        for policy in policies {
            let row = check_row(window, &mut frames, region, policy, &source, options);
            report.rows.push(row);
        }
    }
    (report, missing)
}

/// Where bytes can be moved from: a device's sink, and a region of the buffer.
type Source<'s, 'm, N> = (&'s Sink<'m, N>, <N as Nic>::Region<'s>);

/// Registers the region, if there is a device.
fn source<'s, 'm, N: Nic>(
    recipe: &Recipe,
    window: Window<'s>,
    sink: Option<&'s Sink<'m, N>>,
    region: Region,
) -> Result<Source<'s, 'm, N>, Unavailable> {
    let Some(sink) = sink else {
        return Err(Unavailable::Refused(
            "no device registered the memory".to_owned(),
        ));
    };
    let page = rustix::param::page_size() as u64;
    let claim = Claim {
        range: region.range(),
        device_address: region
            .zero_based
            .then(|| region.device_address(window.memory.start(), page)),
        rights: Rights::All,
    };
    match sink.nic().register(window.memory, claim) {
        Ok(registered) => Ok((sink, registered)),
        Err(error) => Err(match recipe.rightly_refused(&error) {
            Some(why) => Unavailable::Refused(why.to_owned()),
            None => Unavailable::Missing(registration_refused(&error, sink.nic().describe())),
        }),
    }
}

/// One region under one policy. Memory that no device has registered may move while it is looked at, and is looked at again then.
fn check_row<N: Nic>(
    window: Window<'_>,
    frames: &mut Frames,
    region: Region,
    policy: Policy,
    source: &Result<Source<'_, '_, N>, String>,
    options: Options,
) -> Row {
    let began = Instant::now();
    let mut row = Row::new(region, policy);
    let look = || Frames::read(window.memory);
    let start = window.memory.start();
    match settling::table(start, frames, look, region, policy, source.is_ok()) {
        Err(error) => {
            row.frames = Verdict::Differed(format!("the model gave no table: {error}"));
            row.data = Verdict::Skipped("there are no entries to move".to_owned());
        }
        Ok((table, verdict)) => {
            row.has_entries(&table);
            row.frames = verdict;
            row.data = match source {
                Err(why) => Verdict::Skipped(why.clone()),
                Ok((sink, source)) => sink
                    .check(window, source, &table, region, options.spoil_one_byte)
                    .into(),
            };
        }
    }
    row.milliseconds = began.elapsed().as_micros() as f64 / 1e3;
    row
}

/// What stands behind a registration that failed.
fn registration_refused(error: &io::Error, nic: String) -> Missing {
    let limit = getrlimit(Resource::Memlock).current.unwrap_or(u64::MAX);
    let needed = (buffer::LENGTH + transport::SINK_LENGTH) as u64;
    if error.raw_os_error() == Some(Errno::NOMEM.raw_os_error()) && limit < needed {
        return Missing::memlock(limit, needed);
    }
    Missing::device(
        format!("registration of memory ({nic}: {error})"),
        "see dmesg for the driver's reason",
    )
}
