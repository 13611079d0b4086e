//! The frames level: does every entry lie where memory really is?
//!
//! Written from what a table promises and from pagemap alone, page by page: it shares no rule
//! with umem-core, or it could not contradict it.

use std::ops::Range;

use umem_core::size::Bytes;

use crate::{
    frames::Frames,
    model::{DEVICE_SIZES, Entry, Policy},
};

/// `region`, widened to whole pages: what the kernel pins.
pub fn whole_pages(region: Range<u64>, page: u64) -> Range<u64> {
    region.start / page * page..region.end.div_ceil(page) * page
}

/// Holds `entries` against `frames`: together they cover the pages of `region`, in order, each
/// once, and each lies on contiguous frames at the address it names. Under a policy of blocks
/// each has a size that the device has (`single`: all the same one) and is aligned to it; under
/// `unaligned` there is one a run of frames. Of an entry that reaches beyond the region's pages
/// only the part inside counts, since nobody knows what the rest lies on. Where blocks are
/// smaller than the kernel's pages, they need not cover more of the outer pages than the region does.
///
/// The error says in words what is not so. It names offsets, never physical addresses.
pub fn verify(
    entries: impl Iterator<Item = Entry>,
    policy: Policy,
    region: Range<u64>,
    frames: &Frames,
) -> Result<(), String> {
    let page = frames.page_size();
    let pages = whole_pages(region.clone(), page);
    let mut entries = entries.peekable();
    let first_size = entries.peek().map_or(page, |entry| entry.size);
    let grain = match policy {
        Policy::Mixed => DEVICE_SIZES[0].bytes().min(page),
        Policy::Single => first_size.min(page),
        Policy::Unaligned => page,
    };
    let due = whole_pages(region, grain);
    let mut covered = due.start;
    let mut total = 0;
    for (index, entry) in entries.enumerate() {
        let wrong = |what: String| {
            Err(format!(
                "entry {index} ({} at {:+#x}) {what}",
                Bytes(entry.size),
                entry.offset
            ))
        };
        let all = i128::from(entry.offset)..i128::from(entry.offset) + i128::from(entry.size);
        let inside = all.start.max(due.start.into())..all.end.min(due.end.into());
        if inside.is_empty() {
            return wrong("lies outside the region".to_owned());
        }
        if inside.start != i128::from(covered) {
            return wrong(format!("should continue at +{covered:#x}"));
        }
        covered = inside.end as u64;

        if policy != Policy::Unaligned {
            if !DEVICE_SIZES.iter().any(|size| size.bytes() == entry.size) {
                return wrong("has a size that the device lacks".to_owned());
            }
            if policy == Policy::Single && first_size != entry.size {
                return wrong("has another size than the first entry".to_owned());
            }
        }

        // Where the entry begins by pagemap, also when its own first pages are not of the region.
        let at = |offset: i128| {
            frames
                .at(offset as u64)
                .map(|address| i128::from(address.get()))
        };
        let Some(first) = at(inside.start) else {
            return wrong("lies outside the memory".to_owned());
        };
        let begin = first - (inside.start - all.start);
        for offset in inside.step_by(grain as usize) {
            if at(offset) != Some(begin + (offset - all.start)) {
                return wrong(format!(
                    "is not contiguous in physical memory: the frame at +{offset:#x} is elsewhere"
                ));
            }
        }
        if begin != i128::from(entry.address) {
            return wrong("names another address than pagemap".to_owned());
        }
        if policy != Policy::Unaligned && begin % i128::from(entry.size) != 0 {
            return wrong("is not aligned to its size".to_owned());
        }
        total += 1;
    }
    if covered != due.end {
        return Err(format!(
            "the entries end at +{covered:#x}, the region's pages at +{:#x}",
            due.end
        ));
    }
    let runs = frames.runs_in(pages).count();
    if policy == Policy::Unaligned && total != runs {
        return Err(format!("{total} entries for {runs} runs of frames"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::tests::frames;

    const K: u64 = 1 << 10;
    const M: u64 = 1 << 20;
    const REGION: Range<u64> = 4 * K..4 * M;

    fn entry(offset: u64, address: u64, size: u64) -> Entry {
        Entry {
            offset: offset as i64,
            address,
            size,
        }
    }

    /// The mail's table over 4M at `base`: 255 × 4K, 1M, 2M.
    fn mail(base: u64) -> Vec<Entry> {
        let small = (1..256).map(|page| entry(page * 4 * K, base + page * 4 * K, 4 * K));
        small
            .chain([entry(M, base + M, M), entry(2 * M, base + 2 * M, 2 * M)])
            .collect()
    }

    fn failure(entries: Vec<Entry>, policy: Policy, runs: &[(u64, u64)]) -> String {
        verify(entries.into_iter(), policy, REGION, &frames(runs)).expect_err("it is wrong")
    }

    #[test]
    fn right_tables_hold() {
        let held = |entries: Vec<Entry>, policy, runs: &[(u64, u64)]| {
            assert_eq!(
                verify(entries.into_iter(), policy, REGION, &frames(runs)),
                Ok(()),
                "{policy:?}"
            );
        };
        let one = [(8 * M, 4 * M)];
        held(mail(8 * M), Policy::Mixed, &one);
        held(
            vec![entry(0, 8 * M, 2 * M), entry(2 * M, 10 * M, 2 * M)],
            Policy::Single,
            &one,
        );
        held(
            vec![entry(4 * K, 8 * M + 4 * K, 4 * M - 4 * K)],
            Policy::Unaligned,
            &one,
        );
        let two = [(8 * M, 2 * M), (4 * M, 2 * M)];
        held(
            vec![
                entry(4 * K, 8 * M + 4 * K, 2 * M - 4 * K),
                entry(2 * M, 4 * M, 2 * M),
            ],
            Policy::Unaligned,
            &two,
        );
    }

    #[test]
    fn entries_beyond_the_region_count_only_inside() {
        // Before offset 0: nobody knows those frames, but the address must agree with the rest.
        let region = 4 * K..M;
        let memory = frames(&[(7 * M, M)]);
        let overhanging = Entry {
            offset: -(M as i64),
            address: 6 * M,
            size: 2 * M,
        };
        assert_eq!(
            verify(
                [overhanging].into_iter(),
                Policy::Single,
                region.clone(),
                &memory
            ),
            Ok(())
        );
        let shifted = Entry {
            address: 6 * M + 4 * K,
            ..overhanging
        };
        let error = verify([shifted].into_iter(), Policy::Single, region, &memory).unwrap_err();
        assert!(error.contains("names another address"), "{error}");
    }

    #[test]
    fn a_region_inside_pages_is_covered_by_whole_pages() {
        let memory = frames(&[(8 * M, 8 * K)]);
        let whole = [entry(0, 8 * M, 4 * K), entry(4 * K, 8 * M + 4 * K, 4 * K)];
        assert_eq!(
            verify(whole.into_iter(), Policy::Mixed, 0x800..0x1801, &memory),
            Ok(())
        );
    }

    #[test]
    fn blocks_smaller_than_a_page_cover_what_the_region_needs() {
        let memory = Frames::of_pages(64 * K, &[(8 * M, 64 * K), (16 * M, 64 * K)]);
        let offsets = (4..108).step_by(4).map(|at| at * K);
        let blocks: Vec<Entry> = offsets
            .map(|at| entry(at, memory.at(at).unwrap().get(), 4 * K))
            .collect();
        for policy in [Policy::Mixed, Policy::Single] {
            assert_eq!(
                verify(blocks.iter().copied(), policy, 5 * K..107 * K, &memory),
                Ok(()),
                "{policy:?}"
            );
            let error =
                verify(blocks[1..].iter().copied(), policy, 5 * K..107 * K, &memory).unwrap_err();
            assert!(error.contains("should continue at +0x1000"), "{error}");
        }
    }

    #[test]
    fn holes_overlaps_and_short_ends_are_seen() {
        let one = [(8 * M, 4 * M)];
        let mut hole = mail(8 * M);
        hole.remove(7);
        assert!(failure(hole, Policy::Mixed, &one).contains("should continue at +0x8000"));
        let mut twice = mail(8 * M);
        twice.insert(3, twice[2]);
        assert!(failure(twice, Policy::Mixed, &one).contains("should continue"));
        let mut short = mail(8 * M);
        short.pop();
        assert!(failure(short, Policy::Mixed, &one).contains("end at +0x200000"));
        let mut long = mail(8 * M);
        long.push(entry(4 * M, 12 * M, 4 * K));
        assert!(failure(long, Policy::Mixed, &one).contains("outside the region"));
        assert!(failure(vec![], Policy::Mixed, &one).contains("end at +0x1000"));
    }

    #[test]
    fn wrong_frames_are_seen() {
        let one = [(8 * M, 4 * M)];
        let mut elsewhere = mail(8 * M);
        elsewhere[9].address += 4 * K;
        assert!(failure(elsewhere, Policy::Mixed, &one).contains("another address"));
        // One page in the middle of the last entry is elsewhere.
        let torn = [(8 * M, 3 * M), (64 * M, 4 * K), (11 * M + 4 * K, M - 4 * K)];
        assert!(failure(mail(8 * M), Policy::Mixed, &torn).contains("not contiguous"));
    }

    #[test]
    fn wrong_sizes_and_alignments_are_seen() {
        // The same table, the memory 4K higher: every block of 1M and 2M is misaligned.
        let shifted = [(8 * M + 4 * K, 4 * M)];
        assert!(failure(mail(8 * M + 4 * K), Policy::Mixed, &shifted).contains("not aligned"));
        let one = [(8 * M, 4 * M)];
        let odd = vec![entry(4 * K, 8 * M + 4 * K, 8 * K)];
        assert!(failure(odd, Policy::Mixed, &one).contains("a size that the device lacks"));
        assert!(failure(mail(8 * M), Policy::Single, &one).contains("another size"));
    }

    #[test]
    fn unaligned_has_one_entry_a_run() {
        let one = [(8 * M, 4 * M)];
        let cut = vec![
            entry(4 * K, 8 * M + 4 * K, M),
            entry(M + 4 * K, 9 * M + 4 * K, 3 * M - 4 * K),
        ];
        assert_eq!(
            failure(cut, Policy::Unaligned, &one),
            "2 entries for 1 runs of frames"
        );
    }
}
