//! The greedy cut of one contiguous range of addresses: at each address the largest
//! block that its alignment and the bytes left allow.

use crate::{
    address::Address,
    size::{PageSize, PageSizes},
};
use core::marker::PhantomData;

/// Equal blocks, one after the other, each aligned to its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockRun<A> {
    /// The address of the first block.
    pub address: A,
    /// The size of each block.
    pub size: PageSize,
    /// How many there are, at least 1.
    pub count: u64,
}

impl<A: Address> BlockRun<A> {
    /// The addresses of the blocks.
    pub fn addresses(self) -> impl Iterator<Item = A> {
        (0..self.count).map(move |i| self.address + (i << self.size.log2()))
    }
}

/// The tiling of a range as runs of equal blocks: at most two runs a size, whatever its length.
///
/// Greedy is the best there is: blocks aligned to their size nest or are disjoint, so every
/// tiling is finer than the one of maximal blocks, which is the one that the greedy cut finds.
///
/// ```
/// use umem_core::{address::DmaAddr, size::PageSizes, tiling::Tiling};
/// let (start, end) = (DmaAddr::new(0x4000_1000), DmaAddr::new(0x4040_0000));
/// let mail = Tiling::new(start, end, PageSizes::from_bits(0x301000));
/// let runs: Vec<_> = mail.map(|run| (run.count, run.size.to_string())).collect();
/// assert_eq!(runs, [(255, "4K".into()), (1, "1M".into()), (1, "2M".into())]);
/// ```
#[derive(Clone, Debug)]
pub struct Tiling<A> {
    address: u64,
    /// The bytes from there to the end.
    left: u64,
    sizes: PageSizes,
    /// Sizes rise from the one that the start allows while larger ones fit; then they fall.
    rising: Option<PageSize>,
    space: PhantomData<A>,
}

impl<A: Address> Tiling<A> {
    /// No block.
    pub const EMPTY: Self = Self {
        address: 0,
        left: 0,
        sizes: PageSizes::EMPTY,
        rising: None,
        space: PhantomData,
    };

    /// The blocks from address `start` to address `end`, both multiples of the smallest of `sizes`.
    ///
    /// If `start` or `end` is not such a multiple, or `sizes` is empty, the iterator ends early.
    #[inline]
    pub fn new(start: A, end: A, sizes: PageSizes) -> Self {
        let left = end.get().saturating_sub(start.get());
        let rising = largest(sizes, start, left);
        Self {
            address: start.get(),
            // Where the first block does not fit, there is none.
            left: if rising.is_some() { left } else { 0 },
            sizes,
            rising,
            space: PhantomData,
        }
    }
}

/// The largest of `sizes` that a block may have that starts at `address` with `left` bytes to go: the mail's rule.
#[inline]
pub fn largest(sizes: PageSizes, address: impl Address, left: u64) -> Option<PageSize> {
    let aligned = sizes.aligned_to(address.get());
    match aligned.largest() {
        Some(size) if size.bytes() > left => aligned.within(left).largest(),
        largest => largest,
    }
}

/// How many blocks of each size the tilings of ranges have, without visiting their blocks.
///
/// Counts how many blocks of each size fit a range at multiples of that size. The tiling has those that the next larger size does
/// not cover; the subtraction happens once, for all ranges together.
#[derive(Clone, Debug)]
pub(crate) struct BlockCounts {
    sizes: PageSizes,
    /// By the sizes' log2.
    fitting: [u64; 64],
}

impl BlockCounts {
    pub(crate) fn new(sizes: PageSizes) -> Self {
        Self {
            sizes,
            fitting: [0; 64],
        }
    }

    /// Adds the tiling of the range from `start` to `end`, both multiples of the smallest size.
    #[inline]
    pub(crate) fn add(&mut self, start: impl Address, end: impl Address) {
        let (start, end) = (start.get(), end.get());
        let mut sizes = self.sizes;
        while let Some(size) = sizes.smallest() {
            // The bytes from its first multiple on.
            let before = start.wrapping_neg() & size.mask();
            match (end - start).checked_sub(before) {
                Some(bytes) if bytes >= size.bytes() => {
                    self.fitting[size.log2() as usize] += bytes >> size.log2();
                }
                // No larger one fits either.
                _ => break,
            }
            sizes = sizes.without(size);
        }
    }

    /// The sizes that occur, each with how many there are, the largest first.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (PageSize, u64)> {
        let (mut sizes, mut covered) = (self.sizes, 0u128);
        let largest_first = core::iter::from_fn(move || {
            let size = sizes.largest()?;
            sizes = sizes.without(size);
            Some(size)
        });
        largest_first.filter_map(move |size| {
            let fitting = self.fitting[size.log2() as usize];
            let count = fitting - (covered >> size.log2()) as u64;
            covered = u128::from(fitting) << size.log2();
            (count > 0).then_some((size, count))
        })
    }
}

