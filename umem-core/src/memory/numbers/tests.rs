//! The fast runs beside the slow ones.

use super::{
    mask::{FRAME_NUMBER, PRESENT},
    *,
};
use crate::scatter::{Coalescing, CutRuns, ScatterList, SgEntry};
use alloc::vec::Vec;
use proptest::prelude::*;

/// The slow runs, cut into entries of at most `longest` bytes.
fn entries<const MASK: u64>(words: &[u64], longest: u64) -> Vec<SgEntry> {
    let runs = slowly::<MASK>(words, PageSize::K4).into_iter();
    runs.flat_map(|run| {
        (0..run.length)
            .step_by(longest as usize)
            .map(move |at| SgEntry {
                offset: run.offset + at,
                start: run.start + at,
                length: longest.min(run.length - at),
            })
    })
    .collect()
}

/// Numbers in runs of all lengths; 0 is not a frame.
fn numbers() -> impl Strategy<Value = Vec<u64>> {
    let run = (
        1u64..5,
        prop_oneof![1u64..4, 1u64..70, 1u64..3000, 15_000u64..40_000],
    );
    let stretch =
        (any::<bool>(), run, 0usize..80).prop_map(|(absent, (first, count), again)| {
            match (absent, again) {
                (true, again) if again < 4 => alloc::vec![0; again],
                (true, again) => (0..again as u64).map(|i| first + i * 2 % 9).collect(),
                (false, _) => (first..first + count).collect(),
            }
        });
    prop::collection::vec(stretch, 0..8).prop_map(|stretches| stretches.concat())
}

proptest! {
    #[test]
    fn runs_are_those_of_the_slow_loop(numbers in numbers(), flags in any::<u64>(), longest in prop_oneof![1u64..5, Just(1 << 20)]) {
        let longest = longest * 4096;
        // Some flags beside the number, other ones on each page.
        let words: Vec<_> = (0u32..).zip(&numbers).map(|(i, n)| match n {
            // Absent, or hidden.
            0 if i % 2 == 0 => flags & !PRESENT,
            0 => PRESENT,
            n => PRESENT | n | (flags.rotate_left(i) & !(PRESENT | FRAME_NUMBER)),
        }).collect();
        let expected = entries::<PAGEMAP>(&words, longest);
        // What is pinned has no gaps, and a list is made of nothing else.
        if numbers.iter().all(|number| *number > 0) {
            let frames = PagemapFrames::new(&words, PageSize::K4);
            let list = ScatterList::new(frames, longest, Coalescing::AnyPage, PageSize::K4);
            prop_assert_eq!(&list.clone().collect::<Vec<_>>(), &expected);
            let mut folded = Vec::new();
            list.for_each(|entry| folded.push(entry));
            prop_assert_eq!(&folded, &expected);
        }
        let cut = CutRuns::new(PagemapFrames::new(&words, PageSize::K4), longest);
        prop_assert_eq!(&cut.clone().collect::<Vec<_>>(), &expected);
        let mut folded = Vec::new();
        cut.for_each(|entry| folded.push(entry));
        prop_assert_eq!(&folded, &expected);

        let expected = entries::<NUMBERS>(&numbers, longest);
        let frames = FrameNumbers::new(&numbers, PageSize::K4);
        let list = ScatterList::new(frames, longest, Coalescing::AnyPage, PageSize::K4);
        prop_assert_eq!(&list.clone().collect::<Vec<_>>(), &expected);
        // Begun by one way and ended by the other.
        let mut list = list;
        let mut both: Vec<_> = list.by_ref().take(expected.len() / 2).collect();
        list.for_each(|entry| both.push(entry));
        prop_assert_eq!(&both, &expected);
    }
}

#[test]
fn one_page_without_a_frame_is_found_wherever_it_is() {
    let numbers: Vec<u64> = (0..200).map(|page| 1 + page * 2).collect();
    for missing in 0..numbers.len() {
        // Absent, swapped out, hidden.
        for word in [0, 7, PRESENT] {
            let mut words: Vec<_> = numbers.iter().map(|n| PRESENT | n).collect();
            words[missing] = word;
            let mut runs = Vec::new();
            PagemapFrames::new(&words, PageSize::K4).for_each(|run| runs.push(run));
            assert_eq!(
                runs,
                slowly::<PAGEMAP>(&words, PageSize::K4),
                "page {missing}"
            );
        }
    }
}

#[test]
fn a_long_run_ends_where_one_page_differs() {
    let contiguous: Vec<u64> = (1..=40_000).collect();
    for other in [
        1, 1023, 1024, 1089, 5000, 9300, 13_000, 17_500, 33_860, 39_999,
    ] {
        let mut numbers = contiguous.clone();
        numbers[other] += 1 << 40;
        let runs = |numbers| FrameNumbers::new(numbers, PageSize::K4).map(|run| run.offset >> 12);
        let next = [other as u64 + 1].into_iter().filter(|next| *next < 40_000);
        let expected: Vec<_> = [0, other as u64].into_iter().chain(next).collect();
        assert_eq!(runs(&numbers).collect::<Vec<_>>(), expected);
        assert!(runs(&contiguous).eq([0]));
    }
}

#[test]
fn hidden_frames_are_in_no_run_and_the_last_number_has_no_next() {
    let words = [
        PRESENT,
        PRESENT | (1 << 60),
        PRESENT | FRAME_NUMBER,
        PRESENT,
    ];
    let page = PageSize::from_log2(0).unwrap();
    let runs: Vec<_> = PagemapFrames::new(&words, page)
        .map(|run| (run.offset, run.length))
        .collect();
    assert_eq!(runs, [(2, 1)]);
}
