//! How memory really lies, recorded: pagemap → a scenario with its provenance.
//!
//! [`record`] reads where every page of a range is. What is absent or in swap has no place, so the longest stretch without
//! such pages is kept. [`Recording::moved`] looks once more, because only pinned memory stays where it is. [`pinning`]
//! knows what a registration refuses. [`rebase`] hides where in the machine all this was, and [`document`] writes it.

pub mod document;
mod frame_kinds;
pub mod pinning;
mod reading;
pub mod rebase;
mod runs;

use std::{io, ops::Range, os::unix::fs::FileExt};

use umem_core::{
    address::{Extent, PhysAddr, VirtAddr},
    capture::{LeftOut, Moved, Moves},
};

use crate::{
    interrupt::Interrupted,
    pagemap::{Backing, Pagemap, Patience, Run},
};

pub use frame_kinds::FrameKinds;
use reading::Found;
pub use reading::Part;
pub use runs::RunList;

/// Where the pages of a range lie, as far as they have a place.
#[derive(Debug)]
pub struct Recording {
    /// Where the longest stretch of pages that are in memory begins.
    pub start: VirtAddr,
    /// Where its pages lie; no runs if not a single page is there.
    pub runs: RunList,
    /// Which of its pages a registration replaces.
    pub moves: Moves,
    /// What of the range is not in it, in pages.
    pub left_out: LeftOut,
    /// Why reading ended early.
    pub error: Option<io::Error>,
}

/// Why nothing was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// The kernel hides frame numbers from this process.
    Hidden,
    /// A signal came.
    Interrupted,
}

impl From<Interrupted> for RecordError {
    fn from(Interrupted: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// Reads where the pages of `parts` lie, which must go on with one another, with `threads` threads. `progress` is told the bytes
/// done.
pub fn record<S: FileExt + Sync>(
    pagemap: &Pagemap<S>,
    parts: &[Part],
    kinds: &FrameKinds,
    threads: usize,
    progress: &mut dyn FnMut(u64) -> Result<(), Interrupted>,
) -> Result<Recording, RecordError> {
    let start = parts
        .first()
        .map_or(VirtAddr::new(0), |part| part.range.start);
    let end = parts.last().map_or(start, |part| part.range.end);
    let mut recorder = Recorder::new(start, pagemap.page_size());
    let mut ended = Ok(());
    reading::read(pagemap, parts, kinds, threads, |found| {
        let read = recorder.take(found);
        ended = read.and_then(|()| Ok(progress(recorder.at.get() - start.get())?));
        ended.is_ok() && recorder.error.is_none()
    });
    ended?;
    Ok(recorder.finish(end))
}

/// Puts readings together.
#[derive(Debug)]
struct Recorder {
    page: u64,
    at: VirtAddr,
    longest: Stretch,
    /// The stretch that `at` is in.
    present: Stretch,
    /// All resident pages.
    resident: u64,
    left_out: LeftOut,
    error: Option<io::Error>,
}

impl Recorder {
    fn new(start: VirtAddr, page: u64) -> Self {
        Self {
            page,
            at: start,
            longest: Stretch::new(start, page),
            present: Stretch::new(start, page),
            resident: 0,
            left_out: LeftOut::default(),
            error: None,
        }
    }

    fn take(&mut self, piece: Vec<Found>) -> Result<(), RecordError> {
        for found in piece {
            match found {
                Found::Resident(runs, moves) => {
                    self.advance(runs.length());
                    self.resident += runs.length() / self.page;
                    self.present.runs.append(runs);
                    reading::add(&mut self.present.moves, moves);
                }
                Found::Absent(pages) => {
                    self.left_out.absent += pages;
                    self.gap(pages);
                }
                Found::Swapped(pages) => {
                    self.left_out.swapped += pages;
                    self.gap(pages);
                }
                Found::Hidden => return Err(RecordError::Hidden),
                // What was not read is counted at the end.
                Found::Unread(error) => self.error = Some(error),
            }
        }
        Ok(())
    }

    fn advance(&mut self, bytes: u64) {
        self.at = VirtAddr::new(self.at.get() + bytes);
    }

    fn gap(&mut self, pages: u64) {
        self.advance(pages * self.page);
        let next = Stretch::new(self.at, self.page);
        let ended = std::mem::replace(&mut self.present, next);
        self.longest.become_longer(ended);
    }

    fn finish(mut self, end: VirtAddr) -> Recording {
        self.longest.become_longer(self.present);
        let Stretch { start, runs, moves } = self.longest;
        self.left_out.elsewhere = self.resident - runs.length() / self.page;
        self.left_out.unread = (end.get() - self.at.get()) / self.page;
        Recording {
            start,
            runs,
            moves,
            left_out: self.left_out,
            error: self.error,
        }
    }
}

/// Pages in memory, without a gap.
#[derive(Debug)]
struct Stretch {
    start: VirtAddr,
    runs: RunList,
    moves: Moves,
}

impl Stretch {
    fn new(start: VirtAddr, page: u64) -> Self {
        Self {
            start,
            runs: RunList::new(page),
            moves: Moves::default(),
        }
    }

    /// Becomes `other` if that is longer.
    fn become_longer(&mut self, other: Self) {
        if other.runs.length() > self.runs.length() {
            *self = other;
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
    /// That of the reading, or [`Interrupted`]. A process that has ended since is `UnexpectedEof`.
    pub fn moved<S: FileExt>(
        &self,
        pagemap: &Pagemap<S>,
        progress: &mut dyn FnMut(u64) -> Result<(), Interrupted>,
    ) -> io::Result<Moved> {
        let patience = Patience::new();
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
            for now in pagemap.settled_runs(address(at)..address(end), &patience) {
                moved += then.differing(&now?);
            }
            looked += end - at;
            at = (end + gap).min(length);
            then.skip(at - end);
            progress(at)?;
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
