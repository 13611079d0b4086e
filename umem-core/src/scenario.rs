//! A whole question as a value: the region, the layout of its memory, the kernel, the IOMMU and the device.
//!
//! A [`Scenario`] is what the JSON says, unchecked. [`Scenario::resolve`] checks it once and
//! returns a [`Question`] that every later stage can trust, or a [`ScenarioError`] that names the field.

use crate::{
    address::{AddressError, DmaAddr, PhysAddr, VirtAddr},
    capture::Provenance,
    device::Access,
    kernel::{Kernel, Release},
    memory::{Exporter, Extents, Kind},
    size::{Bytes, PageSize},
    table::{Edges, Policy},
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::{fmt, str::FromStr};

mod area;
mod error;
mod json;
mod parsed;
pub mod presets;
mod problem;
mod read;
mod reader;
mod resolve;
pub(crate) mod set;
mod value;
#[cfg(feature = "serde")]
mod with_serde;
mod write;

pub use crate::process::{Area, Backing, ForkSupport, Memlock, ProcessSpec, Protection};
pub use area::AreaSpec;
pub use error::ScenarioError;
pub use problem::Problem;
pub use reader::{Asked, ScenarioReader};
pub use resolve::Question;

/// A question: version 1 of the scenario format.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Scenario {
    /// The format's version: 1.
    pub version: u32,
    /// A title for people.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub name: Option<String>,
    /// The registered region.
    pub region: Region,
    /// The memory behind it.
    pub memory: MemorySpec,
    /// The kernel that makes the rules.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub kernel: KernelSpec,
    /// The IOMMU between memory and the device.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub iommu: IommuSpec,
    /// The device that gets the table.
    pub device: DeviceSpec,
    /// Who registers it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub process: ProcessSpec,
    /// Where a capture comes from.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub provenance: Option<Provenance>,
}

impl Scenario {
    /// What the memory is to the kernel: on demand, too, where an access flag says so.
    pub fn kind(&self) -> Kind {
        match self.memory.kind {
            Kind::Pages if self.process.asks_for(Access::OnDemand) == Some(true) => Kind::Odp,
            kind => kind,
        }
    }
}

/// The registered region: `length` bytes from `va + offset`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Region {
    /// Where the backing memory begins: a multiple of the kernel's page.
    #[cfg_attr(
        feature = "serde",
        serde(default = "default_va", skip_serializing_if = "is_default_va")
    )]
    pub va: VirtAddr,
    /// Where the region begins, in bytes from `va`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub offset: Bytes,
    /// How long it is, in bytes.
    pub length: Bytes,
    /// The address that the NIC uses for the first byte (`ibv_reg_mr_iova()`); `va + offset` if left out.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub hca_address: Option<VirtAddr>,
}

/// The memory behind the region: a layout of pages, or extents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct MemorySpec {
    /// What it is to the kernel: pages that are pinned, a dma-buf (then this is the exporter's whole buffer, and `region.offset` says where
    /// in it the region begins), or pages that come on demand.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub kind: Kind,
    /// How the exporter of a dma-buf maps it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub exporter: Exporter,
    /// The size of its pages; the kernel's if left out.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub page_size: Option<Bytes>,
    /// How they are laid out.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub layout: Option<LayoutName>,
    /// The address of the first page; 0x40000000 if left out.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub start: Option<PhysAddr>,
    /// The seed of a scattered layout; 0 if left out.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub seed: Option<u64>,
    /// Instead of a layout: runs of physical memory, address and length, in the order of virtual addresses. Those of a dma-buf are the
    /// exporter's entries; their lengths need not be whole pages.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<(PhysAddr, Bytes)>>"))]
    pub extents: Option<Extents>,
    /// Its length from `va` on; if left out, what the region needs, or all extents.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub length: Option<Bytes>,
    /// What the mappings behind it are, in any order; ordinary writable memory where none lies.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub areas: Vec<AreaSpec>,
}

/// The layouts that need no list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum LayoutName {
    /// Page after page.
    Contiguous,
    /// Page *i* at start − *i* · page size.
    Descending,
    /// No two neighbours adjacent: see [`scattered_slot`](crate::memory::scattered_slot).
    Scattered,
}

impl LayoutName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Contiguous, Self::Descending, Self::Scattered];

    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contiguous => "contiguous",
            Self::Descending => "descending",
            Self::Scattered => "scattered",
        }
    }
}

/// The kernel: its page and its generation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct KernelSpec {
    /// `PAGE_SIZE`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default_page"))]
    pub page_size: Bytes,
    /// The name of a generation: see [`GENERATIONS`](crate::kernel::GENERATIONS).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default_rules"))]
    pub rules: String,
    /// Instead of a generation, a kernel as people name it: "6.12.117", or what `uname -r` prints. See
    /// [`Kernel::named`](crate::kernel::Kernel::named).
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub release: Option<String>,
}

impl KernelSpec {
    /// The kernel's name: its release, or the generation.
    pub fn name(&self) -> &str {
        self.release.as_deref().unwrap_or(&self.rules)
    }

    /// A generation, instead of whatever was named before.
    pub fn set_rules(&mut self, rules: impl Into<String>) {
        self.rules = rules.into();
        self.release = None;
    }

