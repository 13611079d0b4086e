use super::DeviceProfile;
use super::traits::{EntryLimit, Most, Scope, Traits, from_4k};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    table::{memory::Layout, single::Choice},
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "qedr",
    title: words("Marvell FastLinQ"),
    table: words("PBL"),
    layout: words(
        "one layer up to 8192 entries, two above, in pages of 4K to 64K; allocated twice, the second one spare",
    ),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(31),
        choice: Choice::KernelPage,
        entry_limits: &[EntryLimit {
            most: Most::Entries(8192 * 8192),
            scope: Scope::Region,
            access: None,
            gate: Gate::Table,
            errno: Errno::Einval,
            why: "two layers of 8192 reach no further (qedr/verbs.c: qedr_prepare_pbl_tbl()): register less",
        }],
        layout: Layout::TwoLayers,
        source: words(
            "qedr/verbs.c: qedr_reg_user_mr(), page_size_log = PAGE_SHIFT; qedr_prepare_pbl_tbl() [linux 7.2.12]",
        ),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
