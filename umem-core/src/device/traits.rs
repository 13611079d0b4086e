//! What can differ from driver to driver and from release to release.

use super::{Access, OnDemand, RefusedAccess};
use crate::{
    gate::{Errno, Gate},
    kernel::{Release, Since},
    size::{PageSize, PageSizes},
    table::{
        memory::{Layout, largest_kmalloc},
        single::Choice,
    },
};

/// How a driver makes a table in one release.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Traits {
    /// What it does with dma-bufs.
    pub dma_buf: DmaBufs,
    /// Whether it registers dma-bufs alone, at page-aligned addresses of the NIC, in keys that chain to another function's: mlx5 Data Direct.
    pub data_direct: bool,
    /// Whether no page is larger than the NIC's address of the first byte is aligned.
    pub page_divides_iova: bool,
    /// The sizes that the driver offers; of one that takes the kernel's page alone, those that it advertises.
    pub page_sizes: PageSizes,
    /// How it chooses among them.
    pub choice: Choice,
    /// What it returns if no size fits. `None`: it never checks.
    pub none_fits: Option<Errno>,
    /// What it returns instead of whatever `ib_umem_get()` does; `None`: it passes that on.
    pub umem_error: Option<Errno>,
    /// The access flags that it does not take.
    pub refused_access: &'static [RefusedAccess],
    /// Whether it pages on demand.
    pub on_demand: OnDemand,
    /// `ib_dma_max_seg_size()` in bytes.
    pub max_segment: u32,
    /// The longest regions that it takes.
    pub length_limits: &'static [LengthLimit],
    /// The most entries that a table can have.
    pub entry_limits: &'static [EntryLimit],
    /// How its table lies in memory.
    pub layout: Layout,
    /// The bytes of one entry.
    pub entry_bytes: u64,
    /// What the firmware reports at run time, and is assumed here.
    pub assumed: Option<&'static str>,
    /// File and function, and the release in which they were read.
    pub source: &'static str,
}

impl Traits {
    /// What most drivers have in common; each says where it differs.
    pub(super) const COMMON: Self = Self {
        dma_buf: DmaBufs::Refused,
        data_direct: false,
        page_divides_iova: false,
        page_sizes: PageSizes::EMPTY.with(PageSize::K4),
        choice: Choice::BEST,
        none_fits: Some(Errno::Einval),
        umem_error: None,
        refused_access: &[],
        on_demand: OnDemand::None,
        max_segment: u32::MAX,
        length_limits: &[],
        entry_limits: &[],
        layout: Layout::List,
        entry_bytes: 8,
        assumed: None,
        source: "",
    };
}

/// What a driver does with a dma-buf.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DmaBufs {
    /// It has no `reg_user_mr_dmabuf()`: `EOPNOTSUPP`.
    Refused,
    /// It takes them in the kernel's pages, whatever they would allow.
    KernelPage,
    /// It chooses a size as for all regions.
    Chosen,
}

/// A length that a driver refuses to exceed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LengthLimit {
    /// The longest region in bytes.
    pub most: u64,
    /// It holds only for blocks of this size.
    pub block: Option<PageSize>,
    /// What the driver returns.
    pub errno: Errno,
}

/// A number of entries that a table cannot exceed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryLimit {
    /// The most entries.
    pub most: Most,
    /// Of what.
    pub scope: Scope,
    /// It holds only for regions with this access.
    pub access: Option<Access>,
    /// Where the registration stops.
    pub gate: Gate,
    /// What the program sees.
    pub errno: Errno,
    /// What runs out, and what would help: the end of a sentence.
    pub why: &'static str,
}

impl EntryLimit {
    /// The most entries with kernel pages of `page`.
    pub fn entries(&self, page: PageSize) -> u64 {
        match self.most {
            Most::Entries(entries) => entries,
            Most::Kmalloc { entry_bytes } => largest_kmalloc(page) / entry_bytes,
        }
    }
}

/// How a limit is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Most {
    /// As a number.
    Entries(u64),
    /// As what the longest `kmalloc()` holds.
    Kmalloc {
        /// The bytes of one entry there.
        entry_bytes: u64,
    },
}

