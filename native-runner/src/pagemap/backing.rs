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

    /// Whether `next` continues a run of `length` bytes that begins with `self`.
    pub(super) fn continues(self, length: u64, next: Self) -> bool {
        match (self, next) {
            (Self::Frames(first), Self::Frames(next)) => first.checked_add(length) == Some(next),
            _ => self == next,
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
    fn a_frame_is_continued_by_the_next_one_alone() {
        let frame = |number: u64| Backing::Frames(PhysAddr::new(number * PAGE));
        assert!(frame(7).continues(3 * PAGE, frame(10)));
        assert!(!frame(7).continues(3 * PAGE, frame(9)));
        assert!(!frame(7).continues(PAGE, Backing::Hidden));
        assert!(Backing::Absent.continues(PAGE, Backing::Absent));
        assert!(!Backing::Absent.continues(PAGE, Backing::Swapped));
    }
}
