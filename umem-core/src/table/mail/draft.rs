//! `ib_umem_add_page_sg()` as the mail has it, C's integer types included.

use crate::{
    address::PhysAddr,
    size::{PageSize, PageSizes},
};

#[cfg(test)]
mod tests;

/// The mail's loop, literally, with each of its ten slips mended or not.
///
/// Three are in the idea, one is in the check, and six are integers that are too narrow. Where C leaves a shift or an overflow
/// undefined, this does what x86 does: shifts count modulo 32 (64 for a long), and sums wrap around.
///
/// ```
/// use umem_core::{address::PhysAddr, size::{PageSize, PageSizes}, table::mail::Draft};
/// let start = PhysAddr::new(1 << 44);
/// let sizes = PageSizes::from_bits(0x301000);
/// // The number of this frame is a multiple of 2^32: ffs() looks at the low 32 bits and finds none set.
/// let mut entries = Draft::WITH_THE_REPLY.run(start, 512, PageSize::K4, sizes);
/// assert_eq!(entries.next(), None);
/// assert!(entries.stopped().unwrap().to_string().contains("num_zeros is 11"));
/// // With that mended, the mask's shift by 45 is still one of an int: x86 shifts by 13, and 4K is the largest size left.
/// let mended = Draft { wide_ffs: true, ..Draft::WITH_THE_REPLY };
/// assert_eq!(mended.run(start, 512, PageSize::K4, sizes).next().unwrap().1, 4096);
/// let mended = Draft { wide_shift: true, ..mended };
/// assert_eq!(mended.run(start, 512, PageSize::K4, sizes).next().unwrap().1, 2 << 20);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The mask is Shiraz Saleem's `(1 << (num_zeros + 1)) - 1`, not `(num_zeros << 1) - 1`, which leaves no size at all.
    pub reply_mask: bool,
    /// `npages -= len_pages` is there; Shiraz Saleem noticed that it is missing.
    pub counts_down: bool,
    /// A tail shorter than the block takes a smaller supported size; `min_t(int, npages, …)` cuts the block to a length that
    /// is not a supported size.
    pub whole_blocks: bool,
    /// `page_bit` must be above `PAGE_SHIFT`: it is a log2 plus 1, so `page_bit < PAGE_SHIFT` lets half a page pass, and the
    /// shift that follows is by -1.
    pub whole_pages: bool,
    /// Frame 0 is aligned to everything; `ffs(0)` is 0, which makes it the least aligned of all.
    pub frame_zero: bool,
    /// `ffs()` looks at 64 bits; it takes an int, so it takes multiples of 2^32 for the least aligned frames as well.
    pub wide_ffs: bool,
    /// Both shifts are of a long; `1 <<` is an int, which overflows at an alignment of 2G.
    pub wide_shift: bool,
    /// `fls()` looks at 64 bits; it takes an unsigned int, so it never sees sizes of 4G and more.
    pub wide_fls: bool,
    /// The pages left are compared as longs; `min_t(int, …)` takes 2^31 pages for a negative number, smaller than any block,
    /// and makes all that is left one entry. Of 2^32 pages it sees none.
    pub wide_min: bool,
    /// An entry may be 4G or longer; `scatterlist.length` is an unsigned int, so of 4G nothing is left.
    pub wide_length: bool,
}

impl Draft {
    /// As the mail has it.
    pub const AS_WRITTEN: Self = Self {
        reply_mask: false,
        counts_down: false,
        whole_blocks: false,
        whole_pages: false,
        frame_zero: false,
        wide_ffs: false,
        wide_shift: false,
        wide_fls: false,
        wide_min: false,
        wide_length: false,
    };
    /// With the two slips mended that Shiraz Saleem's reply noticed.
    pub const WITH_THE_REPLY: Self = Self {
        reply_mask: true,
        counts_down: true,
        ..Self::AS_WRITTEN
    };
    /// With everything mended: the intended rule.
    pub const MENDED: Self = Self {
        reply_mask: true,
        counts_down: true,
        whole_blocks: true,
        whole_pages: true,
        frame_zero: true,
        wide_ffs: true,
        wide_shift: true,
        wide_fls: true,
        wide_min: true,
        wide_length: true,
    };

    /// Runs the loop on `pages` pages from address `start`, a multiple of `page`; the pages end below 2^64.
    pub fn run(
        self,
        start: PhysAddr,
        pages: u64,
        page: PageSize,
        sizes: PageSizes,
    ) -> DraftEntries {
        DraftEntries {
            draft: self,
            at: start,
            left: pages,
            walked: 0,
            pages,
            page,
            sizes,
            stopped: None,
        }
    }

    /// `num_zeros` of the page at `address`: `ffs(pfn) + PAGE_SHIFT - 1`.
    fn zeros(self, address: PhysAddr, page: PageSize) -> u32 {
        let frame = address.get() >> page.log2();
        let seen = if self.wide_ffs {
            frame
        } else {
            u64::from(frame as u32)
        };
        match seen {
            0 if frame == 0 && self.frame_zero => 63,
            // ffs(0) is 0.
            0 => page.log2().wrapping_sub(1),
            _ => seen.trailing_zeros() + page.log2(),
        }
    }

