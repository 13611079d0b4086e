use super::traits::{Change, DmaBufs, Traits, from_4k};
use super::{DeviceProfile, OnDemand};
use crate::words::words;
use crate::{
    gate::Errno,
    kernel::Since,
    table::{memory::Layout, single::Choice},
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "mlx5-data-direct",
    title: words("NVIDIA ConnectX-8, dma-bufs through Data Direct"),
    table: words("KSM"),
    layout: words(
        "entries of 16 bytes (KSM) in a key of the data-direct function, and a second key that crosses to it",
    ),
    virt_dma: false,
    first: Some(Since::new(6, 12)),
    base: Traits {
        dma_buf: DmaBufs::KernelPage,
        data_direct: true,
        page_sizes: from_4k(31),
        choice: Choice::BEST,
        none_fits: Some(Errno::Einval),
        // Of the data-direct function: mlx5_data_direct_probe().
        max_segment: 1 << 31,
        on_demand: OnDemand::None,
        layout: Layout::List,
        entry_bytes: 16,
        assumed: Some(words(
            "that the machine has a data-direct function; without one EINVAL",
        )),
        source: words(
            "mlx5/mr.c: reg_user_mr_dmabuf_by_data_direct(); mlx5/data_direct.c: SZ_2G segments [linux 6.12.95]",
        ),
        ..Traits::COMMON
    },
    changes: &[
        Change {
            about: words(
                "the page size of a dma-buf is chosen when it is mapped, and again when it has moved",
            ),
            ..Change::takes_dma_bufs(6, 17)
        },
        Change {
            since: Since::new(6, 18),
            about: words(
                "no page is larger than the NIC's address of the first byte is aligned: a key of KSMs wants that",
            ),
            apply: |traits| Traits {
                page_divides_iova: true,
                assumed: Some(words(
                    "that the machine has a data-direct function; min_mkey_log_entity_size_fixed_buffer 12, and 31 as the most",
                )),
                source: words(
                    "mlx5/mr.c: reg_user_mr_dmabuf_by_data_direct(); mlx5/mlx5_ib.h: mlx5_umem_mkc_find_best_pgsz() [linux 7.2.13]",
                ),
                ..traits
            },
        },
    ],
    bugs: &[],
};