    /// The kernel's release, or the one that it is based on, if `release` names a known one: the drivers are those of that release.
    pub fn based_on(&self) -> Option<Release> {
        Kernel::named(self.release.as_deref()?).ok()?.release
    }

    /// A kernel by its release, instead of whatever was named before.
    pub fn set_release(&mut self, release: impl Into<String>) {
        self.rules = Self::default().rules;
        self.release = Some(release.into());
    }
}

impl Default for KernelSpec {
    fn default() -> Self {
        Self {
            page_size: Bytes(PageSize::K4.bytes()),
            rules: crate::kernel::KernelRules::newest().name.to_owned(),
            release: None,
        }
    }
}

/// The IOMMU: "off", a name of the catalogue, or its own description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IommuSpec {
    /// "off" (identity), or a name of [the catalogue](crate::iommu::CATALOGUE).
    Name(String),
    /// An IOMMU described by its properties.
    Custom(IommuObject),
}

impl IommuSpec {
    /// The name of identity.
    pub const OFF: &str = "off";
}

impl Default for IommuSpec {
    fn default() -> Self {
        Self::Name(Self::OFF.to_owned())
    }
}

/// An IOMMU described by its properties; what is left out comes from the catalogue entry called `name`, if there is one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct IommuObject {
    /// A name of the catalogue, or any other.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub name: Option<String>,
    /// The page sizes of its page table; VT-d's if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub page_sizes: Option<Vec<Bytes>>,
    /// "kernel", "congruent" (a proposal: the low bits of the first page's address agree with the NIC's, up to the device's largest page
    /// size), or the address of the first pinned page.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub iova: IovaSpec,
    /// The boundary that no segment crosses; 4G if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub segment_boundary: Option<Bytes>,
    /// Bits of IOVA; 48 if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub address_bits: Option<u32>,
}

/// Where the mapping begins: "kernel", "congruent", or an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IovaSpec {
    /// Where the kernel puts it.
    #[default]
    Kernel,
    /// Where its low bits agree with the NIC's address, up to the device's largest page size: a proposal.
    Congruent,
    /// By hand.
    At(DmaAddr),
}

impl IovaSpec {
    /// The word for [`Kernel`](Self::Kernel).
    pub const KERNEL: &str = "kernel";
    /// The word for [`Congruent`](Self::Congruent).
    pub const CONGRUENT: &str = "congruent";
}

impl FromStr for IovaSpec {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(match text {
            Self::KERNEL => Self::Kernel,
            Self::CONGRUENT => Self::Congruent,
            address => Self::At(address.parse()?),
        })
    }
}

impl fmt::Display for IovaSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => f.write_str(Self::KERNEL),
            Self::Congruent => f.write_str(Self::CONGRUENT),
            Self::At(address) => address.fmt(f),
        }
    }
}

/// The device: a name of the catalogue, or its own description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceSpec {
    /// A name of [the catalogue](crate::device::CATALOGUE).
    Name(String),
    /// A device described by its properties.
    Custom(DeviceObject),
}

impl DeviceSpec {
    /// The device's description, to be changed; that of a named device starts with only its name.
    pub fn customize(&mut self) -> &mut DeviceObject {
        if let Self::Name(name) = self {
            *self = Self::Custom(DeviceObject {
                name: Some(core::mem::take(name)),
                ..DeviceObject::default()
            });
        }
        match self {
            Self::Custom(object) => object,
            Self::Name(_) => unreachable!("a name has just been replaced"),
        }
    }
}

/// A device described by its properties; what is left out comes from the catalogue entry called `name`, if there is one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct DeviceObject {
    /// A name of the catalogue, or any other.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub name: Option<String>,
    /// The page sizes it supports.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub page_sizes: Option<Vec<Bytes>>,
    /// How its table is cut; mixed if left out, single for a device of the catalogue.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub policy: Option<Policy>,
    /// How far the ends of a mixed table may reach.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub edges: Edges,
    /// `dma_get_max_seg_size()` in bytes; 0xffffffff if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_segment: Option<Bytes>,
    /// The longest region that it takes, in bytes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_length: Option<Bytes>,
    /// The most entries that a region's table may have.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_entries: Option<u64>,
    /// The most entries of all regions together.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_total_entries: Option<u64>,
    /// The bytes of an entry; 8 if left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub entry_bytes: Option<u64>,
}

/// The virtual address at which the backing memory begins, if a scenario does not say.
pub const DEFAULT_VA: VirtAddr = VirtAddr::new(0x7f00_0000_0000);
/// The physical address at which layouts begin, if a scenario does not say.
pub const DEFAULT_START: PhysAddr = PhysAddr::new(0x4000_0000);

#[cfg(feature = "serde")]
mod defaults {
    use super::*;

    pub(super) fn default_va() -> VirtAddr {
        DEFAULT_VA
    }
    pub(super) fn is_default_va(va: &VirtAddr) -> bool {
        *va == DEFAULT_VA
    }
    pub(super) fn is_default_page(page: &Bytes) -> bool {
        *page == KernelSpec::default().page_size
    }
    pub(super) fn is_default_rules(rules: &str) -> bool {
        rules == KernelSpec::default().rules
    }
}
#[cfg(feature = "serde")]
use crate::notation::is_default;
#[cfg(feature = "serde")]
use defaults::{default_va, is_default_page, is_default_rules, is_default_va};
