//! From what a scenario says to what the stages can trust.

use super::{
    DEFAULT_START, DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, LayoutName,
    Scenario, ScenarioError,
};
use crate::{
    address::{Extent, VirtAddr},
    device::{self, DeviceProfile, Sizing},
    iommu::{self, Iova, IovaLayout, Translation},
    kernel::{GENERATIONS, KernelRules},
    memory::{self, Layout, Memory},
    size::{Bytes, PageSize, PageSizes},
    table::{Edges, Mr, Policy},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// A scenario that has been proven: every address in range, every size a power of two, every name known.
#[derive(Clone, Debug)]
pub struct Question {
    /// The backing memory.
    pub memory: Memory,
    /// The region.
    pub mr: Mr,
    /// The kernel's rules.
    pub rules: &'static KernelRules,
    /// The IOMMU, unless it is off.
    pub iommu: Option<Translation>,
    /// The IOMMU's profile, where it is of the catalogue.
    pub iommu_profile: Option<&'static iommu::IommuProfile>,
    /// The device.
    pub device: Device,
}

/// A device whose every value is known.
#[derive(Clone, Debug)]
pub struct Device {
    /// What the scenario calls it.
    pub name: Option<String>,
    /// The sizes its entries may have.
    pub page_sizes: PageSizes,
    /// How its table is cut.
    pub policy: Policy,
    /// What the ends of a mixed table may do.
    pub edges: Edges,
    /// The longest SG entry and DMA segment in bytes.
    pub max_segment: u32,
    /// The most entries of a table.
    pub max_entries: Option<u64>,
    /// The longest region in bytes.
    pub max_length: Option<u64>,
    /// The bytes of an entry.
    pub entry_bytes: u64,
    /// The driver, where it is of the catalogue.
    pub profile: Option<&'static DeviceProfile>,
}

impl Scenario {
    /// Proves the scenario.
    ///
    /// # Errors
    /// The first field that is wrong, with what was expected of it.
    pub fn resolve(&self) -> Result<Question, ScenarioError> {
        if self.version != 1 {
            return Err(ScenarioError::new(
                "version",
                format_args!("is {}, but this program knows version 1 only", self.version),
            ));
        }
        let page = kernel_page(self.kernel.page_size)?;
        let rules = KernelRules::find(&self.kernel.rules).ok_or_else(|| {
            unknown(
                "kernel.rules",
                &self.kernel.rules,
                GENERATIONS.iter().map(|rules| rules.name),
            )
        })?;
        let mr = self.mr(page)?;
        let memory = self.memory(&mr)?;
        let device = self.device(page)?;
        let (iommu, iommu_profile) = self.iommu(page)?;
        Ok(Question {
            memory,
            mr,
            rules,
            iommu,
            iommu_profile,
            device,
        })
    }

    fn mr(&self, page: PageSize) -> Result<Mr, ScenarioError> {
        let region = &self.region;
        let (va, Bytes(offset), Bytes(length)) = (region.va, region.offset, region.length);
        if va.offset_in(page) != 0 {
            return Err(ScenarioError::new(
                "region.va",
                format_args!("{va} is no multiple of the kernel's page ({page})"),
            ));
        }
        if length == 0 {
            return Err(ScenarioError::new(
                "region.length",
                "is 0, and the kernel registers no empty region (EINVAL): give at least 1 byte",
            ));
        }
        let address = va.checked_add(offset).ok_or_else(|| {
            ScenarioError::new(
                "region.offset",
                format_args!(
                    "{} from {va} passes the end of the address space",
                    region.offset
                ),
            )
        })?;
        // `PAGE_ALIGN(addr + size)` must not wrap either.
        address
            .checked_add(length)
            .and_then(|end| page.align_up(end.get()))
            .ok_or_else(|| {
                ScenarioError::new(
                    "region.length",
                    format_args!(
                        "{} from {address} passes the end of the address space",
                        region.length
                    ),
                )
            })?;
        let mr = Mr {
            address: address.get(),
            length,
            hca_address: address.get(),
            page,
            offset,
        };
        if mr.pages() > u64::from(u32::MAX) {
            return Err(ScenarioError::new(
                "region.length",
                format_args!(
                    "{} are {} pages of {page}, and the kernel registers at most {} at once (ib_umem_get() returns EINVAL \
                     above UINT_MAX): split the region",
                    region.length,
                    mr.pages(),
                    u32::MAX
                ),
            ));
        }
        let Some(hca) = region.hca_address else {
            return Ok(mr);
        };
        if hca.offset_in(page) != mr.page_offset() {
            return Err(ScenarioError::new(
                "region.hca_address",
                format_args!(
                    "{hca} and the region's address {address} differ below the kernel's page ({page}), which uverbs refuses \
                     (EINVAL): make their offsets in the page equal"
                ),
            ));
        }
        if hca.checked_add(length).is_none() {
            return Err(ScenarioError::new(
                "region.hca_address",
                format_args!(
                    "{} from {hca} passes the end of the address space",
                    region.length
                ),
            ));
        }
        Ok(Mr {
            hca_address: hca.get(),
            ..mr
        })
    }

    fn memory(&self, mr: &Mr) -> Result<Memory, ScenarioError> {
        let spec = &self.memory;
        let page_size = match spec.page_size {
            Some(size) => power_of_two("memory.page_size", size)?,
            None => mr.page,
        };
        if page_size < mr.page {
            return Err(ScenarioError::new(
                "memory.page_size",
                format_args!(
                    "{page_size} is smaller than the kernel's page ({})",
                    mr.page
                ),
            ));
        }
        let end = mr.offset + mr.length;
        let length = match spec.length {
            Some(Bytes(length)) if !mr.page.divides(length) => {
                return Err(ScenarioError::new(
                    "memory.length",
                    format_args!(
                        "{} is no multiple of the kernel's page ({})",
                        Bytes(length),
                        mr.page
                    ),
                ));
            }
            Some(Bytes(length)) => Some(length),
            None => None,
        };
        let beyond = |length: u64| {
            let field = if mr.offset >= length {
                "region.offset"
            } else {
                "region.length"
            };
            ScenarioError::new(
                field,
                format_args!(
                    "the region ends {} after region.va, beyond the {} of memory: make it shorter, or memory.length longer",
                    Bytes(end),
                    Bytes(length)
                ),
            )
        };
        if let Some(length) = length.filter(|length| end > *length) {
            return Err(beyond(length));
        }
        let (layout, length) = match (&spec.extents, spec.layout) {
            (Some(_), Some(_)) => {
                return Err(ScenarioError::new(
                    "memory",
                    "has both layout and extents: give one of them",
                ));
            }
            (None, None) => {
                return Err(ScenarioError::new(
                    "memory",
                    "has neither layout nor extents: give one of them",
                ));
            }
            (Some(list), None) => {
                if spec.start.is_some() || spec.seed.is_some() {
                    let field = if spec.start.is_some() {
                        "memory.start"
                    } else {
                        "memory.seed"
                    };
                    return Err(ScenarioError::new(
                        field,
                        "belongs to a layout, but the memory is given by extents: leave it out",
                    ));
                }
                let (runs, total) = extents(list, mr.page)?;
                if end > total {
                    return Err(beyond(total));
                }
                match length.filter(|length| *length > total) {
                    Some(length) => {
                        return Err(ScenarioError::new(
                            "memory.length",
                            format_args!(
                                "{} are more than the extents' {}",
                                Bytes(length),
                                Bytes(total)
                            ),
                        ));
                    }
                    None => (Layout::Extents(runs), length.unwrap_or(total)),
                }
            }
            (None, Some(name)) => {
                let length = length
                    .or_else(|| page_size.align_up(end))
                    .ok_or_else(|| beyond(u64::MAX))?;
                (self.layout(name, page_size, length)?, length)
            }
        };
        Ok(Memory {
            page_size,
            length,
            layout,
        })
    }

    fn layout(
        &self,
        name: LayoutName,
        page: PageSize,
        length: u64,
    ) -> Result<Layout, ScenarioError> {
        let start = self.memory.start.unwrap_or(DEFAULT_START);
        if start.offset_in(page) != 0 {
            return Err(ScenarioError::new(
                "memory.start",
                format_args!("{start} is no multiple of the memory's page ({page})"),
            ));
        }
        let pages = length.div_ceil(page.bytes());
        let overflow = || {
            ScenarioError::new(
                "memory.start",
                format_args!(
                    "{} of {} memory from {start} leave the address space",
                    Bytes(length),
                    name.name()
                ),
            )
        };
        // The whole of the last page, and one byte more, so that every run's end is a number.
        let slots = match name {
            LayoutName::Descending => 1,
            LayoutName::Contiguous => pages,
            LayoutName::Scattered => memory::scattered_slots(pages),
        };
        slots
            .checked_mul(page.bytes())
            .and_then(|bytes| start.checked_add(bytes))
            .ok_or_else(overflow)?;
        Ok(match name {
            LayoutName::Contiguous => Layout::Contiguous(start),
            LayoutName::Descending if (pages - 1) > start.get() >> page.log2() => {
                return Err(overflow());
            }
            LayoutName::Descending => Layout::Descending(start),
            LayoutName::Scattered => Layout::Scattered {
                start,
                seed: self.memory.seed.unwrap_or(0),
            },
        })
    }

    fn iommu(
        &self,
        page: PageSize,
    ) -> Result<(Option<Translation>, Option<&'static iommu::IommuProfile>), ScenarioError> {
        let names = || {
            [IommuSpec::OFF]
                .into_iter()
                .chain(iommu::CATALOGUE.iter().map(|profile| profile.name))
        };
        let nothing = IommuObject::default();
        let (object, profile) = match &self.iommu {
            IommuSpec::Name(name) if name == IommuSpec::OFF => return Ok((None, None)),
            IommuSpec::Name(name) => (
                &nothing,
                Some(iommu::find(name).ok_or_else(|| unknown("iommu", name, names()))?),
            ),
            IommuSpec::Custom(object) => (object, object.name.as_deref().and_then(iommu::find)),
        };
        let base = profile.unwrap_or(&iommu::CATALOGUE[0]).translation();
        let page_sizes = match &object.page_sizes {
            Some(sizes) => parse_page_sizes("iommu.page_sizes", sizes)?,
            None => base.page_sizes,
        };
        let translation = Translation {
            page_sizes,
            iova: match object.iova {
                IovaSpec::Kernel => Iova::Kernel,
                IovaSpec::At(address) => Iova::At(address),
            },
            segment_boundary: match object.segment_boundary {
                Some(size) => power_of_two("iommu.segment_boundary", size)?,
                None => base.segment_boundary,
            },
            address_bits: object.address_bits.unwrap_or(base.address_bits),
            layout: base.layout,
        };
        if translation.granule() > page {
            // Apple's DART: a granule above the kernel's page means identity. Elsewhere the kernel refuses the domain.
            if profile.is_some_and(|profile| profile.name == "dart") {
                return Ok((None, profile));
            }
            return Err(ScenarioError::new(
                if object.page_sizes.is_some() {
                    "iommu.page_sizes"
                } else {
                    "iommu"
                },
                format_args!(
                    "its smallest page ({}) is larger than the kernel's ({page}), and then Linux does not use it",
                    translation.granule()
                ),
            ));
        }
        if translation.segment_boundary < page {
            return Err(ScenarioError::new(
                "iommu.segment_boundary",
                format_args!(
                    "{} is less than the kernel's page ({page})",
                    translation.segment_boundary
                ),
            ));
        }
        if !(page.log2() + 1..=64).contains(&translation.address_bits) {
            return Err(ScenarioError::new(
                "iommu.address_bits",
                format_args!(
                    "{} is not between {} and 64",
                    translation.address_bits,
                    page.log2() + 1
                ),
            ));
        }
        if let Iova::At(address) = translation.iova
            && address.offset_in(translation.granule()) != 0
        {
            return Err(ScenarioError::new(
                "iommu.iova",
                format_args!(
                    "{address} is no multiple of the smallest IO page ({})",
                    translation.granule()
                ),
            ));
        }
        Ok((Some(translation), profile))
    }

    fn device(&self, page: PageSize) -> Result<Device, ScenarioError> {
        let nothing = DeviceObject::default();
        let (object, profile) = match &self.device {
            DeviceSpec::Name(name) => {
                let known = || device::CATALOGUE.iter().map(|profile| profile.name);
                (
                    &nothing,
                    Some(device::find(name).ok_or_else(|| unknown("device", name, known()))?),
                )
            }
            DeviceSpec::Custom(object) => (object, object.name.as_deref().and_then(device::find)),
        };
        let page_sizes = match (&object.page_sizes, profile) {
            (Some(sizes), _) => parse_page_sizes("device.page_sizes", sizes)?,
            (None, Some(profile)) if profile.sizing == Sizing::KernelPage => {
                PageSizes::EMPTY.with(page)
            }
            (None, Some(profile)) => profile.page_sizes,
            (None, None) => {
                return Err(ScenarioError::new(
                    "device.page_sizes",
                    "is missing: say which page sizes the device supports, such as [\"4K\", \"2M\"]",
                ));
            }
        };
        let max_segment = match object.max_segment {
            Some(Bytes(bytes)) => u32::try_from(bytes).map_err(|_| {
                ScenarioError::new(
                    "device.max_segment",
                    format_args!(
                        "{} is more than 0xffffffff, the most that Linux has",
                        Bytes(bytes)
                    ),
                )
            })?,
            None => profile.map_or(u32::MAX, |profile| profile.max_segment),
        };
        if u64::from(max_segment) < page.bytes() {
            return Err(ScenarioError::new(
                "device.max_segment",
                format_args!(
                    "{} is less than the kernel's page ({page}), which Linux refuses (EINVAL)",
                    Bytes(max_segment.into())
                ),
            ));
        }
        let positive = |field: &str, value: Option<u64>| match value {
            Some(0) => Err(ScenarioError::new(
                field,
                "is 0: give at least 1, or leave it out",
            )),
            Some(value) if value >= 1 << 53 => Err(ScenarioError::new(
                field,
                format_args!("{value} is 2^53 or more"),
            )),
            value => Ok(value),
        };
        let max_entries = positive("device.max_entries", object.max_entries)?;
        let entry_bytes = match object.entry_bytes {
            Some(bytes) if bytes > 4096 => {
                return Err(ScenarioError::new(
                    "device.entry_bytes",
                    format_args!("{bytes} is more than 4096"),
                ));
            }
            bytes => bytes,
        };
        Ok(Device {
            name: match &self.device {
                DeviceSpec::Name(name) => Some(name.clone()),
                DeviceSpec::Custom(object) => object.name.clone(),
            },
            page_sizes,
            policy: object
                .policy
                .unwrap_or(profile.map_or(Policy::Mixed, |_| DeviceProfile::POLICY)),
            edges: object.edges,
            max_segment,
            max_entries: max_entries.or(profile.and_then(|profile| profile.max_entries)),
            max_length: profile.and_then(|profile| profile.max_length),
            entry_bytes: entry_bytes.unwrap_or(profile.map_or(8, |profile| profile.entry_bytes)),
            profile,
        })
    }
}

impl Question {
    /// The virtual address of the region's first byte.
    pub fn address(&self) -> VirtAddr {
        VirtAddr::new(self.mr.address)
    }

    /// Whether device addresses are looked up in an IOMMU: not those of software devices.
    pub fn translation(&self) -> Option<Translation> {
        self.iommu
            .filter(|_| !self.device.profile.is_some_and(|profile| profile.virt_dma))
    }

    /// Whether all of the rules that this question needs were confirmed by a lab, and by which.
    pub fn verified(&self) -> Option<String> {
        let kernel = self.rules.verified?;
        match (self.translation(), self.iommu_profile) {
            (None, _) => Some(kernel.to_owned()),
            (
                Some(Translation {
                    layout: IovaLayout::EachEntry,
                    ..
                }),
                _,
            )
            | (Some(_), None) => None,
            (Some(_), Some(profile)) => profile.verified.map(|iommu| format!("{kernel}; {iommu}")),
        }
    }
}

fn unknown<'a>(field: &str, name: &str, known: impl Iterator<Item = &'a str>) -> ScenarioError {
    let known: Vec<_> = known.collect();
    ScenarioError::new(
        field,
        format_args!(
            "\"{name}\" is not known here; there are {}",
            known.join(", ")
        ),
    )
}

