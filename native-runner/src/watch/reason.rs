//! Why a region has no larger pages, and what would help: the rules' answers, on the kernel's own lists.

use std::time::SystemTime;

use umem_core::{
    address::{Consecutive, DmaAddr},
    advice::{self, Advice},
    explain,
    registration::Registration,
};

use super::{machine::Machine, seen::Seen};

/// Longer lists are not looked into while registrations are watched: each proposal is proven by walking the list again.
const MOST_SEGMENTS: usize = 1 << 13;

impl Seen {
    /// Whether the device has a larger page that the region would fill.
    pub fn could_be_larger(&self) -> bool {
        let (Some(size), Some(sizes)) = (self.page_size(), self.sizes()) else {
            return false;
        };
        sizes
            .next_above(size)
            .is_some_and(|larger| larger.bytes() <= self.get.length)
    }

    /// The reasons, a sentence each; empty where it could not be larger, or the rules or lists are not known.
    pub fn reasons(&self, machine: &Machine) -> Vec<String> {
        let (Ok(rules), Some(list), Some(sizes)) = (&machine.rules, &self.list, self.sizes())
        else {
            return Vec::new();
        };
        let Some(mr) = self
            .mr(machine.page)
            .filter(|_| self.could_be_larger() && list.is_whole())
        else {
            return Vec::new();
        };
        let bytes: u64 = list.dma.iter().map(|(_, length)| length).sum();
        if list.dma.len() > MOST_SEGMENTS || bytes != mr.pages() << machine.page.log2() {
            return Vec::new();
        }
        let segments = list
            .dma
            .iter()
            .map(|&(start, length)| (DmaAddr::new(start), length));
        let limits = explain::best_page_size_limits(Consecutive::new(segments), &mr, sizes, rules);
        limits.into_iter().map(|limit| limit.text).collect()
    }

    /// The changes that would shrink the table, the best first.
    pub fn advice(&self, machine: &mut Machine, time: SystemTime) -> Vec<Advice> {
        let long = |list: &super::list::List| list.memory.len() > MOST_SEGMENTS;
        if !self.could_be_larger() || self.list.as_ref().is_none_or(long) {
            return Vec::new();
        }
        let Ok(scenario) = self.scenario(machine, time) else {
            return Vec::new();
        };
        Registration::new(&scenario)
            .map(|registration| advice::advice(&registration))
            .unwrap_or_default()
    }
}
