//! Runs of pages, once none of them is on its way any more.
//!
//! A page that the kernel is moving (compaction, NUMA balancing, a huge page being split) has no frame for some
//! microseconds. So such pages are read again, for a while.

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::Duration,
};

use umem_core::address::VirtAddr;

use super::{Backing, Pagemap, Run, Runs};

/// How often pages may be read again in vain, and how long they are left alone in between: a tenth of a second in all.
const MOST_LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// How long all readers of one memory together wait for pages that do not settle: markers of other kinds never do.
#[derive(Debug)]
pub struct Patience(AtomicU32);

impl Patience {
    /// All of it.
    pub fn new() -> Self {
        Self(AtomicU32::new(MOST_LOOKS))
    }

    /// Waits a moment; `false` if there is no patience left.
    fn wait(&self) -> bool {
        let left = self
            .0
            .try_update(Relaxed, Relaxed, |looks| looks.checked_sub(1));
        if left.is_ok() {
            thread::sleep(BETWEEN_LOOKS);
        }
        left.is_ok()
    }

    /// The last wait was worth it.
    fn refund(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl<S: FileExt> Pagemap<S> {
    /// The same as [`runs`](Self::runs), but pages in migration are read again until they have arrived. What never
    /// arrives (a marker of another kind, a poisoned page) counts as absent. Neighbouring runs may go on with one another.
    pub fn settled_runs<'p>(
        &'p self,
        range: Range<VirtAddr>,
        patience: &'p Patience,
    ) -> SettledRuns<'p, S> {
        SettledRuns {
            pagemap: self,
            runs: self.runs(range),
            again: VecDeque::new(),
            patience,
        }
    }
}

/// See [`Pagemap::settled_runs`].
#[derive(Debug)]
pub struct SettledRuns<'p, S> {
    pagemap: &'p Pagemap<S>,
    runs: Runs<'p, S>,
    /// What was read again.
    again: VecDeque<Run>,
    patience: &'p Patience,
}

impl<S: FileExt> SettledRuns<'_, S> {
    /// Reads again what lies in `run`, once; `false` if nothing has changed.
    fn look_again(&mut self, run: &Run) -> io::Result<bool> {
        let runs: VecDeque<Run> = self.pagemap.runs(run.range()).collect::<io::Result<_>>()?;
        let changed = runs.iter().any(|run| run.backing != Backing::Moving);
        if changed {
            // What was read again before lies behind this run.
            let later = std::mem::replace(&mut self.again, runs);
            self.again.extend(later);
        }
        Ok(changed)
    }
}

impl<S: FileExt> Iterator for SettledRuns<'_, S> {
    type Item = io::Result<Run>;

    fn next(&mut self) -> Option<io::Result<Run>> {
        loop {
            let mut run = match self.again.pop_front() {
                Some(run) => run,
                None => match self.runs.next()? {
                    Ok(run) => run,
                    Err(error) => return Some(Err(error)),
                },
            };
            if run.backing != Backing::Moving {
                return Some(Ok(run));
            }
            if !self.patience.wait() {
                run.backing = Backing::Absent;
                return Some(Ok(run));
            }
            match self.look_again(&run) {
                Ok(true) => self.patience.refund(),
                Ok(false) => self.again.push_front(run),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            backing::{PRESENT, SWAPPED},
            fake::{PAGE, fake, fake_in_turns},
        },
        *,
    };

    const MOVING: u64 = SWAPPED | 31;

    fn at(number: u64) -> u64 {
        PRESENT | number
    }

    /// First page, pages, and the frame number, 0 for none.
    fn settled(turns: &[&[u64]]) -> (Vec<(u64, u64, u64)>, u32) {
        let pagemap = fake_in_turns(turns);
        let patience = Patience::new();
        let all = VirtAddr::new(0)..VirtAddr::new(turns[0].len() as u64 * PAGE);
        let runs = pagemap.settled_runs(all, &patience).map(|run| {
            let run = run.unwrap();
            let number = match run.backing {
                Backing::Frames(start) => start.get() / PAGE,
                other => {
                    assert!(
                        matches!(other, Backing::Absent | Backing::Swapped),
                        "{other:?}"
                    );
                    0
                }
            };
            (run.start.get() / PAGE, run.length / PAGE, number)
        });
        (runs.collect(), patience.0.into_inner())
    }

    #[test]
    fn pages_on_their_way_are_read_until_they_have_arrived() {
        let (runs, left) = settled(&[
            &[at(7), MOVING, MOVING, MOVING, at(9)],
            &[at(7), at(3), MOVING, at(5), at(9)],
            &[at(7), at(3), at(4), at(5), at(9)],
        ]);
        assert_eq!(
            runs,
            [(0, 1, 7), (1, 1, 3), (2, 1, 4), (3, 1, 5), (4, 1, 9)]
        );
        assert_eq!(left, MOST_LOOKS, "no look was in vain");
    }

    #[test]
    fn what_never_arrives_is_given_up_together() {
        let (runs, left) = settled(&[&[MOVING, at(7), MOVING, MOVING]]);
        assert_eq!(runs, [(0, 1, 0), (1, 1, 7), (2, 2, 0)]);
        assert_eq!(left, 0);
        let (runs, left) = settled(&[&[SWAPPED | 3, at(7)]]);
        assert_eq!(
            (runs.len(), left),
            (2, MOST_LOOKS),
            "swap is not waited for"
        );
    }

    #[test]
    fn an_error_of_the_second_look_is_passed_on() {
        let pagemap = fake(&[MOVING]);
        let patience = Patience::new();
        let all = VirtAddr::new(0)..VirtAddr::new(2 * PAGE);
        let error = pagemap.settled_runs(all, &patience).find_map(Result::err);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::UnexpectedEof);
    }
}
