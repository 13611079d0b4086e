//! What stands behind a result: for each rule on the way, whether a kernel confirmed it.

use crate::{
    kernel::{BlockIterator, Interior, KernelRules, SmallPages},
    memory::{Exporter, Kind},
    scatter::Coalescing,
    scenario::Question,
    size::PageSize,
    table::{Policy, single::Choice},
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// What stands behind one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evidence {
    /// The stage of the registration.
    pub stage: &'static str,
    /// Who says so.
    pub by: By,
    /// Which kernel, report or source.
    pub text: String,
}

/// Who says that a rule is so, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub enum By {
    /// A mail, which no kernel followed.
    Proposed,
    /// The kernel's source, read and transcribed, but not run.
    Source,
    /// A public report of what a kernel did.
    Report,
    /// A running kernel that was asked.
    Lab,
}

impl By {
    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Source => "source",
            Self::Report => "report",
            Self::Lab => "lab",
        }
    }
}

/// The kernels that `cargo xtask lab` asked: thousands of random questions each.
const LAB: &str = "Linux 6.1.192, 6.12.95, 7.2.12 and 7.3.4, x86-64, 4K pages";

/// The kernels that were asked about dma-bufs, which only newer ones of Debian can make of a process's memory.
const EXPORTED: &str =
    "udmabuf of Linux 6.12.118 and 7.3.4, x86-64, 4K pages, behind VT-d and without an IOMMU";

/// The kernels with pages of this size that were asked. Recorded answers of those with larger ones are in
/// `tests/vectors/linux-pages.jsonl`.
fn lab(page: PageSize) -> Option<&'static str> {
    match page.log2() {
        12 => Some(LAB),
        14 => Some("Linux 6.12.95 and 6.12.117, arm64, 16K pages"),
        16 => Some("Linux 6.1.176, 6.12.95 and 6.12.107, ppc64le, 64K pages"),
        _ => None,
    }
}

impl Question {
    /// What stands behind each rule that this question needs, in the order of the stages: `pin`, `gather`, `map`, `page-size` or `cut`,
    /// `driver`, `table`.
    ///
    /// A result is as good as the [weakest](weakest) of them.
    pub fn evidence(&self) -> Vec<Evidence> {
        let rules = self.rules();
        let page = self.mr().page;
        let mut list = Vec::new();
        let mut line = |stage, (by, text)| list.push(Evidence { stage, by, text });
        match self.kind() {
            Kind::Pages => {
                line(
                    "pin",
                    asked(Some(page).filter(|page| *page == PageSize::K4), page),
                );
                line(
                    "gather",
                    match rules.coalescing {
                        Coalescing::AnyPage => asked(Some(page), page),
                        Coalescing::WholeBatchRun => (
                            By::Source,
                            "umem.c: ib_umem_add_sg_table() [linux 5.2], transcribed".to_owned(),
                        ),
                    },
                );
            }
            Kind::DmaBuf => line("gather", self.exporter_evidence()),
            Kind::Odp => line(
                "gather",
                (
                    By::Source,
                    "umem_odp.c: ib_umem_odp_get() [linux 7.2]: an entry a page".to_owned(),
                ),
            ),
        }
        line("map", self.map_evidence());
        match self.device().policy {
            Policy::Mixed | Policy::Unaligned => line(
                "cut",
                (
                    By::Proposed,
                    "linux-rdma, August 2018; no kernel cuts a table like this".to_owned(),
                ),
            ),
            Policy::Single => line("page-size", self.size_evidence()),
        }
        if let Some((by, source)) = self.driver_evidence() {
            line("driver", (by, source.clone()));
            if self.device().policy == Policy::Single {
                // No driver tells what its table takes.
                line("table", (By::Source, source));
            }
        }
        list
    }

    /// What stands behind the way in which a dma-buf's region is cut out of its list.
    fn exporter_evidence(&self) -> (By, String) {
        match self.scenario().memory.exporter {
            Exporter::DmaMap if self.mr().page == PageSize::K4 => (By::Lab, EXPORTED.to_owned()),
            Exporter::DmaMap => (
                By::Source,
                "umem_dmabuf.c: ib_umem_dmabuf_map_pages() [linux 7.2]; pages of 4K alone were asked".to_owned(),
            ),
            Exporter::PerEntry => (
                By::Source,
                "dma-iommu.c: iommu_dma_map_resource() [linux 6.12]; each exporter has a way of its own".to_owned(),
            ),
        }
    }

