//! The check: is what the rules say true of real memory?
//!
//! Every buffer of the [catalogue](crate::buffer) is made, filled, and registered; its frames are
//! read from the kernel, the rules cut them into entries, and each policy's entries are held
//! against the truth on three levels:
//!
//! - **frames** ([`placement`]): every entry is aligned and lies on contiguous frames, by pagemap;
//! - **kernel** ([`kernel`]): what the kernel itself builds for devices is what the rules say, by
//!   the probe;
//! - **data** ([`transport`]): a device moves the bytes of every entry into other memory, and
//!   every byte arrives, at its place and nowhere else.
//!
//! What the machine cannot do is said, and the rest is checked all the same.

mod kernel;
mod placement;
mod report;
#[cfg(test)]
mod tests;
mod transport;

use std::{io, ops::Range, time::Instant};

use rustix::process::{Resource, getrlimit};

pub use kernel::KernelReport;
pub use report::{BufferReport, MemoryFacts, PolicyReport, Report, Verdict};

use crate::{
    buffer::{self, Recipe, Unavailable},
    frames::Frames,
    mapping::Mapping,
    missing::Missing,
    model::{self, Policy},
    nic::Nic,
    probe::Probe,
};
use transport::{SOURCE, Sink};

/// What every buffer's region is: all of it but the first 4K, as in the mail.
const REGION: Range<u64> = 4096..buffer::LENGTH as u64;

/// How to check.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
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
                    buffer.kernel = kernel::check(probe.clone(), recipe.name, &memory);
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
    Ok(report)
}

/// One buffer, under every policy. Also says what the machine lacked for it.
fn check_buffer<N: Nic>(
    recipe: &Recipe,
    memory: &Mapping,
    sink: Option<&Sink<'_, N>>,
    options: Options,
) -> (BufferReport, Option<Missing>) {
    SOURCE.fill(memory.words());
    let mut missing = None;
    let source = sink.and_then(|sink| match sink.nic().register(memory, REGION) {
        Ok(region) => Some((sink, region)),
        Err(error) => {
            missing = Some(registration_refused(&error, sink.nic().describe()));
            None
        }
    });
    // Pinning may move pages (out of CMA, for one), so only now do the frames stay as they are.
    let frames = match Frames::read(memory) {
        Ok(frames) => frames,
        Err(error) => return (BufferReport::skipped(recipe, error.to_string()), missing),
    };
    let mut buffer = BufferReport::new(
        recipe,
        MemoryFacts::of(memory, &frames, REGION, source.is_some()),
    );
    for policy in Policy::ALL {
        let began = Instant::now();
        let mut row = PolicyReport::new(policy);
        match model::table(memory.start(), &frames, REGION, policy) {
            Err(error) => {
                row.frames = Verdict::Differed(format!("the model gave no table: {error}"));
                row.data = Verdict::Skipped("there are no entries to move".to_owned());
            }
            Ok(table) => {
                row.has_entries(&table);
                row.frames = placement_verdict(memory, &frames, &table, policy);
                row.data = match &source {
                    None => Verdict::Skipped("no device registered the memory".to_owned()),
                    Some((sink, region)) => sink
                        .check(memory, region, &table, REGION, options.spoil_one_byte)
                        .into(),
                };
            }
        }
        row.milliseconds = began.elapsed().as_micros() as f64 / 1e3;
        buffer.policies.push(row);
    }
    (buffer, missing)
}

/// The frames level. The frames are read anew, so that the model's own are not their own witness.
fn placement_verdict(
    memory: &Mapping,
    seen: &Frames,
    table: &model::Table,
    policy: Policy,
) -> Verdict {
    let now = match Frames::read(memory) {
        Ok(frames) => frames,
        Err(error) => return Verdict::Skipped(error.to_string()),
    };
    let region = placement::whole_pages(REGION, now.page_size());
    if !now.runs_in(region.clone()).eq(seen.runs_in(region)) {
        // Registered memory is pinned: it must not move. Other memory may, though it seldom does.
        return Verdict::Differed("the frames changed while the check ran".to_owned());
    }
    placement::verify(table.entries(), policy, REGION, &now).into()
}

/// What stands behind a registration that failed.
fn registration_refused(error: &io::Error, nic: String) -> Missing {
    let limit = getrlimit(Resource::Memlock).current.unwrap_or(u64::MAX);
    let needed = (REGION.end - REGION.start) + transport::SINK_LENGTH as u64;
    if error.raw_os_error() == Some(rustix::io::Errno::NOMEM.raw_os_error()) && limit < needed {
        return Missing::memlock(limit, needed);
    }
    Missing::device(
        format!("registration of memory ({nic}: {error})"),
        "see dmesg for the driver's reason",
    )
}
