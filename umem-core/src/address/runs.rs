//! Runs of bytes in an address space.

use super::Address;
use core::marker::PhantomData;

/// A run of bytes that are contiguous twice: in the address space `A`, and in the
/// region that they back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Extent<A> {
    /// Where the run begins in the region: bytes from the beginning of its memory, which is `region.va` of a scenario, and the first pinned page of a list without one.
    pub offset: u64,
    /// Where it begins in the address space `A`.
    pub start: A,
    /// Its length in bytes, never 0.
    pub length: u64,
}

/// The run of so many bytes from an address on, at offset 0.
impl<A> From<(A, u64)> for Extent<A> {
    fn from((start, length): (A, u64)) -> Self {
        Self {
            offset: 0,
            start,
            length,
        }
    }
}

impl<A: Address> Extent<A> {
    /// The first address after the run. Runs end at 2^64 − 1 at the latest.
    #[inline]
    pub fn end(&self) -> A {
        self.start + self.length
    }

    /// The offset, in the region, of the first byte after the run.
    #[inline]
    pub fn end_offset(&self) -> u64 {
        self.offset + self.length
    }

    /// Cuts the run after `length` bytes: the front, and the rest if there is one.
    #[inline]
    pub(crate) fn split(self, length: u64) -> (Self, Option<Self>) {
        if length >= self.length {
            return (self, None);
        }
        let (front, rest) = self.split_at(length);
        (front, Some(rest))
    }

    /// The same for a run that is longer than `length`.
    #[inline]
    pub(crate) fn split_at(self, length: u64) -> (Self, Self) {
        let rest = Self {
            offset: self.offset + length,
            start: self.start + length,
            length: self.length - length,
        };
        (Self { length, ..self }, rest)
    }
}

/// Runs that follow one another in a region: each one's offset is where the run before it ends, the first one's is 0.
///
/// Items are pairs of an address and a length in bytes, or [`Extent`]s, with their own offsets ignored.
///
/// ```
/// use umem_core::address::{Consecutive, DmaAddr};
/// let list = [(DmaAddr::new(0x4000_0000), 0x2000), (DmaAddr::new(0x9000_0000), 0x1000)];
/// let offsets: Vec<_> = Consecutive::new(list).map(|run| run.offset).collect();
/// assert_eq!(offsets, [0, 0x2000]);
/// ```
#[derive(Clone, Debug)]
pub struct Consecutive<I, A> {
    runs: I,
    offset: u64,
    space: PhantomData<A>,
}

impl<A: Address, I: Iterator<Item: Into<Extent<A>>>> Consecutive<I, A> {
    /// The runs of `runs` with their offsets.
    pub fn new(runs: impl IntoIterator<IntoIter = I>) -> Self {
        Self {
            runs: runs.into_iter(),
            offset: 0,
            space: PhantomData,
        }
    }
}

impl<A: Address, I: Iterator<Item: Into<Extent<A>>>> Iterator for Consecutive<I, A> {
    type Item = Extent<A>;

    #[inline]
    fn next(&mut self) -> Option<Extent<A>> {
        let run = Extent {
            offset: self.offset,
            ..self.runs.next()?.into()
        };
        self.offset += run.length;
        Some(run)
    }
}

/// Joins neighbouring runs where one ends at the address at which the next begins.
#[derive(Clone, Debug)]
pub struct Joined<I, A> {
    runs: I,
    next: Option<Extent<A>>,
}

impl<A: Address, I: Iterator<Item = Extent<A>>> Joined<I, A> {
    /// The runs of `runs`, joined.
    pub fn new(mut runs: I) -> Self {
        let next = runs.next();
        Self { runs, next }
    }
}

impl<A: Address, I: Iterator<Item = Extent<A>>> Iterator for Joined<I, A> {
    type Item = Extent<A>;

    #[inline]
    fn next(&mut self) -> Option<Extent<A>> {
        let mut run = self.next?;
        loop {
            self.next = self.runs.next();
            match self.next {
                Some(other) if other.start == run.end() => run.length += other.length,
                _ => return Some(run),
            }
        }
    }

    // Keeps the run so far in registers, where `next` must store it after each run.
    #[inline]
    fn fold<B, F: FnMut(B, Extent<A>) -> B>(self, start: B, mut each: F) -> B {
        let Some(first) = self.next else { return start };
        let (so_far, last) = self.runs.fold((start, first), |(so_far, mut run), other| {
            if other.start == run.end() {
                run.length += other.length;
                (so_far, run)
            } else {
                (each(so_far, run), other)
            }
        });
        each(so_far, last)
    }
}
