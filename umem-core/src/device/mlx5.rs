use super::traits::{Bug, Change, DmaBufs, Traits, When, from_4k};
use super::{DeviceProfile, OnDemand};
use crate::words::words;
use crate::{
    gate::Errno,
    kernel::{Release, Since},
    size::PageSizes,
    table::{memory::Layout, single::Choice},
};

/// 4G to 2^63.
const ABOVE_2G: PageSizes = PageSizes::from_bits(!0xffff_ffff);

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "mlx5",
    title: words("NVIDIA ConnectX-4 and later, BlueField"),
    table: words("MTT"),
    layout: words("translation entries in octowords of 16 bytes (2 entries)"),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(31),
        choice: Choice::ContPages,
        max_segment: 1 << 31,
        on_demand: OnDemand::Implicit,
        layout: Layout::Octowords,
        source: words(
            "mlx5/mem.c: mlx5_ib_cont_pages(); mlx5/mr.c: get_octo_len(); core/main.c: SZ_2G segments [linux 5.10.262]",
        ),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            since: Since::new(5, 11),
            about: words("ib_umem_find_best_pgsz() chooses, among 4K to 2G"),
            apply: |traits| Traits {
                choice: Choice::BEST,
                source: words(
                    "mlx5/mlx5_ib.h: mlx5_umem_find_best_pgsz(), log_page_size of 5 bits [linux 6.1.192]",
                ),
                ..traits
            },
        },
        Change {
            since: Since::new(5, 12),
            about: words("takes dma-bufs, in the kernel's pages"),
            apply: |traits| Traits {
                dma_buf: DmaBufs::KernelPage,
                ..traits
            },
        },
        Change {
            since: Since::new(6, 12),
            about: words("no upper bound but the 6 bits of log_page_size: 4K to 2^63"),
            apply: |traits| Traits {
                page_sizes: from_4k(63),
                assumed: Some(words(
                    "umr_log_entity_size_5, as newer cards have it; without it 4K to 2G",
                )),
                source: words("mlx5/mlx5_ib.h: mlx5_umem_mkc_find_best_pgsz() [linux 6.12.117]"),
                ..traits
            },
        },
        Change {
            since: Since::new(6, 17),
            about: words(
                "the capabilities bound the sizes (\"Align mkc page size capability check to PRM\")",
            ),
            apply: |traits| Traits {
                page_sizes: from_4k(31),
                assumed: Some(words(
                    "log_min_mkey_entity_size 12; max_mkey_log_entity_size_mtt 31, as where the capability is 0",
                )),
                source: words(
                    "mlx5/mlx5_ib.h: mlx5_umem_mkc_find_best_pgsz(), get_max_log_entity_size_cap() [linux 7.2.12]",
                ),
                ..traits
            },
        },
        Change {
            about: "the page size of a dma-buf is chosen when it is mapped, and again when it has moved",
            ..Change::takes_dma_bufs(6, 17)
        },
    ],
    bugs: &[
        Bug {
            since: Some(Since::new(6, 12)),
            mended: Some(Since::new(6, 15).stable(&[Release::new(6, 12, 23)])),
            when: When::SizeIn(ABOVE_2G),
            errno: Some(Errno::Einval),
            about: "the size is kept in 32 bits, where a page of 4G or more is 0 (mlx5/mr.c: alloc_cacheable_mr())",
        },
        Bug {
            since: Some(Since::new(6, 12)),
            mended: Some(Since::new(6, 17).stable(&[Release::new(6, 12, 42)])),
            when: When::SizeIn(ABOVE_2G),
            errno: None,
            about: "a key that is used again may keep the sixth bit of its last page size (\"Fix UMR modifying of mkey page size\")",
        },
        Bug {
            since: None,
            mended: Some(Since::new(5, 11)),
            when: When::Unsound,
            errno: None,
            about: "the size is chosen for the program's address, and the key is made with the NIC's (mlx5/mr.c: mr_umem_get())",
        },
    ],
};
