//! A set as JSON: what `umem plan --format json` prints of it.

use super::{Planned, SetAdvice, SetPlan, SetRefusal, Total};
use crate::{
    gate::GateAnswer,
    report::{KernelReport, TableReport, kernel, table},
};
use alloc::{string::String, vec::Vec};
use serde::Serialize;

/// The set's numbers, in the order in which they are printed.
#[derive(Debug, Serialize)]
pub struct SetReport {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The result in one line.
    status: String,
    /// Each member, alike regions once.
    registrations: Vec<MemberReport>,
    /// All regions together.
    total: Total,
    /// The entries that the device keeps of all regions.
    budget: Budget,
    /// The region that is refused first.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedRegion>,
    kernel: KernelReport,
    advice: Vec<SetAdvice>,
}

#[derive(Debug, Serialize)]
struct MemberReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    count: u64,
    /// How many of them register, after all earlier ones.
    registered: u64,
    /// The first of them, on its own.
    status: String,
    pages: u64,
    scatter: Count,
    dma: Count,
    table: TableReport,
    gates: Vec<GateAnswer>,
}

#[derive(Debug, Serialize)]
struct Count {
    count: u64,
}

#[derive(Debug, Serialize)]
struct Budget {
    entries: u64,
    /// The limit, if one is known.
    of: Option<u64>,
    /// The number of the region that is refused, from 1 on, by whichever gate.
    refused_at: Option<u64>,
}

#[derive(Debug, Serialize)]
struct RefusedRegion {
    /// From 1 on, in the order of registration.
    region: u64,
    /// Its index in `registrations`.
    registration: usize,
    #[serde(flatten)]
    answer: GateAnswer,
}

impl SetReport {
    /// The plan as a value that serialises to JSON.
    pub fn new(plan: &SetPlan) -> Self {
        let total = plan.total();
        Self {
            version: 1,
            name: plan.set().name.clone(),
            status: plan.status(),
            registrations: plan.members().iter().map(member).collect(),
            total,
            budget: Budget {
                entries: total.entries,
                of: plan.budget(),
                refused_at: plan.refusal().map(|refusal| refusal.region),
            },
            refused: plan.refusal().map(|refused| {
                let SetRefusal {
                    region,
                    member,
                    answer,
                } = refused.clone();
                RefusedRegion {
                    region,
                    registration: member,
                    answer,
                }
            }),
            kernel: kernel(&plan.members()[0].registration),
            advice: plan.advice(),
        }
    }
}

fn member(planned: &Planned) -> MemberReport {
    let registration = &planned.registration;
    MemberReport {
        name: registration.scenario().name.clone(),
        count: planned.count,
        registered: planned.registered,
        status: registration.status(),
        pages: registration.pages(),
        scatter: Count {
            count: registration.scatter_count(),
        },
        dma: Count {
            count: registration.dma_count().unwrap_or(0),
        },
        table: table(registration),
        gates: registration.gates(),
    }
}
