//! `DmaList` + the device's page sizes → the device's table. One module a policy.
//!
//! | policy | its table | who |
//! |---|---|---|
//! | [`mixed`] | each entry the largest aligned block that fits: the mail's greedy split | never merged |
//! | [`single`] | one size for all entries, the best that fits everywhere | mainline, every driver |
//! | [`unaligned`] | one entry for each DMA segment, whatever its length | the mail's last thought |
//!
//! The first two are one iterator: [`blocks`], of all sizes or of the best one.

use crate::{
    address::{DmaAddr, VirtAddr},
    size::PageSize,
};

pub mod addresses;
mod blocks;
mod driver_bug;
mod kernel_bug;
pub mod mail;
pub mod memory;
pub mod mixed;
mod refusal;
pub mod single;
mod tally;
pub mod unaligned;

pub use blocks::{BlockEdges, blocks};
pub use driver_bug::DriverBug;
pub use kernel_bug::KernelBug;
pub use refusal::Refusal;
pub use tally::Tally;

/// A memory region in numbers: those of `struct ib_umem`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mr {
    /// `ib_umem.address`: the virtual address of the first byte, as the program has it.
    pub address: VirtAddr,
    /// `ib_umem.length` in bytes, at least 1.
    pub length: u64,
    /// `ib_umem.iova`: the address that the NIC is given for the first byte.
    pub hca_address: VirtAddr,
    /// The kernel's page size.
    pub page: PageSize,
    /// The offset of the first byte. Offsets of frames, segments and entries count from the same origin (`region.va`, or the first
    /// pinned page).
    pub offset: u64,
}

impl Mr {
    /// A region of `length` bytes from `address`, which the NIC knows by the same address. Offsets count from its first page.
    ///
    /// ```
    /// use umem_core::{address::VirtAddr, size::PageSize, table::Mr};
    /// let mr = Mr::new(VirtAddr::new(0x7f00_0000_0100), 0x2000, PageSize::K4);
    /// assert_eq!((mr.offset, mr.pages()), (0x100, 3));
    /// ```
    #[inline]
    pub const fn new(address: VirtAddr, length: u64, page: PageSize) -> Self {
        Self {
            address,
            length,
            hca_address: address,
            page,
            offset: address.offset_in(page),
        }
    }

    /// The offset of the first byte in its page: `ib_umem_offset()`.
    #[inline]
    pub const fn page_offset(&self) -> u64 {
        self.address.offset_in(self.page)
    }

    /// How many kernel pages hold the region: `ib_umem_num_pages()`.
    #[inline]
    pub const fn pages(&self) -> u64 {
        (self.page_offset() + self.length).div_ceil(self.page.bytes())
    }

    /// The first offset of the pinned pages, and the first one after them.
    #[inline]
    pub const fn pinned(&self) -> (u64, u64) {
        let start = self.page.align_down(self.offset);
        (start, start + (self.pages() << self.page.log2()))
    }
}

/// How a device's table is cut.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Policy {
    /// Every entry may have a size of its own.
    #[default]
    Mixed,
    /// All entries have one size.
    Single,
    /// Every entry is as long as its DMA segment.
    Unaligned,
}

impl Policy {
    /// All policies, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Mixed, Self::Single, Self::Unaligned];

    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Single => "single",
            Self::Unaligned => "unaligned",
        }
    }
}

/// How far the ends of a mixed table may reach.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Edges {
    /// Entries tile the region exactly.
    #[default]
    Exact,
    /// The first and the last entry may reach beyond the region, where the bytes lie in the same
    /// contiguous run of the backing memory.
    Overhang,
}

/// Equal entries of a table, one after the other in device addresses and in the region.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EntryRun {
    /// Where the first entry begins: bytes from `region.va`, negative where it begins before.
    pub offset: i64,
    /// The device address of the first entry.
    pub address: DmaAddr,
    /// The size of each entry in bytes.
    pub size: u64,
    /// How many there are, at least 1.
    pub count: u64,
}

