//! Fork support: libibverbs marks registered memory with MADV_DONTFORK before the kernel sees the call.
//!
//! `ibv_dontfork_range()`, libibverbs/memory.c. Measured with rdma-core 44.0 and 56.1 on Linux 6.1.192, 6.12.95 and 7.3.4.

use super::{
    Errno, Gate, GateAnswer,
    request::{Area, Request},
};
use crate::{
    evidence::By,
    memory::Kind,
    scenario::{Backing, ForkSupport},
};
use alloc::format;

const GATE: Gate = Gate::ForkSupport;
const LAB: &str = "libibverbs 44.0 and 56.1 on Linux 6.1.192, 6.12.95 and 7.3.4";

/// Every failure here leaves libibverbs' bookkeeping wrong.
const SECOND_TRY: &str = "After such a failure libibverbs' bookkeeping is off until the process ends: the same call succeeds at the \
                          second try, but marks nothing, and a fork() may then move the registered pages";

pub(super) fn check(request: &Request<'_>) -> GateAnswer {
    answer(request).by(By::Lab, LAB)
}

fn answer(request: &Request<'_>) -> GateAnswer {
    match request.kind {
        Kind::Pages => {}
        Kind::DmaBuf => {
            return GateAnswer::pass(GATE, "libibverbs marks no dma-buf");
        }
        Kind::Odp => {
            return GateAnswer::pass(GATE, "libibverbs marks no memory that comes on demand");
        }
    }
    let process = request.process;
    match (process.fork_support, marks(request)) {
        (None, _) => GateAnswer::unknown(
            GATE,
            "it is not known whether libibverbs marks the memory with MADV_DONTFORK; if it does, a region that cuts huge pages ends \
             with EINVAL, one with a hole with ENOMEM",
            "ask ibv_is_fork_initialized() in the program, or look for RDMAV_FORK_SAFE and IBV_FORK_SAFE in /proc/PID/environ; while \
             something is registered, `grep -c ' dc' /proc/PID/smaps` counts the marked mappings. Then set process.fork_support",
        ),
        (Some(ForkSupport::Off), _) => {
            GateAnswer::pass(GATE, "fork support is off: libibverbs marks nothing")
        }
        (Some(_), Some(false)) => GateAnswer::pass(
            GATE,
            "the kernel copies pinned pages on fork(), and this libibverbs then marks nothing",
        ),
        (Some(_), None) => GateAnswer::unknown(
            GATE,
            "the kernel copies pinned pages on fork(), but some versions of libibverbs mark the memory all the same: 44.0 does, 56.1 \
             does not",
            "ask the package for its version (dpkg -s libibverbs1, rpm -q libibverbs) and set process.libibverbs; while something is \
             registered, `grep -c ' dc' /proc/PID/smaps` counts the marked mappings",
        ),
        (Some(_), Some(true)) => marked(request),
    }
}

/// Whether libibverbs marks the memory. 44.0 does so on kernels that copy on fork, too, 56.1 only on others.
fn marks(request: &Request<'_>) -> Option<bool> {
    match request.process.fork_support? {
        ForkSupport::Off => Some(false),
        ForkSupport::Libibverbs => Some(true),
        ForkSupport::Kernel => {
            let version = request.process.libibverbs.as_deref()?;
            let major: u32 = version.split('.').next()?.parse().ok()?;
            match major {
                ..=44 => Some(true),
                45..=55 => None,
                56.. => Some(false),
            }
        }
    }
}

/// madvise(MADV_DONTFORK) on the region's pages.
fn marked(request: &Request<'_>) -> GateAnswer {
    // An empty or a wrapping range is the kernel's business: its errno is the one without fork support.
    let Some((end, _)) = request.ends().filter(|(end, _)| *end != request.start) else {
        return GateAnswer::pass(GATE, "the range is left to the kernel");
    };
    for area in request.touched() {
        match area.backing {
            Backing::Hole => return hole(area),
            Backing::Hugetlb | Backing::Devdax if !request.process.hugepages_safe => {
                if let Some(cut) = cut(area, request.start, end) {
                    return huge_page_cut(request, area, cut);
                }
            }
            _ => {}
        }
    }
    let splits = splits(request, end);
    match request.process.mappings_left {
        Some(left) if splits.is_some_and(|splits| left < splits) => too_many_mappings(left),
        Some(left) if splits.is_none() && left < 2 => GateAnswer::unknown(
            GATE,
            format!(
                "marking a part of a mapping takes up to two more mappings, and vm.max_map_count leaves {left}"
            ),
            "give memory.areas as /proc/PID/maps has them, or raise the limit: sysctl vm.max_map_count=1048576",
        ),
        _ if may_be_huge(request) => GateAnswer::unknown(
            GATE,
            format!(
                "libibverbs marks the memory, and the region cuts a page of {}: hugetlb memory then ends with EINVAL, transparent huge \
                 pages do not",
                request.memory_page
            ),
            "look at the mapping in /proc/PID/smaps: KernelPageSize above 4 kB is hugetlb. Then set memory.areas",
        ),
        _ => GateAnswer::pass(
            GATE,
            "libibverbs marks the memory with MADV_DONTFORK: a child does not have it",
        ),
    }
}

