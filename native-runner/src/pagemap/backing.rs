//! A word of the pagemap, read.
//!
//! Of its 64 bits (Documentation/admin-guide/mm/pagemap.rst) bit 63 says that the page is present,
//! bit 62 that it is in swap, and bits 0–54 are its frame number. Without CAP_SYS_ADMIN the kernel
//! lets anybody open the file but answers with frame 0, which is never user memory: that is how a
//! hidden frame is told from a real one.

use umem_core::address::PhysAddr;

pub(super) const PRESENT: u64 = 1 << 63;
pub(super) const SWAPPED: u64 = 1 << 62;
const FRAME_NUMBER: u64 = (1 << 55) - 1;

/// What the words of a run's further pages must be, flags aside: `number`, growing by `step`.
///
/// This is [`Backing::of`] and "continues" in two instructions a page, for millions of pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Successors {
    mask: u64,
    next: u64,
    step: u64,
}

impl Successors {
    /// Of the page whose word is `word`.
    pub(super) fn of(word: u64) -> Self {
        let (mask, step) = match word {
            // A hidden frame is followed by hidden ones, a known one by the next.
            _ if word & PRESENT != 0 => {
                (PRESENT | FRAME_NUMBER, u64::from(word & FRAME_NUMBER != 0))
            }
            _ => (PRESENT | SWAPPED, 0),
        };
        Self {
            mask,
            next: (word & mask) + step,
            step,
        }
    }

    /// How many of the first `words` go on with the run.
    pub(super) fn count(&mut self, words: &[u64]) -> usize {
        let mut count = 0;
        for word in words {
            if word & self.mask != self.next {
                break;
            }
            self.next += self.step;
            count += 1;
        }
        count
    }
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
            _ if word & SWAPPED != 0 => Self::Swapped,
            _ => Self::Absent,
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
        assert_eq!(Backing::of(SWAPPED | flags | 7, PAGE), Backing::Swapped);
    }

    #[test]
    fn a_run_goes_on_with_the_next_frame_or_with_more_of_nothing() {
        let count = |first: u64, rest: &[u64]| Successors::of(first).count(rest);
        let flags = (1 << 55) | (1 << 61);
        let at = |number: u64| PRESENT | number;
        assert_eq!(count(at(7), &[at(8), at(9) | flags, at(11)]), 2);
        assert_eq!(count(at(7), &[at(6)]), 0);
        assert_eq!(count(at(7), &[at(7)]), 0);
        assert_eq!(count(at(7), &[PRESENT]), 0, "hidden");
        assert_eq!(count(PRESENT, &[PRESENT, PRESENT | flags, at(1)]), 2);
        assert_eq!(count(0, &[flags, 0, SWAPPED]), 2);
        assert_eq!(count(SWAPPED | 5, &[SWAPPED | 99, SWAPPED, 0]), 2);
        assert_eq!(
            count(at(FRAME_NUMBER), &[at(0)]),
            0,
            "the last frame has no next"
        );
    }
}
