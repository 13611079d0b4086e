//! The changes that are tried: one function for each kind.

#[cfg(feature = "guide")]
use crate::explain;
use crate::{
    address::VirtAddr,
    kernel::{CHANGES, GENERATIONS},
    memory, processor,
    registration::Registration,
    scenario::{Backing, IommuSpec, KernelSpec, LayoutName, Scenario},
    size::{Bytes, PageSize},
    table::{Edges, Policy, Refusal},
};
use alloc::{
    borrow::ToOwned,
    collections::BinaryHeap,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

/// For longer lists, only changes that make them shorter are tried: each proposal is proven by walking the list again.
pub const MOST_SEGMENTS: u64 = 1 << 22;

/// A change that may help.
pub(super) struct Proposal {
    pub(super) kind: Kind,
    pub(super) change: String,
    pub(super) cost: String,
    pub(super) scenarios: Vec<Scenario>,
    /// How many regions are like the first of these.
    pub(super) repeats: u64,
    /// The boundary that it names.
    pub(super) boundary: Option<PageSize>,
}

/// Only the best proposal of each kind is listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Align,
    HugePages(PageSize),
    /// Huge pages that a fork has broken stay whole.
    #[cfg(feature = "guide")]
    Whole,
    Pad,
    HcaAddress,
    ZeroBased,
    Identity,
    Split,
    Kernel,
    Overhang,
    /// Two changes at once.
    #[cfg(feature = "guide")]
    Combined(usize),
    /// Remedies for a gate's refusal.
    #[cfg(feature = "guide")]
    Remedy(usize),
}

impl Kind {
    pub(super) const fn is_huge_pages(self) -> bool {
        matches!(self, Self::HugePages(_))
    }
}

impl Proposal {
    pub(super) fn new(
        kind: Kind,
        scenario: Scenario,
        change: impl Into<String>,
        cost: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            change: change.into(),
            cost: cost.into(),
            scenarios: vec![scenario],
            repeats: 1,
            boundary: None,
        }
    }

    fn at(self, boundary: PageSize) -> Self {
        Self {
            boundary: Some(boundary),
            ..self
        }
    }
}

/// Everything that is tried, the cheapest of each kind first.
pub(super) fn proposals(of: &Registration) -> Vec<Proposal> {
    // The gates before the SG list do not depend on pages: only their own remedies help, and kernels that refuse less.
    if matches!(of.table(), Err(Refusal::Stopped(_))) {
        return later_kernels(of);
    }
    let memory = huge_sizes(of).filter_map(|size| huge_pages(of, size));
    if of.scatter_count() > MOST_SEGMENTS {
        // With larger pages the list is shorter.
        return memory.collect();
    }
    let region =
        large_sizes(of).flat_map(|size| [aligned(of, size), padded(of, size), split(of, size)]);
    let addresses = [zero_based(of), congruent_hca(of)];
    let machine = [identity(of), overhang(of)];
    region
        .flatten()
        .chain(memory)
        .chain(unbroken(of))
        .chain(addresses.into_iter().flatten())
        .chain(machine.into_iter().flatten())
        .chain(later_kernels(of))
        .collect()
}

/// The sizes of huge pages that the machine has and the region is long enough for; the smallest serves shorter ones as well.
pub(super) fn huge_sizes(of: &Registration) -> impl Iterator<Item = PageSize> {
    let (question, mr) = (of.question(), of.question().mr());
    let platform = question
        .iommu_profile()
        .and_then(|profile| profile.platform);
    let sizes = processor::huge_pages(platform, mr.page);
    let (least, length) = (sizes.smallest(), mr.length);
    sizes
        .iter()
        .filter(move |size| Some(*size) == least || size.bytes() <= length)
}

/// The device's sizes above the kernel's page: those that are worth aligning to.
fn large_sizes(of: &Registration) -> impl Iterator<Item = PageSize> {
    let page = of.question().mr().page;
    let sizes = of.question().device().page_sizes.iter();
    sizes.filter(move |size| *size > page && size.log2() <= 40)
}

/// The size with its article: an 8M, a 2M.
fn a(size: PageSize) -> String {
    let size = format!("{size}");
    let article = if size.starts_with('8') { "an" } else { "a" };
    format!("{article} {size}")
}

