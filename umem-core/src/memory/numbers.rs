//! Frames by number, a word a page → runs of frames.
//!
//! A loop that goes from page to page, like the kernel's, makes the processor guess at each whether the run ends there, and it
//! guesses wrongly about once a run. Here pages are looked at 64 at a time: where runs begin among them is a bitmap, computed
//! without a guess, and long runs need no more than the answer that it is empty. Where nearly every page begins a run the guess is
//! right, so there pages are gone through like the kernel does; or, where none of 16 goes on with another, with nothing left to ask.

use super::FrameRun;
use crate::{
    address::{Extent, PhysAddr},
    size::PageSize,
};
use ahead::{FEW, PIECE, ROW, alone, breaks, next_breaks};

mod ahead;

/// Bit 63 of a pagemap word: the page is present. Documentation/admin-guide/mm/pagemap.rst [linux 7.2]
const PRESENT: u64 = 1 << 63;
/// Bits 0–54 of a pagemap word: the number of the page's frame. 0 where the kernel hides it.
const FRAME_NUMBER: u64 = (1 << 55) - 1;

/// Which bits of words tell of a frame: all, where words are numbers.
const NUMBERS: u64 = u64::MAX;
/// The same of pagemap words.
const PAGEMAP: u64 = PRESENT | FRAME_NUMBER;

/// The runs of the frames whose numbers stand in a slice, one for each page in the order of virtual addresses.
///
/// Neighbouring runs are never physically adjacent.
///
/// ```
/// use umem_core::{memory::FrameNumbers, size::PageSize};
/// let runs = FrameNumbers::new(&[7, 8, 9, 4], PageSize::K4);
/// let runs: Vec<_> = runs.map(|run| (run.offset, run.start.get(), run.length)).collect();
/// assert_eq!(runs, [(0, 0x7000, 0x3000), (0x3000, 0x4000, 0x1000)]);
/// ```
#[derive(Clone, Debug)]
pub struct FrameNumbers<'a> {
    runs: Runs<'a, NUMBERS>,
    page: PageSize,
}

impl<'a> FrameNumbers<'a> {
    /// The frames numbered `numbers`, pages being of size `page`: `page_to_pfn()` of each pinned page. All their bytes
    /// have addresses below 2^64.
    pub fn new(numbers: &'a [u64], page: PageSize) -> Self {
        Self {
            runs: Runs::new(numbers),
            page,
        }
    }
}

impl Iterator for FrameNumbers<'_> {
    type Item = FrameRun;

    #[inline]
    fn next(&mut self) -> Option<FrameRun> {
        let run = self.runs.next()?;
        Some(run.of(self.page, run.word))
    }

    #[inline]
    fn fold<B, F: FnMut(B, FrameRun) -> B>(self, start: B, mut each: F) -> B {
        let page = self.page;
        self.runs
            .fold(start, |so_far, run| each(so_far, run.of(page, run.word)))
    }
}

/// The runs of the frames that words of `/proc/PID/pagemap` tell of.
///
/// Pages that are absent, in swap or hidden (as they all are without CAP_SYS_ADMIN) are in no run: offsets pass over them.
#[derive(Clone, Debug)]
pub struct PagemapFrames<'a> {
    runs: Runs<'a, PAGEMAP>,
    page: PageSize,
}

impl<'a> PagemapFrames<'a> {
    /// The frames that `words` tell of, pages being of size `page`.
    ///
    /// ```
    /// use umem_core::{memory::PagemapFrames, size::PageSize};
    /// const PRESENT: u64 = 1 << 63;
    /// let runs = PagemapFrames::new(&[PRESENT | 7, 0, PRESENT | 8, PRESENT | 9], PageSize::K4);
    /// let runs: Vec<_> = runs.map(|run| (run.offset, run.start.get(), run.length)).collect();
    /// assert_eq!(runs, [(0, 0x7000, 0x1000), (0x2000, 0x8000, 0x2000)]);
    /// ```
    pub fn new(words: &'a [u64], page: PageSize) -> Self {
        Self {
            runs: Runs::new(words),
            page,
        }
    }
}

