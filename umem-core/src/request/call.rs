//! What the gates before the SG list look at: the call's arguments, the process, the mappings, the driver.

use crate::{
    capture::RefusedPages,
    device::{Access, Device},
    gate::Errno,
    kernel::{Release, Since},
    memory::Kind,
    process::{Area, ProcessSpec},
    size::PageSize,
};

/// A call of `ibv_reg_mr()`, with everything that the gates before the SG list look at.
///
/// Its values are unchecked: the range may be empty or wrap around.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    /// What the memory is to the kernel.
    pub(crate) kind: Kind,
    /// The first byte.
    pub(crate) start: u64,
    /// How many bytes.
    pub(crate) length: u64,
    /// The address that the NIC uses.
    pub(crate) hca: u64,
    /// The kernel's page.
    pub(crate) page: PageSize,
    /// The size of the memory's pages, if the scenario gives it.
    pub(crate) memory_page: PageSize,
    /// Who calls.
    pub(crate) process: &'a ProcessSpec,
    /// The mappings that are known.
    pub(crate) areas: &'a [Area],
    /// What a capture found about the mapping.
    pub(crate) captured: Option<Option<&'a RefusedPages>>,
    /// The device and its driver.
    pub(crate) device: &'a Device,
}

impl Request<'_> {
    /// Whether the driver's kernel has what came with `since`; the newest, if the kernel is not known.
    pub(super) fn has(&self, since: Since) -> bool {
        self.device
            .release
            .is_none_or(|release| since.is_in(release))
    }

    /// The driver's kernel, if it is known.
    pub(super) fn release(&self) -> Option<Release> {
        self.device.release
    }

    /// Whether the call asks for the access; `None` if that is not known.
    pub(super) fn asks_for(&self, access: Access) -> Option<bool> {
        self.process.asks_for(access)
    }

    /// Whether the memory comes on demand.
    pub(super) fn is_on_demand(&self) -> bool {
        self.kind == Kind::Odp || self.asks_for(Access::OnDemand) == Some(true)
    }

    /// Why no page of the process is pinned; `None` if each is.
    pub(crate) fn unpinned(&self) -> Option<&'static str> {
        match self.is_on_demand() {
            true => Kind::Odp.unpinned(),
            false => self.kind.unpinned(),
        }
    }

    /// Whether the NIC writes, so that the memory must be writable: `ib_access_writable()`.
    pub(super) fn writes(&self) -> Option<bool> {
        let access = self.process.access.as_ref()?;
        Some(access.iter().any(|access| access.writes()))
    }

    /// Where the region ends, and the end of its last page: `None` if either is beyond 2^64 - 1.
    pub(super) fn ends(&self) -> Option<(u64, u64)> {
        let end = self.start.checked_add(self.length)?;
        Some((end, self.page.align_up(end)?))
    }

    /// How many pages it touches; 0 if it is empty or wraps around.
    pub(super) fn pages(&self) -> u64 {
        match self.ends() {
            Some((end, _)) if end == self.start => 0,
            Some((_, last)) => (last - self.page.align_down(self.start)) >> self.page.log2(),
            None => 0,
        }
    }

    /// The areas that the region's pages touch, in the order of addresses.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Area> {
        let first = self.page.align_down(self.start);
        let last = self.ends().map_or(u64::MAX, |(_, last)| last);
        self.areas
            .iter()
            .filter(move |area| area.start < last && area.end > first)
    }

    /// Where the region first touches the area.
    pub(super) fn first_of(&self, area: &Area) -> u64 {
        area.start.max(self.page.align_down(self.start))
    }

    /// What the program sees where `ib_umem_get()` returns `errno`: some drivers return one errno for everything.
    pub(super) fn seen(&self, errno: Errno) -> Errno {
        self.device.umem_error.unwrap_or(errno)
    }

    /// The end of a sentence if the driver hides the kernel's errno: "; hns returns ENOMEM for every failure to pin".
    pub(super) fn hidden(&self, errno: Errno) -> alloc::string::String {
        match (self.device.umem_error, self.device.profile) {
            (Some(seen), Some(driver)) if seen != errno => alloc::format!(
                "; the kernel says {errno}, but {} returns {seen} for whatever ib_umem_get() returns",
                driver.name
            ),
            _ => alloc::string::String::new(),
        }
    }
}
