use super::DeviceProfile;
use super::traits::{Bug, Change, EntryLimit, Most, Scope, Traits, When, from_4k};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::{Release, Since},
    table::{memory::Layout, single::Choice},
};

/// "RDMA/hns: Optimize the base address table config for MTR": 5.10.262 is without it, 6.1.192 has it.
const OFFSET_COUNTED: Since = Since::new(5, 12);

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "hns",
    title: words("HiSilicon RoCE"),
    table: words("PBL"),
    layout: words("hops of base-address pages of 16K (with kernel pages of 4K)"),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(27),
        choice: Choice::PagesOfLength,
        entry_limits: &[EntryLimit {
            most: Most::Entries(2048 * 2048),
            scope: Scope::Region,
            access: None,
            gate: Gate::Table,
            errno: Errno::Enobufs,
            why: "two hops of pages of 16K reach no further (hns/hns_roce_hem.c: hem_list_alloc_root_bt()): register less",
        }],
        layout: Layout::TwoHops16K,
        assumed: Some(words(
            "pbl_buf_pg_sz 0, pbl_hop_num 2: the driver's defaults",
        )),
        source: words(
            "hns/hns_roce_mr.c: alloc_mr_pbl(), fixed_page; mtr_init_buf_cfg() [linux 5.10.262]",
        ),
        umem_error: Some(Errno::Enomem),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            since: OFFSET_COUNTED,
            about: "an offset in the first page counts, and base-address pages grow with the table",
            apply: |traits| Traits {
                choice: Choice::KernelPage,
                entry_limits: &[],
                layout: Layout::TwoHops,
                source: words(
                    "hns/hns_roce_mr.c: alloc_mr_pbl(), mtr_init_buf_cfg(), cal_best_bt_pg_sz() [linux 6.1.192]",
                ),
                ..traits
            },
        },
        Change {
            since: Since::new(6, 9),
            about: words(
                "ib_umem_find_best_pgsz() chooses, among 4K to 128M; as many hops as it takes",
            ),
            apply: |traits| Traits {
                choice: Choice::BEST,
                layout: Layout::Hops,
                assumed: Some(words(
                    "page_size_cap 0xffff000, the driver's default; the firmware reports it",
                )),
                source: words(
                    "hns/hns_roce_mr.c: get_best_page_shift(), get_best_hop_num() [linux 6.12.117]",
                ),
                ..traits
            },
        },
        Change {
            since: Since::new(6, 15).stable(&[
                Release::new(5, 10, 237),
                Release::new(6, 1, 135),
                // Released on the same day as 6.1.135; 6.12.117 has it.
                Release::new(6, 6, 88),
                Release::new(6, 12, 25),
            ]),
            about: "segments up to 2G (hns/hns_roce_main.c: hns_roce_register_device())",
            apply: |traits| Traits {
                max_segment: 1 << 31,
                ..traits
            },
        },
    ],
    bugs: &[Bug {
        since: None,
        mended: Some(OFFSET_COUNTED),
        when: When::TooFew,
        errno: None,
        about: "the table has as many pages as the length alone takes, so the region's last page has none (hns/hns_roce_mr.c: \
                mtr_init_buf_cfg())",
    }],
};