/// The end of the region that lies inside a huge page of the area.
fn cut(area: &Area, start: u64, end: u64) -> Option<u64> {
    let inside = |at: &u64| *at > area.start && *at < area.end && !area.page_size.divides(*at);
    [start, end].into_iter().find(inside)
}

/// Pages larger than the kernel's, of which nobody said whether they are hugetlb, cut by the region.
fn may_be_huge(request: &Request<'_>) -> bool {
    let size = request.memory_page;
    let cut = |at: u64| !size.divides(at);
    let end = request.start.wrapping_add(request.length);
    size > request.page
        && request.areas.is_empty()
        && !request.process.hugepages_safe
        && (cut(request.start) || cut(end))
}

/// How many mappings marking adds: one for each end of the region inside one. `None` if the mappings are not known.
fn splits(request: &Request<'_>, end: u64) -> Option<u64> {
    if request.areas.is_empty() {
        return None;
    }
    let (first, last) = (
        request.page.align_down(request.start),
        request.page.align_up(end)?,
    );
    let inside = |at: u64| {
        request
            .areas
            .iter()
            .any(|area| area.start < at && at < area.end)
    };
    Some(u64::from(inside(first)) + u64::from(inside(last)))
}

fn huge_page_cut(request: &Request<'_>, area: &Area, at: u64) -> GateAnswer {
    let size = area.page_size;
    GateAnswer::refuse(
        GATE,
        "huge-page-cut",
        Errno::Einval,
        format!(
            "libibverbs marks the memory with MADV_DONTFORK, and the region cuts a page of {size} at {at:#x}: the kernel marks only \
             whole {} pages, and never sees the registration, so dmesg is silent",
            area.backing.name()
        ),
        format!(
            "set RDMAV_HUGEPAGES_SAFE=1 in the environment, start and end the region at a multiple of {size}, or turn fork support off \
             ({}). {SECOND_TRY}",
            how_off(request)
        ),
    )
}

fn hole(area: &Area) -> GateAnswer {
    GateAnswer::refuse(
        GATE,
        "hole",
        Errno::Enomem,
        format!(
            "libibverbs marks the memory with MADV_DONTFORK, and nothing is mapped at {:#x}: madvise() says ENOMEM, where the kernel \
             alone would say EFAULT",
            area.start
        ),
        format!("map all of the region before registering it. {SECOND_TRY}"),
    )
}

fn too_many_mappings(left: u64) -> GateAnswer {
    GateAnswer::refuse(
        GATE,
        "too-many-mappings",
        Errno::Eagain,
        format!(
            "libibverbs marks a part of a mapping with MADV_DONTFORK, which splits the mapping, and vm.max_map_count leaves room for \
             {left} more"
        ),
        format!(
            "raise the limit (sysctl vm.max_map_count=1048576), register whole mappings, fewer and larger regions, or turn fork support \
             off. {SECOND_TRY}"
        ),
    )
}

fn how_off(request: &Request<'_>) -> &'static str {
    match request.process.fork_support {
        Some(ForkSupport::Kernel) => {
            "the kernel copies pinned pages on fork() anyway; libibverbs 56 sees that"
        }
        _ => {
            "no ibv_fork_init(), no RDMAV_FORK_SAFE; Linux 5.13 and later copy pinned pages on fork()"
        }
    }
}

/// Whether undoing the mark fails after the kernel refused to pin the area, so that EINVAL hides the kernel's errno: madvise(DOFORK)
/// does not take memory without pages.
pub(super) fn undo_fails(request: &Request<'_>, area: &Area) -> bool {
    marks(request) == Some(true) && area.backing == Backing::Pfnmap
}
