//! Where memory lies, in little memory: eight bytes a run.

use umem_core::address::{Extent, Joined, PhysAddr};

/// Bits of a word that tell how many pages a run has, less one.
const PAGES: u32 = 20;

/// The most pages that one word tells of: 4G of 4K pages.
const MOST: u64 = 1 << PAGES;

/// Runs of physically contiguous pages in the order of virtual addresses. 16G of 4K pages, no two of them
/// neighbours, take 32M.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunList {
    /// The bytes of a page.
    page: u64,
    /// A run each: the number of its first frame above [`PAGES`] bits. Longer runs take several words.
    words: Vec<u64>,
    pages: u64,
}

impl RunList {
    /// No runs yet, of pages of `page` bytes.
    pub fn new(page: u64) -> Self {
        Self {
            page,
            ..Self::default()
        }
    }

    /// Adds `length` bytes from `start` on: whole pages.
    pub fn push(&mut self, start: PhysAddr, length: u64) {
        let (mut frame, mut left) = (start.get() / self.page, length / self.page);
        // 56 address bits of 4K pages: no CPU drives more.
        assert!(
            frame + left <= 1 << (64 - PAGES),
            "{start} is no physical address"
        );
        self.pages += left;
        if let Some(last) = self.words.last_mut() {
            let pages = (*last & (MOST - 1)) + 1;
            if (*last >> PAGES) + pages == frame {
                let more = left.min(MOST - pages);
                *last += more;
                frame += more;
                left -= more;
            }
        }
        while left > 0 {
            let pages = left.min(MOST);
            self.words.push((frame << PAGES) | (pages - 1));
            frame += pages;
            left -= pages;
        }
    }

    /// Adds the runs of `other`, whose pages are as large.
    pub fn append(&mut self, mut other: Self) {
        if self.words.is_empty() {
            *self = other;
            return;
        }
        self.words.append(&mut other.words);
        self.pages += other.pages;
    }

    /// The bytes of all runs together.
    pub fn length(&self) -> u64 {
        self.pages * self.page
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The bytes of a page.
    pub fn page(&self) -> u64 {
        self.page
    }

    /// The runs.
    pub fn iter(&self) -> impl Iterator<Item = Extent<PhysAddr>> + '_ {
        let mut offset = 0;
        let words = self.words.iter().map(move |word| {
            let run = Extent {
                offset,
                start: PhysAddr::new((word >> PAGES) * self.page),
                length: ((word & (MOST - 1)) + 1) * self.page,
            };
            offset += run.length;
            run
        });
        Joined::new(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_however_long() {
        let runs = [
            (0x1000, 0x1000),
            (0, 0x1000),
            (0xff_ffff_ffff_e000, 0x1000),
            (1 << 40, 3 * (MOST << 12) + 0x5000),
            (0x8000, 0x2000),
        ];
        let mut list = RunList::new(4096);
        assert!(list.is_empty());
        for (start, length) in runs {
            list.push(PhysAddr::new(start), length);
        }
        let mut offset = 0;
        for (run, (start, length)) in list.iter().zip(runs) {
            assert_eq!(
                (run.offset, run.start.get(), run.length),
                (offset, start, length)
            );
            offset += length;
        }
        assert_eq!((list.iter().count(), list.length()), (runs.len(), offset));
        assert_eq!(list.words.len(), runs.len() + 3);
    }
}
