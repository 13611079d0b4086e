//! What advice assumes, and why there is none.

use super::{MOST_SEGMENTS, Outcome};
use crate::{
    memory,
    registration::{Registration, Table},
    scenario::DEFAULT_VA,
    size::Bytes,
    table::{Policy, Refusal},
};
use alloc::{
    format,
    string::{String, ToString},
};

/// Why [`advice`](super::advice) is empty, as a sentence. It does not check whether it is.
pub fn why_none(of: &Registration) -> String {
    let question = of.question();
    let device = question.device();
    let table = match of.table() {
        Ok(table) => table,
        Err(Refusal::NoTable { .. }) => {
            return "The driver keeps no table: there is nothing to make smaller.".into();
        }
        Err(Refusal::Stopped(answer)) => {
            let gate = answer.gate.name();
            return match &answer.way_out {
                Some(way_out) => format!(
                    "No change that umem can plan gets the region past the gate {gate}. What to do instead: {way_out}."
                ),
                None => format!(
                    "The gate {gate} refuses it in every case that umem can plan: register other memory, or on another device."
                ),
            };
        }
        Err(refusal) => {
            return format!(
                "Of the changes that umem can plan (huge pages, alignment, slices, later kernels) none makes it register: {}.",
                refusal.cause()
            );
        }
    };
    let least = device.page_sizes.smallest();
    match (device.policy, table.page_size) {
        (_, _) if table.total == 1 => "One entry is the least that a table can have.".into(),
        (Policy::Unaligned, _) => {
            "Each DMA segment has one entry, and no change that umem can plan joins more of them.".into()
        }
        (Policy::Single, Some(size)) if device.page_sizes.largest() == Some(size) => {
            format!("{size} is the largest page that the device has, and every entry has it.")
        }
        (Policy::Single, Some(size)) if !device.choice.is_best() && Some(size) == least => {
            format!("In this kernel the driver takes pages of {size}, whatever the memory: only another driver or kernel changes that.")
        }
        _ if question.kind() == memory::Kind::Odp => {
            "Memory on demand has an entry for each page of the kernel, whatever the memory.".into()
        }
        _ if question.kind() == memory::Kind::DmaBuf => {
            "The exporter decides what its buffer is made of; no change that umem can plan helps.".into()
        }
        _ if of.scatter_count() > MOST_SEGMENTS => format!(
            "The list has {} SG entries. Of lists above {MOST_SEGMENTS} only larger pages are tried, and they do not help here.",
            of.scatter_count()
        ),
        _ => "No change that umem can plan (alignment, huge pages, a zero-based address, splitting, another kernel) makes it smaller.".to_string(),
    }
}

/// What the answer would be if the region began a page later: a sentence, where the start is assumed and the answer depends on it.
///
/// A scenario that gives neither `region.va` nor `region.offset` begins at a boundary of every size, which no allocator promises.
pub fn assumed_start(of: &Registration) -> Option<String> {
    let (scenario, mr) = (of.scenario(), of.question().mr());
    let region = &scenario.region;
    let assumed = region.va == DEFAULT_VA && region.offset.0 == 0 && region.hca_address.is_none();
    let listed = scenario.memory.extents.is_some() || scenario.memory.length.is_some();
    if !assumed || listed || scenario.provenance.is_some() || !scenario.memory.areas.is_empty() {
        return None;
    }
    let mut later = scenario.clone();
    later.region.offset = Bytes(mr.page.bytes());
    // Entries of the kernel's page cannot get smaller.
    let is_least = |table: &Table| table.page_size == Some(mr.page);
    if of.table().is_ok_and(is_least) {
        return None;
    }
    let later = Outcome::of(&Registration::new(&later).ok()?).entries;
    let now = Outcome::of(of).entries?;
    let then = match later {
        Some(entries) if entries >= now.saturating_mul(2) => {
            format!("it would have {entries} entries")
        }
        None => "it would be refused".to_string(),
        Some(_) => return None,
    };
    Some(format!(
        "The start is assumed: region.va is left out, so the region begins at {DEFAULT_VA}, a boundary of every page size. If it began {} \
         later, {then} instead of {now}: give region.va and region.offset as the program has them.",
        mr.page
    ))
}
