//! Every registration of the machine, as it happens: seen by BPF, held against the rules, explained.
//!
//! | module | what it does |
//! |---|---|
//! | [`reader`], [`source`], with [`mod@tracefs`], [`attach`], [`points`], [`mod@symbols`] | the programs in the kernel, and their records, read in time |
//! | [`record`], [`wire`], [`list`] | the records, taken apart: hostile bytes |
//! | [`ledger`] | records that belong together: registrations and their ends |
//! | [`seen`] | a registration, whole |
//! | [`verdict`], [`witness`], [`cause`], [`reason`] | held against the rules, and against the pagemap; why it was refused; why its pages are small |
//! | [`question`], [`machine`] | it as a scenario, and what that takes besides |
//! | [`mod@line`], [`rows`], [`summary`] | what is printed |
//! | [`mod@older`] | regions that are older than the watch |
//! | [`metrics`], [`exporter`] | what Prometheus collects |

mod attach;
mod cause;
mod exporter;
pub mod ledger;
mod line;
mod list;
mod machine;
mod metrics;
mod older;
mod points;
mod question;
mod reader;
mod reason;
mod record;
mod rows;
mod seen;
mod source;
mod summary;
mod symbols;
mod tracefs;
mod verdict;
mod wire;
mod witness;

pub use exporter::{Shared, serve};
pub use ledger::{Happened, Ledger};
pub use line::{End, Line, Saved, moment};
pub use machine::Machine;
pub use metrics::Metrics;
pub use older::{older, table as older_table};
pub use reader::{Reader, Said};
pub use rows::Rows;
pub use source::{Source, has_programs, symbols};
pub use summary::Summary;
pub use symbols::Symbols;
pub use tracefs::folder as tracefs;
