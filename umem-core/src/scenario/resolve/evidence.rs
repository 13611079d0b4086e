//! The evidence for each rule that a question needs.

use super::Question;
use crate::{
    evidence::{By, Evidence},
    iommu::Iova,
    kernel::{BlockIterator, Interior, KernelRules, SmallPages},
    memory::{Exporter, Kind},
    scatter::Coalescing,
    size::PageSize,
    table::{Policy, single::Choice},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// The kernels that `cargo xtask lab` asked thousands of random questions each.
const LAB: &str = "Linux 6.1.192, 6.12.95, 7.2.12 and 7.3.4, x86-64, 4K pages";

/// The kernels that answered about dma-bufs; only Debian's newer ones can make them of a process's memory.
const EXPORTED: &str = "udmabuf of Linux 6.12.118 and 7.3.4, x86-64, 4K pages, behind VT-d, behind AMD-Vi and without an IOMMU";

/// The kernels with pages of this size that answered. Answers recorded with larger pages are in
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
    /// The evidence for each rule that this question needs, in the order of the stages: `pin`, `gather`, `map`, `page-size` or `cut`,
    /// `driver`, `table`.
    ///
    /// A result is as certain as the [weakest](crate::evidence::weakest) of them.
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
        if let Some(driver) = self.driver_evidence() {
            line("driver", driver);
        }
        if let Some(source) = self.driver_source()
            && self.device().policy == Policy::Single
        {
            // No driver reports what its table takes.
            line("table", (By::Source, source.to_owned()));
        }
        list
    }

    /// The evidence for how a dma-buf's region is cut out of its list.
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

    /// The evidence for the driver's row, if the device is in the catalogue.
    fn driver_evidence(&self) -> Option<(By, String)> {
        let source = self.driver_source()?;
        let is_rxe = self
            .device()
            .profile
            .is_some_and(|profile| profile.name == "rxe");
        Some(match lab(self.mr().page).filter(|_| is_rxe) {
            Some(lab) => (By::Lab, format!("{source}: {lab}")),
            None => (By::Source, source.to_owned()),
        })
    }

    /// Where the driver's row is from, if the device is in the catalogue.
    fn driver_source(&self) -> Option<&'static str> {
        let profile = self.device().profile?;
        Some(profile.traits(self.device().release).source)
    }

    /// The evidence for the one size: the kernel's search for it, or the driver's own way.
    fn size_evidence(&self) -> (By, String) {
        match (self.device().choice, self.driver_evidence()) {
            (Choice::Best(_), _) | (_, None) => page_size_evidence(self.rules(), self.mr().page),
            (Choice::KernelPage, Some(driver)) => driver,
            (_, Some((by, source))) => (by, format!("{source}, transcribed")),
        }
    }

    fn map_evidence(&self) -> (By, String) {
        let translation = self.translation();
        if let Some(Iova::Congruent { .. }) = translation.map(|translation| translation.iova) {
            let text = "no kernel places a range by the NIC's address";
            return (By::Proposed, text.to_owned());
        }
        match (translation, self.iommu_profile()) {
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

/// From a kernel with pages of `of`, if one answered; or else from the source.
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
