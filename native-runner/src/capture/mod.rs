//! How memory really lies, recorded: pagemap → a scenario with its provenance.
//!
//! [`record`] reads where every page of a range is. What is absent or in swap has no place that could be told, so
//! the longest stretch without such pages is what is kept. [`Recording::moved`] reads it once more, because
//! only pinned memory stays where it is. [`rebase`] hides where in the machine all this was, and [`document`] writes it.

pub mod document;
pub mod rebase;
mod runs;

use std::{io, ops::Range, os::unix::fs::FileExt};

use umem_core::address::VirtAddr;

use crate::pagemap::{Backing, Pagemap, Run};

pub use runs::RunList;

/// Where the pages of a range lie, as far as they have a place.
#[derive(Debug)]
pub struct Recording {
    /// Where the longest stretch of pages that are in memory begins.
    pub start: VirtAddr,
    /// Where its pages lie; no runs if not a single page is there.
    pub runs: RunList,
    /// What of the range is not in it, and why.
    pub left_out: LeftOut,
}

/// What of a range was not recorded, in pages.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// With nothing behind them.
    pub absent: u64,
    /// In swap.
    pub swapped: u64,
    /// In memory, but not in the longest stretch.
    pub elsewhere: u64,
    /// Not read, because of an error.
    pub unread: u64,
    /// The error.
    pub error: Option<io::Error>,
}

/// The kernel hides frame numbers from this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hidden;

/// Reads where the pages of `range` lie, whose ends must be page-aligned; `progress` is told the bytes done.
pub fn record<S: FileExt>(
    pagemap: &Pagemap<S>,
    range: Range<VirtAddr>,
    progress: &mut dyn FnMut(u64),
) -> Result<Recording, Hidden> {
    let page = pagemap.page_size();
    let pages = |bytes: u64| bytes / page;
    let mut left_out = LeftOut::default();
    let mut longest = Stretch::new(range.start, page);
    let mut present = Stretch::new(range.start, page);
    let mut all = 0;
    let mut read = range.start.get();
    for run in pagemap.runs(range.clone()) {
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                left_out.unread = pages(range.end.get() - read);
                left_out.error = Some(error);
                break;
            }
        };
        read = run.start.get() + run.length;
        match run.backing {
            Backing::Frames(start) => {
                all += pages(run.length);
                present.runs.push(start, run.length);
            }
            Backing::Hidden => return Err(Hidden),
            Backing::Absent | Backing::Swapped => {
                match run.backing {
                    Backing::Swapped => left_out.swapped += pages(run.length),
                    _ => left_out.absent += pages(run.length),
                }
                let next = Stretch::new(VirtAddr::new(read), page);
                longest = longest.or(std::mem::replace(&mut present, next));
            }
        }
        progress(read - range.start.get());
    }
    let Stretch { start, runs } = longest.or(present);
    left_out.elsewhere = all - pages(runs.length());
    Ok(Recording {
        start,
        runs,
        left_out,
    })
}

/// Pages in memory, without a gap.
#[derive(Debug)]
struct Stretch {
    start: VirtAddr,
    runs: RunList,
}

impl Stretch {
    fn new(start: VirtAddr, page: u64) -> Self {
        Self {
            start,
            runs: RunList::new(page),
        }
    }

    /// The longer one; `self` if they are equal.
    fn or(self, other: Self) -> Self {
        match other.runs.length() > self.runs.length() {
            true => other,
            false => self,
        }
    }
}

impl Recording {
    /// The addresses recorded.
    pub fn range(&self) -> Range<VirtAddr> {
        let end = self.start.get() + self.runs.length();
        self.start..VirtAddr::new(end)
    }

    /// Reads everything once more: how many pages lie elsewhere by now.
    ///
    /// # Errors
    /// That of the reading. A process that has ended since is `UnexpectedEof`.
    pub fn moved<S: FileExt>(
        &self,
        pagemap: &Pagemap<S>,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<u64> {
        let mut then = self.runs.iter();
        let mut expected = then.next();
        let mut moved = 0;
        for now in pagemap.runs(self.range()) {
            let now = now?;
            let mut done = 0;
            while let Some(run) = &mut expected
                && done < now.length
            {
                let length = run.length.min(now.length - done);
                if after(&now, done) != Backing::Frames(run.start) {
                    moved += length;
                }
                done += length;
                run.length -= length;
                run.start = run
                    .start
                    .checked_add(length)
                    .expect("runs end in the address space");
                if run.length == 0 {
                    expected = then.next();
                }
            }
            progress(now.start.get() + now.length - self.start.get());
        }
        Ok(moved / self.runs.page())
    }
}

/// What is behind `run` from `offset` bytes on.
fn after(run: &Run, offset: u64) -> Backing {
    match run.backing {
        Backing::Frames(start) => Backing::Frames(
            start
                .checked_add(offset)
                .expect("runs end in the address space"),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests;
