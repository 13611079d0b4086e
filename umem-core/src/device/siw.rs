use super::DeviceProfile;
use super::traits::{Change, Traits};
use crate::words::words;
use crate::{
    kernel::Since,
    table::{memory::Layout, single::Choice},
};

/// Since 5.5 software devices set the longest segment; before it was 64K, the default of devices that say nothing.
pub(super) const LONG_SEGMENTS: Change = Change {
    since: Since::new(5, 5),
    about: words("segments up to 4G, no longer 64K"),
    apply: |traits| Traits {
        max_segment: u32::MAX,
        ..traits
    },
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "siw",
    title: words("Soft-iWARP"),
    table: words("page pointers"),
    layout: words("chunks of 512 struct page pointers"),
    virt_dma: true,
    first: Some(Since::new(5, 3)),
    base: Traits {
        choice: Choice::KernelPage,
        max_segment: 1 << 16,
        layout: Layout::Lists,
        source: words("sw/siw/siw_mem.c: siw_umem_get() [linux 7.2.12]"),
        ..Traits::COMMON
    },
    changes: &[LONG_SEGMENTS],
    bugs: &[],
};
