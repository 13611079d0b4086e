//! The scenes of the mail as scenarios.

use super::{
    DeviceObject, DeviceSpec, IommuObject, IommuSpec, IovaSpec, KernelSpec, LayoutName, MemorySpec,
    ProcessSpec, Region, Scenario,
};
use crate::words::words;
use crate::{
    address::DmaAddr,
    memory::{Exporter, Kind},
    size::Bytes,
    table::Policy,
};
use alloc::{borrow::ToOwned, vec};

/// A named scenario.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in addresses and on the command line.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it shows, and what it yields.
    pub about: &'static str,
    build: fn() -> Scenario,
}

impl Preset {
    /// The scenario.
    pub fn scenario(&self) -> Scenario {
        Scenario {
            name: Some(self.title.to_owned()),
            ..(self.build)()
        }
    }
}

/// The preset of that name.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// All of them, in the order of the mail.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "mail",
        title: "The mail's example",
        about: words(
            "The example of a mail to linux-rdma, August 2018: two adjacent 2M pages, all but their first 4K, for a device with 4K, 1M and 2M: 255 × 4K + 1 × 1M + 1 × 2M",
        ),
        build: mail,
    },
    Preset {
        name: "first-mask",
        title: "The mask as first written",
        about: words(
            "The mail's loop, literally: (num_zeros << 1) - 1 leaves no size at all; the reply's mask gives the 257 entries",
        ),
        build: mail,
    },
    Preset {
        name: "smaller-only",
        title: "They only make things smaller",
        about: words(
            "Cut before mapping, the 1M and the 2M block land 4K off their alignment and fall apart: 767 × 4K + 1 × 1M; \
                mapped whole and cut last, the region takes 255 × 4K + 1 × 1M + 1 × 2M",
        ),
        build: smaller_only,
    },
    Preset {
        name: "mail-iommu",
        title: "The mail's example behind an IOMMU",
        about: words(
            "The kernel aligns the IOVA to 4M, so the 2M block comes first, and still 257 entries; one size alone falls to 1023 × 4K",
        ),
        build: mail_iommu,
    },
    Preset {
        name: "misaligned-iova",
        title: "2M pages at a misaligned IOVA",
        about: words(
            "4M mapped by hand to 0x80001000: broken up again into 256 × 4K + 1 × 1M + 1 × 2M",
        ),
        build: misaligned_iova,
    },
    Preset {
        name: "one-size",
        title: "A device with one page size",
        about: words(
            "Virtual and physical addresses agree modulo 2M, so 2 × 2M do, the first reaching 4K before the region",
        ),
        build: || with_policy(mail(), Policy::Single),
    },
    Preset {
        name: "one-size-iommu",
        title: "One page size behind an IOMMU",
        about: words("Virtual address and IOVA differ in bit 12: 1023 × 4K where 2 × 2M would do"),
        build: || with_policy(mail_iommu(), Policy::Single),
    },
    Preset {
        name: "unaligned",
        title: "A device that takes any segment",
        about: words("One entry of 4M-4K"),
        build: || with_policy(mail(), Policy::Unaligned),
    },
    Preset {
        name: "descending",
        title: "The second page below the first",
        about: words("Two SG entries, and the same 257"),
        build: || with_layout(mail(), "2M", LayoutName::Descending),
    },
    Preset {
        name: "scattered",
        title: "Scattered 4K pages",
        about: words("No two neighbours adjacent: 1023 SG entries, 1023 × 4K"),
        build: || with_layout(mail(), "4K", LayoutName::Scattered),
    },
    Preset {
        name: "ppc64",
        title: "64K pages, and a device with 4K only",
        about: words("Each 64K page becomes sixteen aligned 4K blocks: 256 × 4K"),
        build: ppc64,
    },
    Preset {
        name: "pin-batches",
        title: "Pinned in batches",
        about: words(
            "16M of 4K pages come in 8 batches of 512; an SG table with an entry for each would take 129K, the one that grows takes 4K",
        ),
        build: pin_batches,
    },
    Preset {
        name: "dma-buf",
        title: "A dma-buf behind an IOMMU",
        about: words(
            "All but the first and the last 4K of 8M in four huge pages, exported by another driver: the buffer is mapped whole and the region \
                cut out after, so that its offset survives: 1 × 8M",
        ),
        build: || of_kind(Kind::DmaBuf),
    },
    Preset {
        name: "dma-buf-pinned",
        title: "The same memory, registered by its address",
        about: words(
            "Pinned, gathered and mapped from its own first page on: the IOMMU's address and the program's differ in bit 12, 2046 × 4K",
        ),
        build: || of_kind(Kind::Pages),
    },
    Preset {
        name: "gpu",
        title: "A GPU's memory behind an IOMMU",
        about: words(
            "Its driver maps each of 32 entries of 2M by itself, so that no two are adjacent and none can be joined: 32 × 2M",
        ),
        build: gpu,
    },
    Preset {
        name: "odp",
        title: "Memory on demand",
        about: words(
            "64M in huge pages, of which nothing is pinned: the table has an entry for each page of the kernel from the start, 16384 × 4K",
        ),
        build: on_demand,
    },
];

