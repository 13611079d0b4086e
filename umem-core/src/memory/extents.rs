//! Extents as a scenario gives them, shared by everything that uses them.

use super::FrameRun;
use crate::{
    address::{Address, Extent, PhysAddr},
    size::{Bytes, PageSize},
};
use alloc::{sync::Arc, vec::Vec};
use core::ops::Deref;

/// Runs of physical memory, address and length, in the order of virtual addresses. Clones share one list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Extents(Arc<Vec<(PhysAddr, Bytes)>>);

impl Deref for Extents {
    type Target = [(PhysAddr, Bytes)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<Vec<(PhysAddr, Bytes)>> for Extents {
    fn from(list: Vec<(PhysAddr, Bytes)>) -> Self {
        Self(Arc::new(list))
    }
}

impl FromIterator<(PhysAddr, Bytes)> for Extents {
    fn from_iter<I: IntoIterator<Item = (PhysAddr, Bytes)>>(list: I) -> Self {
        Vec::from_iter(list).into()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Extents {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Extents {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

/// Why a run of memory cannot be part of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It has no byte.
    #[error("is empty")]
    Empty,
    /// It is not made of whole pages.
    #[error("is not made of whole kernel pages ({page})")]
    PartialPage {
        /// The kernel's page.
        page: PageSize,
    },
    /// It is longer than an entry of a list can be.
    #[error(
        "is longer than 0xffffffff bytes, the most that scatterlist.length holds: give it as several entries"
    )]
    LongEntry,
    /// It passes the end of the address space.
    #[error("leaves the address space")]
    Wraps,
    /// It makes the list too long.
    #[error("makes the list too long")]
    TooLong,
}

impl RunError {
    /// Its name, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty-run",
            Self::PartialPage { .. } => "partial-page",
            Self::LongEntry => "long-entry",
            Self::Wraps => "wraps",
            Self::TooLong => "too-long",
        }
    }
}

/// The offset after a run that begins at `offset` in a list and at `start` in an address space, proven to be whole pages and in range.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn after_run<A: Address>(
    offset: u64,
    start: A,
    length: u64,
    page: PageSize,
) -> Result<u64, RunError> {
    if length > 0 && !page.divides(start.get() | length) {
        return Err(RunError::PartialPage { page });
    }
    after(offset, start, length)
}

/// The same for an entry of a dma-buf's exporter: its length is a `scatterlist.length`, and need not be whole pages.
pub(crate) fn after_entry(offset: u64, start: PhysAddr, length: u64) -> Result<u64, RunError> {
    if length > u32::MAX.into() {
        return Err(RunError::LongEntry);
    }
    after(offset, start, length)
}

fn after<A: Address>(offset: u64, start: A, length: u64) -> Result<u64, RunError> {
    if length == 0 {
        return Err(RunError::Empty);
    }
    start.get().checked_add(length).ok_or(RunError::Wraps)?;
    offset
        .checked_add(length)
        .filter(|end| *end < LONGEST)
        .ok_or(RunError::TooLong)
}

/// Longer lists would make sums of offsets and paddings overflow.
const LONGEST: u64 = 1 << 62;

/// Checked extents, with the offsets at which they begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedExtents {
    extents: Extents,
    /// The offset of every [`MARK`]th extent.
    marks: Vec<u64>,
}

/// How many extents lie between two marks: few enough to add up quickly, many enough that the marks take little memory.
const MARK: usize = 16;

impl CheckedExtents {
    /// No extent of these yet.
    pub(crate) fn new(extents: &Extents) -> Self {
        Self {
            extents: extents.clone(),
            marks: Vec::with_capacity(extents.len().div_ceil(MARK)),
        }
    }

    /// Records where extent number `number` begins.
    pub(crate) fn pass(&mut self, number: usize, offset: u64) {
        if number.is_multiple_of(MARK) {
            self.marks.push(offset);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.extents.len()
    }

    /// Extent number `number`, which begins at `offset`.
    #[inline]
    pub(super) fn run(&self, number: usize, offset: u64) -> FrameRun {
        let (start, Bytes(length)) = self.extents[number];
        Extent {
            offset,
            start,
            length,
        }
    }

    /// The number of the extent that contains `offset`, and where it begins; past the end, the number of extents and their length.
    pub(super) fn find(&self, offset: u64) -> (usize, u64) {
        let mark = self.marks.partition_point(|begin| *begin <= offset);
        let Some(mark) = mark.checked_sub(1) else {
            return (0, 0);
        };
        let (mut number, mut begin) = (mark * MARK, self.marks[mark]);
        while let Some((_, Bytes(length))) = self.extents.get(number) {
            if begin + length > offset {
                break;
            }
            begin += length;
            number += 1;
        }
        (number, begin)
    }

    /// All of them, with their offsets.
    pub fn iter(&self) -> impl Iterator<Item = FrameRun> + '_ {
        let mut offset = 0;
        (0..self.count()).map(move |number| {
            let run = self.run(number, offset);
            offset += run.length;
            run
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_offset_is_found_in_its_extent() {
        let sizes = [1u64, 3, 2, 7];
        let extents: Extents = (0..100)
            .map(|i| (PhysAddr::new(i << 20), Bytes(sizes[i as usize % 4] << 12)))
            .collect();
        let mut runs = CheckedExtents::new(&extents);
        let mut begins = Vec::new();
        let mut offset = 0;
        for (i, (_, Bytes(length))) in extents.iter().enumerate() {
            runs.pass(i, offset);
            begins.push(offset);
            offset += length;
        }
        for at in (0..offset).step_by(0x800) {
            let number = begins.iter().rposition(|begin| *begin <= at).unwrap();
            assert_eq!(runs.find(at), (number, begins[number]), "{at:#x}");
        }
        assert_eq!(runs.find(offset), (100, offset));
        let listed: Vec<_> = runs.iter().map(|run| run.offset).collect();
        assert_eq!(listed, begins);
    }

    #[test]
    fn a_clone_is_the_same_list() {
        let extents: Extents = [(PhysAddr::new(0), Bytes(4096))].into_iter().collect();
        assert!(core::ptr::eq(&*extents, &*extents.clone()));
    }
}
