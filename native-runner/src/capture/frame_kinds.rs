//! Frames that a long-term pin does not keep, whoever maps them: the kernel's zero pages, and those of `ZONE_MOVABLE`.

use std::{fs, hint::black_box, io, ops::Range, sync::atomic::Ordering::Relaxed};

use umem_core::address::VirtAddr;

use crate::{
    mapping::{HugePages, Mapping},
    pagemap::{Backing, Pagemap, Run},
};

/// Where such frames are, as physical addresses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FrameKinds {
    zero: Vec<Range<u64>>,
    movable: Vec<Range<u64>>,
}

impl FrameKinds {
    /// Those of this machine.
    ///
    /// The zero page is the one behind memory that was read and never written, so we read some of our own: that works on
    /// every kernel, where `PAGEMAP_SCAN` (`PAGE_IS_PFNZERO`) needs 6.7. Zones are in `/proc/zoneinfo`.
    pub fn of_this_machine() -> io::Result<Self> {
        let page = rustix::param::page_size();
        let mut zero = Vec::new();
        zero.extend(zero_frames(page)?);
        if let Some(huge) = huge_page() {
            zero.extend(zero_frames(huge)?);
        }
        let zones = fs::read_to_string("/proc/zoneinfo").unwrap_or_default();
        Ok(Self {
            zero,
            movable: movable(&zones, page as u64),
        })
    }

    /// How many bytes of `length` at `start` are of a zero page.
    pub fn zero(&self, start: u64, length: u64) -> u64 {
        common(&self.zero, start, length)
    }

    /// How many bytes lie in `ZONE_MOVABLE`.
    pub fn movable(&self, start: u64, length: u64) -> u64 {
        common(&self.movable, start, length)
    }

    /// Made by hand.
    #[cfg(test)]
    pub fn new(zero: &[Range<u64>], movable: &[Range<u64>]) -> Self {
        Self {
            zero: zero.to_vec(),
            movable: movable.to_vec(),
        }
    }
}

fn common(ranges: &[Range<u64>], start: u64, length: u64) -> u64 {
    let end = start + length;
    let common = |range: &Range<u64>| range.end.min(end).saturating_sub(range.start.max(start));
    ranges.iter().map(common).sum()
}

/// The frames behind `length` bytes that were only read, if they are one shared page.
fn zero_frames(length: usize) -> io::Result<Option<Range<u64>>> {
    let memory = Mapping::anonymous(length, length)?;
    if length > rustix::param::page_size() {
        // Kernels without huge pages refuse; then there is no huge zero page.
        let _ = memory.advise(HugePages::Wanted);
    }
    black_box(memory.words()[0].load(Relaxed));
    let start = memory.start();
    let end = VirtAddr::new(start.get() + length as u64);
    let runs: Vec<Run> = Pagemap::open()?
        .runs(start..end)
        .collect::<io::Result<_>>()?;
    Ok(match runs.as_slice() {
        &[
            Run {
                backing: Backing::Frames(start),
                length,
                sharing,
                ..
            },
        ] if !sharing.exclusive && length == end.get() - memory.start().get() => {
            Some(start.get()..start.get() + length)
        }
        _ => None,
    })
}

/// The size of a transparent huge page, where there are any.
fn huge_page() -> Option<usize> {
    let size = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size").ok()?;
    size.trim()
        .parse()
        .ok()
        .filter(|size: &usize| size.is_power_of_two())
}

/// The spans of the zones called Movable in `/proc/zoneinfo`, in bytes.
fn movable(zones: &str, page: u64) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    let (mut is_movable, mut present, mut spanned) = (false, 0, 0);
    for line in zones.lines() {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next(), words.last()) {
            // "Node 0, zone  Movable"
            (Some("Node"), _, Some(zone)) => {
                (is_movable, present, spanned) = (zone == "Movable", 0, 0);
            }
            (Some("spanned"), Some(pages), None) => spanned = pages.parse().unwrap_or(0),
            (Some("present"), Some(pages), None) => present = pages.parse().unwrap_or(0),
            (Some("start_pfn:"), Some(first), None) if is_movable && present > 0 => {
                let first: u64 = first.parse().unwrap_or(0);
                let bytes = |pages: u64| pages.checked_mul(page);
                if let (Some(start), Some(length)) = (bytes(first), bytes(spanned)) {
                    found.push(start..start.saturating_add(length));
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movable_zones_are_found_with_their_spans() {
        let zones = "\
Node 0, zone   Normal
  pages free     3928
        spanned  1048576
        present  1048576
  start_pfn:           1048576
Node 0, zone  Movable
  pages free     0
        spanned  0
        present  0
  start_pfn:           0
Node 1, zone  Movable
        spanned  256
        present  200
    cpu: 0
  start_pfn:           4096
";
        let expected = Range {
            start: 4096 << 12,
            end: 4352 << 12,
        };
        assert_eq!(movable(zones, 4096), [expected]);
        assert_eq!(movable("", 4096), []);
    }

    #[test]
    fn bytes_in_common_are_counted() {
        let kinds = FrameKinds::new(&[0x1000..0x2000, 0x8000..0xa000], &[]);
        for ((start, length), zero) in [
            ((0, 0x1000), 0),
            ((0, 0x1800), 0x800),
            ((0x1000, 0x9000), 0x3000),
            ((0x9000, 0x9000), 0x1000),
        ] {
            assert_eq!(kinds.zero(start, length), zero);
            assert_eq!(kinds.movable(start, length), 0);
        }
    }
}