fn bytes(text: &str) -> Bytes {
    let Ok(size) = text.parse() else {
        unreachable!("presets hold sizes");
    };
    size
}

fn mail() -> Scenario {
    Scenario {
        version: 1,
        name: None,
        region: Region {
            va: super::DEFAULT_VA,
            offset: bytes("4K"),
            length: bytes("4092K"),
            hca_address: None,
        },
        memory: MemorySpec {
            page_size: Some(bytes("2M")),
            layout: Some(LayoutName::Contiguous),
            ..MemorySpec::default()
        },
        kernel: KernelSpec::default(),
        iommu: IommuSpec::default(),
        device: DeviceSpec::Custom(DeviceObject {
            page_sizes: Some(vec![bytes("4K"), bytes("1M"), bytes("2M")]),
            policy: Some(Policy::Mixed),
            ..DeviceObject::default()
        }),
        process: ProcessSpec::default(),
        provenance: None,
    }
}

fn mail_iommu() -> Scenario {
    Scenario {
        iommu: IommuSpec::Name("vt-d".to_owned()),
        ..mail()
    }
}

fn by_hand(iova: u64) -> IommuSpec {
    IommuSpec::Custom(IommuObject {
        name: Some("vt-d".to_owned()),
        iova: IovaSpec::At(DmaAddr::new(iova)),
        ..IommuObject::default()
    })
}

fn misaligned_iova() -> Scenario {
    let mut scenario = Scenario {
        iommu: by_hand(0x8000_1000),
        ..mail()
    };
    scenario.region.offset = Bytes(0);
    scenario.region.length = bytes("4M");
    scenario
}

fn smaller_only() -> Scenario {
    Scenario {
        iommu: by_hand(0x8000_0000),
        ..mail()
    }
}

fn with_policy(mut scenario: Scenario, policy: Policy) -> Scenario {
    scenario.device.customize().policy = Some(policy);
    scenario
}

fn with_layout(mut scenario: Scenario, page: &str, layout: LayoutName) -> Scenario {
    scenario.memory = MemorySpec {
        page_size: Some(bytes(page)),
        layout: Some(layout),
        ..MemorySpec::default()
    };
    scenario
}

fn ppc64() -> Scenario {
    let mut scenario = with_layout(mail(), "64K", LayoutName::Contiguous);
    scenario.region.offset = Bytes(0);
    scenario.region.length = bytes("1M");
    scenario.kernel.page_size = bytes("64K");
    scenario.device.customize().page_sizes = Some(vec![bytes("4K")]);
    scenario
}

/// Four huge pages, from the highest address to the lowest.
fn of_kind(kind: Kind) -> Scenario {
    let mut scenario = with_layout(mail_iommu(), "2M", LayoutName::Descending);
    scenario.memory.kind = kind;
    scenario.memory.length = Some(bytes("8M"));
    scenario.region.length = bytes("8184K");
    scenario.device = DeviceSpec::Name("mlx5".to_owned());
    scenario
}

fn gpu() -> Scenario {
    let mut scenario = with_layout(mail_iommu(), "2M", LayoutName::Descending);
    scenario.memory.kind = Kind::DmaBuf;
    scenario.memory.exporter = Exporter::PerEntry;
    scenario.region.offset = Bytes(0);
    scenario.region.length = bytes("64M");
    scenario.device = DeviceSpec::Name("mlx5".to_owned());
    scenario
}

fn on_demand() -> Scenario {
    let mut scenario = with_layout(mail(), "2M", LayoutName::Scattered);
    scenario.memory.kind = Kind::Odp;
    scenario.region.offset = Bytes(0);
    scenario.region.length = bytes("64M");
    scenario.device = DeviceSpec::Name("mlx5".to_owned());
    scenario
}

fn pin_batches() -> Scenario {
    let mut scenario = with_layout(mail(), "4K", LayoutName::Contiguous);
    scenario.region.offset = Bytes(0);
    scenario.region.length = bytes("16M");
    scenario
}
