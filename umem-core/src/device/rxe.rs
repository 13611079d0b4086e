use super::traits::{Change, EntryLimit, Most, Scope, Traits, from_4k};
use super::{Access, DeviceProfile, OnDemand, RefusedAccess, siw};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::{Release, Since},
    table::{memory::Layout, single::Choice},
};

/// Flushes of memory that is not persistent (`rxe_reg_user_mr()`), since 6.2; what RXE_ACCESS_SUPPORTED_MR lacks, since 6.5.
static REFUSED: [RefusedAccess; 3] = [
    RefusedAccess::new(Access::FlushPersistent, Errno::Einval),
    RefusedAccess::new(Access::ZeroBased, Errno::Eopnotsupp),
    RefusedAccess::new(Access::Hugetlb, Errno::Eopnotsupp),
];

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "rxe",
    title: words("Soft-RoCE"),
    table: words("rxe_mr_page"),
    layout: words(
        "a software array of pages and offsets; maps of them up to 6.2, a tree of pages from 6.3 to 6.19",
    ),
    virt_dma: true,
    first: None,
    base: Traits {
        page_sizes: from_4k(31),
        choice: Choice::KernelPage,
        max_segment: 1 << 16,
        layout: Layout::Maps,
        entry_bytes: 16,
        source: words("sw/rxe/rxe_mr.c: rxe_mr_init_user(), rxe_mr_alloc() [linux 6.1.192]"),
        ..Traits::COMMON
    },
    changes: &[
        siw::LONG_SEGMENTS,
        Change {
            since: Since::new(6, 2),
            about: words("flushes, of persistent memory if they are to persist"),
            apply: |traits| Traits {
                refused_access: &REFUSED[..1],
                ..traits
            },
        },
        Change {
            since: Since::new(6, 3),
            about: words("an xarray of pages"),
            apply: |traits| Traits {
                layout: Layout::Tree,
                ..traits
            },
        },
        Change {
            since: Since::new(6, 5),
            about: words(
                "access flags that it does not know are refused (RXE_ACCESS_SUPPORTED_MR)",
            ),
            apply: |traits| Traits {
                refused_access: &REFUSED,
                ..traits
            },
        },
        Change {
            since: Since::new(6, 15),
            about: words("memory may come on demand, if the region is given by its address"),
            apply: |traits| Traits {
                on_demand: OnDemand::Explicit,
                ..traits
            },
        },
        Change {
            since: Since::new(7, 0).stable(&[
                Release::new(6, 12, 114),
                Release::new(6, 18, 14),
                Release::new(6, 19, 4),
            ]),
            about: "a flat array of pages and offsets, in contiguous memory",
            apply: |traits| Traits {
                layout: Layout::List,
                entry_limits: &[EntryLimit {
                    most: Most::Kmalloc { entry_bytes: 16 },
                    scope: Scope::Region,
                    access: None,
                    gate: Gate::Table,
                    errno: Errno::Enomem,
                    why: "the array must be contiguous memory (sw/rxe/rxe_mr.c: alloc_mr_page_info()): register less",
                }],
                source: words(
                    "sw/rxe/rxe_mr.c: rxe_mr_init_user(), page_shift = PAGE_SHIFT; page_size_cap 0xfffff000 [linux 7.2.12]",
                ),
                ..traits
            },
        },
    ],
    bugs: &[],
};
