//! What a check found, as data: the table and the JSON are two views of it.

use std::ops::Range;

use serde::Serialize;

use crate::{
    buffer::Recipe,
    frames::Frames,
    mapping::Mapping,
    missing::Missing,
    model::{Policy, Table},
    region::Region,
};

use super::{kernel::KernelReport, trespass::TrespassReport, verdict::Verdict};

/// All that a check found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The running kernel's release.
    pub kernel: String,
    /// Its page size, in bytes.
    pub page_size: u64,
    /// The device, in a few words.
    pub device: Option<String>,
    /// The buffers, in the order in which they were checked.
    pub buffers: Vec<BufferReport>,
    /// What the device was asked to do and must refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trespasses: Vec<TrespassReport>,
    /// What the machine lacks, each thing once.
    pub missing: Vec<Missing>,
    /// How many verdicts held.
    pub held: usize,
    /// How many did not.
    pub differed: usize,
    /// How many there are none of: a buffer that could not be made counts as one.
    pub skipped: usize,
}

impl Report {
    /// A report without buffers.
    pub fn new(device: Option<String>) -> Self {
        Self {
            kernel: rustix::system::uname()
                .release()
                .to_string_lossy()
                .into_owned(),
            page_size: rustix::param::page_size() as u64,
            device,
            buffers: Vec::new(),
            trespasses: Vec::new(),
            missing: Vec::new(),
            held: 0,
            differed: 0,
            skipped: 0,
        }
    }

    /// Notes that the machine lacks something.
    pub(super) fn lacks(&mut self, missing: Missing) {
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    pub(super) fn add(&mut self, buffer: BufferReport) {
        self.skipped += usize::from(buffer.skipped.is_some());
        buffer.verdicts().for_each(|(_, verdict)| {
            *match verdict {
                Verdict::Held => &mut self.held,
                Verdict::Differed(_) => &mut self.differed,
                Verdict::Skipped(_) => &mut self.skipped,
            } += 1;
        });
        self.buffers.push(buffer);
    }

    pub(super) fn add_trespasses(&mut self, trespasses: Vec<TrespassReport>) {
        let differed = trespasses
            .iter()
            .filter(|trespass| trespass.verdict != Verdict::Held)
            .count();
        self.differed += differed;
        self.held += trespasses.len() - differed;
        self.trespasses = trespasses;
    }
}

/// What was found about one buffer.
#[derive(Debug, Serialize)]
pub struct BufferReport {
    /// The recipe's name.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Why it was not checked, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// How the memory lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryFacts>,
    /// One a region and policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
    /// One a device that the kernel was asked about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kernel: Vec<KernelReport>,
}

impl BufferReport {
    pub(super) fn new(recipe: &Recipe) -> Self {
        let Recipe { name, title, .. } = *recipe;
        Self {
            name,
            title,
            skipped: None,
            memory: None,
            rows: Vec::new(),
            kernel: Vec::new(),
        }
    }

    pub(super) fn skipped(recipe: &Recipe, why: String) -> Self {
        Self {
            skipped: Some(why),
            ..Self::new(recipe)
        }
    }

    /// Every verdict, with what it is about: "4092K at +4K, mixed, frames"; "rxe0, kernel".
    pub fn verdicts(&self) -> impl Iterator<Item = (String, &Verdict)> {
        let rows = self.rows.iter().flat_map(|row| {
            let about = |level| format!("{}, {}, {level}", row.region, row.policy.name());
            [(about("frames"), &row.frames), (about("data"), &row.data)]
        });
        let kernel = self
            .kernel
            .iter()
            .map(|row| (format!("{}, kernel", row.target), &row.verdict));
        rows.chain(kernel)
    }
}

/// How a buffer's memory lies, without a physical address: those are secrets.
#[derive(Debug, Serialize)]
pub struct MemoryFacts {
    /// How many pages of the kernel's it has.
    pub pages: u64,
    /// In how many runs of contiguous frames.
    pub runs: usize,
    /// Virtual and physical addresses agree modulo this power of two, everywhere. With
    /// one page size for all (`single`), no page can be larger.
    pub congruent: u64,
}

impl MemoryFacts {
    pub(super) fn of(memory: &Mapping, frames: &Frames, window: Range<u64>) -> Self {
        let differences = frames.runs_in(window.clone());
        let differences =
            differences.map(|run| (memory.start().get() + run.offset) ^ run.start.get());
        // Of 0, every bit agrees: then 2^63 is the largest power of two to be said.
        let agreeing = differences
            .fold(0, |all, difference| all | difference)
            .trailing_zeros()
            .min(63);
        Self {
            pages: (window.end - window.start) / frames.page_size(),
            runs: frames.runs_in(window).count(),
            congruent: 1 << agreeing,
        }
    }
}

/// What was found about one region under one policy.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The region.
    #[serde(flatten)]
    pub region: Region,
    /// The policy.
    pub policy: Policy,
    /// The page's status line: "2 entries: 2 × 2M".
    pub status: String,
    /// How many entries there are.
    pub total: u64,
    /// How many of each size, ascending.
    pub by_size: Vec<SizeCount>,
    /// The frames level: the entries lie where memory is.
    pub frames: Verdict,
    /// The data level: the entries' bytes arrive.
    pub data: Verdict,
    /// How long this took.
    pub milliseconds: f64,
}

/// How many entries have a size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct SizeCount {
    /// The size in bytes.
    pub size: u64,
    /// How many.
    pub count: u64,
}

impl Row {
    pub fn new(region: Region, policy: Policy) -> Self {
        let skipped = || Verdict::Skipped("not checked".to_owned());
        let (status, by_size) = (String::new(), Vec::new());
        Self {
            region,
            policy,
            status,
            total: 0,
            by_size,
            frames: skipped(),
            data: skipped(),
            milliseconds: 0.0,
        }
    }

    pub(super) fn has_entries(&mut self, table: &Table) {
        let tally = table.tally();
        self.status = tally.to_string();
        self.total = tally.total();
        self.by_size = tally
            .by_size()
            .into_iter()
            .map(|(size, count)| SizeCount { size, count })
            .collect();
    }
}
