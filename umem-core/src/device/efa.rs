use super::traits::{Bug, Change, EntryLimit, Most, Scope, Traits, When, from_4k};
use super::{Access, DeviceProfile, RefusedAccess};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::{Release, Since},
    table::memory::Layout,
};

/// efa/efa_verbs.c: efa_alloc_mr(), supp_access_flags: the first two came to be supported, in this order.
static REFUSED: [RefusedAccess; 8] = [
    not(Access::RemoteRead),
    not(Access::RemoteWrite),
    not(Access::RemoteAtomic),
    not(Access::MwBind),
    not(Access::ZeroBased),
    not(Access::Hugetlb),
    not(Access::FlushGlobal),
    not(Access::FlushPersistent),
];

const fn not(flag: Access) -> RefusedAccess {
    RefusedAccess::new(flag, Errno::Eopnotsupp)
}

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "efa",
    title: words("Amazon Elastic Fabric Adapter"),
    table: words("PBL"),
    layout: words(
        "up to 4 inline; else one contiguous buffer, or chunks of 510 pointers to 4K blocks of 512 entries",
    ),
    virt_dma: false,
    first: Some(Since::new(5, 3)),
    base: Traits {
        page_sizes: from_4k(31),
        none_fits: Some(Errno::Eopnotsupp),
        refused_access: &REFUSED,
        entry_limits: &[
            EntryLimit {
                // 96G of 4K pages are refused, 95G are not: libfabric issue 9739.
                most: Most::Entries((24 << 20) - 1),
                scope: Scope::Device,
                access: None,
                gate: Gate::Firmware,
                errno: Errno::Enomem,
                why: "the card keeps no more of all regions together, as users report: use larger pages",
            },
            EntryLimit {
                most: Most::Entries(1 << 20),
                scope: Scope::Region,
                access: Some(Access::RemoteWrite),
                gate: Gate::Firmware,
                errno: Errno::Enomem,
                why: "the card allows no more with remote write, as users report: use larger pages, or register without it",
            },
        ],
        layout: Layout::PointerChunks,
        assumed: Some(words(
            "page_size_cap 0xfffff000, as a device's log showed; fewer than 24 × 2^20 entries a device, 2^20 a region with remote write; \
             lists of up to 8 kernel pages are contiguous, longer ones are not",
        )),
        source: words("efa/efa_verbs.c: efa_register_mr(), pbl_create() [linux 7.2.12]"),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            since: Since::new(5, 5),
            about: words("remote reads"),
            apply: |traits| Traits {
                refused_access: &REFUSED[1..],
                ..traits
            },
        },
        Change::takes_dma_bufs(5, 16),
        Change {
            since: Since::new(6, 4),
            about: words("remote writes"),
            apply: |traits| Traits {
                refused_access: &REFUSED[2..],
                ..traits
            },
        },
    ],
    bugs: &[Bug {
        since: None,
        mended: Some(Since::new(7, 2).stable(&[Release::new(6, 1, 188), Release::new(6, 12, 110)])),
        when: When::ListPages(510),
        errno: None,
        about: "the last chunk of pointers is full, and its length is given as 12 bytes (efa/efa_verbs.c: pbl_chunk_list_create())",
    }],
};