impl EntryRun {
    /// The entries of the run, one by one, as runs of one.
    pub fn entries(self) -> impl Iterator<Item = Self> {
        (0..self.count).map(move |i| Self {
            offset: self.offset.wrapping_add_unsigned(i.wrapping_mul(self.size)),
            address: self.address.wrapping_add(i.wrapping_mul(self.size)),
            count: 1,
            ..self
        })
    }

    /// The first offset after the run.
    #[inline]
    pub fn end_offset(&self) -> i64 {
        self.offset
            .wrapping_add_unsigned(self.size.wrapping_mul(self.count))
    }

    /// The first device address after the run; 0 where that is 2^64.
    #[inline]
    pub const fn end(&self) -> DmaAddr {
        self.address
            .wrapping_add(self.size.wrapping_mul(self.count))
    }
}

/// Joins neighbouring runs of equal entries if the second continues the first.
#[derive(Clone, Debug)]
pub(crate) struct JoinedEntries<I> {
    runs: I,
    next: Option<EntryRun>,
}

impl<I> JoinedEntries<I> {
    pub(crate) fn new(runs: I) -> Self {
        Self { runs, next: None }
    }
}

impl<I: Iterator<Item = EntryRun>> Iterator for JoinedEntries<I> {
    type Item = EntryRun;

    #[inline]
    fn next(&mut self) -> Option<EntryRun> {
        let mut run = self.next.take().or_else(|| self.runs.next())?;
        for other in self.runs.by_ref() {
            if other.size != run.size
                || other.address != run.end()
                || other.offset != run.end_offset()
            {
                self.next = Some(other);
                break;
            }
            run.count += other.count;
        }
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn run(offset: i64, address: u64, size: u64, count: u64) -> EntryRun {
        EntryRun {
            offset,
            address: DmaAddr::new(address),
            size,
            count,
        }
    }

    #[test]
    fn runs_join_where_the_second_carries_on_the_first() {
        let first = run(-4096, 0x1000, 4096, 2);
        let joined = |second| JoinedEntries::new([first, second].into_iter()).collect::<Vec<_>>();
        assert_eq!(
            joined(run(4096, 0x3000, 4096, 3)),
            [run(-4096, 0x1000, 4096, 5)]
        );
        for other in [
            run(4096, 0x3000, 8192, 3),
            run(4096, 0x4000, 4096, 3),
            run(8192, 0x3000, 4096, 3),
        ] {
            assert_eq!(joined(other), [first, other]);
        }
    }

    #[test]
    fn a_run_is_its_entries() {
        let whole = run(-4096, 0x1000, 4096, 3);
        let entries: Vec<_> = whole.entries().collect();
        let expected = [
            run(-4096, 0x1000, 4096, 1),
            run(0, 0x2000, 4096, 1),
            run(4096, 0x3000, 4096, 1),
        ];
        assert_eq!(entries, expected);
        assert_eq!(whole.end_offset(), 8192);
    }

    #[test]
    fn a_region_counts_the_pages_that_it_touches() {
        let mr = |address, length| Mr {
            address: VirtAddr::new(address),
            length,
            hca_address: VirtAddr::new(0),
            page: PageSize::K4,
            offset: 0,
        };
        for (address, length, pages) in [
            (0x1000, 1, 1),
            (0x1fff, 1, 1),
            (0x1fff, 2, 2),
            (0x1000, 4096, 1),
            (0x1001, 4096, 2),
            (0x1801, 8192, 3),
        ] {
            assert_eq!(
                mr(address, length).pages(),
                pages,
                "{length} at {address:#x}"
            );
        }
        assert_eq!(mr(0x1801, 1).page_offset(), 0x801);
    }

    #[test]
    #[cfg(feature = "serde")]
    fn policies_are_named_as_in_scenarios() {
        for policy in Policy::ALL {
            assert_eq!(serde_json::to_value(policy).unwrap(), policy.name());
        }
    }
}
