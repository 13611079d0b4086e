//! Ctrl-C, and whatever else asks a program to end: noticed, so that it can clean up first.

use std::{
    fmt, fs, io,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    flag, low_level,
};

/// The signal that came, or 0.
static CAME: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Whether signals end the program at once, as they do by default.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let at_once = Arc::new(AtomicBool::new(true));
    let ignored = ignored();
    let watched = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
    // What was ignored before us (nohup) stays so.
    for signal in watched
        .into_iter()
        .filter(|signal| ignored & 1 << (signal - 1) == 0)
    {
        // In this order: a first signal makes the second one end the program at once. Registering fails only for
        // signals that nobody can handle.
        let _ = flag::register_conditional_default(signal, Arc::clone(&at_once));
        let _ = flag::register_usize(signal, Arc::clone(&CAME), signal as usize);
        let _ = flag::register(signal, Arc::clone(&at_once));
    }
    at_once
});

/// How many [`Interrupt`]s live: a file may be written while something else is under way.
static WATCHES: AtomicUsize = AtomicUsize::new(0);

/// The signals that this process ignores, bit n - 1 for signal n (`SigIgn` in `/proc/self/status`).
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// For as long as this value lives, a signal is noted instead of ending the program; a second one ends it.
#[derive(Debug)]
pub struct Interrupt(());

impl Interrupt {
    /// Begins to watch: whoever does must [`check`](Self::check).
    pub fn watch() -> Self {
        if WATCHES.fetch_add(1, SeqCst) == 0 {
            AT_ONCE.store(false, SeqCst);
        }
        Self(())
    }

    /// # Errors
    /// [`Interrupted`], once a signal has come.
    pub fn check() -> Result<(), Interrupted> {
        match CAME.load(SeqCst) {
            0 => Ok(()),
            _ => Err(Interrupted),
        }
    }

    /// The signal that came was the way to end what is done by now: the program goes on, and its exit code is its own.
    pub fn take() {
        CAME.store(0, SeqCst);
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if WATCHES.fetch_sub(1, SeqCst) == 1 {
            AT_ONCE.store(true, SeqCst);
        }
    }
}

/// A signal came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl From<Interrupted> for io::Error {
    fn from(interrupted: Interrupted) -> Self {
        Self::other(interrupted)
    }
}

/// Ends the program as the signal that came would have ended it; does nothing if none came.
pub fn end_if_interrupted() {
    if let Ok(signal @ 1..) = i32::try_from(CAME.load(SeqCst)) {
        // It fails only for signals that nobody can handle.
        let _ = low_level::emulate_default_handler(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_inside_another_leaves_that_one_watching() {
        let outer = Interrupt::watch();
        drop(Interrupt::watch());
        assert!(!AT_ONCE.load(SeqCst));
        drop(outer);
    }
}
