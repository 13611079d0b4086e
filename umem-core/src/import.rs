//! A scenario or a set of what people have: lines of a log, `/proc/PID/smaps`, `rdma -j resource show mr`.
//!
//! [`import`] reads all three in one text, in any mix, and takes from it what it says: addresses, lengths, access flags, the errno, the
//! limit on locked memory, the device's name, what backs a mapping. What a scenario needs and neither the text nor [`Given`] says is
//! [asked for by name](Missing), with where to find it. What had to be assumed, and what was inferred, stands in
//! [`notes`](Imported::notes).
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

use crate::{
    address::VirtAddr,
    gate::Errno,
    scenario::{Asked, Backing, ForkSupport, Memlock},
    size::Bytes,
};
use alloc::{string::String, vec::Vec};
use core::fmt;

mod assemble;
mod line;
mod mapping;
mod member;
mod resource;

/// The longest text that is read.
pub const MOST_BYTES: usize = 64 << 20;
/// The kernel's page, if nobody says another.
const PAGE: u64 = 4096;

/// The most registrations, and the most mappings, that are taken from a text.
pub const MOST_FOUND: usize = 1 << 16;

/// What the reader says in addition to the text; it overrides what the text says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// Where the region begins.
    pub va: Option<VirtAddr>,
    /// How long it is.
    pub length: Option<Bytes>,
    /// The pages that back it.
    pub page_size: Option<Bytes>,
    /// The pages of the kernel, where they are not of 4K.
    pub kernel_page: Option<Bytes>,
    /// The device, by its name in the catalogue or in the kernel.
    pub device: Option<String>,
    /// The IOMMU by name, or "off".
    pub iommu: Option<String>,
    /// The kernel, as `uname -r` prints it.
    pub release: Option<String>,
    /// The limit on locked memory.
    pub memlock: Option<Memlock>,
    /// Whether the program has CAP_IPC_LOCK.
    pub privileged: Option<bool>,
    /// What libibverbs does about `fork()`.
    pub fork_support: Option<ForkSupport>,
    /// What backs the memory.
    pub backing: Option<Backing>,
}

impl Given {
    /// The kernel's page in bytes: 4K, if nobody says another.
    fn kernel_page(&self) -> u64 {
        self.kernel_page.map_or(PAGE, |Bytes(page)| page)
    }
}

/// What a text says.
#[derive(Clone, Debug)]
pub struct Imported {
    /// A scenario, or a set where there are several registrations.
    pub asked: Asked,
    /// What the program saw, if the text says so.
    pub errno: Option<Errno>,
    /// What was inferred or assumed, a sentence each.
    pub notes: Vec<String>,
}

/// Something that a scenario needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// What it is.
    pub what: &'static str,
    /// The option that says it.
    pub option: &'static str,
    /// Where to find it.
    pub find: &'static str,
}

/// Why a text makes no scenario.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It says too little.
    #[error(fmt = ask)]
    Missing(Vec<Missing>),
    /// There is no registration in it, and no mapping.
    #[error(
        "no registration is in the text: a log line that names ibv_reg_mr() or a memory registration, /proc/PID/smaps, or what `rdma -j resource show mr` prints; with --length alone the text may be empty"
    )]
    Nothing,
    /// It is longer than [`MOST_BYTES`], or has more than [`MOST_FOUND`] registrations or mappings.
    #[error("the text has {0}: cut out the part that matters")]
    TooMuch(&'static str),
    /// A line says what cannot be.
    #[error("line {line}: {text}")]
    Line {
        /// Its number, from 1 on.
        line: usize,
        /// What is wrong with it.
        text: String,
    },
    /// Several mappings, and nothing says which.
    #[error("{0}")]
    WhichMapping(String),
}

fn ask(missing: &[Missing], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("the text does not say everything; add")?;
    for Missing { what, option, find } in missing {
        write!(f, "\n  {option:<22} {what}: {find}")?;
    }
    Ok(())
}

/// A registration that the text tells of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Found {
    /// The line, from 1 on.
    line: usize,
    address: Option<u64>,
    length: Option<u64>,
    access: Option<u64>,
    errno: Option<Errno>,
    /// The RDMA device, as the kernel names it: "mlx5_0".
    device: Option<String>,
    dma_buf: bool,
}

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
    assemble::assemble(read, given)
}

/// Whether it is JSON: log lines may begin with "[1765653660.705652]".
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    let inside = text.strip_prefix('[').map(str::trim_start);
    text.starts_with('{') || inside.is_some_and(|inside| inside.starts_with(['{', ']']))
}

/// Everything that the text says.
#[derive(Debug, Default)]
struct Read {
    found: Vec<Found>,
    mappings: Vec<mapping::Mapping>,
    /// The limit on locked memory that a message names, in bytes.
    memlock: Option<u64>,
    /// Whether a line speaks of registering at all.
    mentioned: bool,
    /// What such a line says without naming a region.
    errno: Option<Errno>,
    /// The device that the log names elsewhere.
    device: Option<String>,
}
