use super::traits::{Bug, Change, Traits, When, from_4k};
use super::{Access, DeviceProfile, RefusedAccess};
use crate::words::words;
use crate::{
    gate::Errno,
    kernel::Since,
    table::single::{Choice, NicAddress},
};

/// "mana_ib: use virtual address in dma regions for MRs".
const IOVA_PASSED_ON: Since = Since::new(6, 9);

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "mana_ib",
    title: words("Microsoft Azure Network Adapter"),
    table: words("DMA region"),
    layout: words(
        "sent to the device in messages of its largest request size; the host keeps nothing",
    ),
    virt_dma: false,
    first: Some(Since::new(6, 2)),
    base: Traits {
        page_sizes: from_4k(21),
        choice: Choice::Best(NicAddress::Zero),
        // mana/mr.c: mana_ib_reg_user_mr(), VALID_MR_FLAGS
        refused_access: &[
            RefusedAccess::new(Access::MwBind, Errno::Einval),
            RefusedAccess::new(Access::ZeroBased, Errno::Einval),
            RefusedAccess::new(Access::Hugetlb, Errno::Einval),
            RefusedAccess::new(Access::FlushGlobal, Errno::Einval),
            RefusedAccess::new(Access::FlushPersistent, Errno::Einval),
        ],
        source: words("mana/main.c: mana_ib_gd_create_dma_region(), from the mails of 2024-02-07"),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            since: IOVA_PASSED_ON,
            about: "ib_umem_find_best_pgsz() is given the NIC's address, no longer 0",
            apply: |traits| Traits {
                choice: Choice::BEST,
                source: words("mana/main.c: mana_ib_create_dma_region() [linux 6.12.117]"),
                ..traits
            },
        },
        Change::takes_dma_bufs(6, 15),
        Change {
            since: Since::new(6, 16),
            about: words("4M, 1G and 2G as well, if the device has them"),
            apply: |traits| Traits {
                assumed: Some(words(
                    "no GDMA_PAGES_4MB_1GB_2GB; with it also 4M, 1G and 2G",
                )),
                source: words(
                    "mana/main.c: mana_ib_create_dma_region(), mana_ib_gd_query_adapter_caps() [linux 7.2.12]",
                ),
                ..traits
            },
        },
    ],
    bugs: &[Bug {
        since: None,
        mended: Some(IOVA_PASSED_ON),
        when: When::Unsound,
        errno: None,
        about: "the size is chosen as if the NIC used addresses from 0 (mana/main.c: mana_ib_gd_create_dma_region())",
    }],
};
