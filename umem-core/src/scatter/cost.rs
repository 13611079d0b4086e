//! What a registration's lists take in the kernel.

use super::batch_pages;
use crate::size::PageSize;

/// The bytes of a `struct scatterlist` on a 64-bit kernel.
pub const SCATTERLIST_BYTES: u64 = 32;

/// The bytes that a registration's lists take in the kernel, for each way that was discussed.
///
/// The mail: *"this doesn't attempt to solve the problem with overallocating the sg table."* From the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListCost {
    /// The list of page pointers that is filled batch by batch: one page.
    pub page_list: u64,
    /// A list of page pointers for all pages at once, which the mail wants to avoid.
    pub whole_page_list: u64,
    /// A scatter-gather table with an entry for every page, as it was allocated before the pages were coalesced.
    pub table_for_all_pages: u64,
    /// The table that grows as entries are appended: `sg_alloc_append_table_from_pages()`.
    pub appended_table: u64,
}

impl ListCost {
    /// For `pages` pages; `starts` are the numbers of the pages at which SG entries begin, ascending.
    pub fn new(pages: u64, starts: impl Iterator<Item = u64>, page: PageSize) -> Self {
        Self {
            page_list: page.bytes(),
            whole_page_list: pages * 8,
            table_for_all_pages: whole_table(pages, page),
            appended_table: appended_table(pages, starts, page),
        }
    }

    /// For `pages` pages no two of which are in one entry: a table that grows ends up as one that is allocated at once.
    pub(crate) const fn of_single_pages(pages: u64, page: PageSize) -> Self {
        Self {
            page_list: page.bytes(),
            whole_page_list: pages * 8,
            table_for_all_pages: whole_table(pages, page),
            appended_table: whole_table(pages, page),
        }
    }
}

/// `SG_MAX_SINGLE_ALLOC`: the slots of a page; the last one can be the link to the next page.
const fn slots(page: PageSize) -> u64 {
    page.bytes() / SCATTERLIST_BYTES
}

/// The bytes of a table that is allocated at once: `__sg_alloc_table()` [linux 7.2]. A full page holds one entry fewer than it
/// has slots, unless it is the last.
const fn whole_table(entries: u64, page: PageSize) -> u64 {
    (entries + entries.saturating_sub(2) / (slots(page) - 1)) * SCATTERLIST_BYTES
}

/// The bytes of the table that grows: `get_next_sg()` [linux 7.2], once for each entry. Slots are allocated where the last free
/// one must become the link: a page of them, but no more than entries may still come, which are those of this batch of pages
/// and one for each page that is still to be pinned.
fn appended_table(pages: u64, starts: impl Iterator<Item = u64>, page: PageSize) -> u64 {
    let (mut taken, mut free) = (0, 0);
    let mut starts = starts.peekable();
    while let Some(first) = starts.peek() {
        let batch_end = (first / batch_pages(page) + 1) * batch_pages(page);
        let mut entries = 0;
        while starts.next_if(|start| *start < batch_end).is_some() {
            entries += 1;
        }
        let unpinned = pages.saturating_sub(batch_end);
        for left in (1..=entries).rev() {
            let needed = left + unpinned;
            // The last entry of all needs no link after it.
            let link = u64::from(needed > 1);
            if free <= link {
                free = needed.min(slots(page));
                taken += free;
            }
            free -= 1;
        }
    }
    taken * SCATTERLIST_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_chained_page_by_page() {
        // `__sg_alloc_table()`: while more than a page of slots is left, take a page and use all slots but one.
        let slowly = |mut left: u64| {
            let mut slots = 0;
            while left > 128 {
                (slots, left) = (slots + 128, left - 127);
            }
            (slots + left) * 32
        };
        for pages in 1..2000 {
            let expected = slowly(pages);
            let cost = ListCost::new(pages, 0..pages, PageSize::K4);
            assert_eq!(cost.table_for_all_pages, expected, "{pages}");
            // Where no two pages are adjacent, the table that grows ends up the same.
            assert_eq!(cost.appended_table, expected, "{pages}");
            assert_eq!(cost, ListCost::of_single_pages(pages, PageSize::K4));
        }
    }

    #[test]
    fn the_growing_table_takes_what_may_still_come() {
        let table = |pages, starts: &[u64]| {
            let cost = ListCost::new(pages, starts.iter().copied(), PageSize::K4);
            cost.appended_table / SCATTERLIST_BYTES
        };
        // One batch: it is known how many entries there are.
        assert_eq!(table(512, &[0]), 1);
        assert_eq!(table(512, &[0, 100, 300]), 3);
        // For the second batch it is not, and each of its pages may be an entry.
        assert_eq!(table(513, &[0]), 2);
        assert_eq!(table(600, &[0]), 89);
        assert_eq!(table(1023, &[0]), 128);
        // The first batch leaves one slot, which the last entry of all may take; where two come, it becomes the link.
        let then = |starts: &[u64]| {
            (0..127)
                .chain(starts.iter().copied())
                .collect::<std::vec::Vec<_>>()
        };
        assert_eq!(table(514, &then(&[512])), 128);
        assert_eq!(table(514, &then(&[512, 513])), 130);
        assert_eq!(table(1025, &then(&[512])), 130);
        let mail = ListCost::new(1023, [0].into_iter(), PageSize::K4);
        assert_eq!(
            (mail.page_list, mail.whole_page_list, mail.appended_table),
            (4096, 8184, 4096)
        );
    }

    #[test]
    fn pages_of_64k_hold_2048_slots_and_8192_pointers() {
        let cost = ListCost::new(8193, [0].into_iter(), PageSize::K64);
        assert_eq!(
            (cost.page_list, cost.appended_table),
            (65536, 2 * SCATTERLIST_BYTES)
        );
        let cost = ListCost::new(2049, 0..2049, PageSize::K64);
        assert_eq!(cost.appended_table, 2050 * SCATTERLIST_BYTES);
    }
}
