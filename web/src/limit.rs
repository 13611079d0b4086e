//! How much a page works out while somebody waits; `umem plan` takes any number.

#[cfg(any(feature = "page", feature = "plan"))]
use umem_core::scenario::Asked;
use umem_core::{
    registration::Registration,
    scenario::{Problem, Question, ScenarioError},
};

/// The longest file of a scenario that is read, in bytes, packed and unpacked: some five million extents.
#[cfg(feature = "element")]
pub const LARGEST: u64 = 128 << 20;

/// The most segments that are walked.
const MOST_SEGMENTS: u64 = 1 << 22;

/// Refuses a question whose answer would keep a browser busy for long.
///
/// # Errors
/// How many segments are walked, about, and what takes that many.
pub fn bounded(question: &Question) -> Result<(), ScenarioError> {
    match Registration::walk_length(question) {
        ..=MOST_SEGMENTS => Ok(()),
        segments => Err(too_many("region.length", segments)),
    }
}

/// Refuses a set whose answers together would keep a browser busy for long.
///
/// # Errors
/// Those of [`bounded`], with the registration at which it is too much.
#[cfg(any(feature = "page", feature = "plan"))]
pub(crate) fn bounded_set(set: &umem_core::set::Set) -> Result<(), ScenarioError> {
    let mut all = 0u64;
    for (i, member) in set.registrations.iter().enumerate() {
        // What is wrong with a member, planning tells with its place.
        let Ok(question) = set.scenario(member).resolve() else {
            continue;
        };
        all = all.saturating_add(Registration::walk_length(&question));
        if all > MOST_SEGMENTS {
            return Err(too_many(&format!("registrations[{i}].region.length"), all));
        }
    }
    Ok(())
}

/// Refuses what would keep a browser busy for long, be it one region or many.
///
/// # Errors
/// Those of [`bounded`] and [`bounded_set`].
#[cfg(any(feature = "page", feature = "plan"))]
pub(crate) fn bounded_any(asked: &Asked) -> Result<(), ScenarioError> {
    match asked {
        Asked::Scenario(scenario) => bounded(&scenario.resolve()?),
        Asked::Set(set) => bounded_set(set),
    }
}

/// What is said of a field that asks for so many.
fn too_many(field: &str, segments: u64) -> ScenarioError {
    ScenarioError::new(
        field,
        Problem::Other(format!(
            "these are about {segments} segments, more than a browser should work out while somebody waits: make it shorter, or \
             ask `umem plan`, which takes any number"
        )),
    )
}
