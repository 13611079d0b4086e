//! The drivers of Linux as data: which page sizes they use, how they cut a table, what limits them.
//!
//! Where a device's firmware reports a value at run time, the one here is assumed, and says so in
//! [`DeviceProfile::assumed`]; a scenario can override it.

use crate::{
    size::{PageSize, PageSizes},
    table::Policy,
};

/// How a driver finds the page size of a user's memory region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sizing {
    /// It asks `ib_umem_find_best_pgsz()` for the best of its sizes.
    Best,
    /// It always takes the kernel's page.
    KernelPage,
}

/// An RDMA driver of Linux 7.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceProfile {
    /// The driver's name, and the device's in scenarios.
    pub name: &'static str,
    /// Whose device it is.
    pub title: &'static str,
    /// The sizes that the driver offers for a user's memory region.
    pub page_sizes: PageSizes,
    /// How it chooses among them.
    pub sizing: Sizing,
    /// What the driver calls its table.
    pub table: &'static str,
    /// The bytes of one entry.
    pub entry_bytes: u64,
    /// `ib_dma_max_seg_size()` in bytes.
    pub max_segment: u32,
    /// The most entries that a region's table may have, where the driver says.
    pub max_entries: Option<u64>,
    /// The longest region in bytes, where the driver says.
    pub max_length: Option<u64>,
    /// What the table costs beyond its entries, in words.
    pub layout: &'static str,
    /// Whether "DMA addresses" are kernel virtual ones: software devices never see an IOMMU.
    pub virt_dma: bool,
    /// What the firmware reports at run time, and is assumed here.
    pub assumed: Option<&'static str>,
    /// The function and kernel version that say so.
    pub source: &'static str,
}

impl DeviceProfile {
    /// The policy of every driver in mainline.
    pub const POLICY: Policy = Policy::Single;
}

const UINT_MAX: u32 = u32::MAX;
const G1: u32 = 1 << 30;
const G2: u32 = 1 << 31;

const fn from_4k(most_log2: u32) -> PageSizes {
    match PageSize::from_log2(most_log2) {
        Some(most) => PageSizes::range(PageSize::K4, most),
        None => PageSizes::EMPTY,
    }
}

/// 4K, 2M and 1G.
const CPU_LIKE: PageSizes = PageSizes::from_bits(0x4020_1000);

/// What most drivers have in common; the catalogue says where each differs.
const COMMON: DeviceProfile = DeviceProfile {
    name: "",
    title: "",
    page_sizes: PageSizes::EMPTY,
    sizing: Sizing::Best,
    table: "page list",
    entry_bytes: 8,
    max_segment: UINT_MAX,
    max_entries: None,
    max_length: None,
    layout: "",
    virt_dma: false,
    assumed: None,
    source: "",
};

