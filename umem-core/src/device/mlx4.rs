use super::DeviceProfile;
use super::traits::{Bug, Change, EntryLimit, Most, Scope, Traits, When, from_4k};
use crate::words::words;
use crate::{
    gate::{Errno, Gate},
    kernel::Since,
    table::{
        memory::Layout,
        single::{Choice, NicAddress},
    },
};

pub(super) static DRIVER: DeviceProfile = DeviceProfile {
    name: "mlx4",
    title: words("NVIDIA ConnectX-3"),
    table: words("MTT"),
    layout: words("a power of two of entries, from a buddy allocator"),
    virt_dma: false,
    first: None,
    base: Traits {
        page_sizes: from_4k(31),
        choice: Choice::OptimalMtt,
        max_segment: 1 << 30,
        entry_limits: &[EntryLimit {
            most: Most::Entries(1 << 31),
            scope: Scope::Device,
            access: None,
            gate: Gate::Table,
            errno: Errno::Enomem,
            why: "the card has no more MTTs (mlx4/main.c: 2^20 to 2^31, for twice the memory's pages): use larger pages",
        }],
        layout: Layout::Buddy(1),
        assumed: Some(words(
            "2^31 MTTs, the most; the card has as many as twice the memory's pages take",
        )),
        source: words("mlx4/mr.c: mlx4_ib_umem_calc_optimal_mtt_size() [linux 6.12.117]"),
        ..Traits::COMMON
    },
    changes: &[Change {
        since: Since::new(6, 14),
        about: words("ib_umem_find_best_pgsz() chooses, among 4K to 2G, for the program's address"),
        apply: |traits| Traits {
            choice: Choice::Best(NicAddress::Start),
            none_fits: Some(Errno::Eopnotsupp),
            source: words(
                "mlx4/mlx4_ib.h: mlx4_ib_umem_calc_optimal_mtt_size(), MLX4_PAGE_SIZE_SUPPORTED [linux 7.2.12]",
            ),
            ..traits
        },
    }],
    bugs: &[Bug {
        since: None,
        mended: None,
        when: When::Unsound,
        errno: None,
        about: "the size is chosen for the program's address, and the key is made with the NIC's (mlx4/mr.c: \
                mlx4_ib_reg_user_mr())",
    }],
};