pub(super) fn aligned(of: &Registration, size: PageSize) -> Option<Proposal> {
    let mr = of.question().mr();
    // The address is aligned; the offset follows.
    let back = mr.address.offset_in(size);
    if back == 0 || back > mr.offset {
        return None;
    }
    let mut changed = of.scenario().clone();
    changed.region.offset = Bytes(mr.offset - back);
    changed.region.length = Bytes(mr.length + back);
    changed.region.hca_address = changed.region.hca_address.map(|hca| hca.wrapping_sub(back));
    let back = Bytes(back);
    let change = format!("start the region on {} boundary, {back} earlier", a(size));
    let cost = format!("{back} more are registered, and the remote side may reach them");
    Some(Proposal::new(Kind::Align, changed, change, cost).at(size))
}

fn padded(of: &Registration, size: PageSize) -> Option<Proposal> {
    let mr = of.question().mr();
    let end = mr.address + mr.length;
    let pad = end.align_up(size)? - end;
    // Nobody makes a region twice as long for its page size; and what is planned for it must be walked.
    if pad == 0 || pad > mr.length {
        return None;
    }
    let mut changed = of.scenario().clone();
    changed.region.length = Bytes(mr.length + pad);
    let pad = Bytes(pad);
    let change = format!("end the region on {} boundary, {pad} later", a(size));
    let cost = format!("{pad} more are registered, and must be there");
    Some(Proposal::new(Kind::Pad, changed, change, cost).at(size))
}

fn split(of: &Registration, size: PageSize) -> Option<Proposal> {
    let mr = of.question().mr();
    let head = mr.address.align_up(size)? - mr.address;
    if head == 0 || head >= mr.length {
        return None;
    }
    let (mut first, mut second) = (of.scenario().clone(), of.scenario().clone());
    first.region.length = Bytes(head);
    second.region.offset = Bytes(mr.offset + head);
    second.region.length = Bytes(mr.length - head);
    second.region.hca_address = second
        .region
        .hca_address
        .and_then(|hca| hca.checked_add(head));
    let change = format!(
        "register two regions, split at the {size} boundary {} into this one",
        Bytes(head)
    );
    let cost = "two keys to hand out, and no access across the boundary";
    let mut proposal = Proposal::new(Kind::Split, first, change, cost).at(size);
    proposal.scenarios.push(second);
    Some(proposal)
}

pub(super) fn huge_pages(of: &Registration, size: PageSize) -> Option<Proposal> {
    let changed = in_huge_pages(of, size)?;
    let change = format!("back the region with {size} pages");
    let cost = format!("{size} pages must be reserved, and memory is taken in whole ones");
    Some(Proposal::new(Kind::HugePages(size), changed, change, cost))
}

/// Huge pages, most of them whole and a few broken, as after a fork() that is followed by writes.
#[cfg(feature = "guide")]
fn unbroken(of: &Registration) -> Option<Proposal> {
    let picture = explain::picture(of).filter(explain::Picture::is_nearly_whole)?;
    let changed = in_huge_pages(of, picture.size)?;
    let change = format!(
        "keep the {0} pages whole: register before the fork(), or call madvise(MADV_DONTFORK) on the memory before it",
        picture.size
    );
    let cost = "a child has no access to memory that is marked; pages that are broken already must be allocated anew";
    Some(Proposal::new(Kind::Whole, changed, change, cost))
}

#[cfg(not(feature = "guide"))]
fn unbroken(_: &Registration) -> Option<Proposal> {
    None
}

/// The same region in memory of larger pages.
pub(crate) fn in_huge_pages(of: &Registration, size: PageSize) -> Option<Scenario> {
    // The exporter chooses its buffer's pages, and memory on demand has an entry for each page of the kernel.
    if of.question().kind() != memory::Kind::Pages {
        return None;
    }
    let mut changed = of.scenario().clone();
    let spec = &mut changed.memory;
    if size <= of.question().memory().page_size() && spec.extents.is_none() {
        return None;
    }
    // What backs a mapping decides its pages.
    if spec
        .areas
        .iter()
        .any(|area| area.backing != Backing::Anonymous)
    {
        return None;
    }
    // The kernel decides where the pages lie, so none is assumed to follow another.
    spec.layout = Some(match spec.layout {
        Some(LayoutName::Contiguous) => LayoutName::Contiguous,
        _ => LayoutName::Scattered,
    });
    spec.extents = None;
    spec.page_size = Some(Bytes(size.bytes()));
    spec.start = None;
    spec.length = None;
    // Huge pages are aligned to their size in virtual memory, too.
    let (va, region) = (changed.region.va, &mut changed.region);
    region.va = va.align_down(size);
    region.offset = Bytes(region.offset.0 + va.offset_in(size));
    Some(changed)
}

