//! uverbs: the addresses and access flags that it accepts, and the rdma control group.
//!
//! `ib_uverbs_reg_mr()`, drivers/infiniband/core/uverbs_cmd.c; `ib_check_mr_access()`, include/rdma/ib_verbs.h.

use super::{call::Request, kind};
use crate::{
    device::Access,
    evidence::By,
    gate::{Errno, Gate, GateAnswer},
    kernel::Since,
};
use alloc::{format, string::String, vec::Vec};

const GATE: Gate = Gate::Uverbs;
const LAB: &str = "rxe on Linux 6.1.192, 6.12.95 and 7.3.4";

/// "RDMA: Extend RDMA kernel verbs ABI to support flush": 6.1.192 is without it, 6.12.95 has it.
const FLUSH: Since = Since::new(6, 2);

pub(super) fn refusal(request: &Request<'_>) -> Option<GateAnswer> {
    let refused = iova_offset(request)
        .or_else(|| no_object_left(request))
        .or_else(|| flags(request, request.process.access.as_ref()?))
        .or_else(|| kind::on_demand(request));
    Some(refused?.by(By::Lab, LAB))
}

pub(super) fn otherwise(request: &Request<'_>) -> GateAnswer {
    let answer = match &request.process.access {
        None => GateAnswer::unknown(
            GATE,
            "the address for the NIC is valid; which access flags the program asks for is not said",
            "look at the call of ibv_reg_mr() and set process.access",
        ),
        Some(access) => {
            let names: Vec<&str> = access.iter().map(|access| access.name()).collect();
            let names: String = match names.is_empty() {
                true => "none".into(),
                false => names.join(", "),
            };
            let group = match request.process.hca_objects {
                Some(left) => format!("the rdma control group has room for {left} more objects"),
                None => "no limit of an rdma control group is given".into(),
            };
            GateAnswer::pass(
                GATE,
                format!(
                    "the address for the NIC and the access flags ({names}) are valid; {group}"
                ),
            )
        }
    };
    answer.by(By::Lab, LAB)
}

fn no_object_left(request: &Request<'_>) -> Option<GateAnswer> {
    (request.process.hca_objects == Some(0)).then(|| {
        GateAnswer::refuse(
            GATE,
            "rdma-cgroup",
            Errno::Eagain,
            "the rdma control group is at its limit of objects (hca_object): each region takes one, and so does each protection domain, \
             completion queue and queue pair",
            "raise hca_object in rdma.max of the group that /proc/PID/cgroup names, below /sys/fs/cgroup (rdma.current beside it counts), \
             or deregister what is no longer used",
        )
    })
}

fn iova_offset(request: &Request<'_>) -> Option<GateAnswer> {
    let (start, hca, page) = (request.start, request.hca, request.page);
    (!page.divides(hca.wrapping_sub(start))).then(|| {
        GateAnswer::refuse(
            GATE,
            "iova-offset",
            Errno::Einval,
            format!(
                "the address for the NIC, {hca:#x}, and the program's, {start:#x}, lie differently in their page of {page}"
            ),
            format!("give ibv_reg_mr_iova() an address that equals the program's modulo {page}"),
        )
    })
}

/// The access flags that uverbs itself refuses.
fn flags(request: &Request<'_>, access: &[Access]) -> Option<GateAnswer> {
    let has = |flag| access.contains(&flag);
    let remote = [Access::RemoteWrite, Access::RemoteAtomic].map(|flag| has(flag).then_some(flag));
    if let Some(remote) = remote.into_iter().flatten().next()
        && !has(Access::LocalWrite)
    {
        return Some(GateAnswer::refuse(
            GATE,
            "remote-without-local",
            Errno::Einval,
            format!("{} without local-write", remote.name()),
            "add IBV_ACCESS_LOCAL_WRITE: what others may write, the NIC must be able to write",
        ));
    }
    let flush = [Access::FlushGlobal, Access::FlushPersistent].into_iter();
    if let Some(flush) = flush
        .filter(|flag| has(*flag))
        .find(|_| !request.has(FLUSH))
    {
        return Some(GateAnswer::refuse(
            GATE,
            "unknown-flag",
            Errno::Einval,
            format!("kernels before 6.2 do not know {}", flush.name()),
            "leave the flag out, or run Linux 6.2 or later",
        ));
    }
    None
}
