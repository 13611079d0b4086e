//! The middle of long scattered memory, where one page is like the other: a list is walked without it, and it is added after.
//!
//! No two scattered pages are adjacent, and each begins at a multiple of its size. So nothing that is made of one page reaches into
//! another, and what is made of it depends on its size alone: a walk that stands at the beginning of a page remembers nothing of the pages
//! before. What a driver reads of a list to choose its one size is settled by the first few pages: of each it sees an end at a multiple
//! of the page's size, at odd and at even ones in turn, and the same bits below that.

use super::lists::longest_entry;
use crate::{
    memory::{Kind, Layout},
    scatter::Coalescing,
    scenario::Question,
    table::Mr,
};
use alloc::vec::Vec;

/// Whole pages that are walked before the middle, and as many after it.
const WALKED: u64 = 4;

/// Whole pages, each in boxes of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Middle {
    /// Where it begins: bytes from `region.va`.
    at: u64,
    /// The size of a page of the memory.
    page: u64,
    /// Its length in bytes.
    length: u64,
    /// The length of its SG entries.
    pub(super) entry: u64,
}

/// Equal boxes side by side: where the first begins, the size of each, how many.
pub(super) type Boxes = (i64, u64, u64);
/// What takes them.
pub(super) type Each<'a> = dyn FnMut(Boxes) + 'a;

impl Middle {
    /// The middle of the memory behind a region that has one. An IOMMU's addresses, and rules that look at batches of pages, see more than
    /// one page at a time.
    pub(super) fn of(question: &Question) -> Option<Self> {
        let (mr, memory) = (question.mr(), question.memory());
        let scattered = matches!(memory.layout(), Layout::Scattered { .. });
        let by_pages = question.rules().coalescing == Coalescing::AnyPage;
        if !scattered
            || !by_pages
            || question.kind() != Kind::Pages
            || question.translation().is_some()
        {
            return None;
        }
        let (page, (from, to)) = (memory.page_size(), mr.pinned());
        let entry = page.bytes().min(longest_entry(question));
        let at = page.align_up(from)? + WALKED * page.bytes();
        let length = page
            .align_down(to)
            .checked_sub(at + WALKED * page.bytes())?;
        let page = page.bytes();
        (length > 0 && page.is_multiple_of(entry)).then_some(Self {
            at,
            page,
            length,
            entry,
        })
    }

    /// The region without it: as long as what is walked.
    pub(super) fn without(&self, mr: &Mr) -> Mr {
        Mr {
            length: mr.length - self.length,
            ..*mr
        }
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// How many SG entries it has.
    pub(super) fn entries(&self) -> u64 {
        self.length / self.entry
    }

    /// Puts the middle among the boxes of what is walked, which lie side by side. `None` where those of the page before it are not of one
    /// size, or do not end with it: then the next page's may be others.
    pub(super) fn among(self, boxes: &mut Vec<Boxes>) -> Option<()> {
        let [begin, end] = [self.at - self.page, self.at].map(|offset| offset as i64);
        let before = |offset| boxes.partition_point(|(at, ..)| *at < offset);
        let after = before(end);
        let page = boxes.get(before(begin)..after)?;
        let &(first, size, _) = page.first()?;
        let count: u64 = page.iter().map(|(.., count)| count).sum();
        let alike = page.iter().all(|(_, other, _)| *other == size);
        if first != begin || !alike || size.checked_mul(count) != Some(self.page) {
            return None;
        }
        for (offset, ..) in &mut boxes[after..] {
            *offset = offset.wrapping_add_unsigned(self.length);
        }
        boxes.insert(after, (end, size, self.length / size));
        Some(())
    }
}
