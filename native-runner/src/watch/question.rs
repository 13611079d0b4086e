//! What was seen, as a scenario: a capture with the kernel's own addresses and limits.

use std::time::SystemTime;

use umem_core::{
    address::{DmaAddr, PhysAddr, VirtAddr},
    capture::{Asked, Assumed, Provenance},
    device::Access,
    scenario::{
        DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, Memlock, MemorySpec,
        ProcessSpec, Region, Scenario,
    },
    size::Bytes,
    table::Policy,
};

use super::{
    machine::{Facts, Machine},
    seen::Seen,
    wire::Kind,
};

/// `IB_ACCESS_…`, by bit.
const ACCESS: [(u32, Access); 11] = [
    (0, Access::LocalWrite),
    (1, Access::RemoteWrite),
    (2, Access::RemoteRead),
    (3, Access::RemoteAtomic),
    (4, Access::MwBind),
    (5, Access::ZeroBased),
    (6, Access::OnDemand),
    (7, Access::Hugetlb),
    (8, Access::FlushGlobal),
    (9, Access::FlushPersistent),
    (20, Access::RelaxedOrdering),
];

impl Seen {
    /// The rights that were asked for.
    pub fn access(&self) -> Vec<Access> {
        let asked = ACCESS
            .iter()
            .filter(|(bit, _)| self.get.access & 1 << bit != 0);
        asked.map(|(_, access)| *access).collect()
    }

    /// How the kernel's IOMMU treats the device, as sysfs would call it.
    pub fn iommu_mode(&self) -> &'static str {
        match self.get.domain_type {
            _ if !self.get.has_dma_device => IommuSpec::OFF,
            None => IommuSpec::OFF,
            Some(0) => "blocked",
            Some(kind) if kind & 1 == 0 => "identity",
            Some(kind) if kind & 2 == 0 => "unmanaged",
            Some(kind) if kind & 8 == 0 => "DMA",
            Some(_) => "DMA-FQ",
        }
    }

    /// The scenario whose answers the kernel gave.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn scenario(&self, machine: &mut Machine, time: SystemTime) -> Result<Scenario, String> {
        if let Some(errno) = self.errno() {
            return Err(format!("it was refused (errno {errno})"));
        }
        let list = match (self.kind(), &self.list) {
            (Kind::Pages, Some(list)) if list.is_whole() => list,
            (Kind::Pages, _) => return Err("its list is not whole".into()),
            _ => return Err("only pinned pages have a list".into()),
        };
        if !list.has_frames {
            return Err("the frame numbers are hidden: run it as root".into());
        }
        let page = machine.page;
        let mr = self.mr(page).ok_or("its length is no region's")?;
        let mut extents: Vec<(PhysAddr, Bytes)> = Vec::new();
        for &(start, length) in &list.memory {
            match extents.last_mut() {
                Some((first, before)) if first.get().wrapping_add(before.0) == start => {
                    before.0 += length;
                }
                _ => extents.push((PhysAddr::new(start), Bytes(length))),
            }
        }
        let facts = machine.device(&self.get.name);
        let (offset, time) = (mr.page_offset(), humantime::format_rfc3339_seconds(time));
        let scenario = Scenario {
            version: 1,
            name: Some(format!(
                "registered by {} ({})",
                self.get.comm,
                self.get.pid()
            )),
            region: Region {
                va: VirtAddr::new(self.get.address - offset),
                offset: Bytes(offset),
                length: Bytes(self.get.length),
                hca_address: (mr.hca_address != mr.address).then_some(mr.hca_address),
            },
            memory: MemorySpec {
                extents: Some(extents.into()),
                ..MemorySpec::default()
            },
            kernel: machine.kernel(),
            iommu: self.iommu(&facts, list.dma.first().map_or(0, |(start, _)| *start)),
            device: self.device(&facts)?,
            process: self.process(page.bytes()),
            provenance: Some(Provenance {
                kernel: machine.release.clone(),
                page_size: Bytes(page.bytes()),
                device: Some(self.get.name.clone()).filter(|name| !name.is_empty()),
                iommu_mode: Some(self.iommu_mode().to_owned()),
                time: time.to_string(),
                rebased: false,
                asked: Some(Asked {
                    start: VirtAddr::new(self.get.address),
                    length: Bytes(self.get.length),
                }),
                assumed: Assumed {
                    rules: machine.rules.as_ref().err().map(|why| {
                        format!("the kernel follows the newest rules known, because {why}")
                    }),
                    ..Assumed::default()
                },
                ..Provenance::default()
            }),
        };
        // What cannot be asked is not worth keeping.
        scenario.resolve().map_err(|error| error.to_string())?;
        Ok(scenario)
    }

    /// As the kernel placed it: where it begins is no longer a question.
    fn iommu(&self, facts: &Facts, first: u64) -> IommuSpec {
        if !self.is_translated() {
            return IommuSpec::default();
        }
        let sizes = (0..63)
            .filter(|bit| self.get.domain_pages & 1 << bit != 0)
            .map(|bit| Bytes(1 << bit));
        IommuSpec::Custom(IommuObject {
            name: facts.iommu.map(str::to_owned),
            page_sizes: Some(sizes.collect()),
            iova: IovaSpec::At(DmaAddr::new(first)),
            // No boundary at all is one that nothing reaches.
            segment_boundary: Some(Bytes(
                self.boundary_mask().checked_add(1).unwrap_or(1 << 63),
            )),
            address_bits: Some(64),
        })
    }

    /// With the sizes that it told the kernel; else as the catalogue has it.
    fn device(&self, facts: &Facts) -> Result<DeviceSpec, String> {
        let Some(best) = self.best else {
            return match facts.driver {
                Some(driver) => Ok(DeviceSpec::Name(driver.to_owned())),
                None => Err("neither its driver nor its page sizes are known".into()),
            };
        };
        let sizes = (0..63)
            .filter(|bit| best.sizes & 1 << bit != 0)
            .map(|bit| Bytes(1 << bit));
        Ok(DeviceSpec::Custom(DeviceObject {
            name: Some(self.get.name.clone()).filter(|name| !name.is_empty()),
            page_sizes: Some(sizes.collect()),
            policy: Some(Policy::Single),
            max_segment: Some(Bytes(self.max_segment().into())),
            ..DeviceObject::default()
        }))
    }

    fn process(&self, page: u64) -> ProcessSpec {
        let get = &self.get;
        ProcessSpec {
            access: Some(self.access()),
            memlock: Some(match get.memlock {
                u64::MAX => Memlock::Unlimited,
                bytes => Memlock::Bytes(Bytes(bytes)),
            }),
            pinned: Some(Bytes(get.pinned.saturating_mul(page))),
            privileged: Some(get.capabilities & 1 << 14 != 0),
            ..ProcessSpec::default()
        }
    }
}
