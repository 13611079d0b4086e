use super::DeviceProfile;
use super::traits::{CPU_LIKE, DmaBufs, EntryLimit, Most, Scope, Traits};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::Since,
    table::memory::Layout,
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "ionic",
    title: words("AMD Pensando"),
    table: words("page table"),
    layout: words("none for one block; else one contiguous list"),
    virt_dma: false,
    first: Some(Since::new(6, 18)),
    base: Traits {
        dma_buf: DmaBufs::Chosen,
        page_sizes: CPU_LIKE,
        max_segment: 1 << 16,
        entry_limits: &[
            EntryLimit {
                most: Most::Kmalloc { entry_bytes: 8 },
                scope: Scope::Region,
                access: None,
                gate: Gate::Table,
                errno: Errno::Enomem,
                why: "the table must be contiguous memory (ionic/ionic_pgtbl.c: ionic_tbl_buf_alloc()): register less, or use larger \
                      pages",
            },
            EntryLimit {
                most: Most::Entries((1 << 20) - (1 << 15)),
                scope: Scope::Device,
                access: None,
                gate: Gate::Firmware,
                errno: Errno::Einval,
                why: "the card keeps no more of all regions together (npts_per_lif less what it needs itself: 3968M in pages of 4K), as users report: use larger pages",
            },
        ],
        layout: Layout::Inline(1),
        assumed: Some(words(
            "page sizes 0x40201000, where the firmware does not report them; 2^20 entries a device (npts_per_lif), 2^15 of them not for programs",
        )),
        source: words(
            "ionic/ionic_controlpath.c: ionic_reg_user_mr(); ionic/ionic_pgtbl.c: ionic_pgtbl_init(); no \
                 dma_set_max_seg_size(), so 64K [linux 7.2.12]",
        ),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
