//! Pinning: `pin_user_pages_fast(FOLL_LONGTERM)`, mapping by mapping.
//!
//! mm/gup.c: `check_vma_flags()`, `writable_file_mapping_allowed()`, `gup_fast_folio_allowed()`.

use super::{call::Request, fork_support};
use crate::{
    capture::RefusedPages,
    evidence::By,
    gate::{Errno, Gate, GateAnswer},
    kernel::{Release, Since},
    process::{Area, Backing, Protection},
    size::Bytes,
};
use alloc::{format, string::String};

const GATE: Gate = Gate::Pin;
const LAB: &str = "rxe and a PCI device on Linux 6.1.192, 6.12.95 and 7.3.4";

/// "RDMA/umem: remove FOLL_FORCE usage". Before, a region that the NIC only reads was pinned for writing, by force.
const NO_FORCE: Since = Since::new(6, 2);
/// "mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to file-backed mappings".
const NO_SHARED_FILES: Since = Since::new(6, 5);

pub(super) fn refusal(request: &Request<'_>) -> Option<GateAnswer> {
    if request.unpinned().is_some() {
        return None;
    }
    let refused = killed(request)
        .or_else(|| {
            request
                .touched()
                .find_map(|area| match pinned(request, area) {
                    Outcome::Refused(reason) => Some(refused(request, area, reason)),
                    Outcome::Pinned | Outcome::Depends(_) => None,
                })
        })
        .or_else(|| captured(request));
    Some(refused?.by(By::Lab, LAB))
}

pub(super) fn otherwise(request: &Request<'_>) -> GateAnswer {
    open(request).by(By::Lab, LAB)
}

/// The region passes, or what decides it is not known.
fn open(request: &Request<'_>) -> GateAnswer {
    if let Some(unpinned) = request.unpinned() {
        return GateAnswer::pass(GATE, unpinned);
    }
    let doubt = request
        .touched()
        .find_map(|area| match pinned(request, area) {
            Outcome::Depends(reason) => Some(depends(request, area, &reason)),
            Outcome::Pinned | Outcome::Refused(_) => None,
        });
    if let Some(doubt) = doubt {
        return doubt;
    }
    match (request.captured, request.writes()) {
        (Some(Some(refused)), None) => GateAnswer::unknown(
            GATE,
            format!("{} ({}): {}", found(refused), refused.errno, refused.text),
            "say in process.access what the program asks for: a registration that only reads may pass",
        ),
        (Some(Some(_)), Some(_)) => GateAnswer::pass(
            GATE,
            "the NIC only reads, so what the capture found about writing does not count",
        ),
        (Some(None), _) => GateAnswer::pass(
            GATE,
            "the capture found nothing about the mapping that prevents pinning",
        ),
        (None, _) if request.areas.is_empty() => GateAnswer::pass(
            GATE,
            "the memory is taken as ordinary and writable, since memory.areas says nothing else",
        ),
        (None, _) => GateAnswer::pass(GATE, "every mapping that is given can be pinned"),
    }
}

/// The pages are not there yet, and the control group has no room for them: the kernel kills the process.
fn killed(request: &Request<'_>) -> Option<GateAnswer> {
    let Bytes(left) = request.process.memory_left?;
    let needed = request.pages().saturating_mul(request.page.bytes());
    (needed > left).then(|| {
        GateAnswer::refuse(
            GATE,
            "memory-cgroup",
            None,
            format!(
                "pinning brings {} in, and the memory control group has {} left: the kernel kills the process (SIGKILL, \"Memory cgroup out \
                 of memory\" in dmesg), without an errno",
                Bytes(needed),
                Bytes(left)
            ),
            "raise memory.max of the group in /proc/PID/cgroup, or register less; `umem doctor --pid PID` shows limit and use",
        )
    })
}

enum Outcome {
    Pinned,
    Refused(Reason),
    Depends(Reason),
}

/// Why an area is not pinned.
struct Reason {
    code: &'static str,
    errno: Errno,
    cause: &'static str,
    way_out: &'static str,
}

fn fault(code: &'static str, cause: &'static str, way_out: &'static str) -> Reason {
    Reason {
        code,
        errno: Errno::Efault,
        cause,
        way_out,
    }
}

