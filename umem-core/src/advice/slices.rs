//! A region in slices, as few as register.

use crate::{
    device::{EntryLimit, Scope},
    memory,
    registration::Registration,
    scenario::Scenario,
    size::Bytes,
    table::Refusal,
};
use alloc::vec::Vec;

/// The most slices that are tried.
const MOST_SLICES: u64 = 1 << 12;

/// A region in slices of one length, the last one perhaps shorter.
pub(super) struct Slices {
    /// How many there are.
    pub(super) count: u64,
    /// How long each is.
    pub(super) length: u64,
    /// How many have the length of the first.
    pub(super) full: u64,
    /// The first of them and, if it is shorter, the last.
    pub(super) scenarios: Vec<Scenario>,
}

/// The smallest number of slices that register, each on its own and all of them on the device; `None` if no number does, or slices of
/// the memory are not alike.
///
/// A dma-buf is mapped whole, however little of it is registered: there a slice is a dma-buf of its own, a power of two long.
pub(super) fn slices(of: &Registration) -> Option<Slices> {
    if of.scenario().memory.extents.is_some() {
        return None;
    }
    if of.question().kind() == memory::Kind::DmaBuf {
        return buffers(of);
    }
    let fits = |count: u64| {
        let slices = in_slices(of, count)?;
        registers(&slices).then_some(slices)
    };
    // If a region registers in some number of slices, it does in any larger number.
    let most = (1..=MOST_SLICES.ilog2()).map(|log2| 1 << log2);
    let (mut enough, mut found) = most
        .into_iter()
        .find_map(|count| Some((count, fits(count)?)))?;
    let mut too_few = enough / 2;
    while enough - too_few > 1 {
        let count = too_few + (enough - too_few) / 2;
        match fits(count) {
            Some(slices) => (enough, found) = (count, slices),
            None => too_few = count,
        }
    }
    Some(found)
}

fn in_slices(of: &Registration, count: u64) -> Option<Slices> {
    let mr = of.question().mr();
    let unit = of.question().memory().page_size().max(mr.page).bytes();
    let length = mr.length.div_ceil(count).checked_next_multiple_of(unit)?;
    of_length(of, length)
}

/// The longest slices that are buffers of their own and register.
fn buffers(of: &Registration) -> Option<Slices> {
    let unit = of
        .question()
        .memory()
        .page_size()
        .max(of.question().mr().page);
    let longest = (of.question().mr().length - 1).checked_ilog2()?;
    // An IOMMU pads entries to 4G: whether a longer buffer maps depends on where its exporter ends them.
    let most = match of.table() {
        Err(Refusal::Map { .. }) => 31,
        _ => longest,
    };
    let lengths = unit.log2()..=longest.min(most);
    let mut lengths = lengths.rev().map(|log2| 1 << log2);
    lengths.find_map(|length| {
        let slices = of_length(of, length)?;
        (slices.count <= MOST_SLICES && registers(&slices)).then_some(slices)
    })
}

fn of_length(of: &Registration, length: u64) -> Option<Slices> {
    let mr = of.question().mr();
    let own_buffer = of.question().kind() == memory::Kind::DmaBuf;
    // A buffer of its own begins at a page.
    if own_buffer && mr.page_offset() != 0 {
        return None;
    }
    let (full, rest) = (mr.length / length, mr.length % length);
    let slice = |offset: u64, length: u64| {
        let mut changed = of.scenario().clone();
        let region = &mut changed.region;
        match own_buffer {
            true => {
                region.va = region.va.wrapping_add(mr.offset + offset);
                region.offset = Bytes(0);
                changed.memory.length = None;
            }
            false => region.offset = Bytes(mr.offset + offset),
        }
        region.length = Bytes(length);
        region.hca_address = region.hca_address.map(|hca| hca.wrapping_add(offset));
        changed
    };
    let mut scenarios = Vec::new();
    if full == 0 {
        return None;
    }
    scenarios.push(slice(0, length));
    if rest > 0 {
        scenarios.push(slice(full * length, rest));
    }
    Some(Slices {
        count: full + u64::from(rest > 0),
        length,
        full,
        scenarios,
    })
}

/// Whether each slice registers in a table that is right, and the device has entries for all of them.
fn registers(slices: &Slices) -> bool {
    let planned = slices.scenarios.iter().map(Registration::new);
    let Ok(planned) = planned.collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    if planned.iter().any(Registration::is_wrong) {
        return false;
    }
    let totals: Option<Vec<u64>> = planned
        .iter()
        .map(|slice| Some(slice.table().ok()?.total))
        .collect();
    let (Some(totals), Some(first)) = (totals, planned.first()) else {
        return false;
    };
    let all = match totals[..] {
        [each] => each.saturating_mul(slices.full),
        [each, rest] => each.saturating_mul(slices.full).saturating_add(rest),
        _ => return false,
    };
    let (device, page) = (first.question().device(), first.question().mr().page);
    let kept = |limit: &EntryLimit| limit.scope != Scope::Device || all <= limit.entries(page);
    device.entry_limits.iter().all(kept)
}
