//! From records to registrations: what belongs together is joined, and what ends is told.
//!
//! A registration is told once it is complete: its system call has returned, or it is released, or, where no system call led to it, nothing
//! more came for a while.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use umem_core::size::PageSize;

use super::{
    list::{List, Pieces},
    seen::{Seen, callers},
    wire::{Get, Record},
};

/// Something to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happened {
    /// A registration, or its failure.
    Registered(Box<Seen>),
    /// The end of a region that was seen to begin.
    Released(Released),
    /// The end of one that was not.
    ReleasedOlder,
}

/// The end of a region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Released {
    /// The process that registered it.
    pub pid: u32,
    /// Its name then.
    pub comm: String,
    /// The device.
    pub device: String,
    /// The first byte.
    pub address: u64,
    /// In bytes.
    pub length: u64,
    /// Kernel pages.
    pub pages: u64,
    /// The page size of its table in bytes, if one was chosen.
    pub page_size: Option<u64>,
    /// The entries of its table, if they are known.
    pub entries: Option<u64>,
    /// How long it was registered.
    pub lived: Duration,
}

/// How long a registration waits for what follows if no system call's end is to come.
const SETTLES: Duration = Duration::from_millis(300);
/// How long one waits for its system call: a device may take its time for a large table.
const CALL_ENDS: Duration = Duration::from_secs(60);
/// More regions than a machine has. Beyond, ends are told as those of older ones.
const MOST_LIVE: usize = 1 << 20;

#[derive(Debug)]
struct Open {
    seen: Seen,
    due: Instant,
    /// Released before it was told, at that time.
    released: Option<u64>,
}

#[derive(Debug)]
struct Live {
    released: Released,
    since: u64,
}

/// What is open and what lives.
#[derive(Debug)]
pub struct Ledger {
    page: PageSize,
    pieces: Pieces,
    /// Registrations that are not told yet, by thread and beginning.
    open: BTreeMap<(u64, u64), Open>,
    by_umem: HashMap<u64, (u64, u64)>,
    by_list: HashMap<u64, (u64, u64)>,
    live: HashMap<u64, Live>,
}

impl Ledger {
    /// Of a kernel with such pages.
    pub fn new(page: PageSize) -> Self {
        Self {
            page,
            pieces: Pieces::default(),
            open: BTreeMap::new(),
            by_umem: HashMap::new(),
            by_list: HashMap::new(),
            live: HashMap::new(),
        }
    }

    /// A record has come. `function` names the function that holds an address.
    pub fn add(
        &mut self,
        record: Record,
        now: Instant,
        function: &mut dyn FnMut(u64) -> Option<String>,
        told: &mut Vec<Happened>,
    ) {
        match record {
            Record::Piece(piece) => self.pieces.add(piece),
            Record::Get(get) => self.opened(*get, now, function, told),
            Record::Best(best) => {
                if let Some(open) = self.of_umem(best.umem) {
                    open.seen.best = Some(best);
                }
            }
            Record::Blocks(blocks) => {
                let name = self.by_list.get(&blocks.sgl);
                if let Some(open) = name.and_then(|name| self.open.get_mut(name)) {
                    open.seen.blocks = Some(blocks.size);
                }
            }
            Record::End(end) => {
                let thread = end.origin.thread;
                // A call may register several: a queue's rings and its doorbell.
                let of_call = (thread, 0)..=(thread, end.start);
                let names: Vec<_> = self.open.range(of_call).map(|(name, _)| *name).collect();
                for name in names {
                    if let Some(open) = self.open.get_mut(&name) {
                        open.seen.result = Some(end.result);
                    }
                    self.tell(name, told);
                }
            }
            Record::Release(release) => self.released(release.umem, release.origin.time, told),
        }
    }

    /// Tells what has waited long enough.
    pub fn tick(&mut self, now: Instant, told: &mut Vec<Happened>) {
        let due = self.open.iter().filter(|(_, open)| open.due <= now);
        let due: Vec<_> = due.map(|(name, _)| *name).collect();
        for name in due {
            self.tell(name, told);
        }
    }

