//! A word of the pagemap, read.
//!
//! Of its 64 bits (Documentation/admin-guide/mm/pagemap.rst) bit 63 says that the page is present,
//! bit 62 that it is in swap, bit 61 that it is of a file, bit 56 that nobody else maps it, and bits 0–54 are its frame
//! number. A page that is being migrated reads as one in swap, of a type that no swap area has. Without CAP_SYS_ADMIN the kernel
//! lets anybody open the file but answers with frame 0, which is never user memory: that is how a
//! hidden frame is told from a real one.

use umem_core::address::PhysAddr;

pub(super) const PRESENT: u64 = 1 << 63;
pub(super) const SWAPPED: u64 = 1 << 62;
/// The page belongs to a file or to shared anonymous memory.
pub(super) const FILE: u64 = 1 << 61;
/// A guard page (`MADV_GUARD_INSTALL`, since 6.13): nothing is behind it, and touching it fails.
const GUARD: u64 = 1 << 58;
/// Nobody else maps the page (since 5.19 of anonymous pages: `PageAnonExclusive`).
pub(super) const EXCLUSIVE: u64 = 1 << 56;
const FRAME_NUMBER: u64 = (1 << 55) - 1;

/// Of a page in swap: which of the swap areas it is in, or what else its entry means.
const SWAP_TYPE: u64 = 0x1f;
/// Types from here on may be no swap area but a page in migration, a poisoned page, a marker. `MAX_SWAPFILES` is 32 less
/// 4 for device memory, 3 for migration, 1 for poison and 1 for markers where all are configured [linux 7.2, swap.h].
const SPECIAL_TYPES: u64 = 23;

/// What the words of a run's further pages must be.
///
/// This is [`Backing::of`], [`Sharing::of`] and "continues" in two instructions a page, for millions of pages.
#[derive(Clone, Copy, Debug)]
pub(super) enum Successors {
    /// `next`, growing by `step`, other bits than those of `mask` aside.
    Numbers { mask: u64, next: u64, step: u64 },
    /// Swap entries, special ones or not.
    Swap { special: bool },
}

impl Successors {
    /// Of the page whose word is `word`.
    pub(super) fn of(word: u64) -> Self {
        let (mask, step) = match word {
            // A hidden frame is followed by hidden ones, a known one by the next.
            _ if word & PRESENT != 0 && word & FRAME_NUMBER == 0 => (PRESENT | FRAME_NUMBER, 0),
            _ if word & PRESENT != 0 => (PRESENT | FILE | EXCLUSIVE | FRAME_NUMBER, 1),
            _ if is_swap_entry(word) => {
                return Self::Swap {
                    special: is_special(word),
                };
            }
            _ if word & SWAPPED != 0 => (PRESENT | SWAPPED | GUARD, 0),
            _ => (PRESENT | SWAPPED, 0),
        };
        Self::Numbers {
            mask,
            next: (word & mask) + step,
            step,
        }
    }

    /// How many of the first `words` go on with the run.
    pub(super) fn count(&mut self, words: &[u64]) -> usize {
        match self {
            Self::Numbers { mask, next, step } => {
                let mut count = 0;
                for word in words {
                    if word & *mask != *next {
                        break;
                    }
                    *next += *step;
                    count += 1;
                }
                count
            }
            Self::Swap { special } => words
                .iter()
                .take_while(|word| is_swap_entry(**word) && is_special(**word) == *special)
                .count(),
        }
    }
}

fn is_special(word: u64) -> bool {
    word & SWAP_TYPE >= SPECIAL_TYPES
}

/// Whether the page is in a swap area, or in migration. A guard page reads as a special swap entry, too.
fn is_swap_entry(word: u64) -> bool {
    word & (PRESENT | SWAPPED | GUARD) == SWAPPED
}

/// What is behind a page, or behind a run of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backing {
    /// Memory: the physical address of the first byte.
    Frames(PhysAddr),
    /// Memory, but the kernel does not tell us where: that takes CAP_SYS_ADMIN.
    Hidden,
    /// Nothing yet (or nothing any more).
    Absent,
    /// A place in swap.
    Swapped,
    /// Perhaps memory that is being moved at this moment; perhaps another special entry.
    Moving,
}

