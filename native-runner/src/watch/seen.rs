//! A registration as it was seen, whole.

use std::time::Duration;

use umem_core::{
    address::VirtAddr,
    size::{PageSize, PageSizes},
    table::{Mr, single},
};

use super::{
    list::List,
    wire::{Best, Get, Kind},
};

/// A registration with all that was learned of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// What `ib_umem_get()` was given, and what it answered.
    pub get: Get,
    /// The lists, where there are any.
    pub list: Option<List>,
    /// Who called, from the inside out: `ib_umem_get`, `rxe_mr_init_user`, ….
    pub callers: Vec<String>,
    /// The page size that was looked for, by `ib_umem_find_best_pgsz()`.
    pub best: Option<Best>,
    /// The size of the blocks that the driver walked.
    pub blocks: Option<u64>,
    /// What the system call returned.
    pub result: Option<i64>,
}

/// What a registration is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// A memory region (MR).
    Region,
    /// The memory of a queue: CQ, QP, SRQ or WQ.
    Queue,
    /// A page with doorbell records.
    Doorbell,
    /// The callers do not tell.
    Unknown,
}

impl Purpose {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Queue => "queue",
            Self::Doorbell => "doorbell",
            Self::Unknown => "unknown",
        }
    }

    /// By the functions that called, the innermost first.
    fn of(callers: &[String]) -> Self {
        let has = |parts: &[&str]| {
            let names = |caller: &String| parts.iter().any(|part| caller.contains(part));
            callers.iter().any(names)
        };
        // mlx5_ib_db_map_user(), hns_roce_db_map_user(), …
        if has(&["db_map_user", "map_user_db"]) {
            return Self::Doorbell;
        }
        // mlx5_ib_reg_user_mr(), ib_uverbs_reg_mr(), UVERBS_METHOD_REG_DMABUF_MR, UVERBS_METHOD_DM_MR_REG, …
        if has(&["reg_user_mr", "reg_mr", "MR_REG", "_REG_", "rereg"]) {
            return Self::Region;
        }
        let queues = [
            "create_cq",
            "create_qp",
            "create_srq",
            "create_wq",
            "resize_cq",
            "CQ_CREATE",
            "QP_CREATE",
            "SRQ_CREATE",
            "WQ_CREATE",
        ];
        match has(&queues) {
            true => Self::Queue,
            false => Self::Unknown,
        }
    }
}

/// How the functions begin that lead from a program into the kernel.
const SYSTEM_CALL: [&str; 5] = [
    "__x64_sys_",
    "do_syscall_",
    "entry_SYSCALL",
    "ksys_",
    "vfs_",
];

/// The functions that hold these return addresses, as far as RDMA's code goes; none where the kernel hides its addresses.
pub(super) fn callers(
    stack: &[u64],
    function: &mut dyn FnMut(u64) -> Option<String>,
) -> Vec<String> {
    // A return address: the call is before it.
    let names: Vec<_> = stack
        .iter()
        .map(|address| function(address.saturating_sub(1)))
        .collect();
    if names.iter().all(Option::is_none) {
        return Vec::new();
    }
    let names = names.into_iter().map(|name| name.unwrap_or("?".to_owned()));
    // What is around the system call is the same for all.
    let is_inside = |name: &String| !SYSTEM_CALL.iter().any(|start| name.starts_with(start));
    names.take_while(is_inside).collect()
}

/// Ways into the kernel, whose returns are seen as well.
const CALLS: [&str; 2] = ["ib_uverbs_ioctl", "ib_uverbs_write"];

