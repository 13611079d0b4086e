//! The IOMMUs of Linux as data.

use super::{Iova, IovaLayout, Translation};
use crate::size::{PageSize, PageSizes};

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
    /// The function and kernel version that say so.
    pub source: &'static str,
    /// Whether a smallest page above the kernel's means that Linux maps identically, not that it refuses the domain.
    pub identity_above_page: bool,
    /// The lab that confirmed the rules behind this IOMMU, or `None`: from source, not verified.
    pub verified: Option<&'static str>,
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
    title: "",
    page_sizes: PageSizes::EMPTY,
    layout: IovaLayout::OneAllocation,
    address_bits: 48,
    source: "",
    identity_above_page: false,
    verified: None,
};

/// The IOMMU whose values stand in for those that a description leaves out: VT-d.
pub static DEFAULT: &IommuProfile = &IommuProfile {
    name: "vt-d",
    title: "Intel VT-d, second stage",
    page_sizes: PageSizes::of_log2(&[12, 21, 30]),
    source: "intel/iommu.c, second-stage domain: 4K, 2M if CAP bit 34, 1G if CAP bit 35 [linux 7.2]",
    verified: Some("QEMU intel-iommu, Linux 6.1.192 and 6.12.95"),
    ..COMMON
};

/// Every IOMMU that a scenario can name.
pub static CATALOGUE: &[IommuProfile] = &[
    *DEFAULT,
    IommuProfile {
        name: "vt-d-first-stage",
        title: "Intel VT-d, first stage",
        page_sizes: PageSizes::of_log2(&[12, 21, 30]),
        source: "intel/iommu.c, first-stage domain: 4K, 2M, 1G if CAP.FL1GP [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "amd-v1",
        title: "AMD-Vi, v1 page table",
        page_sizes: PageSizes::range(PageSize::K4, PageSize::of_log2(51))
            .without(PageSize::of_log2(39)),
        source: "amd/iommu.c: GENMASK(51, 12) without 512G [linux 7.2]",
        verified: Some("QEMU amd-iommu, Linux 6.1.192"),
        ..COMMON
    },
    IommuProfile {
        name: "amd-v2",
        title: "AMD-Vi, v2 page table (amd_iommu=pgtbl_v2)",
        page_sizes: PageSizes::of_log2(&[12, 21, 30]),
        source: "amd/iommu.c: v2 page table [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "smmuv3-4k",
        title: "Arm SMMUv3, 4K granule",
        page_sizes: PageSizes::of_log2(&[12, 21, 30]),
        source: "io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "smmuv3-16k",
        title: "Arm SMMUv3, 16K granule",
        page_sizes: PageSizes::of_log2(&[14, 25]),
        source: "io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "smmuv3-64k",
        title: "Arm SMMUv3, 64K granule",
        page_sizes: PageSizes::of_log2(&[16, 29]),
        source: "io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "virtio",
        title: "virtio-iommu (every power of two from 4K, as QEMU offers it)",
        page_sizes: PageSizes::range(PageSize::K4, PageSize::of_log2(63)),
        source: "virtio-iommu.c: page_size_mask of the device's configuration [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "riscv",
        title: "RISC-V IOMMU with Svnapot",
        page_sizes: PageSizes::of_log2(&[12, 16, 21, 30, 39]),
        source: "generic_pt/fmt/riscv.h: every level a leaf, and 64K [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "power",
        title: "IBM POWER, TCE table",
        page_sizes: PageSizes::of_log2(&[12]),
        layout: IovaLayout::EachEntry,
        address_bits: 31,
        source: "arch/powerpc/kernel/iommu.c: ppc_iommu_map_sg(); pseries default window of 4K TCEs [linux 7.2]",
        ..COMMON
    },
    IommuProfile {
        name: "dart",
        title: "Apple DART (16K pages only)",
        page_sizes: PageSizes::of_log2(&[14]),
        source: "apple-dart.c: one page size; identity where it is larger than the kernel's [linux 7.2]",
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