    /// The mask of sizes for an address that ends in `zeros` zero bits.
    pub fn mask(self, zeros: u32) -> u64 {
        match (self.reply_mask, self.wide_shift) {
            (false, _) => u64::from((zeros << 1).wrapping_sub(1)),
            (true, true) => u64::MAX >> (63 - zeros.min(63)),
            // An int, sign-extended to the bitmap's unsigned long.
            (true, false) => sign_extended(1i32.wrapping_shl(zeros + 1).wrapping_sub(1)),
        }
    }

    /// `fls()` of the sizes that the mask leaves.
    fn fls(self, sizes: PageSizes) -> u32 {
        let bits = sizes.bits();
        if self.wide_fls {
            u64::BITS - bits.leading_zeros()
        } else {
            u32::BITS - (bits as u32).leading_zeros()
        }
    }

    /// `min_t(int, npages, (1 << (page_bit - 1 - PAGE_SHIFT)))`, as an unsigned int.
    fn len_pages(self, left: u64, page_bit: u32, page: PageSize) -> u64 {
        let shift = page_bit.wrapping_sub(1).wrapping_sub(page.log2());
        let block = if self.wide_shift {
            1u64.wrapping_shl(shift)
        } else {
            sign_extended(1i32.wrapping_shl(shift))
        };
        if self.wide_min {
            left.min(block)
        } else {
            u64::from((left as i32).min(block as i32) as u32)
        }
    }
}

fn sign_extended(int: i32) -> u64 {
    i64::from(int) as u64
}

/// Where the loop ends that should not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stopped {
    /// The mask leaves no size: `WARN_ON`, and NULL is returned.
    #[error(
        "at {address} num_zeros is {zeros}, and the mask {mask:#x} leaves no size: WARN_ON, NULL"
    )]
    NoSize {
        /// The address of the page.
        address: PhysAddr,
        /// How many zero bits the loop thinks it ends in.
        zeros: u32,
        /// The mask that these make.
        mask: u64,
    },
    /// `npages` never falls, so the loop runs on past the end of the region.
    #[error("npages never falls, so the loop runs on past the end of the region at {address}")]
    RunsOn {
        /// Where it runs on.
        address: PhysAddr,
    },
    /// An entry took more pages than are left, so `npages` wraps around, and the loop runs on past the end of the region.
    #[error(
        "an entry takes more pages than are left, so npages wraps around and the loop runs on at {address}"
    )]
    WrapsAround {
        /// Where it runs on.
        address: PhysAddr,
    },
    /// `len_pages` is 0, so the loop never leaves the page.
    #[error("at {address} len_pages is 0, so the loop adds empty entries and never ends")]
    StandsStill {
        /// The address of the page.
        address: PhysAddr,
    },
}

/// The entries that a [`Draft`] emits: address and length in bytes.
#[derive(Clone, Debug)]
pub struct DraftEntries {
    draft: Draft,
    at: PhysAddr,
    left: u64,
    walked: u64,
    pages: u64,
    page: PageSize,
    sizes: PageSizes,
    stopped: Option<Stopped>,
}

impl DraftEntries {
    /// Why the loop ended before its time, once the iterator has ended.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    fn stop(&mut self, why: Stopped) -> Option<(PhysAddr, u64)> {
        self.stopped = Some(why);
        None
    }
}

impl Iterator for DraftEntries {
    type Item = (PhysAddr, u64);

    fn next(&mut self) -> Option<(PhysAddr, u64)> {
        if self.left == 0 || self.stopped.is_some() {
            return None;
        }
        let (draft, page, address) = (self.draft, self.page, self.at);
        if self.walked >= self.pages {
            return self.stop(if draft.counts_down {
                Stopped::WrapsAround { address }
            } else {
                Stopped::RunsOn { address }
            });
        }
        let zeros = draft.zeros(address, page);
        let mask = draft.mask(zeros);
        let mut allowed = PageSizes::from_bits(self.sizes.bits() & mask);
        if draft.whole_blocks {
            allowed = allowed.within(self.left << page.log2());
        }
        let page_bit = draft.fls(allowed);
        let least = page.log2() + u32::from(draft.whole_pages);
        if page_bit < least || page_bit == 0 {
            return self.stop(Stopped::NoSize {
                address,
                zeros,
                mask,
            });
        }
        let pages = draft.len_pages(self.left, page_bit, page);
        if pages == 0 {
            return self.stop(Stopped::StandsStill { address });
        }
        let bytes = pages << page.log2();
        self.at = address.wrapping_add(bytes);
        self.walked = self.walked.saturating_add(pages);
        if draft.counts_down {
            self.left = self.left.wrapping_sub(pages);
        }
        let length = if draft.wide_length {
            bytes
        } else {
            u64::from(bytes as u32)
        };
        Some((address, length))
    }
}
