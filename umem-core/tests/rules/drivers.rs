//! Drivers that chose the size of their blocks by themselves, against their own functions, transcribed statement by statement from the
//! C of that release: the size, and every address of the table.

use proptest::prelude::*;
use umem_core::{
    kernel::{GENERATIONS, KernelRules},
    size::PageSizes,
    table::{
        EntryRun,
        single::{Choice, Single},
    },
};

use crate::transcribed::{PAGE_SHIFT, PAGE_SIZE, Umem};

impl Umem {
    fn num_pages(&self) -> u64 {
        (self.address % PAGE_SIZE + self.length).div_ceil(PAGE_SIZE)
    }
}

/// What umem-core says: the size, and the address of every block.
fn ours(umem: &Umem, choice: Choice, rules: &KernelRules) -> (u32, Vec<u64>) {
    let sizes = PageSizes::from_bits(0xffff_f000);
    let size = choice.size(umem.segments(), &umem.mr(), sizes, rules, |_| ());
    let size = size.expect("the kernel's page always fits");
    let blocks = Single::new(
        umem.segments(),
        &choice.seen(&umem.mr()),
        size,
        choice.walk(rules),
    );
    let addresses = blocks
        .flat_map(EntryRun::entries)
        .map(|entry| entry.address.get());
    (size.log2(), addresses.collect())
}

fn ilog2(n: u64) -> u64 {
    // `ilog2(0)` is `fls64(0) - 1`.
    n.checked_ilog2().map_or(u64::MAX, u64::from)
}

/// mlx5/mem.c: mlx5_ib_cont_pages() [5.10], with max_page_shift 31: the shift and the number of blocks.
fn mlx5_ib_cont_pages(umem: &Umem) -> (u32, u64) {
    let find_first_bit = |tmp: u64| u64::from(tmp.trailing_zeros());
    let addr = umem.address >> PAGE_SHIFT;
    let mut m = find_first_bit(addr);
    m = m.min(31 - u64::from(PAGE_SHIFT));
    let (mut base, mut p, mut i) = (u64::MAX, 0u64, 0u64);
    for &(dma, length) in &umem.sgl {
        let len = length >> PAGE_SHIFT;
        let pfn = dma >> PAGE_SHIFT;
        if base.wrapping_add(p) != pfn {
            let tmp = pfn | p;
            if tmp & ((1 << m) - 1) != 0 {
                m = find_first_bit(tmp);
            }
            base = pfn;
            p = 0;
        }
        p += len;
        i += len;
    }
    m = m.min(ilog2(i.next_power_of_two()));
    (PAGE_SHIFT + m as u32, i.div_ceil(1 << m))
}

/// mlx5/mem.c: __mlx5_ib_populate_pas() [5.10], without an offset.
fn mlx5_ib_populate_pas(umem: &Umem, page_shift: u32, num_pages: u64) -> Vec<u64> {
    let shift = page_shift - PAGE_SHIFT;
    let mask = (1u64 << shift) - 1;
    let mut pas = Vec::new();
    let mut i = 0u64;
    for &(base, length) in &umem.sgl {
        for k in 0..length >> PAGE_SHIFT {
            if i & mask == 0 {
                assert_eq!(pas.len() as u64, i >> shift);
                pas.push(base + (k << PAGE_SHIFT));
            }
            i += 1;
            if i >> shift >= num_pages {
                return pas;
            }
        }
    }
    pas
}

/// mlx4/mr.c: alignment_of() [6.12].
fn alignment_of(ptr: u64) -> u64 {
    ilog2(ptr & !ptr.wrapping_sub(1))
}

/// mlx4/mr.c: mlx4_ib_umem_calc_block_mtt() [6.12].
fn mlx4_ib_umem_calc_block_mtt(next_block_start: u64, current_block_end: u64, shift: u64) -> u64 {
    let mut block_shift = shift;
    if next_block_start & ((1 << block_shift) - 1) != 0 {
        block_shift = alignment_of(next_block_start);
    }
    if current_block_end & ((1 << block_shift) - 1) != 0 {
        block_shift = alignment_of(current_block_end);
    }
    block_shift
}