impl Iterator for PagemapFrames<'_> {
    type Item = FrameRun;

    #[inline]
    fn next(&mut self) -> Option<FrameRun> {
        let run = self.runs.next()?;
        Some(run.of(self.page, run.word & FRAME_NUMBER))
    }

    #[inline]
    fn fold<B, F: FnMut(B, FrameRun) -> B>(self, start: B, mut each: F) -> B {
        let page = self.page;
        self.runs.fold(start, |so_far, run| {
            each(so_far, run.of(page, run.word & FRAME_NUMBER))
        })
    }
}

/// Runs of words of which each is the one before it plus 1, in the bits of `MASK`; those without a frame left out.
#[derive(Clone, Debug)]
struct Runs<'a, const MASK: u64> {
    words: &'a [u64],
    /// Where the next run begins.
    start: usize,
    /// The piece that is being looked at, and where in it runs begin that were not yet come to.
    piece: usize,
    breaks: u64,
}

/// A run: what tells of a frame in its first word, and the numbers of its pages.
struct WordRun {
    word: u64,
    start: usize,
    end: usize,
}

impl WordRun {
    /// What of the run has frames.
    #[inline]
    fn known<const MASK: u64>(mut self) -> Option<Self> {
        if MASK == NUMBERS || self.word > PRESENT {
            return Some(self);
        }
        // Absent; or hidden, and what comes after that in numbers does not come after it in memory.
        let hidden = self.word & PRESENT != 0;
        self.start += 1;
        self.word += 1;
        (hidden && self.start < self.end).then_some(self)
    }

    /// Calls `each` with what of the run has frames.
    #[inline]
    fn tell<const MASK: u64, B>(self, so_far: B, each: &mut impl FnMut(B, Self) -> B) -> B {
        match self.known::<MASK>() {
            Some(run) => each(so_far, run),
            None => so_far,
        }
    }

    /// The run as bytes, its first frame having number `number`.
    #[inline]
    fn of(&self, page: PageSize, number: u64) -> FrameRun {
        let bytes = |pages: usize| (pages as u64) << page.log2();
        Extent {
            offset: bytes(self.start),
            start: PhysAddr::new(number << page.log2()),
            length: bytes(self.end - self.start),
        }
    }
}

