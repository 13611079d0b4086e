//! How far a long task is: a bar on standard error where that is a terminal, and nothing in a pipe.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// After how many bytes of memory the bar moves: seldom enough to cost nothing.
const STEP: u64 = 16 << 20;

/// A bar over a number of bytes. It goes when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    shown: u64,
}

impl Progress {
    /// `what` is being done to `total` bytes.
    pub fn new(what: &'static str, total: u64) -> Self {
        // Of standard error that is no terminal, indicatif itself keeps away.
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = "{msg} {wide_bar} {binary_bytes} of {binary_total_bytes}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well-formed"));
        bar.set_message(what);
        Self { bar, shown: 0 }
    }

    /// `done` bytes are done.
    #[inline]
    pub fn at(&mut self, done: u64) {
        if done >= self.shown + STEP {
            self.shown = done;
            self.bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar over a number of things that take their time. It goes when it is dropped.
#[derive(Debug)]
pub struct Steps(ProgressBar);

impl Steps {
    /// `total` of `what` are to be done.
    pub fn new(what: &str, total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = format!("{{wide_bar}} {{pos}} of {{len}} {what}, {{elapsed}}: {{msg}}");
        bar.set_style(ProgressStyle::with_template(&style).expect("the template is well-formed"));
        Self(bar)
    }

    /// `name` is done; what `print` has to say of it stands above the bar.
    pub fn done<T>(&self, name: &'static str, print: impl FnOnce() -> T) -> T {
        self.0.set_message(name);
        self.0.inc(1);
        self.0.suspend(print)
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
