//! What a check found, as data: the table and the JSON are two views of it.

use std::ops::Range;

use serde::Serialize;

use crate::{
    buffer::Recipe,
    frames::Frames,
    mapping::Mapping,
    missing::Missing,
    model::{Policy, Table},
};

use super::{kernel::KernelReport, placement::whole_pages};

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
        for verdict in buffer
            .policies
            .iter()
            .flat_map(|row| [&row.frames, &row.data])
            .chain(buffer.kernel.iter().map(|row| &row.verdict))
        {
            *match verdict {
                Verdict::Held => &mut self.held,
                Verdict::Differed(_) => &mut self.differed,
                Verdict::Skipped(_) => &mut self.skipped,
            } += 1;
        }
        self.buffers.push(buffer);
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
    /// One a policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyReport>,
    /// One a device that the kernel was asked about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kernel: Vec<KernelReport>,
}

impl BufferReport {
    pub(super) fn new(recipe: &Recipe, memory: MemoryFacts) -> Self {
        let Recipe { name, title, .. } = *recipe;
        Self {
            name,
            title,
            skipped: None,
            memory: Some(memory),
            policies: Vec::new(),
            kernel: Vec::new(),
        }
    }

    pub(super) fn skipped(recipe: &Recipe, why: String) -> Self {
        let Recipe { name, title, .. } = *recipe;
        Self {
            name,
            title,
            skipped: Some(why),
            memory: None,
            policies: Vec::new(),
            kernel: Vec::new(),
        }
    }
}

/// How a buffer's memory lies, without a physical address: those are secrets.
#[derive(Debug, Serialize)]
pub struct MemoryFacts {
    /// Where the region begins in the buffer, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// How many pages of the kernel's it lies on.
    pub pages: u64,
    /// In how many runs of contiguous frames.
    pub runs: usize,
    /// Virtual and physical addresses agree modulo this power of two, in all of the region. With
    /// one page size for all (`single`), no page can be larger.
    pub congruent: u64,
    /// Whether a device has registered it, so that it stays where it is.
    pub registered: bool,
}

impl MemoryFacts {
    pub(super) fn of(
        memory: &Mapping,
        frames: &Frames,
        region: Range<u64>,
        registered: bool,
    ) -> Self {
        let pages = whole_pages(region.clone(), frames.page_size());
        let differences = frames.runs_in(pages.clone());
        let differences =
            differences.map(|run| (memory.start().get() + run.offset) ^ run.start.get());
        // Of 0, every bit agrees: then 2^63 is the largest power of two to be said.
        let agreeing = differences
            .fold(0, |all, difference| all | difference)
            .trailing_zeros()
            .min(63);
        Self {
            offset: region.start,
            length: region.end - region.start,
            pages: (pages.end - pages.start) / frames.page_size(),
            runs: frames.runs_in(pages).count(),
            congruent: 1 << agreeing,
            registered,
        }
    }
}

/// What was found about one buffer under one policy.
#[derive(Debug, Serialize)]
pub struct PolicyReport {
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

impl PolicyReport {
    pub(super) fn new(policy: Policy) -> Self {
        let skipped = || Verdict::Skipped("not checked".to_owned());
        let (status, by_size) = (String::new(), Vec::new());
        Self {
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

/// What a level came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "lowercase")]
pub enum Verdict {
    /// It is as the model says.
    Held,
    /// It is not; in words, what.
    Differed(String),
    /// It was not looked at; why.
    Skipped(String),
}

impl From<Result<(), String>> for Verdict {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Differed, |()| Self::Held)
    }
}