impl<'a, const MASK: u64> Runs<'a, MASK> {
    fn new(words: &'a [u64]) -> Self {
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
    fn next(&mut self) -> Option<WordRun> {
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
    fn fold<B>(self, mut so_far: B, mut each: impl FnMut(B, WordRun) -> B) -> B {
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
            // Where nearly every page begins a run no bitmap is worth its while: on row by row, as long as that is so.
            while each_begins {
                // A row is the word before it as well.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scatter::{Coalescing, LongestRuns, ScatterList, SgEntry};
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// `sg_alloc_append_table_from_pages()`, page by page; pages without a frame are in no entry.
    fn slowly(numbers: &[Option<u64>], longest: u64) -> Vec<SgEntry> {
        let mut list: Vec<SgEntry> = Vec::new();
        for (page, number) in numbers.iter().enumerate() {
            let Some(number) = number else { continue };
            let (offset, start) = (page as u64 * 4096, number * 4096);
            match list.last_mut() {
                Some(last)
                    if last.end() == PhysAddr::new(start)
                        && last.end_offset() == offset
                        && last.length + 4096 <= longest =>
                {
                    last.length += 4096;
                }
                _ => list.push(Extent {
                    offset,
                    start: PhysAddr::new(start),
                    length: 4096,
                }),
            }
        }
        list
    }

    /// Numbers in runs of all lengths; 0 is no frame.
    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        let run = (
            1u64..5,
            prop_oneof![1u64..4, 1u64..70, 1u64..3000, 15_000u64..40_000],
        );
        let stretch =
            (any::<bool>(), run, 0usize..80).prop_map(|(absent, (first, count), again)| {
                match (absent, again) {
                    (true, again) if again < 4 => alloc::vec![0; again],
                    (true, again) => (0..again as u64).map(|i| first + i * 2 % 9).collect(),
                    (false, _) => (first..first + count).collect(),
                }
            });
        prop::collection::vec(stretch, 0..8).prop_map(|stretches| stretches.concat())
    }

    proptest! {
        #[test]
        fn runs_are_those_of_the_slow_loop(numbers in numbers(), flags in any::<u64>(), longest in prop_oneof![1u64..5, Just(1 << 20)]) {
            let longest = longest * 4096;
            let known: Vec<_> = numbers.iter().map(|n| (*n > 0).then_some(*n)).collect();
            let expected = slowly(&known, longest);
            // Some flags beside the number, other ones on each page.
            let words: Vec<_> = (0u32..).zip(&numbers).map(|(i, n)| match n {
                // Absent, or hidden.
                0 if i % 2 == 0 => flags & !PRESENT,
                0 => PRESENT,
                n => PRESENT | n | (flags.rotate_left(i) & !(PRESENT | FRAME_NUMBER)),
            }).collect();
            // What is pinned has no gaps, and a list is made of nothing else.
            if numbers.iter().all(|number| *number > 0) {
                let frames = PagemapFrames::new(&words, PageSize::K4);
                let list = ScatterList::new(frames, longest, Coalescing::AnyPage, PageSize::K4);
                prop_assert_eq!(&list.clone().collect::<Vec<_>>(), &expected);
                let mut folded = Vec::new();
                list.for_each(|entry| folded.push(entry));
                prop_assert_eq!(&folded, &expected);
            }
            let cut = LongestRuns::new(PagemapFrames::new(&words, PageSize::K4), longest);
            prop_assert_eq!(&cut.clone().collect::<Vec<_>>(), &expected);
            let mut folded = Vec::new();
            cut.for_each(|entry| folded.push(entry));
            prop_assert_eq!(&folded, &expected);

            let known: Vec<_> = numbers.iter().copied().map(Some).collect();
            let expected = slowly(&known, longest);
            let frames = FrameNumbers::new(&numbers, PageSize::K4);
            let list = ScatterList::new(frames, longest, Coalescing::AnyPage, PageSize::K4);
            prop_assert_eq!(&list.clone().collect::<Vec<_>>(), &expected);
            // Begun by one way and ended by the other.
            let mut list = list;
            let mut both: Vec<_> = list.by_ref().take(expected.len() / 2).collect();
            list.for_each(|entry| both.push(entry));
            prop_assert_eq!(&both, &expected);
        }
    }

    #[test]
    fn one_page_without_a_frame_is_told_apart_wherever_it_is() {
        let numbers: Vec<u64> = (0..200).map(|page| 1 + page * 2).collect();
        for missing in 0..numbers.len() {
            let known = (0..)
                .zip(&numbers)
                .map(|(page, n)| (page != missing).then_some(*n));
            let expected = slowly(&known.collect::<Vec<_>>(), 4096);
            // Absent, swapped out, hidden.
            for word in [0, 7, PRESENT] {
                let mut words: Vec<_> = numbers.iter().map(|n| PRESENT | n).collect();
                words[missing] = word;
                let mut told = Vec::new();
                PagemapFrames::new(&words, PageSize::K4).for_each(|run| told.push(run));
                assert_eq!(told, expected, "page {missing}");
            }
        }
    }

    #[test]
    fn a_long_run_ends_where_one_page_differs() {
        let contiguous: Vec<u64> = (1..=40_000).collect();
        for other in [
            1, 1023, 1024, 1089, 5000, 9300, 13_000, 17_500, 33_860, 39_999,
        ] {
            let mut numbers = contiguous.clone();
            numbers[other] += 1 << 40;
            let runs =
                |numbers| FrameNumbers::new(numbers, PageSize::K4).map(|run| run.offset >> 12);
            let next = [other as u64 + 1].into_iter().filter(|next| *next < 40_000);
            let expected: Vec<_> = [0, other as u64].into_iter().chain(next).collect();
            assert_eq!(runs(&numbers).collect::<Vec<_>>(), expected);
            assert!(runs(&contiguous).eq([0]));
        }
    }

    #[test]
    fn hidden_frames_are_in_no_run_and_the_last_number_has_no_next() {
        let words = [
            PRESENT,
            PRESENT | (1 << 60),
            PRESENT | FRAME_NUMBER,
            PRESENT,
        ];
        let page = PageSize::from_log2(0).unwrap();
        let runs: Vec<_> = PagemapFrames::new(&words, page)
            .map(|run| (run.offset, run.length))
            .collect();
        assert_eq!(runs, [(2, 1)]);
    }
}