impl Backing {
    /// What `word` says, pages having `page` bytes.
    pub(super) fn of(word: u64, page: u64) -> Self {
        match word {
            _ if word & PRESENT != 0 => match word & FRAME_NUMBER {
                0 => Self::Hidden,
                // No CPU drives 64 address bits: the product fits.
                number => Self::Frames(PhysAddr::new(number * page)),
            },
            _ if is_swap_entry(word) && is_special(word) => Self::Moving,
            _ if is_swap_entry(word) => Self::Swapped,
            _ => Self::Absent,
        }
    }
}

/// Who else has a page, as far as its word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sharing {
    /// It is part of a file, or of shared memory, which is a file to the kernel.
    pub file: bool,
    /// Nobody else maps it.
    pub exclusive: bool,
}

impl Sharing {
    pub(super) fn of(word: u64) -> Self {
        Self {
            file: word & FILE != 0,
            exclusive: word & EXCLUSIVE != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    #[test]
    fn flags_beside_the_frame_number_are_no_part_of_it() {
        // Soft-dirty, exclusive, uffd-wp; guard; file page.
        let flags = (0b111 << 55) | (1 << 58) | (1 << 61);
        // The highest of 52 address bits, the most that x86-64 and arm64 have.
        for number in [1, 0x1234, (1 << 40) - 1] {
            let frames = Backing::Frames(PhysAddr::new(number * PAGE));
            assert_eq!(Backing::of(PRESENT | flags | number, PAGE), frames);
        }
        assert_eq!(Backing::of(PRESENT | flags, PAGE), Backing::Hidden);
        assert_eq!(Backing::of(flags | 7, PAGE), Backing::Absent);
        assert_eq!(
            Backing::of(SWAPPED | flags | 31, PAGE),
            Backing::Absent,
            "a guard"
        );
        let flags = flags & !GUARD;
        assert_eq!(Backing::of(SWAPPED | flags | 7, PAGE), Backing::Swapped);
        for (kind, backing) in [
            (22, Backing::Swapped),
            (23, Backing::Moving),
            (31, Backing::Moving),
        ] {
            assert_eq!(Backing::of(SWAPPED | flags | 7 << 5 | kind, PAGE), backing);
        }
    }

    #[test]
    fn a_run_goes_on_with_the_next_frame_or_with_more_of_nothing() {
        let count = |first: u64, rest: &[u64]| Successors::of(first).count(rest);
        let flags = (1 << 55) | (1 << 57);
        let at = |number: u64| PRESENT | number;
        assert_eq!(count(at(7), &[at(8), at(9) | flags, at(11)]), 2);
        for sharing in [FILE, EXCLUSIVE] {
            assert_eq!(count(at(7), &[at(8) | sharing]), 0);
            assert_eq!(count(at(7) | sharing, &[at(8) | sharing, at(9)]), 1);
            assert_eq!(count(PRESENT, &[PRESENT | sharing]), 1, "hidden");
        }
        assert_eq!(count(at(7), &[at(6)]), 0);
        assert_eq!(count(at(7), &[at(7)]), 0);
        assert_eq!(count(at(7), &[PRESENT]), 0, "hidden");
        assert_eq!(count(PRESENT, &[PRESENT, PRESENT | flags, at(1)]), 2);
        assert_eq!(count(0, &[flags, 0, SWAPPED]), 2);
        assert_eq!(count(SWAPPED | 5, &[SWAPPED | 99, SWAPPED, 0]), 2);
        assert_eq!(count(SWAPPED | 5, &[SWAPPED | 31, SWAPPED]), 0);
        assert_eq!(count(SWAPPED | 5, &[SWAPPED | GUARD | 5, SWAPPED]), 0);
        assert_eq!(
            count(SWAPPED | GUARD | 31, &[SWAPPED | GUARD | 31, SWAPPED | 31]),
            1
        );
        assert_eq!(count(SWAPPED | 31, &[SWAPPED | 30, SWAPPED, 0]), 1);
        assert_eq!(
            count(at(FRAME_NUMBER), &[at(0)]),
            0,
            "the last frame has no next"
        );
    }
}
