use super::*;
use crate::tiling::Tiling;
use alloc::{string::ToString, vec::Vec};
use proptest::prelude::*;

const MAIL: PageSizes = PageSizes::from_bits(0x30_1000);
const START: u64 = 0x4000_1000;
const PAGES: u64 = 1023;

fn lengths(draft: Draft, start: u64, pages: u64) -> (Vec<(u64, usize)>, Option<Stopped>) {
    let mut run = draft.run(PhysAddr::new(start), pages, PageSize::K4, MAIL);
    let mut list: Vec<(u64, usize)> = Vec::new();
    for (_, length) in run.by_ref() {
        match list.last_mut() {
            Some((last, count)) if *last == length => *count += 1,
            _ => list.push((length, 1)),
        }
    }
    (list, run.stopped())
}

#[test]
fn the_mask_as_first_written_leaves_no_size() {
    let (list, stopped) = lengths(Draft::AS_WRITTEN, START, PAGES);
    assert!(list.is_empty());
    assert_eq!(
        stopped,
        Some(Stopped::NoSize {
            address: PhysAddr::new(START),
            zeros: 12,
            mask: 23
        })
    );
    // Whatever the alignment: the mask is below 128, and no page is that small.
    assert!((0..64).all(|zeros| Draft::AS_WRITTEN.mask(zeros.max(1)) < 128));
}

#[test]
fn with_the_reply_the_example_comes_out() {
    let (list, stopped) = lengths(Draft::WITH_THE_REPLY, START, PAGES);
    assert_eq!(
        (list, stopped),
        (alloc::vec![(4096, 255), (1 << 20, 1), (2 << 20, 1)], None)
    );
}

#[test]
fn without_the_countdown_it_runs_on() {
    let draft = Draft {
        counts_down: false,
        ..Draft::MENDED
    };
    let (_, stopped) = lengths(draft, START, PAGES);
    assert_eq!(
        stopped,
        Some(Stopped::RunsOn {
            address: PhysAddr::new(START + PAGES * 4096)
        })
    );
}

#[test]
fn a_short_tail_gets_a_length_that_is_no_size() {
    // The region behind the IOMMU: an aligned start, 4M-4K long.
    let (list, _) = lengths(Draft::WITH_THE_REPLY, 0xffc0_0000, PAGES);
    assert_eq!(list, [(2 << 20, 1), ((2 << 20) - 4096, 1)]);
    let (list, _) = lengths(Draft::MENDED, 0xffc0_0000, PAGES);
    assert_eq!(list, [(2 << 20, 1), (1 << 20, 1), (4096, 255)]);
}

#[test]
fn frame_zero_is_the_least_aligned() {
    let (list, stopped) = lengths(Draft::WITH_THE_REPLY, 0, 1024);
    assert!(list.is_empty());
    assert_eq!(
        stopped,
        Some(Stopped::NoSize {
            address: PhysAddr::new(0),
            zeros: 11,
            mask: 0xfff
        })
    );
    assert_eq!(
        lengths(Draft::MENDED, 0, 1024),
        (alloc::vec![(2 << 20, 2)], None)
    );
}

#[test]
fn an_alignment_of_2g_overflows_the_int() {
    let (_, stopped) = lengths(Draft::WITH_THE_REPLY, 0x8000_0000, 1024);
    assert_eq!(
        stopped.unwrap().to_string(),
        "at 0x80000000 num_zeros is 31, and the mask 0x0 leaves no size: WARN_ON, NULL"
    );
    assert_eq!(
        lengths(Draft::MENDED, 0x8000_0000, 1024),
        (alloc::vec![(2 << 20, 2)], None)
    );
    // 1G still works, though `1 << 31` is negative.
    assert_eq!(
        lengths(Draft::WITH_THE_REPLY, 0x4000_0000, 1024).0,
        [(2 << 20, 2)]
    );
}

