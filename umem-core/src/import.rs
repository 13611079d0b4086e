//! A scenario or a set from what people have: lines of a log, `/proc/PID/smaps`, `rdma -j resource show mr`.
//!
//! [`import`] reads all three in one text, in any mix, and takes from it what it says: addresses, lengths, access flags, the errno, the
//! limit on locked memory, the device's name, what backs a mapping. What a scenario needs and neither the text nor [`Given`] says is
//! [asked for by name](Missing), with where to find it, unless a gate [refuses the region before that matters](Decided). What was assumed or
//! inferred is listed in [`notes`](Imported::notes).
//!
//! ```
//! use umem_core::import::{Given, import};
//! let line = "ib_md.c:287 UCX ERROR ibv_reg_mr(address=0x15213b956010, length=65536, access=0xf) failed: Cannot allocate memory : \
//!             Please set max locked memory (ulimit -l) to 'unlimited' (current: 8192 kbytes)";
//! let missing = import(line, &Given::default()).unwrap_err();
//! assert!(missing.to_string().contains("--device"));
//! let given = Given {
//!     device: Some("mlx5".into()),
//!     iommu: Some("off".into()),
//!     release: Some("6.12.95".into()),
//!     page_size: Some("4K".parse().unwrap()),
//!     ..Given::default()
//! };
//! let imported = import(line, &given)?;
//! assert_eq!(imported.errno.unwrap().name(), "ENOMEM");
//! # Ok::<(), umem_core::import::ImportError>(())
//! ```

mod assemble;
mod decided;
mod device;
mod error;
mod found;
mod layouts;
mod line;
mod mapping;
mod member;
mod resource;

pub use decided::Decided;
pub use error::{ImportError, Missing};
use found::Read;
pub use found::{Given, Imported, MOST_BYTES, MOST_FOUND};
pub use layouts::Layouts;

/// Reads a text.
///
/// # Errors
/// What is missing, by name; a text without a registration; numbers that cannot be.
pub fn import(text: &str, given: &Given) -> Result<Imported, ImportError> {
    if text.len() > MOST_BYTES {
        return Err(ImportError::TooMuch("more than 64M"));
    }
    let mut read = Read::default();
    if is_json(text) {
        read.found = resource::registrations(text)?;
    } else {
        for (number, line) in (1..).zip(text.lines()) {
            if mapping::take(&mut read.mappings, number, line)? {
                continue;
            }
            line::take(&mut read, number, line)?;
            if read.found.len() > MOST_FOUND || read.mappings.len() > MOST_FOUND {
                return Err(ImportError::TooMuch(
                    "more than 65536 registrations or mappings",
                ));
            }
        }
    }
    match assemble::assemble(read.clone(), given) {
        Err(ImportError::Missing(missing)) => {
            let decided = decided::decided(read, given, &missing);
            decided.ok_or(ImportError::Missing(missing))
        }
        imported => imported,
    }
}

/// Whether it is JSON: log lines may begin with "[1765653660.705652]".
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    let inside = text.strip_prefix('[').map(str::trim_start);
    text.starts_with('{') || inside.is_some_and(|inside| inside.starts_with(['{', ']']))
}
