//! The IOMMUs of Linux as data.

use super::{Iova, IovaLayout, Translation};
use crate::words::words;
use crate::{
    processor::Platform,
    size::{PageSize, PageSizes},
};

/// An IOMMU that Linux drives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct IommuProfile {
    /// Its name in scenarios.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The page sizes of its page table; at run time hardware may have fewer.
    pub page_sizes: PageSizes,
    /// How it lays lists out.
    pub layout: IovaLayout,
    /// Bits of IOVA.
    pub address_bits: u32,
    /// The machines that have it; `None` if several do.
    pub platform: Option<Platform>,
    /// The switch that lets it map identically: a word of the kernel's command line, or what else does it.
    pub passthrough: &'static str,
    /// The function and kernel version that say so.
    pub source: &'static str,
    /// Whether a smallest page above the kernel's means that Linux maps identically, not that it refuses the domain.
    pub identity_above_page: bool,
    /// The machines that confirmed the rules behind this IOMMU; `None`: the rules are from the source.
    pub lab: Option<&'static str>,
}

impl IommuProfile {
    /// The translation with all defaults: the kernel's placement and a segment boundary of 4G.
    pub const fn translation(&self) -> Translation {
        Translation {
            page_sizes: self.page_sizes,
            iova: Iova::Kernel,
            boundary_mask: SEGMENT_BOUNDARY.mask(),
            address_bits: self.address_bits,
            layout: self.layout,
        }
    }
}

/// The segment boundary that the PCI core gives every device: `pci_device_add()` [linux 7.2].
pub const SEGMENT_BOUNDARY: PageSize = PageSize::of_log2(32);

/// What most IOMMUs have in common; the catalogue says where each differs.
const COMMON: IommuProfile = IommuProfile {
    name: "",
    title: words(""),
    page_sizes: PageSizes::EMPTY,
    layout: IovaLayout::OneAllocation,
    address_bits: 48,
    platform: None,
    passthrough: words("iommu.passthrough=1"),
    source: words(""),
    identity_above_page: false,
    lab: None,
};

/// What POWER's tables have in common.
const POWER: IommuProfile = IommuProfile {
    layout: IovaLayout::EachEntry,
    platform: Some(Platform::Power),
    passthrough: words("a driver with a DMA mask of 64 bits, and a dynamic DMA window"),
    ..COMMON
};

/// Supplies the values that a description leaves out: VT-d.
pub static DEFAULT: &IommuProfile = &IommuProfile {
    name: "vt-d",
    title: words("Intel VT-d, second stage"),
    page_sizes: PageSizes::of_log2(&[12, 21, 30]),
    platform: Some(Platform::X86),
    passthrough: words("iommu=pt"),
    source: words(
        "intel/iommu.c, second-stage domain: 4K, 2M if CAP bit 34, 1G if CAP bit 35 [linux 7.2]",
    ),
    lab: Some(words("QEMU intel-iommu, Linux 6.1.192 and 6.12.95")),
    ..COMMON
};

