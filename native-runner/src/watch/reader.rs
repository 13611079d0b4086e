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

fn read(mut source: Source, shared: &Shared, say: &mpsc::Sender<Said>) -> Losses {
    let mut looked = Instant::now();
    loop {
        let over = shared.stop.load(Relaxed);
        let mut each = |record: Record| {
            let length = bytes(&record);
            // A list without a part is cut, and its registration shows it.
            if length > 0 && shared.bytes.load(Relaxed) > MOST_WAITING {
                return;
            }
            shared.records.fetch_add(1, Relaxed);
            shared.bytes.fetch_add(length, Relaxed);
            let _ = say.send(Said::Record(record));
        };
        match over {
            true => source.drain(&mut each),
            false => {
                if let Err(error) = source.wait(WAITS, &mut each) {
                    let _ = say.send(Said::Failed(error.to_string()));
                    return source.losses();
                }
            }
        }
        if over {
            return source.losses();
        }
        if looked.elapsed() < LOOKS {
            continue;
        }
        looked = Instant::now();
        let _ = say.send(Said::Lost(source.losses()));
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
