use super::DeviceProfile;
use super::traits::{Bug, Change, LengthLimit, SMALL_AND_HUGE, Traits, When, from_4k};
use crate::words::words;
use crate::{
    gate::Errno,
    kernel::{Release, Since},
    size::PageSize,
    table::memory::Layout,
};

/// `BNXT_RE_MAX_MR_SIZE`.
const MAX_MR_SIZE: LengthLimit = LengthLimit {
    most: 1 << 39,
    block: None,
    errno: Errno::Enomem,
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "bnxt_re",
    title: words("Broadcom NetXtreme-E"),
    table: words("PBL"),
    layout: words(
        "none for one block; a page up to 512; above that pages of 512 pointers and a directory",
    ),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: SMALL_AND_HUGE,
        none_fits: Some(Errno::Efault),
        length_limits: &[
            MAX_MR_SIZE,
            // `BNXT_RE_MAX_MR_SIZE_LOW`
            LengthLimit {
                most: 1 << 30,
                block: Some(PageSize::K4),
                errno: Errno::Einval,
            },
        ],
        layout: Layout::PageLists,
        source: words(
            "bnxt_re/ib_verbs.c: bnxt_re_reg_user_mr(), BNXT_RE_MAX_MR_SIZE_LOW [linux 5.10.262]",
        ),
        umem_error: Some(Errno::Efault),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            since: Since::new(5, 16),
            about: words("4K to 1G, and no limit of its own for 4K pages"),
            apply: |traits| Traits {
                page_sizes: from_4k(30),
                length_limits: &[MAX_MR_SIZE],
                source: words(
                    "bnxt_re/ib_verbs.c: bnxt_re_reg_user_mr(), page_size_cap 0x7ffff000 [linux 6.1.192]",
                ),
                ..traits
            },
        },
        Change {
            since: Since::new(6, 6),
            about: words(
                "EINVAL instead of EFAULT where no size fits, and the kernel's own errors",
            ),
            apply: |traits| Traits {
                none_fits: Some(Errno::Einval),
                umem_error: None,
                source: words(
                    "bnxt_re/ib_verbs.c: __bnxt_re_user_reg_mr(); qplib_res.c: bnxt_qplib_alloc_init_hwq() [linux 7.2.12]",
                ),
                ..traits
            },
        },
        Change::takes_dma_bufs(6, 6),
    ],
    bugs: &[Bug {
        since: None,
        mended: Some(Since::new(6, 19).stable(&[Release::new(6, 1, 160), Release::new(6, 12, 64)])),
        when: When::WideDirectory,
        errno: Some(Errno::Eio),
        about: "the directory is made of pages as large as the region's, so it needs more contiguous memory than there is \
                (qplib_res.c: bnxt_qplib_alloc_init_hwq())",
    }],
};
