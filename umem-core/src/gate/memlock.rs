//! `ib_umem_get()` before it pins: the range, and the limit on locked memory.
//!
//! drivers/infiniband/core/umem.c. The order, as two faults at once tell it: a range that wraps around EINVAL, a limit of 0 EPERM,
//! an empty range EINVAL, too much for the limit ENOMEM.

use super::{Errno, Gate, GateAnswer, request::Request};
use crate::{evidence::By, memory::Kind, scenario::Memlock, size::Bytes};
use alloc::{format, string::String};

const GATE: Gate = Gate::Memlock;
const LAB: &str = "ib_umem_get() for rxe and for a PCI device on Linux 6.1.192, 6.12.95 and 7.3.4";

/// How a process gets more.
const RAISE: &str = "raise the limit where the program is started: `ulimit -l unlimited` in its shell, LimitMEMLOCK=infinity in its \
                     systemd unit, --ulimit memlock=-1 for a container; or give it CAP_IPC_LOCK (root in a user namespace of its own \
                     does not have the one that counts)";

/// How to find out.
const SETTLE: &str = "`umem doctor --pid PID` tells all of it; or `grep -i 'locked memory' /proc/PID/limits`, `grep VmPin \
                      /proc/PID/status`, `grep CapEff /proc/PID/status` (bit 14 is CAP_IPC_LOCK). Then set process.memlock, \
                      process.pinned and process.privileged";

pub(super) fn check(request: &Request<'_>) -> GateAnswer {
    answer(request).by(By::Lab, LAB)
}

fn answer(request: &Request<'_>) -> GateAnswer {
    match request.kind {
        Kind::Pages => {}
        Kind::DmaBuf => {
            return GateAnswer::pass(GATE, "no limit on locked memory counts a dma-buf");
        }
        Kind::Odp => {
            return GateAnswer::pass(GATE, "on-demand paging pins nothing, so no limit counts");
        }
    }
    let refuse = |code, errno, text: String, way_out: &str| {
        let text = format!("{text}{}", request.hidden(errno));
        GateAnswer::refuse(GATE, code, request.seen(errno), text, way_out)
    };
    let Some((end, _)) = request.ends() else {
        return refuse(
            "wraps",
            Errno::Einval,
            format!(
                "{:#x} bytes from {:#x} pass the end of the address space",
                request.length, request.start
            ),
            "check address and length: a negative length, or -1, is the usual cause",
        );
    };
    let process = request.process;
    let (privileged, limit) = (process.privileged, process.memlock);
    let bound = match limit {
        Some(Memlock::Bytes(Bytes(bytes))) if privileged != Some(true) => Some(bytes),
        _ => None,
    };
    if bound == Some(0) && privileged == Some(false) {
        return refuse(
            "memlock-zero",
            Errno::Eperm,
            "the limit on locked memory is 0: the process may lock none at all".into(),
            RAISE,
        );
    }
    if bound == Some(0) {
        return GateAnswer::unknown(
            GATE,
            "the limit on locked memory is 0: without CAP_IPC_LOCK that is EPERM",
            SETTLE,
        );
    }
    if request.start == end {
        return refuse(
            "empty",
            Errno::Einval,
            "the region is empty".into(),
            "register at least 1 byte",
        );
    }
    if request.pages() > u64::from(u32::MAX) {
        return refuse(
            "too-many-pages",
            Errno::Einval,
            format!(
                "the region has {} pages, and the kernel registers at most {} at once",
                request.pages(),
                u32::MAX
            ),
            "split the region",
        );
    }
    match (limit, privileged) {
        (_, Some(true)) => GateAnswer::pass(GATE, "CAP_IPC_LOCK: no limit on locked memory counts"),
        (Some(Memlock::Unlimited), _) => {
            GateAnswer::pass(GATE, "the limit on locked memory is \"unlimited\"")
        }
        (Some(Memlock::Bytes(Bytes(limit))), privileged) => limited(request, limit, privileged),
        (None, _) => GateAnswer::unknown(
            GATE,
            format!(
                "{} are pinned; how much the process may lock is not known",
                pinned(request)
            ),
            SETTLE,
        ),
    }
}

fn limited(request: &Request<'_>, limit: u64, privileged: Option<bool>) -> GateAnswer {
    let page = request.page;
    let needed = request.pages();
    let allowed = limit >> page.log2();
    let before = request
        .process
        .pinned
        .map(|Bytes(bytes)| bytes.div_ceil(page.bytes()));
    let least = before.unwrap_or(0).saturating_add(needed);
    let so_far = match before {
        Some(0) => "nothing is pinned so far".into(),
        Some(pages) => format!(
            "{} are pinned already",
            Bytes(pages.saturating_mul(page.bytes()))
        ),
        None => "what is pinned already is not known".into(),
    };
    let room = format!(
        "the limit on locked memory is {}, {so_far}, and the region takes {}",
        Bytes(limit),
        pinned(request)
    );
    match (least > allowed, privileged, before) {
        (true, Some(false), _) => {
            let errno = Errno::Enomem;
            GateAnswer::refuse(
                GATE,
                "over-memlock",
                request.seen(errno),
                format!(
                    "{room}: each region counts in full, on each device again{}",
                    request.hidden(errno)
                ),
                RAISE,
            )
        }
        (true, None, _) => GateAnswer::unknown(
            GATE,
            format!("{room}, which is too much (ENOMEM) unless the process has CAP_IPC_LOCK"),
            SETTLE,
        ),
        (false, _, Some(_)) => GateAnswer::pass(GATE, room),
        // Privileged is out of the question here.
        (false, _, None) => GateAnswer::unknown(GATE, room, SETTLE),
        (true, Some(true), _) => GateAnswer::pass(GATE, room),
    }
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