/// What a limit is a limit of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// One region.
    Region,
    /// All regions of a device together.
    Device,
    /// One attempt on an idle device: another one may succeed.
    FirstTry,
}

/// What a release changed in a driver.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Since when.
    pub since: Since,
    /// What is so since then.
    pub about: &'static str,
    /// What it does to the driver's traits.
    pub apply: fn(Traits) -> Traits,
}

impl Change {
    /// The release in which the driver began to take dma-bufs, in pages of its choice.
    pub(super) const fn takes_dma_bufs(major: u16, minor: u16) -> Self {
        Self {
            since: Since::new(major, minor),
            about: "takes dma-bufs",
            apply: |traits| Traits {
                dma_buf: DmaBufs::Chosen,
                ..traits
            },
        }
    }
}

/// A bug of a driver: tables that translate addresses wrongly, or regions that it refuses without need.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// Since when, unless always.
    pub since: Option<Since>,
    /// The first release without it, if there is one.
    pub mended: Option<Since>,
    /// Where it strikes.
    pub when: When,
    /// What the program then sees; `None` if the registration succeeds, with a wrong table.
    pub errno: Option<Errno>,
    /// What goes wrong, as a sentence without its point.
    pub about: &'static str,
}

impl Bug {
    /// Whether `release` has it; `None` is the newest.
    pub fn is_in(&self, release: Option<Release>) -> bool {
        let has = |since: &Since| release.is_none_or(|release| since.is_in(release));
        self.since.as_ref().is_none_or(has) && !self.mended.as_ref().is_some_and(has)
    }
}

/// Where a bug of a driver strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// It chose one of these sizes.
    SizeIn(PageSizes),
    /// The size that it chose does not serve the NIC's addresses.
    Unsound,
    /// Its table has fewer entries than the region has blocks.
    TooFew,
    /// The directory, as many blocks as there are 2^18 entries, is longer than any contiguous memory. From 513 entries on.
    WideDirectory,
    /// The pages of the list are a multiple of so many.
    ListPages(u64),
}

/// What a table shows of a [`Bug`].
#[derive(Clone, Copy, Debug)]
pub struct Symptoms {
    /// The size of its blocks.
    pub size: PageSize,
    /// How many there are.
    pub entries: u64,
    /// How many there should be.
    pub blocks: u64,
    /// Whether the size serves the NIC's addresses.
    pub sound: bool,
    /// The kernel's page.
    pub page: PageSize,
}

impl When {
    /// Where the registration stops, if the driver refuses it.
    pub const fn gate(self) -> Gate {
        match self {
            Self::SizeIn(_) | Self::Unsound => Gate::PageSize,
            Self::TooFew | Self::WideDirectory | Self::ListPages(_) => Gate::Table,
        }
    }

    /// Whether the bug strikes.
    pub fn strikes(self, symptoms: &Symptoms) -> bool {
        let Symptoms { size, entries, .. } = *symptoms;
        match self {
            Self::SizeIn(sizes) => sizes.contains(size),
            Self::Unsound => !symptoms.sound,
            Self::TooFew => entries < symptoms.blocks,
            Self::WideDirectory => {
                let directory = entries.div_ceil(1 << 18).saturating_mul(size.bytes());
                entries > 512 && directory > largest_kmalloc(symptoms.page)
            }
            Self::ListPages(multiple) => {
                // A list of up to 8 kernel pages is contiguous as a rule: it has no chunks.
                let pages = entries.div_ceil(512);
                pages > 8 && pages.is_multiple_of(multiple)
            }
        }
    }
}

/// The sizes from 4K to 2^`most_log2`.
pub(super) const fn from_4k(most_log2: u32) -> PageSizes {
    match PageSize::from_log2(most_log2) {
        Some(most) => PageSizes::range(PageSize::K4, most),
        None => PageSizes::EMPTY,
    }
}

/// 4K and 2M.
pub(super) const SMALL_AND_HUGE: PageSizes = PageSizes::from_bits(0x20_1000);
/// 4K, 2M and 1G.
pub(super) const CPU_LIKE: PageSizes = PageSizes::from_bits(0x4020_1000);
