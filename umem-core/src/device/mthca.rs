use super::DeviceProfile;
use super::traits::{Traits, from_4k};
use crate::table::{memory::Layout, single::Choice};
use crate::words::words;

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "mthca",
    title: words("Mellanox InfiniHost"),
    table: words("MTT"),
    layout: words("segments of 8 entries, a power of two of them"),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(31),
        choice: Choice::KernelPage,
        max_segment: 1 << 30,
        layout: Layout::Buddy(8),
        assumed: Some(words("min_page_sz 4K")),
        source: words(
            "mthca_provider.c: mthca_reg_user_mr(); mthca_mr.c: mthca_alloc_mtt() [linux 7.2.12]",
        ),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
