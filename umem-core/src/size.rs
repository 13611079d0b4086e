//! Page sizes, sets of page sizes, and how sizes are read and printed.
//!
//! A [`PageSize`] is a power of two by construction, a [`PageSizes`] is the
//! kernel's `unsigned long pgsz_bitmap` (bit *n* set: pages of 2^*n* bytes), and
//! [`Bytes`] is any number of bytes as people write it: `4096`, `"4K"`, `"0x1000"`.

use core::fmt;

mod bytes;

pub(crate) use bytes::hex_digits;
pub use bytes::{Bytes, Near, SizeError};

/// The size of a page, a block or a table entry: a power of two, in bytes.
///
/// Held as its log2, 0 to 63, which is what the kernel calls a page shift.
///
/// ```
/// use umem_core::size::PageSize;
/// let two_mib = PageSize::new(2 << 20).unwrap();
/// assert_eq!(two_mib.log2(), 21);
/// assert_eq!(two_mib.to_string(), "2M");
/// assert!(PageSize::new(3 << 20).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageSize(u8);

impl PageSize {
    /// 4 KiB.
    pub const K4: Self = Self(12);
    /// 64 KiB.
    pub const K64: Self = Self(16);
    /// 1 MiB.
    pub const M1: Self = Self(20);
    /// 2 MiB.
    pub const M2: Self = Self(21);
    /// 1 GiB.
    pub const G1: Self = Self(30);

    /// The page size of `bytes` bytes; `None` unless `bytes` is a power of two.
    #[inline]
    pub const fn new(bytes: u64) -> Option<Self> {
        if bytes.is_power_of_two() {
            Some(Self(bytes.trailing_zeros() as u8))
        } else {
            None
        }
    }

    /// The page size of 2^`log2` bytes; `None` above 63.
    #[inline]
    pub const fn from_log2(log2: u32) -> Option<Self> {
        if log2 < 64 {
            Some(Self(log2 as u8))
        } else {
            None
        }
    }

    /// The page size of 2^`log2` bytes, for tables of constants.
    ///
    /// # Panics
    /// If `log2` is above 63.
    pub const fn of_log2(log2: u32) -> Self {
        assert!(log2 < 64, "a page size above 2^63");
        Self(log2 as u8)
    }

    /// The size in bytes.
    #[inline]
    pub const fn bytes(self) -> u64 {
        1 << self.0
    }

    /// The size as a shift: log2 of the bytes.
    #[inline]
    pub const fn log2(self) -> u32 {
        self.0 as u32
    }

    /// The low bits that an address aligned to this size has clear (bytes − 1).
    #[inline]
    pub const fn mask(self) -> u64 {
        self.bytes() - 1
    }

    /// The bitmap of all sizes up to this one: the kernel's `GENMASK(log2, 0)`.
    #[inline]
    const fn and_smaller(self) -> u64 {
        u64::MAX >> (63 - self.0)
    }

    /// `value` rounded down to a multiple of this size (the kernel's `ALIGN_DOWN`).
    #[inline]
    pub const fn align_down(self, value: u64) -> u64 {
        value & !self.mask()
    }

    /// `value` rounded up to a multiple of this size (the kernel's `ALIGN`);
    /// `None` where that is 2^64 or more.
    #[inline]
    pub const fn align_up(self, value: u64) -> Option<u64> {
        match value.checked_add(self.mask()) {
            Some(sum) => Some(self.align_down(sum)),
            None => None,
        }
    }

    /// Whether `value` is a multiple of this size.
    #[inline]
    pub const fn divides(self, value: u64) -> bool {
        value & self.mask() == 0
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bytes(self.bytes()).fmt(f)
    }
}

impl fmt::Debug for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of page sizes: the bitmap that drivers hand to `ib_umem_find_best_pgsz()`.
///
/// ```
/// use umem_core::size::{PageSize, PageSizes};
/// let mail = PageSizes::from([PageSize::K4, PageSize::M1, PageSize::M2]);
/// assert_eq!((mail.bits(), mail.to_string()), (0x301000, "4K 1M 2M".into()));
/// assert_eq!(mail.largest(), Some(PageSize::M2));
/// assert_eq!(mail.up_to(PageSize::M1).largest(), Some(PageSize::M1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PageSizes(u64);

impl PageSizes {
    /// No size at all.
    pub const EMPTY: Self = Self(0);

    /// The set with the bitmap `bits`.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Every power of two from `least` to `most`, both included: the kernel's `GENMASK`.
    #[inline]
    pub const fn range(least: PageSize, most: PageSize) -> Self {
        Self(most.and_smaller() & !least.mask())
    }

    /// The sizes of 2^n bytes, for each n in `list`.
    ///
    /// # Panics
    /// If one is above 63.
    pub const fn of_log2(list: &[u32]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < list.len() {
            bits |= PageSize::of_log2(list[i]).bytes();
            i += 1;
        }
        Self(bits)
    }

    /// The bitmap: bit *n* stands for pages of 2^*n* bytes.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no size is in the set.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `size` is in the set.
    #[inline]
    pub const fn contains(self, size: PageSize) -> bool {
        self.0 & size.bytes() != 0
    }

    /// The set with `size` added.
    #[inline]
    #[must_use]
    pub const fn with(self, size: PageSize) -> Self {
        Self(self.0 | size.bytes())
    }

    /// The set with `size` taken out.
    #[inline]
    #[must_use]
    pub const fn without(self, size: PageSize) -> Self {
        Self(self.0 & !size.bytes())
    }

    /// The sizes of the set that are `most` or smaller.
    #[inline]
    #[must_use]
    pub const fn up_to(self, most: PageSize) -> Self {
        Self(self.0 & most.and_smaller())
    }

