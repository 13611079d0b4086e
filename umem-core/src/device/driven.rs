//! A device as a kernel drives it: the catalogue's values, or those given instead.

use super::{Bug, DeviceProfile, EntryLimit, LengthLimit, OnDemand, RefusedAccess};
use crate::{
    gate::Errno,
    kernel::Release,
    size::PageSizes,
    table::{Edges, Policy, memory::Layout, single::Choice},
};
use alloc::{string::String, vec::Vec};

/// A device with every value known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Device {
    /// What its user calls it.
    pub name: Option<String>,
    /// The sizes its entries may have.
    pub page_sizes: PageSizes,
    /// How its table is cut.
    pub policy: Policy,
    /// How far the ends of a mixed table may reach.
    pub edges: Edges,
    /// The longest SG entry and DMA segment in bytes.
    pub max_segment: u32,
    /// How one size for all blocks is chosen.
    pub choice: Choice,
    /// What the driver returns if no size fits; `None` if it does not check.
    pub none_fits: Option<Errno>,
    /// What it returns instead of whatever `ib_umem_get()` does, if it does not pass that on.
    pub umem_error: Option<Errno>,
    /// The access flags that it does not take.
    pub refused_access: &'static [RefusedAccess],
    /// Whether it pages on demand.
    pub on_demand: OnDemand,
    /// The lengths that it refuses to exceed.
    pub length_limits: Vec<LengthLimit>,
    /// The most entries of a table: all limits that hold for this region.
    pub entry_limits: Vec<EntryLimit>,
    /// How its table lies in memory.
    pub layout: Layout,
    /// The bytes of an entry.
    pub entry_bytes: u64,
    /// The driver, if it is in the catalogue.
    pub profile: Option<&'static DeviceProfile>,
    /// The kernel that the driver is of; `None` is the newest.
    pub release: Option<Release>,
    /// Whether that kernel's vendor may have taken up drivers of later ones.
    pub vendor: bool,
}

impl Device {
    /// The driver, if it is in the catalogue but not in the kernel, and no vendor may have added it.
    pub fn missing(&self) -> Option<&'static DeviceProfile> {
        let missing = |profile: &&DeviceProfile| !self.vendor && !profile.is_in(self.release);
        self.profile.filter(missing)
    }

    /// The bugs of the driver in this release.
    pub fn bugs(&self) -> impl Iterator<Item = &'static Bug> {
        let release = self.release;
        let bugs = self.profile.map_or(&[][..], |profile| profile.bugs);
        bugs.iter().filter(move |bug| bug.is_in(release))
    }
}
