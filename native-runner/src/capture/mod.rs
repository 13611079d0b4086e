//! How memory really lies, recorded: pagemap → a scenario with its provenance.
//!
//! [`record`] reads where every page of a range is. What is absent or in swap has no place that could be told, so
//! the longest stretch without such pages is what is kept. [`Recording::moved`] looks once more, because
//! only pinned memory stays where it is. [`rebase`] hides where in the machine all this was, and [`document`] writes it.

pub mod document;
pub mod rebase;
mod runs;

use std::{io, ops::Range, os::unix::fs::FileExt};

use umem_core::address::{Extent, PhysAddr, VirtAddr};

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

    /// Looks once more whether pages lie where they did: at all of them, or, of more than [`LOOKED_AT_WHOLE`], at
    /// a 32nd part in pieces all over the memory, because reading is what a capture's time goes into.
    ///
    /// # Errors
    /// That of the reading. A process that has ended since is `UnexpectedEof`.
    pub fn moved<S: FileExt>(
        &self,
        pagemap: &Pagemap<S>,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Moved> {
        let length = self.runs.length();
        let (piece, gap) = match length <= LOOKED_AT_WHOLE {
            true => (length, 0),
            false => (PIECE, 31 * PIECE),
        };
        let mut then = Pieces::new(self.runs.iter());
        let (mut at, mut looked, mut moved) = (0, 0, 0);
        while at < length {
            let end = (at + piece).min(length);
            let address = |offset| VirtAddr::new(self.start.get() + offset);
            for now in pagemap.runs(address(at)..address(end)) {
                moved += then.differing(&now?);
            }
            looked += end - at;
            at = (end + gap).min(length);
            then.skip(at - end);
            progress(at);
        }
        let page = self.runs.page();
        Ok(Moved {
            looked: looked / page,
            moved: moved / page,
        })
    }
}

/// Up to how many bytes of memory are all looked at once more.
const LOOKED_AT_WHOLE: u64 = 256 << 20;

/// How many bytes are looked at in one place of more memory than that.
const PIECE: u64 = 2 << 20;

/// What a second look found, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moved {
    /// How many were looked at.
    pub looked: u64,
    /// How many of these lie elsewhere by now.
    pub moved: u64,
}

/// Runs, taken piece by piece.
struct Pieces<I> {
    runs: I,
    /// The rest of the run that was begun.
    begun: Option<Extent<PhysAddr>>,
}

impl<I: Iterator<Item = Extent<PhysAddr>>> Pieces<I> {
    fn new(runs: I) -> Self {
        Self { runs, begun: None }
    }

    /// Where the next `most` bytes lie, or as many of them as lie together; `None` at the end.
    fn take(&mut self, most: u64) -> Option<(PhysAddr, u64)> {
        let run = self.begun.take().or_else(|| self.runs.next())?;
        let length = run.length.min(most);
        self.begun = (length < run.length).then(|| Extent {
            offset: run.offset + length,
            start: further(run.start, length),
            length: run.length - length,
        });
        Some((run.start, length))
    }

    /// Passes over `bytes`.
    fn skip(&mut self, mut bytes: u64) {
        while bytes > 0
            && let Some((_, length)) = self.take(bytes)
        {
            bytes -= length;
        }
    }

    /// How many of the next bytes, as many as `now` has, do not lie as it says.
    fn differing(&mut self, now: &Run) -> u64 {
        let (mut done, mut differing) = (0, 0);
        while done < now.length
            && let Some((then, length)) = self.take(now.length - done)
        {
            if !matches!(now.backing, Backing::Frames(start) if further(start, done) == then) {
                differing += length;
            }
            done += length;
        }
        differing
    }
}

/// The address `bytes` further on, in a run.
fn further(start: PhysAddr, bytes: u64) -> PhysAddr {
    start
        .checked_add(bytes)
        .expect("runs end in the address space")
}

#[cfg(test)]
mod tests;
