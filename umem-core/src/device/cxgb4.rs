use super::DeviceProfile;
use super::traits::{LengthLimit, Traits, from_4k};
use crate::words::words;
use crate::{
    gate::Errno,
    table::{memory::Layout, single::Choice},
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "cxgb4",
    title: words("Chelsio T4 to T6"),
    table: words("PBL"),
    layout: words("in adapter memory, in units of 256 bytes, and one TPT entry"),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(27),
        choice: Choice::KernelPage,
        length_limits: &[LengthLimit {
            most: (8 << 30) - 1,
            block: None,
            errno: Errno::Einval,
        }],
        layout: Layout::Units(256),
        assumed: Some(words(
            "a T4 or T5, which takes less than 8G; a T6 takes more",
        )),
        source: words(
            "cxgb4/mem.c: c4iw_reg_user_mr(), mr_exceeds_hw_limits(); page_size_cap 0xffff000 [linux 7.2.12]",
        ),
        umem_error: Some(Errno::Enomem),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