fn pinned(request: &Request<'_>, area: &Area) -> Outcome {
    match backing(request, area) {
        Outcome::Pinned => protection(request, area),
        outcome => outcome,
    }
}

/// What the memory itself decides.
fn backing(request: &Request<'_>, area: &Area) -> Outcome {
    let Some(reason) = never_pinned(area.backing) else {
        return Outcome::Pinned;
    };
    match (area.backing, request.release()) {
        // 6.12.95 refuses it, 7.3.4 pins it.
        (Backing::Vvar, Some(release)) if release < Release::new(6, 13, 0) => {
            Outcome::Refused(reason)
        }
        (Backing::Vvar, Some(release)) if release < Release::new(7, 3, 0) => {
            Outcome::Depends(reason)
        }
        (Backing::Vvar, _) => Outcome::Pinned,
        _ => Outcome::Refused(reason),
    }
}

const DMA_BUF: &str = "register it as a dma-buf: have its driver export a file descriptor (CUDA: \
                       cuMemGetHandleForAddressRange(); HIP: hsa_amd_portable_export_dmabuf(); VFIO since 6.19) and call \
                       ibv_reg_dmabuf_mr()";

/// Why such memory is not pinned, whatever its rights; `[vvar]` only by older kernels.
fn never_pinned(backing: Backing) -> Option<Reason> {
    Some(match backing {
        Backing::Anonymous
        | Backing::Hugetlb
        | Backing::Shmem
        | Backing::File
        | Backing::Devdax
        | Backing::Vdso => return None,
        Backing::Vvar => fault(
            "special-mapping",
            "[vvar] is memory of the kernel",
            "register memory of the program's own",
        ),
        Backing::Fsdax => Reason {
            code: "fsdax",
            errno: Errno::Eopnotsupp,
            cause: "files on persistent memory mounted with -o dax are not pinned for long, whatever the access: the file system must \
                    be able to move their blocks",
            way_out: "use device DAX (/dev/dax, `ndctl create-namespace --mode=devdax`), register with IBV_ACCESS_ON_DEMAND where the \
                      device can, or mount without -o dax",
        },
        Backing::Pfnmap => fault(
            "no-pages",
            "it is memory of a device, mapped without pages (VM_PFNMAP or VM_IO): a PCI BAR, /dev/mem, a GPU's mapping",
            DMA_BUF,
        ),
        Backing::Secret => fault(
            "secret",
            "memory of memfd_secret() is never pinned",
            "register a buffer from malloc() or memfd_create() and copy",
        ),
        Backing::Hole => fault(
            "hole",
            "nothing is mapped there",
            "map all of the region first: compare it with /proc/PID/maps",
        ),
        Backing::BeyondEnd => fault(
            "beyond-end",
            "the mapping goes on beyond the end of its file (reading it would be SIGBUS); perhaps the file was truncated",
            "make the file longer (ftruncate()) before registering, or register less",
        ),
        Backing::NoHugePage => fault(
            "no-huge-page",
            "the pool of huge pages has none left for it (reading it would be SIGBUS)",
            "reserve more: vm.nr_hugepages, or nr_hugepages below /sys/kernel/mm/hugepages; and map without MAP_NORESERVE, so that \
             mmap() fails instead",
        ),
        Backing::Guard => fault(
            "guard",
            "pages are guarded by MADV_GUARD_INSTALL, as some allocators and thread stacks do",
            "register only the usable part, without its guard pages",
        ),
        Backing::Unmovable => Reason {
            code: "cannot-migrate",
            errno: Errno::Enomem,
            cause: "pages lie in ZONE_MOVABLE or CMA, from where a registration moves them, and something else holds them, such as a \
                    pipe (vmsplice()) or direct I/O",
            way_out: "end the other use first; boot without movablecore= and without hotplugged memory as online_movable; allocate the \
                      buffer with MAP_POPULATE as huge pages of the pool",
        },
    })
}

