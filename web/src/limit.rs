//! How much a page works out while somebody waits; `umem plan` takes any number.

use umem_core::{
    memory::Layout,
    scenario::{Problem, Question, ScenarioError},
};

/// The longest file of a scenario that is read, in bytes, packed and unpacked: some five million extents.
#[cfg(feature = "element")]
pub const LARGEST: u64 = 128 << 20;

/// The most segments.
pub(crate) const MOST_SEGMENTS: u64 = 1 << 22;

/// Refuses a question whose answer would keep a browser busy for long.
///
/// # Errors
/// How many segments it has, about, and what takes that many.
pub fn bounded(question: &Question) -> Result<(), ScenarioError> {
    match segments(question) {
        ..=MOST_SEGMENTS => Ok(()),
        segments => Err(too_many("region.length", segments)),
    }
}

/// About how many segments a question has.
pub(crate) fn segments(question: &Question) -> u64 {
    let memory = &question.memory();
    let pieces = match memory.layout() {
        Layout::Contiguous(_) => 0,
        Layout::Descending(_) | Layout::Scattered { .. } => {
            question.mr().length / memory.page_size().bytes()
        }
        Layout::Extents(runs) => runs.count() as u64,
    };
    question.mr().length / u64::from(question.device().max_segment) + pieces
}

/// What is said of a field that asks for so many.
pub(crate) fn too_many(field: &str, segments: u64) -> ScenarioError {
    ScenarioError::new(
        field,
        Problem::Other(format!(
            "these are about {segments} segments, more than a browser should work out while somebody waits: make it shorter, or \
             ask `umem plan`, which takes any number"
        )),
    )
}
