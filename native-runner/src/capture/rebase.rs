//! Addresses are secrets: they help attackers. So a capture shifts physical ones by one distance and virtual ones by another.
//!
//! Both distances are multiples of every size that a table entry of this memory can have. Then no address changes its
//! alignment to any of them, nor do two runs change their distance, and every answer stays the same. The file still
//! tells the low bits, which all answers depend on, and how far runs lie from each other.

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};
use umem_core::{
    address::{PhysAddr, VirtAddr},
    device::CATALOGUE,
    scenario::DEFAULT_VA,
    size::{PageSize, PageSizes},
};

use super::RunList;

/// Among how many places, a [`granule`] apart, the one of the lowest run is drawn.
const PLACES: u64 = 256;

/// Physical addresses end below this (52 bits, x86-64 and arm64).
const END: u64 = 1 << 52;

/// How far addresses are shifted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rebase {
    /// Added to physical addresses, modulo 2^64.
    physical: u64,
    /// Added to virtual addresses, modulo 2^64.
    virt: u64,
    /// How many low bits of physical addresses stay as they are.
    real_bits: u32,
}

impl Rebase {
    /// Of memory that lies on these lists of runs: the lowest run comes to lie in a random place, never its own. All lists are shifted
    /// alike, so that they still tell whether they share memory. Virtual addresses stay until they are told
    /// [where to begin](Self::beginning_at).
    ///
    /// # Errors
    /// No randomness: that of `getrandom()`.
    pub fn random<'r>(lists: impl Iterator<Item = &'r RunList> + Clone) -> io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        Ok(Self::drawn(lists, u64::from_ne_bytes(bytes)))
    }

    fn drawn<'r>(lists: impl Iterator<Item = &'r RunList> + Clone, random: u64) -> Self {
        let runs = || lists.clone().flat_map(RunList::iter);
        let granule = granule(runs().map(|run| run.length).max().unwrap_or(0));
        let lowest = runs().map(|run| run.start.get()).min().unwrap_or(0);
        let highest = runs().map(|run| run.start.get() + run.length).max();
        let span = highest.unwrap_or(0) - granule.align_down(lowest);
        let places = (END.saturating_sub(span) / granule.bytes()).clamp(2, PLACES);
        let real = lowest / granule.bytes();
        // Any place but the real one, all of them alike.
        let mut place = random % (places - 1);
        if real < places && place >= real {
            place += 1;
        }
        Self {
            physical: place.wrapping_sub(real).wrapping_mul(granule.bytes()),
            virt: 0,
            real_bits: granule.log2(),
        }
    }

    /// The same for physical addresses, and of virtual ones `va` comes to lie in the first page-table entry's reach from [`DEFAULT_VA`].
    pub fn beginning_at(self, va: VirtAddr) -> Self {
        let new_va = DEFAULT_VA.get() + va.get() % largest_page().bytes();
        Self {
            virt: new_va.wrapping_sub(va.get()),
            ..self
        }
    }

    /// How many low bits of physical addresses stay as they are.
    pub fn real_bits(self) -> u32 {
        self.real_bits
    }

    /// `address`, shifted.
    pub fn physical(self, address: PhysAddr) -> PhysAddr {
        PhysAddr::new(address.get().wrapping_add(self.physical))
    }

    /// `address`, shifted.
    pub fn virt(self, address: VirtAddr) -> VirtAddr {
        VirtAddr::new(address.get().wrapping_add(self.virt))
    }
}

/// What the physical distance is a multiple of: the largest page of any device of the catalogue, or, where an IOMMU could
/// use larger ones, the largest power of two that the longest run has room for.
fn granule(longest: u64) -> PageSize {
    let run = longest.checked_ilog2().and_then(PageSize::from_log2);
    run.map_or(largest_page(), |run| run.max(largest_page()))
}

/// The largest page of any device of the catalogue.
fn largest_page() -> PageSize {
    let devices = CATALOGUE
        .iter()
        .fold(0, |all, device| all | device.traits(None).page_sizes.bits());
    let largest = PageSizes::from_bits(devices).largest();
    largest.expect("devices have page sizes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: u64 = 2 << 30;

    fn list(runs: &[(u64, u64)]) -> RunList {
        let mut list = RunList::new(4096);
        for &(start, length) in runs {
            list.push(PhysAddr::new(start), length);
        }
        list
    }

    /// Where the first run comes to lie.
    fn places(runs: &[(u64, u64)], va: u64) -> impl Iterator<Item = (u64, u64)> {
        let (first, runs) = (PhysAddr::new(runs[0].0), list(runs));
        (0..1000).map(move |random| {
            let rebase = Rebase::drawn([&runs].into_iter(), random);
            let rebase = rebase.beginning_at(VirtAddr::new(va));
            (
                rebase.physical(first).get(),
                rebase.virt(VirtAddr::new(va)).get(),
            )
        })
    }

    #[test]
    fn no_address_stays_where_it_was_and_every_place_is_drawn() {
        for first in [0x7000, 5 * SLOT + 0x7000, 300 * SLOT + 0x7000] {
            let mut seen: Vec<u64> = places(&[(first, 0x3000)], 0)
                .map(|(physical, _)| {
                    assert_ne!(physical, first);
                    assert_eq!(physical % SLOT, 0x7000);
                    physical / SLOT
                })
                .collect();
            seen.sort_unstable();
            seen.dedup();
            assert!(
                seen.len() as u64 >= PLACES - 1,
                "{first:#x}: {}",
                seen.len()
            );
            assert!(*seen.last().unwrap() < PLACES);
        }
        // A run of 5 slots has room for a page of 4 of them, which some IOMMUs have.
        assert!(places(&[(13 * SLOT, 5 * SLOT)], 0).all(|(at, _)| at % (4 * SLOT) == SLOT));
    }

    #[test]
    fn the_virtual_address_keeps_what_lies_below_the_largest_page() {
        let va = 0x7ffd_1234_5000;
        for (_, shifted) in places(&[(0x1000, 0x1000)], va).take(3) {
            assert_eq!(shifted, DEFAULT_VA.get() + va % SLOT);
        }
        let unchanged = Rebase::default();
        assert_eq!(unchanged.virt(VirtAddr::new(va)).get(), va);
        assert_eq!(unchanged.physical(PhysAddr::new(7)).get(), 7);
    }

    #[test]
    fn enormous_memory_stays_in_the_address_space() {
        let runs = [(1 << 20, 1 << 40), (1 << 51, 1 << 30)];
        for (first, _) in places(&runs, 0) {
            assert!(first + (1 << 51) + (1 << 30) < END + (1 << 41));
        }
    }
}
