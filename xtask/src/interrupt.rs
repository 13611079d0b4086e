//! Ctrl-C and its kin. While something runs that must be cleared away they are noted; at all other times they end this
//! process as they always do.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Somebody wants this process to end.
#[derive(Debug)]
pub struct Interrupted {
    signal: usize,
}

impl Interrupted {
    /// What a shell says of a program that this signal ended.
    pub fn exit_code(&self) -> u8 {
        128 + self.signal as u8
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "interrupted (signal {}); what ran is stopped and cleared away",
            self.signal
        )
    }
}

impl std::error::Error for Interrupted {}

/// As long as it lives, signals are noted. There is one at a time.
pub struct Watch(&'static Signals);

struct Signals {
    /// The first signal that came; 0 is none.
    caught: Arc<AtomicUsize>,
    /// Whether nothing is to be cleared away.
    idle: Arc<AtomicBool>,
}

impl Watch {
    /// From now on.
    pub fn begin() -> Result<Self> {
        let signals = signals().as_ref().map_err(|error| {
            anyhow::anyhow!("cannot have this process told of signals: {error}")
        })?;
        signals.idle.store(false, Ordering::SeqCst);
        Ok(Watch(signals))
    }

    /// An error once a signal has come.
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.0.caught.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => Err(Interrupted { signal }),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.idle.store(true, Ordering::SeqCst);
    }
}

fn signals() -> &'static std::io::Result<Signals> {
    static SIGNALS: OnceLock<std::io::Result<Signals>> = OnceLock::new();
    SIGNALS.get_or_init(|| {
        let signals = Signals {
            caught: Arc::default(),
            idle: Arc::new(AtomicBool::new(true)),
        };
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&signals.idle))?;
            flag::register_usize(signal, Arc::clone(&signals.caught), signal as usize)?;
        }
        Ok(signals)
    })
}