    /// What stands behind the driver's row, if the device is of the catalogue.
    fn driver_evidence(&self) -> Option<(By, String)> {
        let profile = self.device().profile?;
        let by = if profile.name == "rxe" {
            By::Lab
        } else {
            By::Source
        };
        Some((by, profile.traits(self.device().release).source.to_owned()))
    }

    /// What stands behind the one size: the kernel's search for it, or the driver's own way.
    fn size_evidence(&self) -> (By, String) {
        match (self.device().choice, self.driver_evidence()) {
            (Choice::Best(_), _) | (_, None) => page_size_evidence(self.rules(), self.mr().page),
            (Choice::KernelPage, Some(driver)) => driver,
            (_, Some((by, source))) => (by, format!("{source}, transcribed")),
        }
    }

    fn map_evidence(&self) -> (By, String) {
        match (self.translation(), self.iommu_profile()) {
            (None, _) => asked(
                Some(self.mr().page).filter(|page| *page == PageSize::K4),
                self.mr().page,
            ),
            (Some(_), Some(profile)) => match profile.lab {
                Some(lab) => (By::Lab, lab.to_owned()),
                None => (By::Source, profile.source.to_owned()),
            },
            (Some(_), None) => (
                By::Source,
                "dma-iommu.c: iommu_dma_map_sg() [linux 7.2]".to_owned(),
            ),
        }
    }
}

/// By a kernel with pages of `of` that was asked, or from the source.
fn asked(of: Option<PageSize>, page: PageSize) -> (By, String) {
    match of.and_then(lab) {
        Some(lab) => (By::Lab, lab.to_owned()),
        None => (
            By::Source,
            format!("umem.c, lib/scatterlist.c; no kernel with pages of {page} was asked"),
        ),
    }
}

fn page_size_evidence(rules: &KernelRules, page: PageSize) -> (By, String) {
    const REPORTS: &str = "transcribed from the source";
    match (rules.interior, rules.small_pages) {
        (Interior::Discontinuities, SmallPages::Any)
            if rules.iterator == BlockIterator::AcrossEntries64 =>
        {
            asked(Some(page), page)
        }
        _ if page != PageSize::K4 => asked(None, page),
        (Interior::Discontinuities, SmallPages::Any) => (
            By::Lab,
            "Linux 6.12.95, x86-64, 4K pages; the walk of blocks of 4G and more is from source"
                .to_owned(),
        ),
        (Interior::Lengths, _) => (
            By::Report,
            format!("linux-rdma, 2020-01-20: 12K and 20K got pages of 8K; {REPORTS}"),
        ),
        _ => (
            By::Report,
            format!("linux-rdma, 2021-03-07: segments of 4G-4K got pages of 4K; {REPORTS}"),
        ),
    }
}

/// The weakest of the lines: a result claims no more than this.
pub fn weakest(evidence: &[Evidence]) -> Option<&Evidence> {
    evidence.iter().min_by_key(|line| line.by)
}

impl core::fmt::Display for Evidence {
    /// "gather: lab: Linux 6.12.117, arm64, 16K pages".
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}: {}", self.stage, self.by.name(), self.text)
    }
}

/// The evidence in one sentence, for a status line.
pub fn summary(evidence: &[Evidence]) -> String {
    let Some(weakest) = weakest(evidence) else {
        return String::new();
    };
    let stages = |by: By| {
        let stages: Vec<_> = evidence
            .iter()
            .filter(|line| line.by == by)
            .map(|line| line.stage)
            .collect();
        stages.join(", ")
    };
    match weakest.by {
        By::Lab => "Every rule on the way was confirmed by a running kernel.".to_string(),
        By::Report => format!(
            "By reports: {}; the rest by a running kernel.",
            stages(By::Report)
        ),
        By::Source => format!("From source, asked of no kernel: {}.", stages(By::Source)),
        By::Proposed => "A proposal: no kernel cuts a table like this.".to_string(),
    }
}