fn power_of_two(field: &str, Bytes(bytes): Bytes) -> Result<PageSize, ScenarioError> {
    PageSize::new(bytes)
        .filter(|size| size.log2() < 53)
        .ok_or_else(|| {
            ScenarioError::new(
                field,
                format_args!("{} is no power of two below 8P", Bytes(bytes)),
            )
        })
}

fn kernel_page(size: Bytes) -> Result<PageSize, ScenarioError> {
    let page = power_of_two("kernel.page_size", size)?;
    match page.log2() {
        12..=18 => Ok(page),
        _ => Err(ScenarioError::new(
            "kernel.page_size",
            format_args!("{page} is not between 4K and 256K, the pages that Linux has"),
        )),
    }
}

fn parse_page_sizes(field: &str, sizes: &[Bytes]) -> Result<PageSizes, ScenarioError> {
    if sizes.is_empty() {
        return Err(ScenarioError::new(
            field,
            "is empty: give at least one size",
        ));
    }
    sizes
        .iter()
        .enumerate()
        .map(|(i, size)| power_of_two(&format!("{field}[{i}]"), *size))
        .collect()
}

/// The extents with their offsets, and their length together.
fn extents(
    list: &[(crate::address::PhysAddr, Bytes)],
    page: PageSize,
) -> Result<(Vec<memory::FrameRun>, u64), ScenarioError> {
    let mut total = 0u64;
    let mut runs = Vec::with_capacity(list.len());
    for (i, &(start, Bytes(length))) in list.iter().enumerate() {
        let wrong = |problem: &str| {
            ScenarioError::new(
                format_args!("memory.extents[{i}]"),
                format_args!("[{start}, {}] {problem}", Bytes(length)),
            )
        };
        if length == 0 {
            return Err(wrong("is empty"));
        }
        if start.offset_in(page) != 0 || !page.divides(length) {
            return Err(wrong(&format!(
                "is not made of whole kernel pages ({page})"
            )));
        }
        if start.checked_add(length).is_none() {
            return Err(wrong("leaves the address space"));
        }
        runs.push(Extent {
            offset: total,
            start,
            length,
        });
        total = total
            .checked_add(length)
            .filter(|total| *total <= i64::MAX as u64)
            .ok_or_else(|| wrong("makes the memory too long"))?;
    }
    if runs.is_empty() {
        return Err(ScenarioError::new(
            "memory.extents",
            "is empty: give at least one extent",
        ));
    }
    Ok((runs, total))
}
