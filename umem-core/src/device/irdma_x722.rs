use super::traits::{Bug, CPU_LIKE, Change, LengthLimit, SMALL_AND_HUGE, Traits, When};
use super::{DeviceProfile, irdma};
use crate::words::words;
use crate::{
    gate::Errno,
    kernel::{Release, Since},
    size::{PageSize, PageSizes},
    table::memory::Layout,
};

/// "Do not advertise 1GB page size for x722".
const WITHOUT_1G: Since = Since::new(5, 19).stable(&[Release::new(5, 18, 15)]);
/// irdma replaced i40iw.
const IRDMA: Since = Since::new(5, 14);

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "irdma-x722",
    title: words("Intel X722 (GEN1); its driver was i40iw up to 5.13"),
    table: words("PBLE"),
    layout: irdma::LAYOUT,
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: SMALL_AND_HUGE,
        none_fits: None,
        // `I40IW_MAX_MR_SIZE`
        length_limits: &[LengthLimit {
            most: 1 << 40,
            block: None,
            errno: Errno::Einval,
        }],
        layout: Layout::Chunks { narrow: true },
        source: words("i40iw/i40iw_verbs.c: i40iw_reg_user_mr() [linux 5.10.262]"),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            since: IRDMA,
            about: "irdma is the driver, and offers 1G as well",
            apply: |traits| Traits {
                page_sizes: CPU_LIKE,
                none_fits: Some(Errno::Eopnotsupp),
                length_limits: &[irdma::MAX_MR_SIZE],
                source: words("irdma/i40iw_hw.c: i40iw_init_hw(), from the mails of 2022-07-05"),
                ..traits
            },
        },
        Change {
            since: WITHOUT_1G,
            about: "4K and 2M, which is what the card has",
            apply: |traits| Traits {
                page_sizes: SMALL_AND_HUGE,
                source: words("irdma/i40iw_hw.c: i40iw_init_hw(), page_size_cap [linux 6.1.192]"),
                ..traits
            },
        },
        Change::takes_dma_bufs(6, 3),
        irdma::GROWS,
        irdma::WIDE_CONTIGUITY,
    ],
    bugs: &[Bug {
        since: Some(IRDMA),
        mended: Some(WITHOUT_1G),
        when: When::SizeIn(PageSizes::EMPTY.with(PageSize::G1)),
        errno: None,
        about: "the driver offers pages of 1G, which an X722 does not have: it computes wrong offsets in them (irdma/i40iw_hw.c)",
    }],
};
