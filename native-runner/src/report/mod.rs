//! What was found, printed.

mod advice;
pub mod doctor;
mod gates;
pub mod inspect;
mod junit;
pub mod plan;
mod saw;
pub mod set;
pub mod table;
pub mod time;

use std::io::{self, Write};

use crate::check::Report;

pub use junit::junit;

/// As one JSON object.
pub fn json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}