fn with_hca(of: &Registration, hca: VirtAddr) -> Option<Scenario> {
    if of.question().device().policy != Policy::Single {
        return None;
    }
    let mut changed = of.scenario().clone();
    changed.region.hca_address = Some(hca);
    Some(changed)
}

pub(super) fn zero_based(of: &Registration) -> Option<Proposal> {
    let hca = VirtAddr::new(of.question().mr().page_offset());
    let changed = with_hca(of, hca)?;
    let change = format!("register it zero-based (the NIC's address {hca})");
    let cost = "the remote side must be told addresses that begin there (ibv_reg_mr_iova)";
    Some(Proposal::new(Kind::ZeroBased, changed, change, cost))
}

fn congruent_hca(of: &Registration) -> Option<Proposal> {
    // Only the kernel knows where an IOMMU has put the region.
    if of.question().translation().is_some() {
        return None;
    }
    let first = of.dma().next()?.start + of.question().mr().page_offset();
    let hca = VirtAddr::new(first.get());
    let changed = with_hca(of, hca)?;
    let change = format!("give the NIC an address that agrees with the device address ({hca})");
    let cost = "the remote side must be told that address (ibv_reg_mr_iova); root finds its low bits in /proc/PID/pagemap";
    Some(Proposal::new(Kind::HcaAddress, changed, change, cost))
}

pub(super) fn identity(of: &Registration) -> Option<Proposal> {
    of.question().translation()?;
    let mut changed = of.scenario().clone();
    changed.iommu = IommuSpec::default();
    let switch = of
        .question()
        .iommu_profile()
        .map_or("iommu.passthrough=1", |profile| profile.passthrough);
    let change = format!("let the IOMMU map identically ({switch})");
    let cost = "the IOMMU no longer keeps the device from other memory";
    Some(Proposal::new(Kind::Identity, changed, change, cost))
}

/// The kernels after this one at which rules changed, the oldest first: in its own series if the change was backported there.
pub(super) fn later_kernels(of: &Registration) -> Vec<Proposal> {
    let (kernel, spec) = (of.question().kernel(), &of.scenario().kernel);
    let proposal = |name: String, kernel: KernelSpec| {
        let mut changed = of.scenario().clone();
        changed.kernel = kernel;
        let change = format!("run Linux {name} or later");
        Proposal::new(Kind::Kernel, changed, change, "a newer kernel")
    };
    let Some(release) = kernel.release else {
        let later = GENERATIONS
            .iter()
            .skip_while(|rules| rules.name != kernel.rules.name)
            .skip(1);
        let named = later.map(|rules| {
            let mut changed = spec.clone();
            changed.set_rules(rules.name);
            proposal(rules.name.to_owned(), changed)
        });
        return named.collect();
    };
    let driver = of.question().device().profile;
    let of_driver = driver.into_iter().flat_map(|driver| driver.changes);
    // A heap: each of the library's sorts is several times its code.
    let first: BinaryHeap<_> = CHANGES
        .iter()
        .map(|change| &change.since)
        .chain(of_driver.map(|change| &change.since))
        .chain(driver.and_then(|driver| driver.first.as_ref()))
        .filter(|since| !since.is_in(release))
        .map(|since| since.first_after(release))
        .collect();
    let mut first = first.into_sorted_vec();
    first.dedup();
    let named = first.into_iter().map(|first| {
        let mut changed = spec.clone();
        changed.set_release(first.to_string());
        proposal(first.to_string(), changed)
    });
    named.collect()
}

fn overhang(of: &Registration) -> Option<Proposal> {
    let device = of.question().device();
    if device.policy != Policy::Mixed || device.edges != Edges::Exact {
        return None;
    }
    let mut changed = of.scenario().clone();
    changed.device.customize().edges = Edges::Overhang;
    let change = "let the first and the last entry reach beyond the region".to_owned();
    let cost = "the device's table then names bytes that are not registered";
    Some(Proposal::new(Kind::Overhang, changed, change, cost))
}
