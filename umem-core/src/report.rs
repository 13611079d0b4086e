//! A registration as JSON: what `umem plan --format json` prints.

use crate::{
    address::{Address, Extent},
    capture::Provenance,
    evidence::Evidence,
    explain::Limit,
    gate::{Errno, Gate},
    registration::{Exhibit, Registration, Table},
    scatter::ListCost,
    table::{EntryRun, Policy, Refusal, memory::TableMemory},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::{Serialize, ser::SerializeMap};

/// Lists of up to this many entries stand in a registration's JSON; of longer ones only the count.
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
    kernel: KernelReport,
    /// Who says that each rule on the way is so.
    evidence: Vec<Evidence>,
    alternatives: Alternatives,
    advice: Vec<crate::advice::Advice>,
    /// The mail's own code, tried on this region.
    exhibits: Vec<ExhibitReport>,
}

#[derive(Debug, Serialize)]
struct KernelReport {
    /// The generation whose answers are the same, or how they differ from it.
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
enum TableReport {
    Table {
        policy: Policy,
        page_size: Option<u64>,
        total: u64,
        by_size: Vec<SizeCount>,
        bytes: u64,
        memory: TableMemory,
        #[serde(skip_serializing_if = "Option::is_none")]
        layout: Option<String>,
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
struct SizeCount {
    size: u64,
    count: u64,
}

#[derive(Debug, Serialize)]
struct LimitReport {
    code: &'static str,
    bit: Option<u32>,
    segment: Option<u64>,
    text: String,
}

#[derive(Debug, Serialize)]
struct Refused {
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

impl From<Refusal> for Refused {
    fn from(
        Refusal {
            code,
            message,
            kernel_bug,
            driver_bug,
            gate,
            errno,
        }: Refusal,
    ) -> Self {
        Self {
            code,
            message,
            gate: gate.map(Gate::name),
            errno: errno.map(Errno::name),
            kernel_bug,
            driver_bug,
        }
    }
}

fn kernel(registration: &Registration) -> KernelReport {
    let kernel = &registration.question().kernel;
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

fn by_size(table: &crate::table::Tally) -> Vec<SizeCount> {
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
                page_size: table.page_size.map(|size| size.bytes()),
            },
            Err(refusal) => Self::Refused {
                refused: refusal.into(),
            },
        }
    }
}

impl Registration {
    /// The registration as a value that serialises to the JSON of the registration format.
    pub fn report(&self, scenario: &crate::scenario::Scenario) -> Report {
        let device = &self.question().device;
        Report {
            version: 1,
            name: scenario.name.clone(),
            status: self.status(),
            provenance: scenario.provenance.clone(),
            pages: self.pages(),
            lists: self.list_cost().into(),
            scatter: list(self.scatter_count, self.scatter()),
            dma: match &self.dma_count {
                Ok(count) => ListOrRefusal::List(list(*count, self.dma())),
                Err(refusal) => ListOrRefusal::Refused {
                    refused: refusal.clone().into(),
                },
            },
            iommu: self.mapping.zip(self.io_pages()).map(|(mapping, pages)| {
                let mut tally = crate::table::Tally::default();
                pages.for_each(|run| tally.add(run.size, run.count));
                IoTable {
                    iova: mapping.start.to_string(),
                    length: mapping.length,
                    total: tally.total(),
                    by_size: by_size(&tally),
                }
            }),
            table: match &self.table {
                Ok(table) => TableReport::Table {
                    policy: table.policy,
                    page_size: table.page_size.map(|size| size.bytes()),
                    total: table.total,
                    by_size: by_size(&table.tally),
                    bytes: table.bytes,
                    memory: table.memory,
                    layout: device
                        .profile
                        .map(|profile| profile.layout)
                        .filter(|layout| !layout.is_empty())
                        .map(String::from),
                    limited_by: self.limits().into_iter().map(LimitReport::from).collect(),
                    kernel_bug: table.kernel_bug.clone(),
                    driver_bug: table.driver_bug.clone(),
                },
                Err(refusal) => TableReport::Refused {
                    refused: refusal.clone().into(),
                },
            },
            kernel: kernel(self),
            evidence: self.question().evidence(),
            alternatives: Alternatives {
                mixed: self.alternative(Policy::Mixed).into(),
                single: self.alternative(Policy::Single).into(),
                unaligned: self.alternative(Policy::Unaligned).into(),
            },
            advice: self.advice(scenario),
            exhibits: self
                .exhibits()
                .into_iter()
                .map(ExhibitReport::from)
                .collect(),
        }
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
