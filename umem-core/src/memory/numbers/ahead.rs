//! Looking ahead in words: which ones continue the run of the word before them, in the bits of `MASK`.

use super::mask::{NUMBERS, PRESENT};
use core::array;

/// How many pages are looked at together: as many as a bitmap has bits.
pub(super) const PIECE: usize = 64;
/// Nearly every page begins a run if at most this many pages of a piece or row continue one.
pub(super) const FEW: u32 = 4;
/// How many pages are looked at together then.
pub(super) const ROW: usize = 16;

/// The first piece, from the one at `piece` on, in which a run begins, and where.
#[inline(never)]
pub(super) fn next_breaks<const MASK: u64>(words: &[u64], mut piece: usize) -> (usize, u64) {
    // The pages of the present run found here, and the most that may be looked at together.
    let (mut found, mut most) = (0usize, LONG_PIECE);
    while let Some(left) = words.get(piece..).filter(|left| !left.is_empty()) {
        let before = words[piece - 1];
        let together = match found < LONG {
            true => PIECE,
            false => (1 << (found.ilog2() - 3)).min(most),
        };
        match left.get(..together) {
            Some(pages) if continues::<MASK>(pages, before) => {
                piece += together;
                found += together;
            }
            // The run ends in there, or the words do: do not look at as many again.
            _ if together > PIECE => most = PIECE,
            Some(pages) => return (piece, whole_breaks::<MASK>(pages, before)),
            None => return (piece, breaks::<MASK>(left, before)),
        }
    }
    (piece, 0)
}

/// A run of this many pages counts as long. From then on an eighth of what was found is looked at together, up to `LONG_PIECE`, so that
/// little is read needlessly when the run ends.
const LONG: usize = 1024;
const LONG_PIECE: usize = 1 << 14;

/// Whether all of `words`, a multiple of four, continue the run of the word before them.
#[inline]
fn continues<const MASK: u64>(words: &[u64], before: u64) -> bool {
    // For long runs, check the last word first; short ones are cheaper to scan.
    let last = before.wrapping_add(words.len() as u64);
    let goes_on = |word: &u64| (word ^ last) & MASK == 0;
    if words.len() > PIECE && !words.last().is_some_and(goes_on) {
        return false;
    }
    // Read four quarters in turns: memory serves several readers faster than one, which stalls wherever a page of words ends.
    // Nothing branches, so that compilers can process several words in one instruction.
    let quarter = words.len() / 4;
    let quarters: [_; 4] = array::from_fn(|n| &words[n * quarter..][..quarter]);
    let next = before.wrapping_add(1);
    let mut differing = 0;
    for i in 0..quarter {
        for (n, words) in quarters.iter().enumerate() {
            differing |= words[i].wrapping_sub((n * quarter + i) as u64) ^ next;
        }
    }
    differing & MASK == 0
}

/// Whether no word of `row` continues the run of the word before it, and all but the first have frames. Without a branch.
#[inline]
pub(super) fn alone<const MASK: u64>(row: &[u64; 1 + ROW]) -> bool {
    let (mut going_on, mut known) = (false, u64::MAX);
    for (before, word) in row.iter().zip(&row[1..]) {
        let predecessor = (word & MASK).wrapping_sub(1);
        going_on |= predecessor == before & MASK;
        // A word without the flag clears it here. So does one without a number, since its predecessor lacks the flag.
        known &= word & predecessor;
    }
    !going_on && (MASK == NUMBERS || known & PRESENT != 0)
}

/// Which of at most 64 `words` do not continue the run of the word before them: a bit each.
#[inline]
pub(super) fn breaks<const MASK: u64>(words: &[u64], before: u64) -> u64 {
    let mut before = before & MASK;
    let mut breaks = 0;
    for (i, word) in words.iter().enumerate() {
        let word = word & MASK;
        breaks |= u64::from(word != before.wrapping_add(1)) << i;
        before = word;
    }
    breaks
}

/// The same for 64 words, in rows that are short enough for compilers to unroll.
#[inline]
fn whole_breaks<const MASK: u64>(words: &[u64], mut before: u64) -> u64 {
    let mut all = 0;
    for row in words.as_chunks::<8>().0 {
        all = (all >> 8) | (breaks::<MASK>(row, before) << 56);
        before = row[7];
    }
    all
}
