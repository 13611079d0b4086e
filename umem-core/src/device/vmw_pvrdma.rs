use super::DeviceProfile;
use super::traits::{EntryLimit, Most, Scope, Traits};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    table::{memory::Layout, single::Choice},
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "vmw_pvrdma",
    title: words("VMware paravirtual RDMA"),
    table: words("page directory"),
    layout: words("a directory of 512 tables of 512 entries"),
    virt_dma: false,
    first: None,
    base: Traits {
        choice: Choice::KernelPage,
        entry_limits: &[EntryLimit {
            most: Most::Entries(512 * 512),
            scope: Scope::Region,
            access: None,
            gate: Gate::Table,
            errno: Errno::Einval,
            why: "its page directory reaches no further (vmw_pvrdma/pvrdma_mr.c: PVRDMA_PAGE_DIR_MAX_PAGES): register less",
        }],
        layout: Layout::Directory,
        assumed: Some(words(
            "page_size_cap 4K; the device reports it, and the longest region",
        )),
        source: words("vmw_pvrdma/pvrdma_mr.c: pvrdma_reg_user_mr() [linux 7.2.12]"),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