/// mlx4/mr.c: mlx4_ib_umem_calc_optimal_mtt_size() [6.12]: the shift and the number of MTTs.
fn mlx4_ib_umem_calc_optimal_mtt_size(umem: &Umem) -> (u32, u64) {
    let start_va = umem.address;
    let min_shift = u64::from(PAGE_SHIFT);
    let mut block_shift = 31u64;
    let (mut current_block_start, mut first_block_start, mut current_block_len) =
        (0u64, 0u64, 0u64);
    let mut total_len = 0u64;
    for &(dma, length) in &umem.sgl {
        if current_block_len == 0 && current_block_start == 0 {
            current_block_start = dma;
            first_block_start = current_block_start;
            let misalignment_bits = (start_va & !(PAGE_SIZE - 1)) ^ current_block_start;
            block_shift = alignment_of(misalignment_bits).min(block_shift);
        }
        let next_block_start = dma;
        let current_block_end = current_block_start + current_block_len;
        if current_block_end != next_block_start {
            block_shift =
                mlx4_ib_umem_calc_block_mtt(next_block_start, current_block_end, block_shift);
            if block_shift <= min_shift {
                return (PAGE_SHIFT, umem.num_pages());
            }
            total_len += current_block_len;
            current_block_start = next_block_start;
            current_block_len = length;
            continue;
        }
        current_block_len += length;
    }
    total_len += current_block_len;
    total_len += first_block_start & ((1 << block_shift) - 1);
    let last_block_end = current_block_start + current_block_len;
    total_len += last_block_end.next_multiple_of(1 << block_shift) - last_block_end;
    assert_eq!(
        total_len & ((1 << block_shift) - 1),
        0,
        "misaligned total length detected"
    );
    (block_shift as u32, total_len >> block_shift)
}

/// mlx4/mr.c: mlx4_ib_umem_write_mtt() and mlx4_ib_umem_write_mtt_block() [6.12].
fn mlx4_ib_umem_write_mtt(umem: &Umem, mtt_shift: u32) -> Vec<u64> {
    let mtt_size = 1u64 << mtt_shift;
    let mut pages = Vec::new();
    let mut write_block = |cur_start_addr: u64, len: u64| {
        let cur_end_addr = cur_start_addr + len;
        let mut len = len + (cur_start_addr & (mtt_size - 1));
        len += cur_end_addr.next_multiple_of(mtt_size) - cur_end_addr;
        assert_eq!(len & (mtt_size - 1), 0);
        let start = cur_start_addr & !(mtt_size - 1);
        pages.extend((0..len >> mtt_shift).map(|k| start + mtt_size * k));
    };
    let (mut cur_start_addr, mut len) = (0u64, 0u64);
    for &(dma, length) in &umem.sgl {
        if cur_start_addr + len == dma {
            len += length;
            continue;
        }
        write_block(cur_start_addr, len);
        cur_start_addr = dma;
        len = length;
    }
    if len > 0 {
        write_block(cur_start_addr, len);
    }
    pages
}

/// hns/hns_roce_mr.c: mtr_init_buf_cfg() [5.10 and 6.1], of one region with hops, and pages of 4K.
fn mtr_init_buf_cfg(size: u64, first_region_padding: u64) -> u64 {
    let hr_hw_page_align = |size: u64| size.next_multiple_of(4096);
    let buf_size = hr_hw_page_align(size + first_region_padding);
    buf_size.div_ceil(PAGE_SIZE)
}

/// hns/hns_roce_alloc.c: hns_roce_get_umem_bufs() [5.10 and 6.1] over rdma_umem_for_each_dma_block(umem, PAGE_SIZE).
fn hns_roce_get_umem_bufs(umem: &Umem, buf_cnt: u64) -> Vec<u64> {
    let mut bufs = Vec::new();
    for &(dma, length) in &umem.sgl {
        for page in 0..length / PAGE_SIZE {
            bufs.push(dma + page * PAGE_SIZE);
            if bufs.len() as u64 >= buf_cnt {
                return bufs;
            }
        }
    }
    bufs
}