impl<A: Address> Iterator for Tiling<A> {
    type Item = BlockRun<A>;

    #[inline]
    fn next(&mut self) -> Option<BlockRun<A>> {
        let address = self.address;
        let (size, bytes) = loop {
            let Some(size) = self.rising else {
                break (self.sizes.within(self.left).largest()?, self.left);
            };
            // The size stays the same up to where the next larger one fits, or else to the end. Of
            // sizes above the next, none fits where the next does not.
            self.rising = self.sizes.next_above(size);
            if let Some(larger) = self.rising {
                let before = address.wrapping_neg() & larger.mask();
                // At most 2^64 - 1 together.
                if before + larger.bytes() <= self.left {
                    match before {
                        // Both sizes begin here.
                        0 => continue,
                        _ => break (size, before),
                    }
                }
                self.rising = None;
            }
            break (size, self.left);
        };
        let count = bytes >> size.log2();
        self.address = address.wrapping_add(count << size.log2());
        self.left -= count << size.log2();
        Some(BlockRun {
            address: A::new(address),
            size,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::DmaAddr;
    use crate::testing::page_sizes;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// The fewest blocks of `sizes` that tile `start..end`, by trying every size at every
    /// address, from the end backwards. Addresses in units of the smallest size.
    fn fewest(start: u64, end: u64, sizes: &[u64]) -> u64 {
        let mut best = alloc::vec![u64::MAX; (end - start + 1) as usize];
        best[(end - start) as usize] = 0;
        for at in (start..end).rev() {
            let shorter = sizes.iter().filter(|s| at % **s == 0 && at + **s <= end);
            best[(at - start) as usize] = shorter
                .map(|s| 1 + best[(at + s - start) as usize])
                .min()
                .unwrap();
        }
        best[0]
    }

    /// The mail's loop, block by block, trying each size in turn.
    fn slowly(mut at: u64, end: u64, sizes: PageSizes) -> Vec<(u64, u64)> {
        let mut blocks = Vec::new();
        while at < end {
            let fits = sizes
                .iter()
                .map(PageSize::bytes)
                .filter(|s| at.is_multiple_of(*s) && *s <= end - at);
            let size = fits.max().unwrap();
            blocks.push((at, size));
            at += size;
        }
        blocks
    }

    proptest! {
        #![proptest_config(ProptestConfig::default())]

        #[test]
        fn runs_are_the_blocks_of_the_slow_loop(sizes in page_sizes(0..10), start in 0u64..4096, length in 0u64..4096, high in 0u64..2) {
            let unit = sizes.smallest().unwrap().bytes();
            let start = (start + high * (u64::MAX / 2)) / unit * unit;
            let end = start + length / unit * unit;
            let [first, last] = [start, end].map(DmaAddr::new);
            let runs: Vec<_> = Tiling::new(first, last, sizes).collect();
            let blocks: Vec<_> = runs.iter()
                .flat_map(|run| run.addresses().map(|address| (address.get(), run.size.bytes())))
                .collect();
            let mut counts = BlockCounts::new(sizes);
            counts.add(first, last);
            let one_by_one = sizes.iter().rev().map(|size| {
                (size, blocks.iter().filter(|(_, bytes)| *bytes == size.bytes()).count() as u64)
            });
            prop_assert_eq!(
                counts.counts().collect::<Vec<_>>(),
                one_by_one.filter(|(_, count)| *count > 0).collect::<Vec<_>>()
            );
            prop_assert_eq!(blocks, slowly(start, end, sizes));
            prop_assert!(runs.iter().all(|run| run.count > 0));
            prop_assert!(runs.len() as u32 <= 2 * sizes.len());
        }

        #[test]
        fn no_tiling_has_fewer_blocks(sizes in page_sizes(0..7), start in 0u64..256, length in 0u64..256) {
            let sizes = sizes.with(PageSize::from_log2(0).unwrap());
            let list: Vec<_> = sizes.iter().map(PageSize::bytes).collect();
            let [first, last] = [start, start + length].map(DmaAddr::new);
            let total: u64 = Tiling::new(first, last, sizes).map(|run| run.count).sum();
            prop_assert_eq!(total, fewest(start, start + length, &list));
        }
    }

    #[test]
    fn the_top_of_the_address_space_is_no_trap() {
        let sizes = PageSizes::from_bits(u64::MAX << 12);
        let [start, end] = [0x3fff, 0xfff].map(|below| DmaAddr::new(u64::MAX - below));
        let runs: Vec<_> = Tiling::new(start, end, sizes).collect();
        let sizes: Vec<_> = runs
            .iter()
            .map(|run| (run.size.bytes(), run.count))
            .collect();
        assert_eq!(sizes, [(8192, 1), (4096, 1)]);
    }
}