/// Every IOMMU that a scenario can name.
///
/// RISC-V's is not among them: its kernels are built without `IOMMU_DMA` (drivers/iommu/Kconfig: ARM64, X86, S390), so that RDMA runs
/// on direct addresses there.
pub static CATALOGUE: &[IommuProfile] = &[
    *DEFAULT,
    IommuProfile {
        name: "vt-d-first-stage",
        title: words("Intel VT-d, first stage"),
        page_sizes: PageSizes::of_log2(&[12, 21, 30]),
        address_bits: 47,
        platform: Some(Platform::X86),
        passthrough: words("iommu=pt"),
        source: words("intel/iommu.c, first-stage domain: 4K, 2M, 1G if CAP.FL1GP [linux 7.2]"),
        lab: Some(words(
            "QEMU 10 intel-iommu with its first stage, Linux 6.1.192 and 7.3.4",
        )),
        ..COMMON
    },
    IommuProfile {
        name: "amd-v1",
        title: words("AMD-Vi, v1 page table"),
        page_sizes: PageSizes::range(PageSize::K4, PageSize::of_log2(51))
            .without(PageSize::of_log2(39)),
        address_bits: 64,
        platform: Some(Platform::X86),
        passthrough: words("iommu=pt"),
        source: words(
            "amd/iommu.c: GENMASK(51, 12) without 512G; all 64 bits up to 6.12, later what amd_iommu_hpt_vasize says (48, 57 or 64) [linux 7.2]",
        ),
        lab: Some(words("QEMU amd-iommu, Linux 6.1.192")),
        ..COMMON
    },
    IommuProfile {
        name: "amd-v2",
        title: words("AMD-Vi, v2 page table (amd_iommu=pgtbl_v2)"),
        page_sizes: PageSizes::of_log2(&[12, 21, 30]),
        address_bits: 47,
        platform: Some(Platform::X86),
        passthrough: words("iommu=pt"),
        source: words("amd/iommu.c: v2 page table of 4 levels; 56 bits with 5 [linux 7.2]"),
        ..COMMON
    },
    IommuProfile {
        name: "smmuv3-4k",
        title: words("Arm SMMUv3, 4K granule"),
        page_sizes: PageSizes::of_log2(&[12, 21, 30]),
        platform: Some(Platform::Arm64),
        source: words("io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]"),
        lab: Some(words("QEMU SMMUv3, Linux 6.1.176, arm64, 4K pages")),
        ..COMMON
    },
    IommuProfile {
        name: "smmuv3-16k",
        title: words("Arm SMMUv3, 16K granule"),
        page_sizes: PageSizes::of_log2(&[14, 25]),
        platform: Some(Platform::Arm64),
        source: words("io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]"),
        lab: Some(words(
            "QEMU SMMUv3, Linux 6.12.95 and 6.12.117, arm64, 16K pages",
        )),
        ..COMMON
    },
    IommuProfile {
        name: "smmuv3-64k",
        title: words("Arm SMMUv3, 64K granule"),
        page_sizes: PageSizes::of_log2(&[16, 29]),
        platform: Some(Platform::Arm64),
        source: words("io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]"),
        ..COMMON
    },
    IommuProfile {
        name: "virtio",
        title: words("virtio-iommu (every power of two from 4K, as QEMU offers it)"),
        page_sizes: PageSizes::range(PageSize::K4, PageSize::of_log2(63)),
        source: words("virtio-iommu.c: page_size_mask of the device's configuration [linux 7.2]"),
        lab: Some(words(
            "QEMU virtio-iommu, Linux 6.12.95, arm64, 4K and 16K pages",
        )),
        ..COMMON
    },
    IommuProfile {
        name: "s390",
        title: words("IBM Z PCI, DMA translation tables"),
        page_sizes: PageSizes::of_log2(&[12]),
        // As much as there is memory, from zdev->start_dma on; a region-third table holds 4T.
        address_bits: 42,
        platform: Some(Platform::S390),
        source: words(
            "s390-iommu.c: s390_domain_alloc_paging(), SZ_4K; dma-iommu since 6.7 [linux 7.3]",
        ),
        ..COMMON
    },
    IommuProfile {
        name: "power",
        title: words("IBM POWER, window of 1G in TCEs of 4K (pseries)"),
        page_sizes: PageSizes::of_log2(&[12]),
        address_bits: 30,
        source: words(
            "arch/powerpc/kernel/iommu.c: ppc_iommu_map_sg(), iommu_range_alloc() [linux 6.1 to 7.3]",
        ),
        lab: Some(words(
            "QEMU pseries, Linux 6.1.176 and 6.12.107, ppc64le, 64K pages",
        )),
        ..POWER
    },
    IommuProfile {
        name: "power-4k",
        title: words("IBM POWER, window of 2G in TCEs of 4K (powernv, kernel pages of 4K)"),
        page_sizes: PageSizes::of_log2(&[12]),
        address_bits: 31,
        source: words(
            "arch/powerpc/kernel/iommu.c: ppc_iommu_map_sg(), iommu_range_alloc() [linux 6.1 to 7.3]",
        ),
        lab: Some(words("QEMU powernv9, Linux 6.12.95, ppc64le, 4K pages")),
        ..POWER
    },
    IommuProfile {
        name: "power-64k",
        title: words("IBM POWER, window of 2G in TCEs of 64K (powernv)"),
        page_sizes: PageSizes::of_log2(&[16]),
        address_bits: 31,
        source: words(
            "arch/powerpc/kernel/iommu.c: ppc_iommu_map_sg(), iommu_range_alloc() [linux 6.1 to 7.3]",
        ),
        lab: Some(words("QEMU powernv9, Linux 6.1.176, ppc64le, 64K pages")),
        ..POWER
    },
    IommuProfile {
        name: "power-direct",
        title: words("IBM POWER, direct window (a DMA mask of 64 bits)"),
        // The window's TCEs hold all memory.
        page_sizes: PageSizes::of_log2(&[24]),
        layout: IovaLayout::Direct { offset: 1 << 59 },
        address_bits: 64,
        source: words(
            "arch/powerpc/kernel/dma-iommu.c: dma_iommu_map_bypass(), archdata.dma_offset [linux 6.1 to 7.3]",
        ),
        lab: Some(words(
            "QEMU pseries, Linux 6.1.176 and 6.12.107, ppc64le, 64K pages",
        )),
        ..POWER
    },
    IommuProfile {
        name: "dart",
        title: words("Apple DART (16K pages only)"),
        page_sizes: PageSizes::of_log2(&[14]),
        address_bits: 32,
        platform: Some(Platform::Arm64),
        source: words(
            "apple-dart.c: one page size; identity where it is larger than the kernel's; 32 bits, on T8110 what DART_PARAMS3 says [linux 7.2]",
        ),
        identity_above_page: true,
        ..COMMON
    },
];

/// The IOMMU of that name.
pub fn find(name: &str) -> Option<&'static IommuProfile> {
    CATALOGUE.iter().find(|profile| profile.name == name)
}

/// The names of the catalogue.
pub fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|profile| profile.name)
}