impl Seen {
    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        Purpose::of(&self.callers)
    }

    /// Whether a program's system call led here, so that its end is seen.
    pub fn is_call(&self) -> bool {
        let is_call = |caller: &String| CALLS.contains(&caller.as_str());
        self.callers.iter().any(is_call)
    }

    /// The region in numbers, by the address that the NIC uses; `None` if it is empty, or no region at all.
    pub fn mr(&self, page: PageSize) -> Option<Mr> {
        let Get {
            address, length, ..
        } = self.get;
        // More than a registration can have, and then the core's sums overflow.
        if length == 0 || length >= 1 << 62 || address.checked_add(length).is_none() {
            return None;
        }
        let mr = Mr::new(VirtAddr::new(address), length, page);
        Some(match self.best {
            Some(best) => Mr {
                hca_address: VirtAddr::new(best.virt),
                ..mr
            },
            None => mr,
        })
    }

    /// Kernel pages that it pins.
    pub fn pages(&self, page: PageSize) -> u64 {
        self.mr(page).map_or(0, |mr| mr.pages())
    }

    /// The sizes that the device has, where they were told.
    pub fn sizes(&self) -> Option<PageSizes> {
        self.best.map(|best| PageSizes::from_bits(best.sizes))
    }

    /// The page size of the device's table, where one was chosen.
    pub fn page_size(&self) -> Option<PageSize> {
        let best = self.best.and_then(|best| PageSize::new(best.best));
        best.or_else(|| PageSize::new(self.blocks?))
    }

    /// How many entries the device's table has, where a size was chosen.
    pub fn entries(&self, page: PageSize) -> Option<u64> {
        Some(single::block_count(&self.mr(page)?, self.page_size()?))
    }

    /// The errno that the program sees, positive: of `ib_umem_get()`, or of what came after it.
    pub fn errno(&self) -> Option<i32> {
        let later = self.result.filter(|result| (-4095..0).contains(result));
        self.get.errno().or(later.map(|errno| -errno as i32))
    }

    /// How long `ib_umem_get()` took.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.get.origin.time.saturating_sub(self.get.start))
    }

    /// Whether device addresses go through an IOMMU's tables.
    pub fn is_translated(&self) -> bool {
        self.get.has_dma_device && self.get.domain_type.is_some_and(|kind| kind & 1 != 0)
    }

    /// What it registers.
    pub fn kind(&self) -> Kind {
        self.get.kind
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::wire::Origin;
    use super::*;

    /// A region of 8K whose two pages lie apart, merged by an IOMMU.
    pub fn seen() -> Seen {
        Seen {
            get: Get {
                origin: Origin {
                    thread: 7 << 32 | 8,
                    time: 30_000,
                },
                start: 10_000,
                umem: 0xffff_8880_0000_1000,
                address: 0x7f00_0000_1000,
                length: 0x2000,
                access: 1,
                max_segment: 0xffff_ffff,
                boundary_mask: 0xffff_ffff,
                dma_mask: u64::MAX,
                domain_pages: 0x4020_1000,
                sgl: 0xffff_8880_0000_2000,
                vmemmap_base: 1,
                pinned: 0,
                memlock: 8 << 20,
                capabilities: 0,
                stack: Vec::new(),
                kind: Kind::Pages,
                reached_mapping: true,
                has_dma_device: true,
                domain_type: Some(0xb),
                list: None,
                name: "mlx5_0".into(),
                comm: "vllm".into(),
            },
            list: Some(List {
                memory: vec![(0x10_0000, 0x1000), (0x30_0000, 0x1000)],
                dma: vec![(0xffff_e000, 0x2000)],
                has_frames: true,
                missing: 0,
            }),
            callers: [
                "ib_umem_get",
                "mlx5_ib_reg_user_mr",
                "ib_uverbs_reg_mr",
                "ib_uverbs_ioctl",
            ]
            .map(str::to_owned)
            .into(),
            best: Some(Best {
                origin: Origin {
                    thread: 7 << 32 | 8,
                    time: 31_000,
                },
                umem: 0xffff_8880_0000_1000,
                sizes: 0x4020_1000,
                virt: 0x7f00_0000_1000,
                best: 4096,
            }),
            blocks: Some(4096),
            result: Some(0),
        }
    }

    #[test]
    fn what_was_seen_tells_the_table() {
        let seen = seen();
        let page = PageSize::K4;
        assert_eq!((seen.pages(page), seen.entries(page)), (2, Some(2)));
        assert_eq!(seen.duration(), Duration::from_micros(20));
        assert!(seen.is_call() && seen.is_translated());
        assert_eq!(seen.errno(), None);
    }

    #[test]
    fn callers_tell_regions_from_queues() {
        let of = |callers: &[&str]| {
            let callers: Vec<String> = callers.iter().map(|&name| name.into()).collect();
            Purpose::of(&callers)
        };
        let uverbs = "ib_uverbs_ioctl";
        assert_eq!(
            of(&["ib_umem_get", "mlx5_ib_reg_user_mr", "ib_uverbs_reg_mr"]),
            Purpose::Region
        );
        let created = "ib_uverbs_handler_UVERBS_METHOD_CQ_CREATE";
        assert_eq!(of(&["mlx5_ib_create_cq", created, uverbs]), Purpose::Queue);
        assert_eq!(
            of(&["mlx5_ib_db_map_user", "mlx5_ib_create_cq", uverbs]),
            Purpose::Doorbell
        );
        assert_eq!(of(&["probe_ioctl"]), Purpose::Unknown);
    }

    #[test]
    fn a_refusal_after_pinning_is_one_too() {
        let late = Seen {
            result: Some(-12),
            ..seen()
        };
        assert_eq!((late.get.errno(), late.errno()), (None, Some(12)));
        let odd = Seen {
            get: Get {
                address: u64::MAX,
                ..seen().get
            },
            ..seen()
        };
        assert_eq!((odd.mr(PageSize::K4), odd.pages(PageSize::K4)), (None, 0));
    }
}