#[test]
fn frames_at_multiples_of_2_to_the_32_are_the_least_aligned_as_well() {
    let start = 1 << 44;
    let draft = Draft {
        wide_ffs: false,
        ..Draft::MENDED
    };
    let (list, stopped) = lengths(draft, start, 1024);
    assert!(list.is_empty());
    assert_eq!(
        stopped,
        Some(Stopped::NoSize {
            address: PhysAddr::new(start),
            zeros: 11,
            mask: 0xfff
        })
    );
    // It is the number's low half that counts, not its size.
    let (list, stopped) = lengths(Draft::WITH_THE_REPLY, start + (4 << 20), 1024);
    assert_eq!((list, stopped), (alloc::vec![(2 << 20, 2)], None));
    assert_eq!(
        lengths(Draft::MENDED, start, 1024),
        (alloc::vec![(2 << 20, 2)], None)
    );
}

#[test]
fn min_t_takes_2_to_the_31_pages_for_a_negative_number() {
    let draft = Draft {
        wide_min: false,
        ..Draft::MENDED
    };
    let pages = 1u64 << 31;
    assert_eq!(
        lengths(draft, 0x4000_0000, pages),
        (alloc::vec![(pages << 12, 1)], None)
    );
    // A page fewer is a positive number.
    let mut fewer = draft.run(PhysAddr::new(0x4000_0000), pages - 1, PageSize::K4, MAIL);
    assert_eq!(fewer.next(), Some((PhysAddr::new(0x4000_0000), 2 << 20)));
    // Of 2^32 it sees none.
    let (list, stopped) = lengths(draft, 0x4000_0000, 1 << 32);
    assert!(list.is_empty());
    assert_eq!(
        stopped,
        Some(Stopped::StandsStill {
            address: PhysAddr::new(0x4000_0000)
        })
    );
    let mut mended = Draft::MENDED.run(PhysAddr::new(0x4000_0000), pages, PageSize::K4, MAIL);
    assert_eq!(mended.next(), Some((PhysAddr::new(0x4000_0000), 2 << 20)));
}

/// 4K and 4G.
const HUGE: PageSizes = PageSizes::from_bits(0x1_0000_1000);

#[test]
fn fls_never_sees_a_size_of_4g() {
    let blind = Draft {
        wide_fls: false,
        ..Draft::MENDED
    };
    let blocks = |draft: Draft| {
        draft
            .run(PhysAddr::new(1 << 32), 1 << 20, PageSize::K4, HUGE)
            .count()
    };
    assert_eq!((blocks(blind), blocks(Draft::MENDED)), (1 << 20, 1));
}

#[test]
fn of_an_entry_of_4g_nothing_is_left() {
    let short = Draft {
        wide_length: false,
        ..Draft::MENDED
    };
    let first = |draft: Draft| {
        draft
            .run(PhysAddr::new(1 << 32), 1 << 20, PageSize::K4, HUGE)
            .next()
    };
    let start = PhysAddr::new(1 << 32);
    assert_eq!(first(short), Some((start, 0)));
    assert_eq!(first(Draft::MENDED), Some((start, 1 << 32)));
}

#[test]
fn half_a_page_passes_the_check() {
    // 2K and 2M: at an odd page only the 2K are left.
    let sizes = PageSizes::from_bits(0x20_0800);
    let mut run = Draft::WITH_THE_REPLY.run(PhysAddr::new(START), 1, PageSize::K4, sizes);
    assert_eq!(run.next(), Some((PhysAddr::new(START), 0)));
    assert_eq!(run.next(), None);
    assert_eq!(
        run.stopped(),
        Some(Stopped::WrapsAround {
            address: PhysAddr::new(START + (1 << 43))
        })
    );
    let mended = Draft {
        whole_pages: true,
        ..Draft::WITH_THE_REPLY
    };
    let mut run = mended.run(PhysAddr::new(START), 1, PageSize::K4, sizes);
    assert_eq!(run.next(), None);
    assert_eq!(
        run.stopped(),
        Some(Stopped::NoSize {
            address: PhysAddr::new(START),
            zeros: 12,
            mask: 0x1fff
        })
    );
}