/// What the rights of the mapping decide.
fn protection(request: &Request<'_>, area: &Area) -> Outcome {
    let force = !request.has(NO_FORCE);
    let read_only = || {
        fault(
            "read-only",
            "it is mapped read-only, and the NIC is to write into it",
            "map it with PROT_WRITE, or register it without local-write, remote-write, remote-atomic and mw-bind",
        )
    };
    let shared_by_force = || {
        fault(
            "read-only-shared",
            "it is a read-only MAP_SHARED mapping, and kernels before 6.2 pin as if they wrote",
            "map it with PROT_WRITE, or MAP_PRIVATE; or run Linux 6.2 or later",
        )
    };
    let dirty = || {
        fault(
            "shared-file",
            "it is a writable MAP_SHARED mapping of a file whose file system tracks dirty pages (ext4, XFS, Btrfs, NFS): since Linux 6.5 \
             such pages are not pinned for writing",
            "put the file on tmpfs or hugetlbfs, map it MAP_PRIVATE, register it without local-write, or register it with \
             IBV_ACCESS_ON_DEMAND where the device can",
        )
    };
    let inaccessible = || {
        fault(
            "inaccessible",
            "it is mapped PROT_NONE",
            "give it rights by mprotect() before registering",
        )
    };
    // Without LOCAL_WRITE and its like the NIC only reads.
    let when_writing = |reason: Reason| match request.writes() {
        Some(true) => Outcome::Refused(reason),
        Some(false) => Outcome::Pinned,
        None => Outcome::Depends(reason),
    };
    match area.protection {
        Protection::None if force => when_writing(inaccessible()),
        Protection::None => Outcome::Refused(inaccessible()),
        Protection::Read if force && area.shared && request.writes() != Some(true) => {
            Outcome::Refused(shared_by_force())
        }
        Protection::Read => when_writing(read_only()),
        Protection::ReadWrite | Protection::Write
            if area.backing == Backing::File && area.shared && request.has(NO_SHARED_FILES) =>
        {
            when_writing(dirty())
        }
        Protection::ReadWrite | Protection::Write => Outcome::Pinned,
    }
}

fn refused(request: &Request<'_>, area: &Area, reason: Reason) -> GateAnswer {
    let Reason {
        code,
        errno,
        cause,
        way_out,
    } = reason;
    let (seen, hidden) = match fork_support::undo_fails(request, area) {
        true => (
            Errno::Einval,
            format!(
                "; the kernel says {errno}, but libibverbs' fork support then fails to take its mark back, and EINVAL is what stays"
            ),
        ),
        false => (request.seen(errno), request.hidden(errno)),
    };
    let text = format!("{} cannot be pinned: {cause}{hidden}", named(request, area));
    GateAnswer::refuse(GATE, code, seen, text, way_out)
}

fn depends(request: &Request<'_>, area: &Area, reason: &Reason) -> GateAnswer {
    GateAnswer::unknown(
        GATE,
        format!(
            "{} may be refused ({}): {}",
            named(request, area),
            reason.errno,
            reason.cause
        ),
        match area.backing {
            Backing::Vvar => "try it: kernels up to 6.12 refuse it, 7.3 pins it",
            _ => {
                "say in process.access what the program asks for: local-write, remote-write, remote-atomic and mw-bind need writable memory"
            }
        },
    )
}

/// "the memory at 0x7f0000000000 (shmem)".
fn named(request: &Request<'_>, area: &Area) -> String {
    let (at, what) = (request.first_of(area), area.backing.name());
    format!("the memory at {at:#x} ({what})")
}

/// What `umem capture` found, which looks at the mapping as a registration for local writes does.
fn captured(request: &Request<'_>) -> Option<GateAnswer> {
    let refused = request.captured.flatten()?;
    (request.writes() == Some(true)).then(|| {
        let errno = Errno::find(&refused.errno).unwrap_or(Errno::Efault);
        GateAnswer::refuse(
            GATE,
            "captured-refusal",
            request.seen(errno),
            format!("{}: {}{}", found(refused), refused.text, request.hidden(errno)),
            "map it writable, or register it without local-write, remote-write, remote-atomic and mw-bind",
        )
    })
}

fn found(refused: &RefusedPages) -> String {
    match refused.pages {
        1 => "1 captured page cannot be pinned for writing".into(),
        pages => format!("{pages} captured pages cannot be pinned for writing"),
    }
}
