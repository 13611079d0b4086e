//! The lists that the kernel makes before a table is cut.

use crate::{
    iommu::{DmaList, IoPages, Mapping, Translation},
    memory::FrameRuns,
    scatter::{self, ScatterList},
    scenario::Question,
    table::{
        Refusal,
        single::{Constraint, Sweep},
    },
};

/// The scatter-gather list of a registration: see [`Registration::scatter`](super::Registration::scatter).
pub type Scatter<'a> = ScatterList<FrameRuns<'a>>;
/// The DMA list of a registration: see [`Registration::dma`](super::Registration::dma).
pub type Dma<'a> = DmaList<Scatter<'a>>;

/// A resolved scenario, gathered and mapped.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) question: Question,
    pub(super) scatter_count: u64,
    mapped: Result<Mapped, Refusal>,
}

#[derive(Clone, Copy, Debug)]
struct Mapped {
    translated: Option<(Translation, Mapping)>,
    count: u64,
}

impl Lists {
    pub(super) fn of(question: Question) -> Self {
        let scatter_count = scatter(&question).count() as u64;
        let mapped = match question.translation() {
            None => Ok(Mapped {
                translated: None,
                count: scatter_count,
            }),
            Some(translation) => translation
                .map(scatter(&question))
                .map_err(|error| Refusal::Map {
                    error,
                    bug: question.kernel().bug_after(error),
                })
                .map(|mapping| {
                    let translated = Some((translation, mapping));
                    let count = dma(&question, translated).count() as u64;
                    Mapped { translated, count }
                }),
        };
        Self {
            question,
            scatter_count,
            mapped,
        }
    }

    pub(super) fn frames(&self) -> FrameRuns<'_> {
        frames(&self.question)
    }

    pub(super) fn scatter(&self) -> Scatter<'_> {
        scatter(&self.question)
    }

    pub(super) fn dma(&self) -> Dma<'_> {
        dma(&self.question, self.translated())
    }

    pub(super) fn dma_count(&self) -> Result<u64, &Refusal> {
        self.mapped.as_ref().map(|mapped| mapped.count)
    }

    pub(super) fn mapping(&self) -> Option<Mapping> {
        self.translated().map(|(_, mapping)| mapping)
    }

    pub(super) fn io_pages(&self) -> Option<IoPages<Scatter<'_>>> {
        let (translation, mapping) = self.translated()?;
        Some(IoPages::new(self.scatter(), translation, mapping))
    }

    pub(super) fn sweep(&self, mut on: impl FnMut(Constraint)) -> Sweep {
        let question = &self.question;
        let sizes = question.device().page_sizes;
        let mut sweep = Sweep::new(question.mr(), sizes, question.rules());
        for segment in self.dma() {
            sweep.push(segment, &mut on);
        }
        sweep
    }

    fn translated(&self) -> Option<(Translation, Mapping)> {
        self.mapped.as_ref().ok()?.translated
    }
}

fn frames(question: &Question) -> FrameRuns<'_> {
    let (from, to) = question.mr().pinned();
    question.memory().runs(from, to)
}

fn scatter(question: &Question) -> Scatter<'_> {
    let page = question.mr().page;
    // `resolve` has refused segments shorter than a page.
    let longest =
        scatter::longest_entry(question.device().max_segment, page).unwrap_or(page.bytes());
    ScatterList::new(frames(question), longest, question.rules().coalescing, page)
}

fn dma(question: &Question, translated: Option<(Translation, Mapping)>) -> Dma<'_> {
    let entries = scatter(question);
    match translated {
        Some((translation, mapping)) => {
            DmaList::translated(entries, translation, mapping, question.device().max_segment)
        }
        None => DmaList::identity(entries),
    }
}