/// The mail's function, line by line in C's types, as gcc compiles it for x86-64: the first `most` entries, and whether NULL was
/// returned. `reply` has the mask and the countdown of the reply.
fn transcribed(
    mut pfn: u64,
    mut npages: u64,
    supported_pagesz: u64,
    reply: bool,
    most: usize,
) -> (Vec<(u64, u64)>, bool) {
    const PAGE_SHIFT: u32 = 12;
    fn ffs(x: i32) -> i32 {
        if x == 0 {
            0
        } else {
            x.trailing_zeros() as i32 + 1
        }
    }
    fn fls(x: u32) -> i32 {
        (32 - x.leading_zeros()) as i32
    }
    let mut entries = Vec::new();
    while npages != 0 && entries.len() < most {
        let num_zeros: u32 = (ffs(pfn as i32) as u32)
            .wrapping_add(PAGE_SHIFT)
            .wrapping_sub(1);
        let mask: u64 = if reply {
            i64::from(1i32.wrapping_shl(num_zeros + 1).wrapping_sub(1)) as u64
        } else {
            u64::from((num_zeros << 1).wrapping_sub(1))
        };
        let page_bit: u32 = fls((supported_pagesz & mask) as u32) as u32;
        if page_bit < PAGE_SHIFT || page_bit == 0 {
            return (entries, true);
        }
        let block: i32 = 1i32.wrapping_shl(page_bit.wrapping_sub(1).wrapping_sub(PAGE_SHIFT));
        let len_pages: u32 = (npages as i32).min(block) as u32;
        // sg_set_page(struct scatterlist *, struct page *, unsigned int len, unsigned int offset)
        entries.push((
            pfn << PAGE_SHIFT,
            u64::from((u64::from(len_pages) * 4096) as u32),
        ));
        pfn = pfn.wrapping_add(len_pages.into());
        if reply {
            npages = npages.wrapping_sub(len_pages.into());
        }
    }
    (entries, false)
}

proptest! {
    #[test]
    fn unmended_it_is_the_mails_function(
        frame in prop_oneof![0u64..1 << 20, (1u64..1 << 8).prop_map(|n| n << 32), (0u64..1 << 20).prop_map(|n| n << 9)],
        pages in prop_oneof![1u64..5000, (1u64 << 31) - 2..(1 << 31) + 2, (1u64 << 32) - 2..(1 << 32) + 2],
        sizes in prop_oneof![any::<u64>(), (0u64..1 << 40).prop_map(|bits| bits & 0x1_6030_1800)],
        reply in any::<bool>(),
    ) {
        let draft = if reply { Draft::WITH_THE_REPLY } else { Draft::AS_WRITTEN };
        let mut run = draft.run(PhysAddr::new(frame << 12), pages, PageSize::K4, PageSizes::from_bits(sizes));
        let drafted: Vec<_> = run.by_ref().take(600).map(|(at, length)| (at.get(), length)).collect();
        let (entries, null) = transcribed(frame, pages, sizes, reply, 600);
        match run.stopped() {
            Some(Stopped::NoSize { .. }) => prop_assert!(null),
            // The function never returns; the exhibit says so and ends.
            Some(_) => {
                prop_assert!(!null && entries.len() > drafted.len());
                prop_assert_eq!(&drafted[..], &entries[..drafted.len()]);
                return Ok(());
            }
            None => prop_assert!(!null),
        }
        prop_assert_eq!(drafted, entries);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn mended_it_is_the_intended_rule(frame in prop_oneof![Just(0u64), 0u64..1 << 20, any::<u64>().prop_map(|n| n >> 14)], pages in 1u64..5000, sizes in crate::testing::page_sizes(12..34)) {
        let sizes = sizes.with(PageSize::K4);
        let (start, end) = (frame << 12, (frame + pages) << 12);
        let mut run = Draft::MENDED.run(PhysAddr::new(start), pages, PageSize::K4, sizes);
        let drafted: Vec<_> = run.by_ref().map(|(at, length)| (at.get(), length)).collect();
        prop_assert_eq!(run.stopped(), None);
        let tiled: Vec<_> = Tiling::new(PhysAddr::new(start), PhysAddr::new(end), sizes)
            .flat_map(|run| run.addresses().map(move |address| (address.get(), run.size.bytes())))
            .collect();
        prop_assert_eq!(drafted, tiled);
    }
}
