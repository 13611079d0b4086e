use super::DeviceProfile;
use super::traits::{CPU_LIKE, Change, EntryLimit, LengthLimit, Most, Scope, Traits};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::{Release, Since},
    table::memory::Layout,
};

/// What an idle device gives to its first region since "Refactor PBLE functions": the chunk that it begins with and the one that an
/// attempt adds, 2M each. The root of 1022 leaves takes two of their 1024 pages.
const GROWTH: EntryLimit = EntryLimit {
    most: Most::Entries(1022 * 512),
    scope: Scope::FirstTry,
    access: None,
    gate: Gate::Table,
    errno: Errno::Enomem,
    why: "an attempt adds one chunk of 2M to an idle device, which begins with one (irdma/pble.c: irdma_get_pble()): try again, as each \
          attempt adds a chunk, or use larger pages",
};

pub(super) const GROWS: Change = Change {
    since: Since::new(6, 4),
    about: words("an attempt adds one chunk of table memory, not as many as the region needs"),
    apply: |traits| Traits {
        entry_limits: &[GROWTH],
        source: words(
            "irdma/verbs.c: irdma_alloc_iwmr(); irdma/pble.c: irdma_get_pble() [linux 7.2.12]",
        ),
        ..traits
    },
};

pub(super) const WIDE_CONTIGUITY: Change = Change {
    since: Since::new(7, 2).stable(&[Release::new(6, 1, 183), Release::new(6, 12, 101)]),
    about: words(
        "contiguous blocks of more than 4G need no table either (the product was 32 bits long)",
    ),
    apply: |traits| Traits {
        layout: Layout::Chunks { narrow: false },
        ..traits
    },
};

/// `IRDMA_MAX_MR_SIZE`.
pub(super) const MAX_MR_SIZE: LengthLimit = LengthLimit {
    most: 0x2000_0000_0000,
    block: None,
    errno: Errno::Einval,
};

pub(super) const LAYOUT: &str = "none for one contiguous run; one row where 2^18 entries suffice; else a root and leaves of 512";

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "irdma",
    title: words("Intel E810 (GEN2) and later"),
    table: words("PBLE"),
    layout: LAYOUT,
    virt_dma: false,
    first: Some(Since::new(5, 14)),
    base: Traits {
        page_sizes: CPU_LIKE,
        none_fits: Some(Errno::Eopnotsupp),
        length_limits: &[MAX_MR_SIZE],
        layout: Layout::Chunks { narrow: true },
        source: words(
            "irdma/verbs.c: irdma_reg_user_mr(); irdma/pble.c: irdma_get_pble() [linux 6.1.192]",
        ),
        ..Traits::COMMON
    },
    changes: &[Change::takes_dma_bufs(6, 3), GROWS, WIDE_CONTIGUITY],
    bugs: &[],
};