    /// Tells everything that is open.
    pub fn finish(&mut self, told: &mut Vec<Happened>) {
        while let Some(name) = self.open.keys().next().copied() {
            self.tell(name, told);
        }
    }

    /// How many regions were seen to begin and not to end.
    #[cfg(test)]
    fn live(&self) -> usize {
        self.live.len()
    }

    fn opened(
        &mut self,
        get: Get,
        now: Instant,
        function: &mut dyn FnMut(u64) -> Option<String>,
        told: &mut Vec<Happened>,
    ) {
        let name = (get.origin.thread, get.start);
        // Memory is used again: whoever had it is gone, and that was not seen.
        if let Some(before) = self.by_umem.get(&get.umem).copied() {
            self.tell(before, told);
        }
        self.live.remove(&get.umem);
        let pieces = self.pieces.take(name.0, name.1);
        let list = get.list.map(|header| {
            // A layout that makes no sense leaves no entry.
            let cut = List {
                missing: header.orig_nents.into(),
                ..List::default()
            };
            List::of(&header, get.vmemmap_base, self.page.bytes(), pieces).unwrap_or(cut)
        });
        let callers = callers(&get.stack, function);
        let (umem, sgl, failed) = (get.umem, get.sgl, get.errno().is_some());
        let seen = Seen {
            get,
            list,
            callers,
            best: None,
            blocks: None,
            result: None,
        };
        let waits = match seen.is_call() {
            true => CALL_ENDS,
            false => SETTLES,
        };
        if !failed {
            self.by_umem.insert(umem, name);
            if sgl != 0 {
                self.by_list.insert(sgl, name);
            }
        }
        let open = Open {
            seen,
            due: now + waits,
            released: None,
        };
        self.open.insert(name, open);
    }

    fn of_umem(&mut self, umem: u64) -> Option<&mut Open> {
        let name = self.by_umem.get(&umem)?;
        self.open.get_mut(name)
    }

    fn released(&mut self, umem: u64, time: u64, told: &mut Vec<Happened>) {
        if let Some(name) = self.by_umem.get(&umem).copied() {
            let open = self.open.get_mut(&name);
            // Its system call may be about to say why.
            let waits = open.is_some_and(|open| {
                open.released = Some(time);
                open.seen.is_call()
            });
            if !waits {
                self.tell(name, told);
            }
            return;
        }
        told.push(match self.live.remove(&umem) {
            Some(live) => ended(live, time),
            None => Happened::ReleasedOlder,
        });
    }

    fn tell(&mut self, name: (u64, u64), told: &mut Vec<Happened>) {
        let Some(Open { seen, released, .. }) = self.open.remove(&name) else {
            return;
        };
        let (umem, sgl) = (seen.get.umem, seen.get.sgl);
        if self.by_umem.get(&umem) == Some(&name) {
            self.by_umem.remove(&umem);
        }
        if self.by_list.get(&sgl) == Some(&name) {
            self.by_list.remove(&sgl);
        }
        let live = Live {
            since: seen.get.start,
            released: Released {
                pid: seen.get.pid(),
                comm: seen.get.comm.clone(),
                device: seen.get.name.clone(),
                address: seen.get.address,
                length: seen.get.length,
                pages: seen.pages(self.page),
                page_size: seen.page_size().map(PageSize::bytes),
                entries: seen.entries(self.page),
                lived: Duration::ZERO,
            },
        };
        let began = seen.errno().is_none();
        told.push(Happened::Registered(Box::new(seen)));
        match released {
            // What failed has not begun, so it does not end.
            Some(time) if began => told.push(ended(live, time)),
            None if began && self.live.len() < MOST_LIVE => {
                self.live.insert(umem, live);
            }
            _ => {}
        }
    }
}

fn ended(live: Live, time: u64) -> Happened {
    Happened::Released(Released {
        lived: Duration::from_nanos(time.saturating_sub(live.since)),
        ..live.released
    })
}

#[cfg(test)]
mod tests {
    use super::super::{
        seen::tests::seen,
        wire::{Best, End, Origin, Release},
    };
    use super::*;

    const THREAD: u64 = 7 << 32 | 8;

    struct Watched {
        ledger: Ledger,
        told: Vec<Happened>,
        start: Instant,
    }

