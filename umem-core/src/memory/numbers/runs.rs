//! Runs of words, found fast.
//!
//! A loop that goes from page to page, like the kernel's, makes the processor guess at each page whether the run ends there, and it
//! guesses wrong about once a run. This one looks at 64 pages at a time: a bitmap says where runs begin among them, computed
//! without a branch, and a long run only needs to know that it is empty. Where nearly every page begins a run the guess is
//! right, so those pages are visited one by one like the kernel does; or, if none of 16 continues another, without any test.

use super::{
    ahead::{FEW, PIECE, ROW, alone, breaks, next_breaks},
    mask::{FRAME_NUMBER, NUMBERS, PRESENT},
};
use crate::{
    address::{Extent, PhysAddr},
    memory::FrameRun,
    size::PageSize,
};

/// Runs of consecutive numbers in the bits of `MASK` of words; those without a frame are left out.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a, const MASK: u64> {
    words: &'a [u64],
    /// Where the next run begins.
    start: usize,
    /// The present piece, and where in it the runs begin that are still to come.
    piece: usize,
    breaks: u64,
}

/// A run: its first word in the bits of the mask, and the numbers of its pages.
pub(super) struct WordRun {
    word: u64,
    start: usize,
    end: usize,
}

impl WordRun {
    /// The part of the run that has frames.
    #[inline]
    fn known<const MASK: u64>(mut self) -> Option<Self> {
        if MASK == NUMBERS || self.word > PRESENT {
            return Some(self);
        }
        // Absent; or hidden, and the next number is not the next frame in memory.
        let hidden = self.word & PRESENT != 0;
        self.start += 1;
        self.word += 1;
        (hidden && self.start < self.end).then_some(self)
    }

    /// Calls `each` with the part of the run that has frames.
    #[inline]
    fn tell<const MASK: u64, B>(self, so_far: B, each: &mut impl FnMut(B, Self) -> B) -> B {
        match self.known::<MASK>() {
            Some(run) => each(so_far, run),
            None => so_far,
        }
    }

    /// The run as bytes.
    #[inline]
    pub(super) fn frames<const MASK: u64>(&self, page: PageSize) -> FrameRun {
        let number = match MASK {
            NUMBERS => self.word,
            _ => self.word & FRAME_NUMBER,
        };
        let bytes = |pages: usize| (pages as u64) << page.log2();
        Extent {
            offset: bytes(self.start),
            start: PhysAddr::new(number << page.log2()),
            length: bytes(self.end - self.start),
        }
    }
}

impl<'a, const MASK: u64> Runs<'a, MASK> {
    pub(super) fn new(words: &'a [u64]) -> Self {
        let mut this = Self {
            words,
            start: 0,
            piece: 0,
            breaks: 0,
        };
        if let Some(first) = words.first() {
            this.breaks = breaks::<MASK>(&words[..words.len().min(PIECE)], first.wrapping_sub(1));
        }
        this
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<WordRun> {
        loop {
            let start = self.start;
            let word = self.words.get(start)? & MASK;
            if self.breaks == 0 {
                (self.piece, self.breaks) = next_breaks::<MASK>(self.words, self.piece + PIECE);
            }
            // Beyond the last break the run ends with the words: `breaks` is 0 then, and has 64 trailing zeros.
            let end = (self.piece + self.breaks.trailing_zeros() as usize).min(self.words.len());
            self.breaks &= self.breaks.wrapping_sub(1);
            self.start = end;
            if let Some(run) = (WordRun { word, start, end }).known::<MASK>() {
                return Some(run);
            }
        }
    }

    /// The same for all runs, piece by piece.
    #[inline]
    pub(super) fn fold<B>(self, mut so_far: B, mut each: impl FnMut(B, WordRun) -> B) -> B {
        let Self {
            words,
            mut start,
            mut piece,
            mut breaks,
        } = self;
        let Some(mut word) = words.get(start).map(|word| word & MASK) else {
            return so_far;
        };
        loop {
            let pages = words.get(piece..).unwrap_or_default();
            let mut each_begins = breaks.count_zeros() <= FEW;
            while breaks != 0 {
                let at = breaks.trailing_zeros() as usize;
                breaks &= breaks - 1;
                let Some(&next) = pages.get(at) else { break };
                let end = piece + at;
                so_far = WordRun { word, start, end }.tell::<MASK, B>(so_far, &mut each);
                (start, word) = (end, next & MASK);
            }
            piece += PIECE;
            // If nearly every page begins a run, a bitmap does not pay: go on row by row as long as that holds.
            while each_begins {
                // A row includes the word before it.
                let Some(row) = words
                    .get(piece - 1..)
                    .and_then(|left| left.first_chunk::<{ 1 + ROW }>())
                else {
                    break;
                };
                if alone::<MASK>(row) {
                    let end = piece;
                    so_far = WordRun { word, start, end }.tell::<MASK, B>(so_far, &mut each);
                    for (start, &word) in (piece..).zip(&row[1..ROW]) {
                        let end = start + 1;
                        so_far = each(so_far, WordRun { word, start, end });
                    }
                    (start, word) = (piece + ROW - 1, row[ROW] & MASK);
                } else {
                    let (mut before, mut going_on) = (row[0] & MASK, 0);
                    for (end, next) in (piece..).zip(&row[1..]) {
                        let next = next & MASK;
                        if next == before.wrapping_add(1) {
                            going_on += 1;
                        } else {
                            let run = WordRun { word, start, end };
                            so_far = run.tell::<MASK, B>(so_far, &mut each);
                            (start, word) = (end, next);
                        }
                        before = next;
                    }
                    each_begins = going_on <= FEW;
                }
                piece += ROW;
            }
            (piece, breaks) = next_breaks::<MASK>(words, piece);
            if breaks == 0 {
                break;
            }
        }
        let end = words.len();
        WordRun { word, start, end }.tell::<MASK, B>(so_far, &mut each)
    }
}
