//! Fork support: libibverbs marks registered memory with MADV_DONTFORK before the kernel sees the call.
//!
//! `ibv_dontfork_range()`, libibverbs/memory.c. Measured with rdma-core 44.0 and 56.1 on Linux 6.1.192, 6.12.95 and 7.3.4.

use super::call::Request;
use crate::{
    evidence::By,
    gate::{Errno, Gate, GateAnswer},
    memory::Kind,
    process::{Area, Backing, ForkSupport},
};
use alloc::format;

const GATE: Gate = Gate::ForkSupport;
const LAB: &str = "libibverbs 44.0 and 56.1 on Linux 6.1.192, 6.12.95 and 7.3.4";

/// Every failure here leaves libibverbs' bookkeeping wrong.
const SECOND_TRY: &str = "After such a failure libibverbs' bookkeeping is off until the process ends: the same call succeeds at the \
                          second try, but marks nothing, and a fork() may then move the registered pages";

pub(super) fn refusal(request: &Request<'_>) -> Option<GateAnswer> {
    if request.kind != Kind::Pages || marks(request) != Some(true) {
        return None;
    }
    // The kernel refuses an empty or a wrapping range, with the same errno as without fork support.
    let (end, _) = request.ends().filter(|(end, _)| *end != request.start)?;
    let refused = request.touched().find_map(|area| match area.backing {
        Backing::Hole => Some(hole(request.first_of(area))),
        Backing::Hugetlb | Backing::Devdax if !request.process.hugepages_safe => {
            cut(area, request.start, end).map(|at| huge_page_cut(request, area, at))
        }
        _ => None,
    });
    let refused = refused.or_else(|| {
        let (left, splits) = (request.process.mappings_left?, splits(request, end)?);
        (left < splits).then(|| too_many_mappings(left))
    });
    Some(refused?.by(By::Lab, LAB))
}

pub(super) fn otherwise(request: &Request<'_>) -> GateAnswer {
    let answer = match (request.process.fork_support, marks(request)) {
        _ if request.kind == Kind::DmaBuf => GateAnswer::pass(GATE, "libibverbs marks no dma-buf"),
        _ if request.kind == Kind::Odp => {
            GateAnswer::pass(GATE, "libibverbs marks no memory that comes on demand")
        }
        (None, _) => GateAnswer::unknown(
            GATE,
            "whether libibverbs marks the memory with MADV_DONTFORK is not said; if it does, a region that cuts huge pages ends with \
             EINVAL, one with a hole with ENOMEM",
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
    };
    answer.by(By::Lab, LAB)
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

/// The memory is marked, as far as the scenario says what it is.
fn marked(request: &Request<'_>) -> GateAnswer {
    if let Some(left @ ..2) = request.process.mappings_left
        && request.areas.is_empty()
    {
        return GateAnswer::unknown(
            GATE,
            format!(
                "marking a part of a mapping takes up to two more mappings (else EAGAIN), and vm.max_map_count leaves {left}"
            ),
            "give memory.areas as /proc/PID/maps has them, or raise the limit: sysctl vm.max_map_count=1048576",
        );
    }
    if may_be_huge(request) {
        return GateAnswer::unknown(
            GATE,
            format!(
                "libibverbs marks the memory, and the region cuts a page of {}: hugetlb memory then ends with EINVAL, transparent huge \
                 pages do not",
                request.memory_page
            ),
            "look at the mapping in /proc/PID/smaps: KernelPageSize above 4 kB is hugetlb. Then set memory.areas",
        );
    }
    GateAnswer::pass(
        GATE,
        "libibverbs marks the memory with MADV_DONTFORK: a child does not have it",
    )
}

/// The end of the region that lies inside a huge page of the area.
fn cut(area: &Area, start: u64, end: u64) -> Option<u64> {
    let inside = |at: &u64| *at > area.start && *at < area.end && !area.page_size.divides(*at);
    [start, end].into_iter().find(inside)
}

/// Pages larger than the kernel's, hugetlb or not, that the region cuts.
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

fn hole(at: u64) -> GateAnswer {
    GateAnswer::refuse(
        GATE,
        "hole",
        Errno::Enomem,
        format!(
            "libibverbs marks the memory with MADV_DONTFORK, and nothing is mapped at {at:#x}: madvise() says ENOMEM, where the kernel \
             alone would say EFAULT"
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