    /// The sizes that a block at `address` may have by its alignment alone: those
    /// that divide `address`. All sizes divide address 0.
    ///
    /// This is the mask of the mail's reply, `(1 << (num_zeros + 1)) - 1`.
    #[inline]
    #[must_use]
    pub const fn aligned_to(self, address: u64) -> Self {
        // `a ^ (a - 1)` is the lowest set bit and every bit below it; all bits for 0.
        Self(self.0 & (address ^ address.wrapping_sub(1)))
    }

    /// The sizes of the set that are no longer than `bytes`.
    #[inline]
    #[must_use]
    pub const fn within(self, bytes: u64) -> Self {
        match bytes.checked_ilog2() {
            // 2 << 63 is 0, and 0 - 1 keeps every size.
            Some(log2) => Self(self.0 & (2u64 << log2).wrapping_sub(1)),
            None => Self::EMPTY,
        }
    }

    /// The smallest size of the set.
    #[inline]
    pub const fn smallest(self) -> Option<PageSize> {
        PageSize::from_log2(self.0.trailing_zeros())
    }

    /// The largest size of the set.
    #[inline]
    pub const fn largest(self) -> Option<PageSize> {
        match self.0.checked_ilog2() {
            Some(log2) => PageSize::from_log2(log2),
            None => None,
        }
    }

    /// The smallest size of the set that is larger than `size`.
    #[inline]
    pub const fn next_above(self, size: PageSize) -> Option<PageSize> {
        // All bits above `size`'s. A shift by one more would be too far for the largest.
        Self(self.0 & ((u64::MAX - 1) << size.0)).smallest()
    }

    /// How many sizes the set has.
    #[inline]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The sizes, ascending.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = PageSize> + Clone {
        (0..64).filter_map(move |log2| {
            let size = PageSize::from_log2(log2)?;
            self.contains(size).then_some(size)
        })
    }
}

impl FromIterator<PageSize> for PageSizes {
    fn from_iter<I: IntoIterator<Item = PageSize>>(sizes: I) -> Self {
        sizes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl<const N: usize> From<[PageSize; N]> for PageSizes {
    fn from(sizes: [PageSize; N]) -> Self {
        sizes.into_iter().collect()
    }
}

impl fmt::Display for PageSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (i, size) in self.iter().enumerate() {
            write!(f, "{}{size}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for PageSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec::Vec};
    use proptest::prelude::*;

    #[test]
    fn sets_print_ascending() {
        // What a failing test shows is what people read.
        let mail = PageSizes::from_bits(0x30_1000);
        assert_eq!(
            alloc::format!("{:?} {mail:?} {:?}", PageSize::M2, Bytes(4096)),
            "2M {4K 1M 2M} 4K"
        );
        assert_eq!(PageSizes::EMPTY.to_string(), "none");
    }

    #[test]
    fn the_mask_survives_its_edges() {
        let all = PageSizes::from_bits(u64::MAX);
        assert_eq!(all.aligned_to(0), all);
        assert_eq!(all.aligned_to(1).bits(), 1);
        assert_eq!(all.within(u64::MAX), all);
        assert!(all.within(0).is_empty());
        assert_eq!(
            PageSizes::range(PageSize::K4, PageSize(63)).bits(),
            u64::MAX << 12
        );
        assert_eq!(PageSize(63).align_up(u64::MAX), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::default())]

        // The slow, obvious twins of the bit tricks: try each size in turn.
        #[test]
        fn set_operations_match_asking_each_size(bits: u64, address: u64, zeros in 0u32..64, log2 in 0u32..64) {
            let set = PageSizes::from_bits(bits);
            let address = address << zeros;
            let each = |keep: &dyn Fn(u64) -> bool| set.iter().filter(|s| keep(s.bytes())).collect::<PageSizes>();
            let limit = PageSize::from_log2(log2).unwrap();
            prop_assert_eq!(set.aligned_to(address), each(&|s| address % s == 0));
            prop_assert_eq!(set.within(address), each(&|s| s <= address));
            prop_assert_eq!(set.up_to(limit), each(&|s| s <= limit.bytes()));
            let sizes: Vec<_> = set.iter().collect();
            prop_assert_eq!(set.smallest(), sizes.first().copied());
            prop_assert_eq!(set.largest(), sizes.last().copied());
            prop_assert_eq!(set.len() as usize, sizes.len());
            prop_assert_eq!(set.is_empty(), sizes.is_empty());
            prop_assert_eq!(set.contains(limit), sizes.contains(&limit));
            prop_assert_eq!(set.with(limit).up_to(limit).largest(), Some(limit));
            prop_assert_eq!(set.without(limit), each(&|s| s != limit.bytes()));
            prop_assert_eq!(set.with(limit), set.without(limit).iter().chain([limit]).collect());
            prop_assert_eq!(set.next_above(limit), sizes.into_iter().find(|s| *s > limit));
        }

        #[test]
        fn a_range_has_both_its_ends(least in 0u32..64, most in 0u32..64) {
            let [least, most] = [least, most].map(|log2| PageSize::from_log2(log2).unwrap());
            let all = PageSizes::from_bits(u64::MAX);
            let between: PageSizes = all.iter().filter(|s| least <= *s && *s <= most).collect();
            prop_assert_eq!(PageSizes::range(least, most), between);
        }

        #[test]
        fn rounding_matches_division(value: u64, log2 in 0u32..64) {
            let size = PageSize::from_log2(log2).unwrap();
            let (bytes, wide) = (u128::from(size.bytes()), u128::from(value));
            prop_assert_eq!(u128::from(size.align_down(value)), wide / bytes * bytes);
            let up = wide.div_ceil(bytes) * bytes;
            prop_assert_eq!(size.align_up(value), u64::try_from(up).ok());
        }
    }
}
