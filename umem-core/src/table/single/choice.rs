//! How a driver chooses the one size of a region's blocks.

use super::{Constraint, Sweep, cont_pages, optimal_mtt};
use crate::{
    address::VirtAddr,
    iommu::DmaSegment,
    kernel::KernelRules,
    size::{PageSize, PageSizes},
    table::Mr,
};

/// The ways in which drivers of Linux choose, and count, the blocks of one size.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Choice {
    /// `ib_umem_find_best_pgsz()`, given this address as the NIC's.
    Best(NicAddress),
    /// The kernel's page, whatever the memory.
    KernelPage,
    /// The same, but as many pages as the length alone takes: what an offset in the first page adds is not counted.
    /// `hns_roce_mr.c: mtr_init_buf_cfg()` [linux 5.10].
    PagesOfLength,
    /// `mlx5_ib_cont_pages()` [linux 5.10]: as large as the program's address is aligned, and as all inner ends of contiguous runs are.
    ContPages,
    /// `mlx4_ib_umem_calc_optimal_mtt_size()` [linux 6.12]: as large as the bits allow in which the program's address and the first device
    /// address agree, and as all inner ends of contiguous runs do.
    OptimalMtt,
}

/// Which address a driver passes on as the one that the NIC uses for the region's first byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NicAddress {
    /// The NIC's: the only one that makes tables right for every region.
    Iova,
    /// The program's.
    Start,
    /// 0.
    Zero,
}

impl Choice {
    /// What mainline's function is meant for, and what a device that no catalogue knows does.
    pub const BEST: Self = Self::Best(NicAddress::Iova);

    /// Whether `ib_umem_find_best_pgsz()` chooses.
    pub const fn is_best(self) -> bool {
        matches!(self, Self::Best(_))
    }

    /// The region as the driver sees it while it chooses, counts and walks blocks.
    pub fn seen(self, mr: &Mr) -> Mr {
        let hca_address = match self {
            Self::Best(NicAddress::Iova) => return *mr,
            Self::Best(NicAddress::Zero) => VirtAddr::new(0),
            Self::PagesOfLength => {
                let into = mr.page_offset();
                let address = mr.address.align_down(mr.page);
                return Mr {
                    address,
                    hca_address: address,
                    offset: mr.offset - into,
                    ..*mr
                };
            }
            _ => mr.address,
        };
        Mr { hca_address, ..*mr }
    }

    /// The rules by which its blocks are walked: the kernel's, or those of a driver that walks them by itself, across entries and in
    /// 64 bits.
    pub fn walk(self, rules: &KernelRules) -> &KernelRules {
        match self {
            Self::Best(_) | Self::KernelPage => rules,
            Self::PagesOfLength | Self::ContPages | Self::OptimalMtt => KernelRules::newest(),
        }
    }

    /// The size among `sizes` that the driver takes for `mr`, or `None` where none fits. `on` gets each constraint that forbids
    /// sizes which were allowed before.
    pub fn size(
        self,
        segments: impl Iterator<Item = DmaSegment>,
        mr: &Mr,
        sizes: PageSizes,
        rules: &KernelRules,
        on: impl FnMut(Constraint),
    ) -> Option<PageSize> {
        let mr = &self.seen(mr);
        let mut on = on;
        let most = match self {
            Self::Best(_) => {
                let mut sweep = Sweep::new(mr, sizes, rules);
                segments.for_each(|segment| sweep.push(segment, &mut on));
                return sweep.best();
            }
            Self::KernelPage | Self::PagesOfLength => mr.page,
            Self::ContPages => cont_pages::most(segments, mr, on),
            Self::OptimalMtt => optimal_mtt::most(segments, mr, on),
        };
        sizes.up_to(most).largest()
    }
}
