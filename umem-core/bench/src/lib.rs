//! The paths that are measured: what umem-core does, beside the peers it is measured against.
//!
//! A [`Path`] is a workload with its contenders, each of which does the same work and returns how much it was. The program
//! (`main.rs`) times them in turns, or counts their instructions; the page's engine runs the same paths as wasm.

pub mod blocks;
mod frames;
#[cfg(not(target_family = "wasm"))]
mod peers;
mod places;
mod summaries;
mod words;

/// Something to time: does the work once, and returns how many units it was, as a check that it was done.
pub type Work = Box<dyn FnMut() -> u64>;

/// A workload, and those who do it.
pub struct Path {
    /// What is done to what.
    pub name: String,
    /// What is counted: a block, a frame, a segment, a call.
    pub unit: &'static str,
    /// How many units are done each time.
    pub units: u64,
    /// umem-core.
    pub ours: Work,
    /// The kernel's loop in C, compiled as kernels are (`-O2`).
    pub kernel: Option<Work>,
    /// The same, compiled as well as the compiler can for this machine (`-O3 -march=native`).
    pub native: Option<Work>,
    /// What memory allows: the plainest loop that writes or reads as much, compiled likewise.
    pub limit: Option<Work>,
    /// What is asked of it.
    pub goals: Vec<Goal>,
}

impl Path {
    /// Has umem-core do it so often; returns the sum of what it said.
    pub fn run(&mut self, times: usize) -> u64 {
        (0..times).fold(0u64, |sum, _| sum.wrapping_add((self.ours)()))
    }
}

impl std::fmt::Debug for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Path")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What is asked of a path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Goal {
    /// At least this many times as fast as the kernel's loop, in both flavours.
    TimesKernel(f64),
    /// At least this share of the limit's speed.
    OfLimit(f64),
    /// At most this many nanoseconds a unit.
    Nanoseconds(f64),
}

/// How much work a workload is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// As much as leaves the caches far behind.
    Full,
    /// As much as leaves them behind and still fits into the memory of a page.
    Browser,
    /// As much as an emulated processor does in a moment.
    Small,
}

impl Scale {
    fn of(self, full: u64, small: u64) -> u64 {
        match self {
            Self::Full => full,
            // A quarter of what there are many of; what there are few of is the shape of the work.
            Self::Browser if full > 1 << 16 => full / 4,
            Self::Browser => full,
            Self::Small => small,
        }
    }
}

/// What paths are about, and how they are made ready.
pub type Section = (&'static str, fn(Scale) -> Vec<Path>);

/// All paths.
pub const SECTIONS: [Section; 4] = [
    ("blocks", blocks::paths),
    ("frames", frames::paths),
    ("summaries", summaries::paths),
    ("places", places::paths),
];
