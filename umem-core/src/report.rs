//! A registration as JSON: what `umem plan --format json` prints.

use crate::{
    address::{Address, Extent},
    advice::{Advice, advice},
    capture::Provenance,
    evidence::Evidence,
    exhibits::{Exhibit, exhibits},
    explain::{Limit, limits},
    gate::{Errno, Gate, GateAnswer},
    iommu::{IoPageRun, Mapping},
    registration::{Registration, Table},
    scatter::ListCost,
    size::PageSize,
    table::{EntryRun, Policy, Refusal, Tally, memory::TableMemory},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::{Serialize, ser::SerializeMap};

/// A registration's JSON has lists of up to this many entries; for longer ones only the count.
const SHORT: u64 = 64;

/// The registration's numbers, in the order in which they are printed.
#[derive(Debug, Serialize)]
pub struct Report {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The page's status line.
    status: String,
    /// Where a capture comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<Provenance>,
    pages: u64,
    /// What the kernel's own lists take, in bytes.
    lists: Lists,
    scatter: List,
    dma: ListOrRefusal,
    #[serde(skip_serializing_if = "Option::is_none")]
    iommu: Option<IoTable>,
    table: TableReport,
    /// What can stop it, in order, up to the first that does.
    gates: Vec<GateAnswer>,
    kernel: KernelReport,
    /// Who confirmed each rule on the way.
    evidence: Vec<Evidence>,
    alternatives: Alternatives,
    advice: Vec<Advice>,
    /// The mail's own code, tried on this region.
    exhibits: Vec<ExhibitReport>,
}

#[derive(Debug, Serialize)]
pub(crate) struct KernelReport {
    /// The generation with the same answers, or how they differ from it.
    rules: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    certainty: &'static str,
    text: String,
    /// The answers by each of the rules that it may have, if not all are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    possible: Vec<Possible>,
}

#[derive(Debug, Serialize)]
struct Possible {
    rules: String,
    status: String,
}

#[derive(Debug, Serialize)]
struct Lists {
    page_list: u64,
    whole_page_list: u64,
    table_for_all_pages: u64,
    appended_table: u64,
}

#[derive(Debug, Serialize)]
struct ExhibitReport {
    name: &'static str,
    about: &'static str,
    total: u64,
    by_size: Vec<SizeCount>,
    stopped: Option<String>,
}

#[derive(Debug, Serialize)]
struct List {
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<(String, u64)>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ListOrRefusal {
    List(List),
    Refused { refused: Refused },
}

#[derive(Debug, Serialize)]
struct IoTable {
    iova: String,
    length: u64,
    total: u64,
    by_size: Vec<SizeCount>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum TableReport {
    Table {
        policy: Policy,
        page_size: Option<u64>,
        total: u64,
        by_size: Vec<SizeCount>,
        bytes: u64,
        memory: TableMemory,
        #[serde(skip_serializing_if = "Option::is_none")]
        layout: Option<&'static str>,
        limited_by: Vec<LimitReport>,
        #[serde(skip_serializing_if = "Option::is_none")]
        kernel_bug: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        driver_bug: Option<String>,
    },
    Refused {
        refused: Refused,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct SizeCount {
    size: u64,
    count: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct LimitReport {
    code: &'static str,
    bit: Option<u32>,
    segment: Option<u64>,
    text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    code: &'static str,
    message: String,
    /// Where the registration stops, and what the program sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel_bug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_bug: Option<String>,
}

#[derive(Debug, Serialize)]
struct Alternatives {
    mixed: Alternative,
    single: Alternative,
    unaligned: Alternative,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Alternative {
    Table { total: u64, page_size: Option<u64> },
    Refused { refused: Refused },
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code(),
            message: refusal.to_string(),
            gate: refusal.gate().map(Gate::name),
            errno: refusal.errno().map(Errno::name),
            kernel_bug: refusal.kernel_bug().map(ToString::to_string),
            driver_bug: refusal.driver_bug().map(ToString::to_string),
        }
    }
}

impl From<ListCost> for Lists {
    fn from(
        ListCost {
            page_list,
            whole_page_list,
            table_for_all_pages,
            appended_table,
        }: ListCost,
    ) -> Self {
        Self {
            page_list,
            whole_page_list,
            table_for_all_pages,
            appended_table,
        }
    }
}

impl From<Exhibit> for ExhibitReport {
    fn from(
        Exhibit {
            name,
            about,
            tally,
            stopped,
        }: Exhibit,
    ) -> Self {
        Self {
            name,
            about,
            total: tally.total(),
            by_size: by_size(&tally),
            stopped,
        }
    }
}

impl From<Limit> for LimitReport {
    fn from(
        Limit {
            code,
            bit,
            segment,
            text,
        }: Limit,
    ) -> Self {
        Self {
            code,
            bit,
            segment,
            text,
        }
    }
}

fn by_size(table: &Tally) -> Vec<SizeCount> {
    table
        .by_size()
        .into_iter()
        .map(|(size, count)| SizeCount { size, count })
        .collect()
}

fn list<A: Address>(count: u64, extents: impl Iterator<Item = Extent<A>>) -> List {
    let entries = (count <= SHORT).then(|| {
        extents
            .map(|extent| (extent.start.to_string(), extent.length))
            .collect()
    });
    List { count, entries }
}

impl From<Result<Table, Refusal>> for Alternative {
    fn from(table: Result<Table, Refusal>) -> Self {
        match table {
            Ok(table) => Self::Table {
                total: table.total,
                page_size: table.page_size.map(PageSize::bytes),
            },
            Err(refusal) => Self::Refused {
                refused: (&refusal).into(),
            },
        }
    }
}

impl Report {
    /// The registration as a value that serialises to the JSON of the registration format.
    pub fn new(registration: &Registration) -> Self {
        let scenario = registration.scenario();
        let alternative = |policy| registration.alternative(policy).into();
        Self {
            version: 1,
            name: scenario.name.clone(),
            status: registration.status(),
            provenance: scenario.provenance.clone(),
            pages: registration.pages(),
            lists: registration.list_cost().into(),
            scatter: list(registration.scatter_count(), registration.scatter()),
            dma: match registration.dma_count() {
                Ok(count) => ListOrRefusal::List(list(count, registration.dma())),
                Err(refusal) => ListOrRefusal::Refused {
                    refused: refusal.into(),
                },
            },
            iommu: registration
                .mapping()
                .zip(registration.io_pages())
                .map(|(mapping, pages)| io_table(mapping, pages)),
            table: table(registration),
            gates: registration.gates(),
            kernel: kernel(registration),
            evidence: registration.evidence(),
            alternatives: Alternatives {
                mixed: alternative(Policy::Mixed),
                single: alternative(Policy::Single),
                unaligned: alternative(Policy::Unaligned),
            },
            advice: advice(registration),
            exhibits: exhibits(registration)
                .into_iter()
                .map(ExhibitReport::from)
                .collect(),
        }
    }
}

pub(crate) fn kernel(registration: &Registration) -> KernelReport {
    let kernel = registration.question().kernel();
    let possible = registration.by_possible_rules().into_iter();
    KernelReport {
        rules: kernel.rules.to_string(),
        release: kernel.release.map(|_| kernel.name.clone()),
        certainty: kernel.certainty.name(),
        text: kernel.text(),
        possible: possible
            .map(|(rules, status)| Possible {
                rules: rules.to_string(),
                status,
            })
            .collect(),
    }
}

fn io_table(mapping: Mapping, pages: impl Iterator<Item = IoPageRun>) -> IoTable {
    let mut tally = Tally::default();
    pages.for_each(|run| tally.add(run.size, run.count));
    IoTable {
        iova: mapping.start.to_string(),
        length: mapping.length,
        total: tally.total(),
        by_size: by_size(&tally),
    }
}

pub(crate) fn table(registration: &Registration) -> TableReport {
    match registration.table() {
        Ok(table) => TableReport::Table {
            policy: table.policy,
            page_size: table.page_size.map(PageSize::bytes),
            total: table.total,
            by_size: by_size(&table.tally),
            bytes: table.bytes,
            memory: table.memory,
            layout: registration
                .question()
                .device()
                .profile
                .map(|profile| profile.layout)
                .filter(|layout| !layout.is_empty()),
            limited_by: limits(registration)
                .into_iter()
                .map(LimitReport::from)
                .collect(),
            kernel_bug: table.kernel_bug.as_ref().map(ToString::to_string),
            driver_bug: table.driver_bug.as_ref().map(ToString::to_string),
        },
        Err(refusal) => TableReport::Refused {
            refused: refusal.into(),
        },
    }
}

impl Serialize for EntryRun {
    /// One entry: `{"offset": …, "address": "0x…", "size": …}`. Runs are for [`EntryRun::entries`] to take apart.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("address", &format!("{}", self.address))?;
        map.serialize_entry("size", &self.size)?;
        map.end()
    }
}
