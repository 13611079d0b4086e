//! What need not be asked for: a region that a gate refuses before that matters.

use super::{
    assemble::assemble,
    error::Missing,
    found::{Given, Imported, Read},
};
use crate::{
    gate::Gate,
    scenario::{Asked, IommuSpec},
    size::Bytes,
};
use alloc::{borrow::ToOwned, vec::Vec};
use core::fmt;

/// Why a scenario stands though its text does not say everything. Prints as a sentence with the options of `umem import`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// What the text does not say, and would not change the answer.
    pub unneeded: Vec<Missing>,
    /// The gate that refuses the region before.
    pub gate: Gate,
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.unneeded.iter().map(|one| one.option).collect();
        write!(
            f,
            "{} would not change the answer and may be left out: the region is refused at {}, before that matters.",
            options.join(" and "),
            self.gate.name()
        )
    }
}

/// What matters only behind the [gates](EARLY) that look at the call, the process and the driver alone.
const LATE: [&str; 2] = ["--page-size SIZE", "--iommu NAME"];
const EARLY: [Gate; 3] = [Gate::Uverbs, Gate::Driver, Gate::Memlock];

/// What is imported if nothing that is `missing` can change the answer.
pub(super) fn decided(read: Read, given: &Given, missing: &[Missing]) -> Option<Imported> {
    if !missing.iter().all(|one| LATE.contains(&one.option)) {
        return None;
    }
    let given = Given {
        page_size: given.page_size.or(Some(Bytes(given.kernel_page()))),
        iommu: given
            .iommu
            .clone()
            .or_else(|| Some(IommuSpec::OFF.to_owned())),
        ..given.clone()
    };
    let imported = assemble(read, &given).ok()?;
    let Asked::Scenario(scenario) = &imported.asked else {
        return None;
    };
    let gate = scenario.resolve().ok()?.request().refusal()?.gate;
    EARLY.contains(&gate).then(|| Imported {
        decided: Some(Decided {
            unneeded: missing.to_vec(),
            gate,
        }),
        ..imported
    })
}
