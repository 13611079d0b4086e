//! Why a text makes no scenario.

use alloc::{string::String, vec::Vec};
use core::fmt;

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
    /// It is longer than [`MOST_BYTES`](super::MOST_BYTES), or has more than [`MOST_FOUND`](super::MOST_FOUND) registrations or mappings.
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
