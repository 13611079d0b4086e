use super::DeviceProfile;
use super::traits::Traits;
use crate::table::{memory::Layout, single::Choice};
use crate::words::words;

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "hfi1",
    title: words("Cornelis Omni-Path (rdmavt)"),
    table: words("rvt_seg"),
    layout: words("a software table of kernel addresses, PAGE_SIZE/16 to a map"),
    virt_dma: true,
    first: None,
    base: Traits {
        choice: Choice::KernelPage,
        layout: Layout::Maps,
        entry_bytes: 16,
        source: words("sw/rdmavt/mr.c: rvt_reg_user_mr() [linux 7.2.12]"),
        ..Traits::COMMON
    },
    changes: &[],
    bugs: &[],
};