    impl Watched {
        fn new() -> Self {
            Self {
                ledger: Ledger::new(PageSize::K4),
                told: Vec::new(),
                start: Instant::now(),
            }
        }

        fn add(&mut self, record: Record) {
            let mut function = |address| match address {
                0x99 => Some("ib_uverbs_ioctl".to_owned()),
                _ => None,
            };
            self.ledger
                .add(record, self.start, &mut function, &mut self.told);
        }

        /// What was told: R a registration, F a failed one, E an end, O an older one's.
        fn words(&self) -> String {
            let letter = |happened: &Happened| match happened {
                Happened::Registered(seen) if seen.errno().is_some() => 'F',
                Happened::Registered(_) => 'R',
                Happened::Released(_) => 'E',
                Happened::ReleasedOlder => 'O',
            };
            self.told.iter().map(letter).collect()
        }
    }

    fn get(start: u64, umem: u64, by_call: bool) -> Record {
        let mut get = seen().get;
        (get.start, get.umem) = (start, umem);
        get.stack = if by_call { vec![0x9a] } else { vec![0x55] };
        Record::Get(Box::new(get))
    }

    fn origin(time: u64) -> Origin {
        Origin {
            thread: THREAD,
            time,
        }
    }

    fn end(start: u64, result: i64) -> Record {
        Record::End(End {
            origin: origin(99),
            start,
            result,
        })
    }

    fn release(umem: u64) -> Record {
        Record::Release(Release {
            origin: origin(1_000_000),
            umem,
        })
    }

    #[test]
    fn a_call_is_told_when_it_returns_with_what_was_chosen() {
        let mut watched = Watched::new();
        watched.add(get(10, 0x1000, true));
        let best = Best {
            umem: 0x1000,
            ..seen().best.unwrap()
        };
        watched.add(Record::Best(best));
        watched
            .ledger
            .tick(watched.start + SETTLES, &mut watched.told);
        assert_eq!(watched.words(), "");
        watched.add(end(10, 0));
        watched.add(release(0x1000));
        watched.add(release(0x1000));
        assert_eq!(watched.words(), "REO");
        let Happened::Registered(seen) = &watched.told[0] else {
            panic!("it is one");
        };
        assert_eq!(
            (seen.best.map(|best| best.best), seen.result),
            (Some(4096), Some(0))
        );
        let Happened::Released(released) = &watched.told[1] else {
            panic!("it is one");
        };
        assert_eq!(released.lived, Duration::from_nanos(999_990));
    }

    #[test]
    fn what_a_call_refuses_after_pinning_has_not_begun() {
        let mut watched = Watched::new();
        watched.add(get(10, 0x1000, true));
        watched.add(release(0x1000));
        watched.add(end(10, -12));
        assert_eq!(watched.words(), "F");
        assert_eq!(watched.ledger.live(), 0);
    }

    #[test]
    fn without_a_call_it_is_told_when_it_settles_or_ends() {
        let mut watched = Watched::new();
        watched.add(get(10, 0x1000, false));
        watched.add(release(0x1000));
        watched.add(get(20, 0x2000, false));
        watched.ledger.tick(watched.start, &mut watched.told);
        assert_eq!(watched.words(), "RE");
        watched
            .ledger
            .tick(watched.start + SETTLES, &mut watched.told);
        assert_eq!(
            (watched.words().as_str(), watched.ledger.live()),
            ("RER", 1)
        );
    }

    #[test]
    fn failures_do_not_hide_each_other() {
        let mut watched = Watched::new();
        let failure = -12i64 as u64;
        watched.add(get(10, failure, true));
        watched.add(get(20, failure, true));
        watched.ledger.finish(&mut watched.told);
        assert_eq!(watched.words(), "FF");
    }

    #[test]
    fn a_umem_in_the_place_of_another_is_a_new_one() {
        let mut watched = Watched::new();
        watched.add(get(10, 0x1000, false));
        watched.add(get(20, 0x1000, false));
        watched.ledger.finish(&mut watched.told);
        watched.add(release(0x1000));
        assert_eq!(watched.words(), "RRE");
    }
}
