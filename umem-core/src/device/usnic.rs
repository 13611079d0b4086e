use super::DeviceProfile;
use super::traits::Traits;
use crate::table::{memory::Layout, single::Choice};
use crate::words::words;

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "usnic",
    title: words("Cisco usNIC"),
    table: words("none"),
    layout: words(
        "no ib_umem and no table: an IOMMU domain of its own, in which the IOVA is the virtual address",
    ),
    virt_dma: false,
    first: None,
    base: Traits {
        choice: Choice::KernelPage,
        max_segment: 1 << 31,
        layout: Layout::None,
        entry_bytes: 0,
        source: words("usnic/usnic_uiom.c: usnic_uiom_reg_get() [linux 7.2.12]"),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
