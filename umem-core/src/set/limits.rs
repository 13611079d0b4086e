//! The limits that hold for all regions of a process, or of a device, together.

use crate::{
    device::{EntryLimit, Scope},
    gate::Gate,
    registration::Registration,
    scenario::{Memlock, ProcessSpec},
    size::Bytes,
};

/// What the regions registered so far take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Taken {
    /// How many there are.
    pub(super) regions: u64,
    /// The pages that they pin.
    pub(super) pinned: u64,
    /// Their entries.
    pub(super) entries: u64,
}

impl Taken {
    /// The same and `count` regions like `registration`.
    pub(super) fn and(self, registration: &Registration, count: u64) -> Self {
        let (pinned, entries) = each(registration);
        let add = |sum: u64, each: u64| sum.saturating_add(each.saturating_mul(count));
        Self {
            regions: add(self.regions, 1),
            pinned: add(self.pinned, pinned),
            entries: add(self.entries, entries),
        }
    }

    /// The process as it is when these are registered.
    pub(super) fn process(&self, process: &ProcessSpec, page: u64) -> ProcessSpec {
        let bytes = self.pinned.saturating_mul(page);
        let less = |left: u64, taken: u64| left.saturating_sub(taken);
        ProcessSpec {
            // Even if it is not known what was pinned before, this is.
            pinned: match process.pinned {
                Some(Bytes(before)) => Some(Bytes(before.saturating_add(bytes))),
                None if bytes > 0 => Some(Bytes(bytes)),
                None => None,
            },
            hca_objects: process.hca_objects.map(|left| less(left, self.regions)),
            memory_left: process
                .memory_left
                .map(|Bytes(left)| Bytes(less(left, bytes))),
            ..process.clone()
        }
    }
}

/// The pages that a region pins, and its entries.
pub(super) fn each(registration: &Registration) -> (u64, u64) {
    let pinned = match registration.question().request().unpinned() {
        None => registration.pages(),
        Some(_) => 0,
    };
    (pinned, registration.table().map_or(0, |table| table.total))
}

/// How many regions like `registration` the limits allow after those of `taken`, and the gate at which the next one stops.
pub(super) fn allowed(registration: &Registration, taken: &Taken) -> (u64, Gate) {
    let process = &registration.scenario().process;
    let lockable = match process.privileged {
        Some(false) => lockable(registration, taken),
        _ => u64::MAX,
    };
    let page = registration.question().mr().page;
    let (pinned, entries) = each(registration);
    let times = |room: Option<u64>, each: u64| match room {
        Some(room) if each > 0 => room / each,
        _ => u64::MAX,
    };
    let objects = process
        .hca_objects
        .map(|left| left.saturating_sub(taken.regions));
    let memory = process
        .memory_left
        .map(|Bytes(left)| (left >> page.log2()).saturating_sub(taken.pinned));
    let kept =
        of_device(registration).map(|limit| limit.entries(page).saturating_sub(taken.entries));
    [
        (times(objects, 1), Gate::Uverbs),
        (lockable, Gate::Memlock),
        (times(memory, pinned), Gate::Pin),
        (times(kept, entries), Gate::Firmware),
    ]
    .into_iter()
    // If several limits stop the same region, the first gate decides.
    .min_by_key(|(allowed, gate)| (*allowed, *gate))
    .unwrap_or((u64::MAX, Gate::Firmware))
}

/// How many regions like `registration` a process without CAP_IPC_LOCK may lock after those of `taken`.
pub(super) fn lockable(registration: &Registration, taken: &Taken) -> u64 {
    let process = &registration.scenario().process;
    let page = registration.question().mr().page;
    match (process.memlock, each(registration).0) {
        (Some(Memlock::Bytes(Bytes(limit))), pinned) if pinned > 0 => {
            let before = process
                .pinned
                .map_or(0, |Bytes(before)| before.div_ceil(page.bytes()));
            let used = before.saturating_add(taken.pinned);
            (limit >> page.log2()).saturating_sub(used) / pinned
        }
        _ => u64::MAX,
    }
}

/// The limit on the entries of all regions of the device, if one is known.
pub(super) fn of_device(registration: &Registration) -> Option<&EntryLimit> {
    let question = registration.question();
    let limits = question.device().entry_limits.iter();
    limits
        .filter(|limit| limit.scope == Scope::Device)
        .min_by_key(|limit| limit.entries(question.mr().page))
}
