//! Kernel generations as data: where kernels differ, the rule is a value of [`KernelRules`],
//! never a copy of a function.
//!
//! A [generation](GENERATIONS) is a mainline release **as released**. Stable kernels carry later fixes (6.1.192 answers like 7.2), so
//! what a kernel does follows from the [changes](CHANGES) that its release has: see [`Kernel`].

mod changes;
mod debian;
mod known;
mod naming;
mod release;
mod rules;

pub use changes::{CHANGES, Change};
pub use known::{Certainty, Kernel};
pub use naming::NotAKernel;
pub use release::{NotARelease, Release, Since};
pub use rules::{
    BlockIterator, GENERATIONS, Interior, KernelRules, NoneFits, SmallPages, UpperBound,
};
