//! The IOMMUs of Linux as data.

use super::{Iova, IovaLayout, Translation};
use crate::size::{PageSize, PageSizes};

/// An IOMMU that Linux drives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IommuProfile {
    /// Its name in scenarios.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The page sizes of its page table; at run time hardware may have fewer.
    pub page_sizes: PageSizes,
    /// How it lays lists out.
    pub layout: IovaLayout,
    /// Bits of IOVA.
    pub address_bits: u32,
    /// The function and kernel version that say so.
    pub source: &'static str,
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
pub const SEGMENT_BOUNDARY: PageSize = bit(32);

const K4: PageSize = PageSize::K4;
const K16: PageSize = bit(14);
const K64: PageSize = PageSize::K64;
const M2: PageSize = PageSize::M2;
const M32: PageSize = bit(25);
const M512: PageSize = bit(29);
const G1: PageSize = PageSize::G1;
const G512: PageSize = bit(39);

const fn bit(log2: u32) -> PageSize {
    match PageSize::from_log2(log2) {
        Some(size) => size,
        None => unreachable!(),
    }
}

const fn sizes<const N: usize>(list: [PageSize; N]) -> PageSizes {
    let (mut set, mut i) = (PageSizes::EMPTY, 0);
    while i < N {
        set = set.with(list[i]);
        i += 1;
    }
    set
}

const fn one_allocation(
    name: &'static str,
    title: &'static str,
    page_sizes: PageSizes,
    source: &'static str,
    verified: Option<&'static str>,
) -> IommuProfile {
    IommuProfile {
        name,
        title,
        page_sizes,
        layout: IovaLayout::OneAllocation,
        address_bits: 48,
        source,
        verified,
    }
}

/// Every IOMMU that a scenario can name.
pub static CATALOGUE: [IommuProfile; 11] = [
    one_allocation(
        "vt-d",
        "Intel VT-d, second stage",
        sizes([K4, M2, G1]),
        "intel/iommu.c, second-stage domain: 4K, 2M if CAP bit 34, 1G if CAP bit 35 [linux 7.2]",
        Some("QEMU intel-iommu, Linux 6.1.192 and 6.12.95"),
    ),
    one_allocation(
        "vt-d-first-stage",
        "Intel VT-d, first stage",
        sizes([K4, M2, G1]),
        "intel/iommu.c, first-stage domain: 4K, 2M, 1G if CAP.FL1GP [linux 7.2]",
        None,
    ),
    one_allocation(
        "amd-v1",
        "AMD-Vi, v1 page table",
        PageSizes::range(K4, bit(51)).without(G512),
        "amd/iommu.c: GENMASK(51, 12) without 512G [linux 7.2]",
        Some("QEMU amd-iommu, Linux 6.1.192"),
    ),
    one_allocation(
        "amd-v2",
        "AMD-Vi, v2 page table (amd_iommu=pgtbl_v2)",
        sizes([K4, M2, G1]),
        "amd/iommu.c: v2 page table [linux 7.2]",
        None,
    ),
    one_allocation(
        "smmuv3-4k",
        "Arm SMMUv3, 4K granule",
        sizes([K4, M2, G1]),
        "io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]",
        None,
    ),
    one_allocation(
        "smmuv3-16k",
        "Arm SMMUv3, 16K granule",
        sizes([K16, M32]),
        "io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]",
        None,
    ),
    one_allocation(
        "smmuv3-64k",
        "Arm SMMUv3, 64K granule",
        sizes([K64, M512]),
        "io-pgtable-arm.c: arm_lpae_restrict_pgsizes() [linux 7.2]",
        None,
    ),
    one_allocation(
        "virtio",
        "virtio-iommu (every power of two from 4K, as QEMU offers it)",
        PageSizes::range(K4, bit(63)),
        "virtio-iommu.c: page_size_mask of the device's configuration [linux 7.2]",
        None,
    ),
    one_allocation(
        "riscv",
        "RISC-V IOMMU with Svnapot",
        sizes([K4, K64, M2, G1, G512]),
        "generic_pt/fmt/riscv.h: every level a leaf, and 64K [linux 7.2]",
        None,
    ),
    IommuProfile {
        name: "power",
        title: "IBM POWER, TCE table",
        page_sizes: sizes([K4]),
        layout: IovaLayout::EachEntry,
        address_bits: 31,
        source: "arch/powerpc/kernel/iommu.c: ppc_iommu_map_sg(); pseries default window of 4K TCEs [linux 7.2]",
        verified: None,
    },
    one_allocation(
        "dart",
        "Apple DART (16K pages only)",
        sizes([K16]),
        "apple-dart.c: one page size; identity where it is larger than the kernel's [linux 7.2]",
        None,
    ),
];

/// The IOMMU of that name.
pub fn find(name: &str) -> Option<&'static IommuProfile> {
    CATALOGUE.iter().find(|profile| profile.name == name)
}
