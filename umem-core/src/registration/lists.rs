//! The lists that the kernel makes before a table is cut.

use super::middle::Middle;
use crate::{
    iommu::{DmaList, IoPages, Mapping, Translation},
    memory::{FrameRuns, Kind},
    scatter::{self, ScatterList},
    scenario::Question,
    size::PageSize,
    table::{KernelBug, Mr, Refusal, single::Constraint},
};
use alloc::boxed::Box;

/// The scatter-gather list of a registration: see [`Registration::scatter`](super::Registration::scatter).
pub type Scatter<'a> = ScatterList<FrameRuns<'a>>;
/// The DMA list of a registration: see [`Registration::dma`](super::Registration::dma).
pub type Dma<'a> = DmaList<Scatter<'a>>;

/// A resolved scenario, gathered and mapped; empty where a gate before the SG list refuses the region.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) question: Question,
    pub(super) scatter_count: u64,
    mapped: Result<Mapped, Refusal>,
    /// What need not be walked.
    pub(super) middle: Option<Middle>,
}

#[derive(Clone, Copy, Debug)]
struct Mapped {
    translated: Option<(Translation, Mapping)>,
    count: u64,
}

impl Lists {
    pub(super) fn of(question: Question) -> Self {
        if let Some(refusal) = question.request().refusal() {
            return Self {
                question,
                scatter_count: 0,
                mapped: Err(Refusal::Stopped(Box::new(refusal))),
                middle: None,
            };
        }
        let middle = Middle::of(&question);
        let scatter_count = scatter(&question, &walked(&question, middle)).count() as u64
            + middle.map_or(0, |middle| middle.entries());
        let mapped = match question.translation() {
            None => Ok(Mapped {
                translated: None,
                // One segment for each entry; only memory on demand has segments without entries.
                count: match question.kind() {
                    Kind::Pages | Kind::DmaBuf => scatter_count,
                    Kind::Odp => dma(&question, question.mr(), None).count() as u64,
                },
            }),
            Some(translation) => translation
                .map(mapped(&question, question.mr()))
                .map_err(|error| Refusal::Map {
                    error,
                    errno: question.device().umem_error.unwrap_or(error.errno()),
                    bug: KernelBug::after(question.kernel(), error),
                })
                .map(|mapping| {
                    let translated = Some((translation, mapping));
                    let count = dma(&question, question.mr(), translated).count() as u64;
                    Mapped { translated, count }
                }),
        };
        Self {
            question,
            scatter_count,
            mapped,
            middle,
        }
    }

    /// The region as far as it is walked: shorter than it is where it has a middle.
    pub(super) fn walked(&self) -> Mr {
        walked(&self.question, self.middle)
    }

    /// The same lists, of which `question` asks.
    #[cfg(feature = "guide")]
    pub(super) fn asked(self, question: Question) -> Self {
        Self { question, ..self }
    }

