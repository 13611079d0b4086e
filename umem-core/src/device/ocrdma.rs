use super::DeviceProfile;
use super::traits::{Traits, from_4k};
use crate::words::words;
use crate::{
    gate::Errno,
    table::{memory::Layout, single::Choice},
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "ocrdma",
    title: words("Emulex OneConnect"),
    table: words("PBL"),
    layout: words("pages of 4K to 64K"),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(27),
        choice: Choice::KernelPage,
        layout: Layout::Pages,
        assumed: Some(words(
            "as many PBL pages of 4K as it takes; the firmware has a limit (max_num_mr_pbl), beyond it EFAULT",
        )),
        source: words(
            "ocrdma/ocrdma_verbs.c: ocrdma_reg_user_mr(), ocrdma_get_pbl_info() [linux 7.2.12]",
        ),
        umem_error: Some(Errno::Efault),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
