//! A range of memory, read by several threads: each takes every n-th piece, and the results come in order.

use std::{
    io,
    ops::Range,
    os::unix::fs::FileExt,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use umem_core::{address::VirtAddr, capture::Moves};

use super::{FrameKinds, RunList};
use crate::pagemap::{Backing, Pagemap, Patience, Run};

/// How much memory a thread reads at once: as much as one reading of the pagemap asks for, with 4K pages.
const PIECE: u64 = 256 << 20;

/// Memory of one kind in the range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its addresses, whole pages.
    pub range: Range<VirtAddr>,
    /// Whether it is mapped `MAP_SHARED`: then writers share pages, and a pin keeps them.
    pub shared: bool,
}

/// What was found, in the order of addresses.
#[derive(Debug)]
pub enum Found {
    /// Pages in memory, and how many of them a pin replaces.
    Resident(RunList, Moves),
    /// Pages with nothing behind them.
    Absent(u64),
    /// Pages in swap.
    Swapped(u64),
    /// The kernel hides frame numbers from this process.
    Hidden,
    /// The rest of the range could not be read.
    Unread(io::Error),
}

/// Reads `parts` with `threads` threads, and hands what is found in each piece to `each`, in order, until that says
/// `false`.
pub fn read<S: FileExt + Sync>(
    pagemap: &Pagemap<S>,
    parts: &[Part],
    kinds: &FrameKinds,
    threads: usize,
    mut each: impl FnMut(Vec<Found>) -> bool,
) {
    let patience = Patience::new();
    let pieces = pieces(parts);
    let threads = threads.clamp(1, pieces.len().max(1));
    thread::scope(|scope| {
        let (pieces, patience) = (&pieces, &patience);
        let readings: Vec<Receiver<Vec<Found>>> = (0..threads)
            .map(|thread| {
                // A thread may be one reading ahead, and no more: memory stays bounded.
                let (sender, receiver) = sync_channel(1);
                let mine = pieces.iter().skip(thread).step_by(threads);
                scope.spawn(move || read_pieces(pagemap, mine, kinds, patience, &sender));
                receiver
            })
            .collect();
        for receiver in readings.iter().cycle().take(pieces.len()) {
            let found = receiver.recv().expect("a thread sends all of its pieces");
            if !each(found) {
                // Whoever sends now finds nobody there, and ends.
                break;
            }
        }
    });
}

fn pieces(parts: &[Part]) -> Vec<Part> {
    let mut pieces = Vec::new();
    for Part { range, shared } in parts {
        let end = range.end.get();
        let mut at = range.start.get();
        while at < end {
            // At multiples of a piece: no huge page is cut.
            let next = (at / PIECE + 1).saturating_mul(PIECE).min(end);
            pieces.push(Part {
                range: VirtAddr::new(at)..VirtAddr::new(next),
                shared: *shared,
            });
            at = next;
        }
    }
    pieces
}

fn read_pieces<'p, S: FileExt>(
    pagemap: &Pagemap<S>,
    pieces: impl Iterator<Item = &'p Part>,
    kinds: &FrameKinds,
    patience: &Patience,
    sender: &SyncSender<Vec<Found>>,
) {
    for piece in pieces {
        let found = read_piece(pagemap, piece, kinds, patience);
        if sender.send(found).is_err() {
            return;
        }
    }
}

fn read_piece<S: FileExt>(
    pagemap: &Pagemap<S>,
    piece: &Part,
    kinds: &FrameKinds,
    patience: &Patience,
) -> Vec<Found> {
    let page = pagemap.page_size();
    let mut found = Vec::new();
    for run in pagemap.settled_runs(piece.range.clone(), patience) {
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                found.push(Found::Unread(error));
                break;
            }
        };
        let pages = run.length / page;
        match (run.backing, found.last_mut()) {
            (Backing::Frames(start), last) => {
                let moves = moves(&run, start.get(), piece.shared, kinds, page);
                if let Some(Found::Resident(runs, sum)) = last {
                    runs.push(start, run.length);
                    add(sum, moves);
                } else {
                    let mut runs = RunList::new(page);
                    runs.push(start, run.length);
                    found.push(Found::Resident(runs, moves));
                }
            }
            (Backing::Absent | Backing::Moving, Some(Found::Absent(sum)))
            | (Backing::Swapped, Some(Found::Swapped(sum))) => *sum += pages,
            (Backing::Absent | Backing::Moving, _) => found.push(Found::Absent(pages)),
            (Backing::Swapped, _) => found.push(Found::Swapped(pages)),
            (Backing::Hidden, _) => {
                found.push(Found::Hidden);
                break;
            }
        }
    }
    found
}

/// The pages of `run` that a long-term pin for writing replaces, as gate-facts' experiments have it: what is not mapped
/// shared must be anonymous and nobody else's (`gup_must_unshare()`, `can_follow_write_pte()`), and nothing may stay
/// in `ZONE_MOVABLE` (`check_and_migrate_movable_pages()`) [linux 6.1 to 7.3].
fn moves(run: &Run, start: u64, shared: bool, kinds: &FrameKinds, page: u64) -> Moves {
    let zero = kinds.zero(start, run.length);
    let copied = !shared && (run.sharing.file || !run.sharing.exclusive);
    let movable = match copied {
        true => 0,
        false => kinds.movable(start, run.length),
    };
    Moves {
        zero: zero / page,
        shared: if copied {
            (run.length - zero) / page
        } else {
            0
        },
        movable: movable / page,
    }
}

/// Adds `more` to `sum`.
pub fn add(sum: &mut Moves, more: Moves) {
    sum.zero += more.zero;
    sum.shared += more.shared;
    sum.movable += more.movable;
}
