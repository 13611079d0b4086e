//! A registration as a line of JSON: design.md, "Watch".

use std::time::SystemTime;

use serde::Serialize;
use umem_core::{advice::Advice, size::PageSize};

use super::{
    cause::Refusal, ledger::Released, list::List, machine::Machine, seen::Seen, verdict::Verdict,
    wire::Kind, witness::Witness,
};

/// All that is said of a registration.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// When it was told: RFC 3339, in UTC.
    pub time: String,
    /// The process.
    pub pid: u32,
    /// Its thread's name.
    pub comm: String,
    /// The device.
    pub device: String,
    /// The catalogue's name of its driver.
    pub driver: Option<&'static str>,
    /// Who called, from the inside out.
    pub what: Vec<String>,
    /// "region", "queue", "doorbell", "dma-buf", "odp".
    pub kind: &'static str,
    /// The first byte.
    pub address: String,
    /// In bytes.
    pub length: u64,
    /// The rights that were asked for.
    pub access: Vec<umem_core::device::Access>,
    /// 0, or what the program sees.
    pub errno: i32,
    /// How long `ib_umem_get()` took.
    pub duration_us: f64,
    /// Kernel pages.
    pub pages: u64,
    /// The list of the memory.
    pub scatter: Option<Count>,
    /// The list for the device.
    pub dma: Option<Dma>,
    /// The page sizes of the device, in bytes.
    pub sizes: Option<Vec<u64>>,
    /// The one that was chosen.
    pub page_size: Option<u64>,
    /// The entries of the device's table.
    pub entries: Option<u64>,
    /// The limits that the kernel went by.
    pub limits: Limits,
    /// Whether the device has a larger page that the region would fill.
    pub could_be_larger: bool,
    /// Held against the rules.
    pub model: Verdict,
    /// What the process's pagemap says of the list, where it could be asked in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// Why the page size is no larger.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What would help.
    pub advice: Vec<Advice>,
    /// Nobody worked out what would help, because too many registrations waited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hurried: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The file that it was saved in, or why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
}

/// What became of `--save`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saved {
    /// The file.
    File(String),
    /// Why there is none.
    Not(String),
}

/// A list of the memory.
#[derive(Clone, Debug, Serialize)]
pub struct Count {
    /// Its entries.
    pub count: u64,
    /// How many of these were lost on the way.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// The entries, with `--lists`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<(String, u64)>>,
}

/// A list for the device.
#[derive(Clone, Debug, Serialize)]
pub struct Dma {
    /// Its segments.
    pub count: u64,
    /// Where the first begins.
    pub first: Option<String>,
    /// The segments, with `--lists`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<(String, u64)>>,
}

/// What the kernel went by.
#[derive(Clone, Debug, Serialize)]
pub struct Limits {
    /// The longest segment in bytes.
    pub max_segment: u32,
    /// The boundary that no segment crosses, as a mask.
    pub boundary: String,
    /// How the IOMMU treats the device.
    pub iommu: &'static str,
}

/// The end of a region.
#[derive(Clone, Debug, Serialize)]
pub struct End {
    time: String,
    pid: u32,
    comm: String,
    device: String,
    kind: &'static str,
    address: String,
    length: u64,
    lived_us: f64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Numbers as scenarios have them.
fn hex(number: u64) -> String {
    format!("{number:#x}")
}

fn entries(list: &[(u64, u64)]) -> Vec<(String, u64)> {
    list.iter()
        .map(|&(start, length)| (hex(start), length))
        .collect()
}

/// A moment as all our formats have it.
pub fn moment(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

impl Line {
    /// What there is to say of `seen`; with its lists if `lists` is set, without what would help in a `hurry`.
    pub fn of(
        seen: &Seen,
        machine: &mut Machine,
        time: SystemTime,
        lists: bool,
        hurry: bool,
    ) -> Self {
        let page = machine.page;
        let list = seen.list.as_ref();
        // A dma-buf's memory is its exporter's, and need not have pages.
        let has_pages = |_: &&List| seen.kind() == Kind::Pages;
        let scatter = list.filter(has_pages).map(|list| Count {
            count: list.memory.len() as u64 + list.missing,
            missing: list.missing,
            entries: lists.then(|| entries(&list.memory)),
        });
        let dma = list.map(|list| Dma {
            count: list.dma.len() as u64,
            first: list.dma.first().map(|(start, _)| hex(*start)),
            entries: lists.then(|| entries(&list.dma)),
        });
        let sizes = seen
            .sizes()
            .map(|sizes| sizes.iter().map(PageSize::bytes).collect());
        Self {
            time: moment(time),
            pid: seen.get.pid(),
            comm: seen.get.comm.clone(),
            device: seen.get.name.clone(),
            driver: machine.device(&seen.get.name).driver,
            what: seen.callers.clone(),
            kind: kind(seen),
            address: hex(seen.get.address),
            length: seen.get.length,
            access: seen.access(),
            errno: seen.errno().unwrap_or(0),
            duration_us: micros(seen.duration()),
            pages: seen.pages(page),
            scatter,
            dma,
            sizes,
            page_size: seen.page_size().map(PageSize::bytes),
            entries: seen.entries(page),
            limits: Limits {
                max_segment: seen.max_segment(),
                boundary: hex(seen.boundary_mask()),
                iommu: seen.iommu_mode(),
            },
            could_be_larger: seen.could_be_larger(),
            model: seen.judge(&machine.rules, page),
            witness: (!hurry).then(|| seen.witness(page)).flatten(),
            why: seen.reasons(machine),
            hurried: hurry && seen.could_be_larger(),
            advice: match hurry {
                true => Vec::new(),
                false => seen.advice(machine, time),
            },
            refused: seen.refusal(page),
            saved: None,
        }
    }
}

fn kind(seen: &Seen) -> &'static str {
    match seen.kind() {
        Kind::OnDemand => "odp",
        Kind::DmaBuf => "dma-buf",
        Kind::Pages => seen.purpose().name(),
    }
}

fn micros(duration: std::time::Duration) -> f64 {
    duration.as_nanos() as f64 / 1000.0
}

impl End {
    /// Of a region that was seen to begin.
    pub fn of(released: Released, time: SystemTime) -> Self {
        Self {
            time: moment(time),
            pid: released.pid,
            comm: released.comm,
            device: released.device,
            kind: "release",
            address: hex(released.address),
            length: released.length,
            lived_us: micros(released.lived),
        }
    }
}
