use super::DeviceProfile;
use super::traits::{Change, EntryLimit, LengthLimit, Most, Scope, Traits, from_4k};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::Since,
    table::memory::Layout,
};

const OF_DEVICE: EntryLimit = EntryLimit {
    // Regions of 64G and 31G register in pages of 4K, of 64G and 32G they do not.
    most: Most::Entries((24 << 20) - 1),
    scope: Scope::Device,
    access: None,
    gate: Gate::Firmware,
    errno: Errno::Eio,
    why: "the card keeps no more of all regions together, as users report: use larger pages",
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "erdma",
    title: words("Alibaba Elastic RDMA"),
    table: words("MTT"),
    layout: words("up to 4 inline; else up to three levels of 4K pages"),
    virt_dma: false,
    first: Some(Since::new(6, 0)),
    base: Traits {
        page_sizes: from_4k(30),
        none_fits: None,
        length_limits: &[LengthLimit {
            most: 64 << 30,
            block: None,
            errno: Errno::Einval,
        }],
        entry_limits: &[
            EntryLimit {
                most: Most::Kmalloc { entry_bytes: 8 },
                scope: Scope::Region,
                access: None,
                gate: Gate::Table,
                errno: Errno::Enomem,
                why: "the table must be contiguous memory (erdma/erdma_verbs.c: get_mtt_entries()): register less, or use larger pages",
            },
            OF_DEVICE,
        ],
        layout: Layout::Inline(4),
        assumed: Some(words(
            "regions up to 64G, 24 × 2^20 entries a device, as users report",
        )),
        source: words("erdma/erdma_verbs.c: get_mtt_entries(), SZ_2G - SZ_4K [linux 6.1.192]"),
        ..Traits::COMMON
    },
    changes: &[Change {
        since: Since::new(6, 6),
        about: words(
            "tables of up to three levels of scattered pages, where the card can (MTT_VA)",
        ),
        apply: |traits| Traits {
            entry_limits: &[
                EntryLimit {
                    most: Most::Entries(512 * 512 * 512),
                    scope: Scope::Region,
                    access: None,
                    gate: Gate::Table,
                    errno: Errno::Enomem,
                    why: "three levels reach no further (erdma/erdma_verbs.c: erdma_create_mtt()): register less, or use larger pages",
                },
                OF_DEVICE,
            ],
            layout: Layout::Levels,
            assumed: Some(words(
                "MTT_VA; without it tables of at most 4M; regions up to 64G, 24 × 2^20 entries a device, as users report",
            )),
            source: words(
                "erdma/erdma_verbs.c: get_mtt_entries(), erdma_create_mtt(), SZ_2G - SZ_4K [linux 7.2.12]",
            ),
            ..traits
        },
    }],
    bugs: &[],
};
