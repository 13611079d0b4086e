//! What is wrong with a scenario, and where.

use super::Problem;
use crate::gate::{Errno, Gate};
use alloc::string::{String, ToString};
use core::fmt;

/// What is wrong with a scenario, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    field: String,
    problem: Problem,
}

impl ScenarioError {
    /// A problem at `field`: a path such as `device.page_sizes[1]`, or an option of a program.
    pub fn new(field: impl fmt::Display, problem: Problem) -> Self {
        Self {
            field: field.to_string(),
            problem,
        }
    }

    /// The same for a registration of a set: errors in its region or its memory name the registration.
    pub(crate) fn of_member(self, number: usize) -> Self {
        let own = ["region", "memory"]
            .iter()
            .any(|field| self.field.starts_with(field));
        match own {
            true => Self::new(
                format_args!("registrations[{number}].{}", self.field),
                self.problem,
            ),
            false => self,
        }
    }

    /// The field, as a path: `region.offset`, `device.page_sizes[1]`; empty for the whole.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The gate that refuses such a region on a real kernel, and the errno; `None` where only the scenario is wrong.
    pub fn stops_at(&self) -> Option<(Gate, Errno)> {
        match (&self.problem, self.field.as_str()) {
            (Problem::HcaOffset { .. }, _) => Some((Gate::Uverbs, Errno::Einval)),
            (Problem::EmptyRegion | Problem::TooManyPages { .. }, _)
            | (Problem::Wraps { .. }, "region.offset" | "region.length") => {
                Some((Gate::Memlock, Errno::Einval))
            }
            (Problem::ShortSegment { .. }, _) => Some((Gate::Gather, Errno::Einval)),
            _ => None,
        }
    }

    /// The problem's [code](Problem::code).
    pub const fn code(&self) -> &'static str {
        self.problem.code()
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        self.problem.fmt(f)
    }
}

impl core::error::Error for ScenarioError {}
