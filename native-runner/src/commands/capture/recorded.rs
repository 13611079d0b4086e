//! A region, read: where its pages lie, and whether they stayed there.

use std::thread;

use umem_core::capture::Moved;

use super::{Trouble, source::Source};
use crate::{
    capture::{self, FrameKinds, RecordError, Recording},
    interrupt::{Interrupt, Interrupted},
    missing::Missing,
    progress::Progress,
    screen::say,
};

/// Reading is the kernel's work, and it walks the page table on as many processors as ask: two take 0.62 of the time of one.
/// More than a few would only wait for memory.
const MOST_THREADS: usize = 8;

/// A region that was read.
pub struct Recorded<'s> {
    pub source: &'s Source,
    pub recording: Recording,
    /// How many pages moved while it was read; `None` is not known.
    pub moved: Option<Moved>,
}

impl<'s> Recorded<'s> {
    /// Reads where the memory of `source` lies, and tells what is not as one would wish.
    pub fn of(source: &'s Source) -> Result<Self, Trouble> {
        let (recording, moved) = record(source)?;
        Ok(Recorded {
            source,
            recording,
            moved,
        })
    }
}

fn record(source: &Source) -> Result<(Recording, Option<Moved>), Trouble> {
    let pagemap = source.pagemap();
    let parts = source.parts();
    let length = parts
        .iter()
        .map(|part| part.range.end.get() - part.range.start.get())
        .sum();
    let kinds = FrameKinds::of_this_machine()?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MOST_THREADS);
    let mut bar = Progress::new("reading", length);
    let recording = capture::record(pagemap, &parts, &kinds, threads, &mut |done| {
        bar.at(done);
        Interrupt::check()
    });
    drop(bar);
    let recording = recording.map_err(|error| match error {
        RecordError::Hidden => Trouble::Machine(Missing::frame_permission().to_string()),
        RecordError::Interrupted => Trouble::Interrupted,
    })?;
    if recording.runs.is_empty() {
        return Err(Trouble::Machine(nothing(source, &recording)));
    }
    if let Some(error) = &recording.error {
        say!(
            "umem: {}: {} pages were not read",
            source.unreadable(error),
            recording.left_out.unread
        );
    }
    let mut bar = Progress::new("checking", recording.runs.length());
    let moved = recording.moved(pagemap, &mut |done| {
        bar.at(done);
        Interrupt::check()
    });
    drop(bar);
    Interrupt::check().map_err(|Interrupted| Trouble::Interrupted)?;
    let moved = moved
        .inspect_err(|error| {
            say!(
                "umem: {}, after it was read: whether pages have moved meanwhile is not known",
                source.unreadable(error)
            );
        })
        .ok();
    Ok((recording, moved))
}

/// Of a range without a single page in memory.
fn nothing(source: &Source, recording: &Recording) -> String {
    if let Some(error) = &recording.error {
        return format!("{}: nothing was read", source.unreadable(error));
    }
    let left_out = &recording.left_out;
    format!(
        "no page is resident ({} absent, {} in swap); a registration brings them into memory, and so does a program that \
         writes to each of them",
        left_out.absent, left_out.swapped
    )
}
