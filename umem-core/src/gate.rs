//! What can stop a registration, in the kernel's order, and the error number that the program then sees.
//!
//! Before a table is cut, a region passes ten [gates](Gate): libibverbs, uverbs, the driver, the limit on locked memory, pinning, the
//! SG list, the DMA mapping, the search for a page size, the table's memory, the firmware. Each [answers](GateAnswer) with the errno
//! after the driver's remapping, the cause, the way out, and who says so. The first that refuses decides.
//!
//! What a rule needs to know and nobody said stays [unknown](Verdict::Unknown), with the command that settles it.

mod answer;
mod errno;
mod name;

pub use answer::{GateAnswer, Verdict};
pub use errno::Errno;
pub use name::Gate;
