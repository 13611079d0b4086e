//! `ib_umem_get()` before it pins: the range, and the limit on locked memory.
//!
//! drivers/infiniband/core/umem.c. The order, tested with two faults at once: a range that wraps around EINVAL, a limit of 0 EPERM,
//! an empty range EINVAL, too much for the limit ENOMEM.

use super::call::Request;
use crate::{
    evidence::By,
    gate::{Errno, Gate, GateAnswer},
    process::Memlock,
    size::Bytes,
};
use alloc::{format, string::String};

const GATE: Gate = Gate::Memlock;
const LAB: &str = "ib_umem_get() for rxe and for a PCI device on Linux 6.1.192, 6.12.95 and 7.3.4";

/// How a process gets more.
const RAISE: &str = "raise the limit where the program is started: memlock in /etc/security/limits.conf (`ulimit -l` in a shell goes no \
                     higher), LimitMEMLOCK=infinity in its systemd unit, --ulimit memlock=-1 for a container, that of containerd's unit for \
                     a pod; or give it CAP_IPC_LOCK (a pod: capabilities.add: [IPC_LOCK]; root in a user namespace of its own does not \
                     have the one that counts)";

/// How to find out.
const SETTLE: &str = "`umem doctor --pid PID` tells all of it; or `grep -i 'locked memory' /proc/PID/limits`, `grep VmPin \
                      /proc/PID/status`, `grep CapEff /proc/PID/status` (bit 14 is CAP_IPC_LOCK). Then set process.memlock, \
                      process.pinned and process.privileged";

pub(super) fn refusal(request: &Request<'_>) -> Option<GateAnswer> {
    let refused = wraps(request)
        .or_else(|| none_at_all(request))
        .or_else(|| empty_or_too_long(request))
        .or_else(|| too_much(request));
    Some(refused?.by(By::Lab, LAB))
}

pub(super) fn otherwise(request: &Request<'_>) -> GateAnswer {
    open(request).by(By::Lab, LAB)
}

/// A refusal by `ib_umem_get()`, with the errno that the driver returns.
fn refuse(
    request: &Request<'_>,
    code: &'static str,
    errno: Errno,
    text: String,
    way_out: &str,
) -> GateAnswer {
    let text = format!("{text}{}", request.hidden(errno));
    GateAnswer::refuse(GATE, code, request.seen(errno), text, way_out)
}

fn wraps(request: &Request<'_>) -> Option<GateAnswer> {
    (request.unpinned().is_none() && request.ends().is_none()).then(|| {
        refuse(
            request,
            "wraps",
            Errno::Einval,
            format!(
                "{:#x} bytes from {:#x} pass the end of the address space",
                request.length, request.start
            ),
            "check address and length: a negative length, such as -1, is the usual cause",
        )
    })
}

/// `can_do_mlock()`.
fn none_at_all(request: &Request<'_>) -> Option<GateAnswer> {
    let none = limit(request) == Some(0) && request.process.privileged == Some(false);
    none.then(|| {
        let text = "the limit on locked memory is 0: the process may lock none at all";
        refuse(request, "memlock-zero", Errno::Eperm, text.into(), RAISE)
    })
}

fn empty_or_too_long(request: &Request<'_>) -> Option<GateAnswer> {
    if request.unpinned().is_some() {
        return None;
    }
    match request.pages() {
        // With a limit of 0 it depends on CAP_IPC_LOCK which errno it is.
        0 if limit(request) != Some(0) || request.process.privileged.is_some() => Some(refuse(
            request,
            "empty",
            Errno::Einval,
            "the region is empty".into(),
            "register at least 1 byte",
        )),
        pages if pages > u64::from(u32::MAX) => Some(refuse(
            request,
            "too-many-pages",
            Errno::Einval,
            format!(
                "the region has {pages} pages, and the kernel registers at most {} at once",
                u32::MAX
            ),
            "split the region",
        )),
        _ => None,
    }
}

/// Whether what is pinned and what the region takes are more than the limit.
fn too_much(request: &Request<'_>) -> Option<GateAnswer> {
    let too_much = is_too_much(request, limit(request)?);
    (too_much && request.process.privileged == Some(false)).then(|| {
        let text = format!(
            "{}: each region counts in full, and on each device again",
            room(request, limit(request).unwrap_or(0))
        );
        refuse(request, "over-memlock", Errno::Enomem, text, RAISE)
    })
}

/// The limit in bytes, if there is one and it may count.
fn limit(request: &Request<'_>) -> Option<u64> {
    match request.process.memlock {
        _ if request.unpinned().is_some() || request.process.privileged == Some(true) => None,
        Some(Memlock::Bytes(Bytes(bytes))) => Some(bytes),
        Some(Memlock::Unlimited) | None => None,
    }
}

fn is_too_much(request: &Request<'_>, limit: u64) -> bool {
    let page = request.page;
    let before = request
        .process
        .pinned
        .map_or(0, |Bytes(bytes)| bytes.div_ceil(page.bytes()));
    before.saturating_add(request.pages()) > limit >> page.log2()
}

/// The region passes, or what decides it is not known.
fn open(request: &Request<'_>) -> GateAnswer {
    let process = request.process;
    match (process.memlock, process.privileged) {
        _ if request.unpinned().is_some() => GateAnswer::pass(
            GATE,
            "nothing is pinned, so no limit on locked memory counts",
        ),
        (_, Some(true)) => {
            GateAnswer::pass(GATE, "with CAP_IPC_LOCK no limit on locked memory counts")
        }
        (Some(Memlock::Unlimited), _) => {
            GateAnswer::pass(GATE, "the process may lock as much memory as it likes")
        }
        (None, _) => GateAnswer::unknown(
            GATE,
            format!(
                "the region takes {}; how much the process may lock is not said",
                pinned(request)
            ),
            SETTLE,
        ),
        (Some(Memlock::Bytes(Bytes(0))), _) => GateAnswer::unknown(
            GATE,
            "the limit on locked memory is 0: EPERM, unless the process has CAP_IPC_LOCK",
            SETTLE,
        ),
        (Some(Memlock::Bytes(Bytes(limit))), _) => {
            let room = room(request, limit);
            match (is_too_much(request, limit), process.pinned) {
                (true, _) => GateAnswer::unknown(
                    GATE,
                    format!("{room}: ENOMEM, unless the process has CAP_IPC_LOCK"),
                    SETTLE,
                ),
                (false, Some(_)) => GateAnswer::pass(GATE, room),
                (false, None) => GateAnswer::unknown(GATE, room, SETTLE),
            }
        }
    }
}

fn room(request: &Request<'_>, limit: u64) -> String {
    let so_far = match request.process.pinned {
        Some(Bytes(0)) => "nothing is pinned so far".into(),
        Some(pinned) => format!("{pinned} are pinned already"),
        None => "what is pinned already is not said".into(),
    };
    format!(
        "the limit on locked memory is {}, {so_far}, and the region takes {}",
        Bytes(limit),
        pinned(request)
    )
}

/// "4092K (1023 pages)".
fn pinned(request: &Request<'_>) -> String {
    let pages = request.pages();
    let bytes = Bytes(pages.saturating_mul(request.page.bytes()));
    match pages {
        1 => format!("{bytes} (1 page)"),
        _ => format!("{bytes} ({pages} pages)"),
    }
}