/// Runs that begin and end on boundaries of many sizes, contiguous or not, for a program's address that agrees with the first of
/// them in many low bits or in few.
fn umem() -> impl Strategy<Value = Umem> {
    let run = (
        0u32..11,
        1u64..6,
        0u32..12,
        0u64..1 << 22,
        prop::bool::weighted(0.4),
    );
    let runs = prop::collection::vec(run, 1..7);
    let ends = (0u64..PAGE_SIZE, 0u64..PAGE_SIZE, prop::bool::weighted(0.5));
    let address = (12u32..34, 1u64..1 << 16, prop::bool::weighted(0.7));
    (runs, ends, address, 0u32..12).prop_map(|(runs, (head, tail, whole), address, least)| {
        let mut sgl: Vec<(u64, u64)> = Vec::new();
        for (longer, count, aligned, place, contiguous) in runs {
            // Half of the layouts are made of large pages only.
            let unit = PAGE_SIZE << least.max(longer).min(11);
            let before = sgl.last().map(|(start, length)| start + length);
            let start = match before {
                Some(end) if contiguous => end,
                _ => (place << least.max(aligned)) * PAGE_SIZE,
            };
            sgl.push((start, unit * count.min(4)));
        }
        let total: u64 = sgl.iter().map(|(_, length)| length).sum();
        let (log2, place, agrees) = address;
        let page = match agrees {
            true => (place << log2) + (sgl[0].0 & ((1 << log2) - 1)),
            false => place << log2,
        };
        let (head, tail) = match (whole, head + tail < PAGE_SIZE) {
            (true, _) => (0, 0),
            (_, true) => (head, tail),
            (_, false) => (head, 0),
        };
        Umem {
            address: page + head,
            iova: page + head,
            length: total - head - tail,
            sgl,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mlx5_before_5_11(umem in umem()) {
        let (shift, count) = mlx5_ib_cont_pages(&umem);
        let pas = mlx5_ib_populate_pas(&umem, shift, count);
        prop_assert_eq!(pas.len() as u64, count);
        for rules in GENERATIONS {
            prop_assert_eq!(ours(&umem, Choice::ContPages, rules), (shift, pas.clone()));
        }
    }

    #[test]
    fn mlx4_before_6_14(umem in umem()) {
        let (shift, count) = mlx4_ib_umem_calc_optimal_mtt_size(&umem);
        let mtts = mlx4_ib_umem_write_mtt(&umem, shift);
        prop_assert_eq!(mtts.len() as u64, count);
        for rules in GENERATIONS {
            prop_assert_eq!(ours(&umem, Choice::OptimalMtt, rules), (shift, mtts.clone()));
        }
    }

    #[test]
    fn hns_before_6_9(umem in umem()) {
        let page_offset = umem.address % PAGE_SIZE;
        for (choice, padding) in [(Choice::PagesOfLength, 0), (Choice::KernelPage, page_offset)] {
            let bufs = hns_roce_get_umem_bufs(&umem, mtr_init_buf_cfg(umem.length, padding));
            for rules in GENERATIONS {
                prop_assert_eq!(ours(&umem, choice, rules), (PAGE_SHIFT, bufs.clone()));
            }
        }
    }
}

/// The generator reaches what the transcriptions tell apart.
#[test]
fn random_layouts_reach_large_and_small_pages() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen = [[0; 32]; 2];
    for _ in 0..2000 {
        let umem = umem().new_tree(&mut runner).unwrap().current();
        seen[0][mlx5_ib_cont_pages(&umem).0 as usize] += 1;
        seen[1][mlx4_ib_umem_calc_optimal_mtt_size(&umem).0 as usize] += 1;
    }
    for sizes in seen {
        let reached = sizes.iter().filter(|count| **count > 5).count();
        assert!(reached >= 10, "{seen:?}");
    }
}
