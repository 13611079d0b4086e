//! Tables of memory that may move.
//!
//! Registered memory is pinned and stays. Unregistered memory may move between two looks (compaction, khugepaged, migration), and
//! then the table describes where it was. So the table is made again and compared again.

use umem_core::address::VirtAddr;

use super::{placement, verdict::Verdict};
use crate::{
    frames::{Frames, FramesError},
    model::{self, Policy},
    region::Region,
};

/// How often memory is looked at that moves.
const MOST_LOOKS: u32 = 20;

/// The table of `frames`, and whether it lies where the memory does. `look` reads the frames again, so that the model's own
/// frames are not their own witness. If the memory has moved, `frames` is updated.
pub fn table(
    start: VirtAddr,
    frames: &mut Frames,
    mut look: impl FnMut() -> Result<Frames, FramesError>,
    region: Region,
    policy: Policy,
    is_pinned: bool,
) -> Result<(model::Table, Verdict), String> {
    let mut looks = 0;
    loop {
        let table =
            model::table(start, frames, region, policy).map_err(|error| error.to_string())?;
        let now = match look() {
            Ok(now) => now,
            Err(error) => return Ok((table, Verdict::Skipped(error.to_string()))),
        };
        looks += 1;
        let pages = placement::whole_pages(region.range(), now.page_size());
        if now.runs_in(pages.clone()).eq(frames.runs_in(pages)) {
            let verdict = placement::verify(table.entries(), policy, region.range(), &now);
            return Ok((table, verdict.into()));
        }
        *frames = now;
        if is_pinned {
            let moved = "the frames changed though the memory is registered, which pins it";
            return Ok((table, Verdict::Differed(moved.to_owned())));
        }
        if looks == MOST_LOOKS {
            let moved = format!(
                "the memory moved meanwhile, each of {looks} times that it was looked at: no device has registered it, so the \
                 kernel may move it (compaction, khugepaged, migration)"
            );
            return Ok((table, Verdict::Skipped(moved)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::tests::frames;

    const M: u64 = 1 << 20;
    const START: VirtAddr = VirtAddr::new(0x7f00_0000_0000);

    /// Looks that see memory of 4M at these places, one after the other, and from then on at the last.
    fn looks(places: &[u64]) -> impl FnMut() -> Result<Frames, FramesError> {
        let mut left = places.to_vec();
        move || {
            let place = match left.len() {
                1 => left[0],
                _ => left.remove(0),
            };
            Ok(frames(&[(place, 4 * M)]))
        }
    }

    fn judged(
        first: u64,
        look: impl FnMut() -> Result<Frames, FramesError>,
        is_pinned: bool,
    ) -> (Verdict, u64) {
        let mut seen = frames(&[(first, 4 * M)]);
        let region = Region::new(0..4 * M);
        let (_, verdict) =
            table(START, &mut seen, look, region, Policy::Single, is_pinned).unwrap();
        (verdict, seen.at(0).unwrap().get())
    }

    #[test]
    fn memory_that_moved_is_looked_at_again() {
        let (verdict, at) = judged(8 * M, looks(&[16 * M, 24 * M, 24 * M]), false);
        assert_eq!((verdict, at), (Verdict::Held, 24 * M));
        let (verdict, at) = judged(8 * M, looks(&[8 * M]), false);
        assert_eq!((verdict, at), (Verdict::Held, 8 * M));
    }

    #[test]
    fn memory_that_never_rests_is_not_judged() {
        let mut place = 8 * M;
        let restless = || {
            place += 4 * M;
            Ok(frames(&[(place, 4 * M)]))
        };
        match judged(8 * M, restless, false).0 {
            Verdict::Skipped(why) => assert!(why.contains("moved meanwhile"), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn registered_memory_must_not_move() {
        match judged(8 * M, looks(&[16 * M]), true).0 {
            Verdict::Differed(why) => assert!(why.contains("registered"), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_can_no_longer_be_read_is_not_judged() {
        let gone = || {
            Err(FramesError::Missing {
                offset: 0,
                swapped: true,
            })
        };
        assert!(matches!(judged(8 * M, gone, false).0, Verdict::Skipped(_)));
    }
}
