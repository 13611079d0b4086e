//! The process's pagemap as a witness: where the pages lie that the kernel's list names, told by another part of the kernel.
//!
//! It is asked a moment later. Registered pages stay where they are, but a process that unmaps or forks meanwhile maps others there: that
//! they differ is no verdict on the list.

use serde::Serialize;
use umem_core::{address::VirtAddr, size::PageSize};

use super::{seen::Seen, wire::Kind};
use crate::{
    pagemap::{Backing, Pagemap, Run},
    process::Process,
};

/// What the pagemap says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Witness {
    /// The pages that were looked at.
    pub pages: u64,
    /// Those that lie where the list has them.
    pub agree: u64,
}

/// Longer regions are not looked at while registrations are watched.
const MOST_PAGES: u64 = 1 << 16;

impl Seen {
    /// Asks the process's pagemap; `None` where the process is gone, the list is not whole, or frames are hidden.
    pub fn witness(&self, page: PageSize) -> Option<Witness> {
        let list = self
            .list
            .as_ref()
            .filter(|list| self.kind() == Kind::Pages && list.has_frames && list.is_whole())?;
        let pages = self.pages(page);
        if self.errno().is_some() || pages == 0 || pages > MOST_PAGES {
            return None;
        }
        let pagemap = Process::open(self.get.pid()).ok()?.pagemap().ok()?;
        let start = page.align_down(self.get.address);
        let end = start.checked_add(pages << page.log2())?;
        let range = VirtAddr::new(start)..VirtAddr::new(end);
        let runs: Vec<Run> = Pagemap::of(pagemap).runs(range).flatten().collect();
        let agree = agreeing(&list.memory, start, &runs) >> page.log2();
        // Nothing is mapped there any more: the region is gone.
        let is_gone = runs.iter().all(|run| run.backing == Backing::Absent);
        (!is_gone).then_some(Witness { pages, agree })
    }
}

/// How many bytes of the list, whose first lies behind the virtual address `start`, are where `runs` say.
fn agreeing(list: &[(u64, u64)], start: u64, runs: &[Run]) -> u64 {
    let (mut agree, mut entries, mut at) = (0, list.iter(), start);
    let mut entry = entries.next();
    for run in runs {
        let Backing::Frames(frames) = run.backing else {
            continue;
        };
        let (first, end) = (run.start.get(), run.start.get() + run.length);
        while let Some(&(memory, length)) = entry {
            let (from, to) = (first.max(at), end.min(at + length));
            let there = memory.wrapping_add(from.wrapping_sub(at));
            if from < to && there == frames.get() + (from - first) {
                agree += to - from;
            }
            // An entry that goes on behind the run is held against the next run, too.
            if at + length > end {
                break;
            }
            at += length;
            entry = entries.next();
        }
    }
    agree
}

#[cfg(test)]
mod tests {
    use umem_core::address::PhysAddr;

    use super::*;
    use crate::pagemap::Sharing;

    fn run(start: u64, length: u64, frames: Option<u64>) -> Run {
        Run {
            start: VirtAddr::new(start),
            length,
            backing: frames.map_or(Backing::Absent, |frames| {
                Backing::Frames(PhysAddr::new(frames))
            }),
            sharing: Sharing {
                file: false,
                exclusive: true,
            },
        }
    }

    #[test]
    fn bytes_agree_whatever_the_pieces() {
        let list = [(0x10_0000, 0x3000), (0x50_0000, 0x2000)];
        let same = [
            run(0x7000, 0x1000, Some(0x10_0000)),
            run(0x8000, 0x2000, Some(0x10_1000)),
            run(0xa000, 0x2000, Some(0x50_0000)),
        ];
        assert_eq!(agreeing(&list, 0x7000, &same), 0x5000);
        let moved = [
            run(0x7000, 0x1000, Some(0x90_0000)),
            run(0x8000, 0x2000, Some(0x10_1000)),
            run(0xa000, 0x2000, None),
        ];
        assert_eq!(agreeing(&list, 0x7000, &moved), 0x2000);
        assert_eq!(agreeing(&list, 0x7000, &[]), 0);
        // One run behind several entries.
        let list = [(0x10_0000, 0x1000), (0x10_1000, 0x1000)];
        let one = [run(0, 0x2000, Some(0x10_0000))];
        assert_eq!(agreeing(&list, 0, &one), 0x2000);
    }

    /// This process has no such address: nobody is there to be asked.
    #[test]
    fn a_process_that_is_gone_is_no_witness() {
        let mut seen = super::super::seen::tests::seen();
        seen.get.origin.thread = u64::from(u32::MAX) << 32;
        assert_eq!(seen.witness(PageSize::K4), None);
    }
}
