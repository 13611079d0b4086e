//! A call of `ibv_reg_mr()`, and what it meets before there is an SG list: five gates by their own rules.
//!
//! One file a gate: its conditions in the kernel's order, the errno after the driver's remapping, the cause, the way out, and who says
//! so.

use crate::gate::{Gate, GateAnswer};
use alloc::vec::Vec;

mod call;
mod driver;
mod fork_support;
mod kind;
mod memlock;
mod pin;
mod uverbs;

pub(crate) use call::Request;

/// Whether a gate refuses.
type Refuses = fn(&Request<'_>) -> Option<GateAnswer>;
/// What a gate says if it does not: that the region passes, or what is not known.
type Otherwise = fn(&Request<'_>) -> GateAnswer;

/// The gates before the SG list, in order.
static REFUSALS: [Refuses; 5] = [
    fork_support::refusal,
    uverbs::refusal,
    driver::refusal,
    memlock::refusal,
    pin::refusal,
];

/// What the same gates say if they do not refuse. A separate list, so that programs that only draw pictures do not link these sentences.
static OTHERWISE: [Otherwise; 5] = [
    fork_support::otherwise,
    uverbs::otherwise,
    driver::otherwise,
    memlock::otherwise,
    pin::otherwise,
];

impl Request<'_> {
    /// The first gate before the SG list that refuses; cheap if none does.
    pub(crate) fn refusal(&self) -> Option<GateAnswer> {
        REFUSALS.iter().find_map(|refuses| refuses(self))
    }

    /// The answers of the gates before the SG list, up to the first that refuses.
    pub(crate) fn answers(&self) -> Vec<GateAnswer> {
        let mut answers = Vec::with_capacity(Gate::ALL.len());
        for (refuses, otherwise) in REFUSALS.iter().zip(&OTHERWISE) {
            match refuses(self) {
                None => answers.push(otherwise(self)),
                Some(refusal) => {
                    answers.push(refusal);
                    break;
                }
            }
        }
        answers
    }
}