    pub(super) fn frames(&self) -> FrameRuns<'_> {
        frames(&self.question, self.question.mr())
    }

    pub(super) fn scatter(&self) -> Scatter<'_> {
        self.scatter_of(self.question.mr())
    }

    /// The same of a region that is as long, or is [walked](Self::walked).
    pub(super) fn scatter_of(&self, mr: &Mr) -> Scatter<'_> {
        match self.stopped() {
            None => scatter(&self.question, mr),
            Some(_) => nothing(&self.question),
        }
    }

    pub(super) fn dma(&self) -> Dma<'_> {
        self.dma_of(self.question.mr())
    }

    /// The same of a region that is as long, or is [walked](Self::walked).
    pub(super) fn dma_of(&self, mr: &Mr) -> Dma<'_> {
        match self.stopped() {
            None => dma(&self.question, mr, self.translated()),
            Some(_) => DmaList::identity(nothing(&self.question)),
        }
    }

    /// The refusal by a gate before the SG list.
    pub(super) fn stopped(&self) -> Option<&Refusal> {
        let refusal = self.mapped.as_ref().err();
        refusal.filter(|refusal| matches!(refusal, Refusal::Stopped(_)))
    }

    pub(super) fn dma_count(&self) -> Result<u64, &Refusal> {
        self.mapped.as_ref().map(|mapped| mapped.count)
    }

    pub(super) fn mapping(&self) -> Option<Mapping> {
        self.translated().map(|(_, mapping)| mapping)
    }

    pub(super) fn io_pages(&self) -> Option<IoPages<Scatter<'_>>> {
        let (translation, mapping) = self.translated()?;
        let entries = mapped(&self.question, self.question.mr());
        Some(IoPages::new(entries, translation, mapping))
    }

    /// The size that the driver chooses for all blocks.
    pub(super) fn single_size(&self, on: impl FnMut(Constraint)) -> Option<PageSize> {
        let question = &self.question;
        let (choice, sizes) = (question.device().choice, question.device().page_sizes);
        let segments = self.dma_of(&self.walked());
        choice.size(segments, question.mr(), sizes, question.rules(), on)
    }

    /// Whether the region's device addresses follow each other.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut end = None;
        self.dma().all(|segment| {
            let follows = end.is_none_or(|end| end == segment.start);
            end = Some(segment.end());
            follows
        })
    }

    fn translated(&self) -> Option<(Translation, Mapping)> {
        self.mapped.as_ref().ok()?.translated
    }
}

/// The region as far as it is walked.
fn walked(question: &Question, middle: Option<Middle>) -> Mr {
    middle.map_or(*question.mr(), |middle| middle.without(question.mr()))
}

/// The frames of a region, the question's or a shorter one.
fn frames<'a>(question: &'a Question, mr: &Mr) -> FrameRuns<'a> {
    let (from, to) = mr.pinned();
    question.memory().runs(from, to)
}

/// The list of the region; of a dma-buf, the exporter's entries cut to the region; none of memory on demand.
fn scatter<'a>(question: &'a Question, mr: &Mr) -> Scatter<'a> {
    match question.kind() {
        Kind::Pages => gathered(question, mr),
        Kind::DmaBuf => ScatterList::listed(frames(question, mr), mr.page),
        Kind::Odp => nothing(question),
    }
}

/// The list where nothing is gathered.
fn nothing(question: &Question) -> Scatter<'_> {
    ScatterList::listed(question.memory().runs(0, 0), question.mr().page)
}

/// The list that is mapped: that of the region; of a dma-buf, the exporter's whole list.
fn mapped<'a>(question: &'a Question, mr: &Mr) -> Scatter<'a> {
    if question.kind() == Kind::DmaBuf {
        let memory = question.memory();
        return ScatterList::listed(memory.runs(0, memory.length()), question.mr().page);
    }
    gathered(question, mr)
}

/// The pinned pages, gathered.
fn gathered<'a>(question: &'a Question, mr: &Mr) -> Scatter<'a> {
    let (longest, rule) = (longest_entry(question), question.rules().coalescing);
    ScatterList::new(frames(question, mr), longest, rule, mr.page)
}

/// How long an SG entry may be, in bytes.
pub(super) fn longest_entry(question: &Question) -> u64 {
    let page = question.mr().page;
    // `resolve` has refused segments shorter than a page.
    scatter::longest_entry(question.device().max_segment, page).unwrap_or(page.bytes())
}

fn dma<'a>(question: &'a Question, mr: &Mr, translated: Option<(Translation, Mapping)>) -> Dma<'a> {
    let entries = mapped(question, mr);
    let list = match translated {
        Some((translation, mapping)) => {
            DmaList::translated(entries, translation, mapping, question.device().max_segment)
        }
        None => DmaList::identity(entries),
    };
    match question.kind() {
        Kind::DmaBuf => {
            let (from, to) = mr.pinned();
            list.part(from, to)
        }
        Kind::Pages | Kind::Odp => list,
    }
}