/// The 19 devices that a scenario can name.
pub static CATALOGUE: [DeviceProfile; 19] = [
    DeviceProfile {
        name: "mlx5",
        title: "NVIDIA ConnectX-4 and later, BlueField",
        page_sizes: from_4k(31),
        table: "MTT",
        max_segment: G2,
        layout: "translation entries in units of 64 bytes (8 entries)",
        assumed: Some(
            "log_min_mkey_entity_size 12; max_mkey_log_entity_size_mtt 31, as where the capability is 0",
        ),
        source: "mlx5_ib.h: mlx5_umem_mkc_find_best_pgsz(); core/main.c: SZ_2G segments [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "mlx4",
        title: "NVIDIA ConnectX-3",
        page_sizes: from_4k(31),
        table: "MTT",
        max_segment: G1,
        source: "mlx4_ib.h: mlx4_ib_umem_calc_optimal_mtt_size(), GENMASK(31, 12) since 6.14 [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "bnxt_re",
        title: "Broadcom NetXtreme-E",
        page_sizes: from_4k(30),
        table: "PBL",
        max_length: Some(1 << 39),
        layout: "one level up to 512 pages, above that pages of 512 pointers and a directory; sized to a power of two",
        source: "ib_verbs.c: __bnxt_re_user_reg_mr(), page_size_cap 0x7ffff000 [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "irdma",
        title: "Intel E810 (GEN2) and later",
        page_sizes: CPU_LIKE,
        table: "PBLE",
        max_length: Some(0x2000_0000_0000),
        layout: "none for one contiguous region; one level if the list itself is contiguous, else a root and leaves of 512",
        source: "verbs.c: irdma_alloc_iwmr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "irdma-x722",
        title: "Intel X722 (GEN1)",
        page_sizes: PageSizes::from_bits(0x20_1000),
        table: "PBLE",
        max_length: Some(0x2000_0000_0000),
        layout: "none for one contiguous region; one level if the list itself is contiguous, else a root and leaves of 512",
        source: "i40iw_hw.c: page_size_cap without 1G since 5.19 [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "efa",
        title: "Amazon Elastic Fabric Adapter",
        page_sizes: from_4k(31),
        table: "PBL",
        layout: "up to 4 inline; else one contiguous buffer, or chunks of 510 pointers to 4K blocks of 512 entries",
        assumed: Some("page_size_cap 0xfffff000, as a device's log showed"),
        source: "efa_verbs.c: efa_register_mr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "hns",
        title: "HiSilicon RoCE",
        page_sizes: from_4k(31),
        table: "PBL",
        max_segment: G2,
        layout: "up to 3 hops of base-address pages (16K by default)",
        assumed: Some("page_size_cap 0xfffff000, the driver's default"),
        source: "hns_roce_mr.c: get_best_page_shift(), since 6.9 [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "erdma",
        title: "Alibaba Elastic RDMA",
        page_sizes: from_4k(30),
        table: "MTT",
        layout: "up to 4 inline; one level where contiguous, up to three where scattered",
        source: "erdma_verbs.c: get_mtt_entries(), SZ_2G - SZ_4K [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "mana_ib",
        title: "Microsoft Azure Network Adapter",
        page_sizes: from_4k(21),
        table: "DMA region",
        layout: "sent to the device in messages of its largest request size",
        assumed: Some("no GDMA_PAGES_4MB_1GB_2GB; with it also 4M, 1G and 2G"),
        source: "main.c: mana_ib_create_dma_region() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "ionic",
        title: "AMD Pensando",
        page_sizes: CPU_LIKE,
        table: "page table",
        max_segment: 1 << 16,
        layout: "none for one page: base and offset",
        assumed: Some("page sizes 0x40201000, where the firmware does not report them"),
        source: "ionic_controlpath.c: ionic_reg_user_mr(); no dma_set_max_seg_size(), so 64K [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "qedr",
        title: "Marvell FastLinQ",
        page_sizes: from_4k(31),
        sizing: Sizing::KernelPage,
        table: "PBL",
        max_entries: Some(8192 * 8192),
        max_length: Some(1 << 40),
        layout: "one layer up to 8192 entries, two above, in pages of 4K to 64K",
        source: "verbs.c: qedr_reg_user_mr(), page_size_log = PAGE_SHIFT [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "ocrdma",
        title: "Emulex OneConnect",
        page_sizes: from_4k(27),
        sizing: Sizing::KernelPage,
        table: "PBL",
        layout: "pages of 4K to 64K",
        assumed: Some("no limit of PBL pages; the firmware has one (max_num_mr_pbl)"),
        source: "ocrdma_verbs.c: ocrdma_reg_user_mr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "cxgb4",
        title: "Chelsio T4 to T6",
        page_sizes: from_4k(27),
        sizing: Sizing::KernelPage,
        table: "PBL",
        max_length: Some((8 << 30) - 1),
        layout: "in adapter memory, and one TPT entry",
        assumed: Some("T4 or T5: regions below 8G"),
        source: "mem.c: c4iw_reg_user_mr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "mthca",
        title: "Mellanox InfiniHost",
        page_sizes: from_4k(31),
        sizing: Sizing::KernelPage,
        table: "MTT",
        max_segment: G1,
        layout: "in segments",
        assumed: Some("min_page_sz 4K"),
        source: "mthca_provider.c: mthca_reg_user_mr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "vmw_pvrdma",
        title: "VMware paravirtual RDMA",
        page_sizes: from_4k(12),
        sizing: Sizing::KernelPage,
        table: "page directory",
        max_entries: Some(512 * 512),
        layout: "a directory of 512 tables of 512 entries",
        assumed: Some("page_size_cap 4K; the device reports it"),
        source: "pvrdma_mr.c: pvrdma_reg_user_mr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "usnic",
        title: "Cisco usNIC",
        page_sizes: from_4k(12),
        sizing: Sizing::KernelPage,
        table: "none",
        entry_bytes: 0,
        max_segment: G2,
        layout: "no ib_umem and no table: an IOMMU domain of its own, in which the IOVA is the virtual address",
        source: "usnic_uiom.c [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "hfi1",
        title: "Cornelis Omni-Path (rdmavt)",
        page_sizes: from_4k(12),
        sizing: Sizing::KernelPage,
        table: "rvt_seg",
        entry_bytes: 16,
        virt_dma: true,
        layout: "a software table of kernel addresses, PAGE_SIZE/16 to a map",
        source: "sw/rdmavt/mr.c: rvt_reg_user_mr() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "siw",
        title: "Soft-iWARP",
        page_sizes: from_4k(12),
        sizing: Sizing::KernelPage,
        table: "page pointers",
        virt_dma: true,
        layout: "chunks of 512 struct page pointers",
        source: "siw_mem.c: siw_umem_get() [linux 7.2]",
        ..COMMON
    },
    DeviceProfile {
        name: "rxe",
        title: "Soft-RoCE",
        page_sizes: from_4k(31),
        sizing: Sizing::KernelPage,
        table: "rxe_mr_page",
        entry_bytes: 16,
        virt_dma: true,
        layout: "a software array of pages and offsets; an xarray from 6.3 to 6.19",
        source: "rxe_mr.c: rxe_mr_init_user(), page_shift = PAGE_SHIFT; page_size_cap 0xfffff000 [linux 7.2]",
        ..COMMON
    },
];

/// The driver of that name.
pub fn find(name: &str) -> Option<&'static DeviceProfile> {
    CATALOGUE.iter().find(|profile| profile.name == name)
}
