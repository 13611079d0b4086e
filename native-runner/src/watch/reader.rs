//! The rings, read by a thread of their own: whatever looking into a registration takes, they are emptied in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    source::{Losses, Source, Unwatchable, symbols},
    symbols::Symbols,
    wire::Record,
};

/// So many bytes of lists may wait to be looked into. Beyond, lists are cut, and say so.
const MOST_WAITING: usize = 512 << 20;
/// So many records may wait. Beyond, they are lost, and counted.
const MOST_RECORDS: usize = 1 << 18;
/// How long records are waited for at once.
const WAITS: Duration = Duration::from_millis(100);
/// How often the kernel is asked whether a module has come.
const LOOKS: Duration = Duration::from_secs(1);

/// What the thread says.
#[derive(Debug)]
pub enum Said {
    /// A record has come.
    Record(Record),
    /// So much is lost so far.
    Lost(Losses),
    /// The modules that were waited for have come: their functions are known now, and watched.
    Watching(Symbols),
    /// It cannot go on.
    Failed(String),
}

/// The thread.
#[derive(Debug)]
pub struct Reader {
    said: Receiver<Said>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Losses>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Bytes of lists that wait.
    bytes: AtomicUsize,
    /// Records that wait.
    records: AtomicUsize,
}

impl Reader {
    /// Begins to read.
    pub fn start(source: Source) -> Self {
        let (say, said) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || read(source, &theirs, &say));
        Self {
            said,
            shared,
            thread: Some(thread),
        }
    }

    /// What was said, within that time; `None`: nothing. After [`stop`](Self::stop) what is left.
    pub fn next(&self, most: Duration) -> Option<Said> {
        let said = match self.said.recv_timeout(most) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        if let Said::Record(record) = &said {
            self.shared.records.fetch_sub(1, Relaxed);
            self.shared.bytes.fetch_sub(bytes(record), Relaxed);
        }
        Some(said)
    }

    /// How many records wait.
    pub fn waiting(&self) -> usize {
        self.shared.records.load(Relaxed)
    }

    /// Ends the thread once the rings are empty. What was lost in all.
    pub fn stop(&mut self) -> Losses {
        self.shared.stop.store(true, Relaxed);
        let thread = self.thread.take().map(JoinHandle::join);
        // A thread that panicked has lost whatever it had.
        match thread {
            Some(Ok(losses)) => losses,
            _ => Losses {
                malformed: 1,
                ..Losses::default()
            },
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bytes(record: &Record) -> usize {
    match record {
        Record::Piece(piece) => piece.bytes.len(),
        _ => 0,
    }
}

/// The records' way out of the thread.
struct Queue<'a> {
    shared: &'a Shared,
    say: &'a mpsc::Sender<Said>,
    /// Records that found too many before them.
    lost: u64,
}

impl Queue<'_> {
    fn add(&mut self, record: Record) {
        let length = bytes(&record);
        // A list without a part is cut, and its registration shows it.
        if length > 0 && self.shared.bytes.load(Relaxed) > MOST_WAITING {
            return;
        }
        if self.shared.records.load(Relaxed) >= MOST_RECORDS {
            self.lost += 1;
            return;
        }
        self.shared.records.fetch_add(1, Relaxed);
        self.shared.bytes.fetch_add(length, Relaxed);
        let _ = self.say.send(Said::Record(record));
    }

    /// What is lost so far, on the way from `source` to whoever looks into it.
    fn losses(&self, source: &Source) -> Losses {
        let losses = source.losses();
        Losses {
            events: losses.events + self.lost,
            ..losses
        }
    }
}

fn read(mut source: Source, shared: &Shared, say: &mpsc::Sender<Said>) -> Losses {
    let mut queue = Queue {
        shared,
        say,
        lost: 0,
    };
    let mut looked = Instant::now();
    loop {
        if shared.stop.load(Relaxed) {
            source.drain(&mut |record| queue.add(record));
            return queue.losses(&source);
        }
        if let Err(error) = source.wait(WAITS, &mut |record| queue.add(record)) {
            let _ = say.send(Said::Failed(error.to_string()));
            return queue.losses(&source);
        }
        if looked.elapsed() < LOOKS {
            continue;
        }
        looked = Instant::now();
        let _ = say.send(Said::Lost(queue.losses(&source)));
        if !source.is_whole() {
            match attach(&mut source) {
                Ok(Some(symbols)) => drop(say.send(Said::Watching(symbols))),
                Ok(None) => {}
                Err(error) => drop(say.send(Said::Failed(error.to_string()))),
            }
        }
    }
}

fn attach(source: &mut Source) -> Result<Option<Symbols>, Unwatchable> {
    let symbols = symbols()?;
    Ok(source.attach(&symbols)?.then_some(symbols))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Origin, Piece, Release};
    use super::*;

    fn release() -> Record {
        let origin = Origin { thread: 1, time: 2 };
        Record::Release(Release { origin, umem: 3 })
    }

    fn piece(length: usize) -> Record {
        let origin = Origin { thread: 1, time: 2 };
        Record::Piece(Piece {
            origin,
            start: 3,
            number: 0,
            entries: 0,
            bytes: vec![0; length],
        })
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_lost_is_counted() {
        let (shared, (say, said)) = (Shared::default(), mpsc::channel());
        let mut queue = Queue {
            shared: &shared,
            say: &say,
            lost: 0,
        };
        // Too much of a list is left out, and is no record that is lost.
        for _ in 0..3 {
            queue.add(piece(MOST_WAITING / 2 + 1));
        }
        assert_eq!((said.try_iter().count(), queue.lost), (2, 0));
        for _ in 0..MOST_RECORDS {
            queue.add(release());
        }
        assert_eq!((said.try_iter().count(), queue.lost), (MOST_RECORDS - 2, 2));
    }
}
