//! uverbs: what it takes of addresses and access flags, and the rdma control group.
//!
//! `ib_uverbs_reg_mr()`, drivers/infiniband/core/uverbs_cmd.c; `ib_check_mr_access()`, include/rdma/ib_verbs.h.

use super::{Errno, Gate, GateAnswer, request::Request};
use crate::{
    device::{Access, OnDemand},
    evidence::By,
    kernel::Since,
    memory::Kind,
};
use alloc::{format, string::String, vec::Vec};

const GATE: Gate = Gate::Uverbs;
const LAB: &str = "rxe on Linux 6.1.192, 6.12.95 and 7.3.4";

/// "RDMA: Extend RDMA kernel verbs ABI to support flush", which also made a missing capability EOPNOTSUPP: 6.1.192 is without it,
/// 6.12.95 has it.
const FLUSH: Since = Since::new(6, 2);

pub(super) fn check(request: &Request<'_>) -> GateAnswer {
    not_for_dma_bufs(request).unwrap_or_else(|| answer(request).by(By::Lab, LAB))
}

fn answer(request: &Request<'_>) -> GateAnswer {
    let page = request.page;
    if !page.divides(request.hca.wrapping_sub(request.start)) {
        return iova_offset(request);
    }
    if request.process.hca_objects == Some(0) {
        return GateAnswer::refuse(
            GATE,
            "rdma-cgroup",
            Errno::Eagain,
            "the rdma control group is at its limit of objects (hca_object), of which each region, protection domain, queue takes one",
            "raise hca_object in rdma.max of the group in /proc/PID/cgroup, below /sys/fs/cgroup (rdma.current beside it counts), or \
             deregister what is no longer used",
        );
    }
    if let Some(refused) = no_on_demand(request) {
        return refused;
    }
    let Some(access) = &request.process.access else {
        return GateAnswer::unknown(
            GATE,
            "the addresses are right; which access flags the program asks for is not known",
            "look at the call of ibv_reg_mr() and set process.access",
        );
    };
    flags(request, access).unwrap_or_else(|| {
        let names: Vec<&str> = access.iter().map(|access| access.name()).collect();
        let names: String = match names.is_empty() {
            true => "no flag".into(),
            false => names.join(", "),
        };
        let group = match request.process.hca_objects {
            Some(left) => format!("the rdma control group allows {left} more objects"),
            None => "no limit of an rdma control group is given".into(),
        };
        GateAnswer::pass(
            GATE,
            format!("the NIC's address and the access flags ({names}) are valid, and {group}"),
        )
    })
}

fn iova_offset(request: &Request<'_>) -> GateAnswer {
    let (start, hca, page) = (request.start, request.hca, request.page);
    GateAnswer::refuse(
        GATE,
        "iova-offset",
        Errno::Einval,
        format!(
            "the address for the NIC, {hca:#x}, and the program's, {start:#x}, lie differently in their page of {page}"
        ),
        format!("give ibv_reg_mr_iova() an address that equals the program's modulo {page}"),
    )
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

fn no_on_demand(request: &Request<'_>) -> Option<GateAnswer> {
    (request.is_on_demand() && request.device.on_demand == OnDemand::None).then(|| {
        let errno = match request.has(FLUSH) {
            true => Errno::Eopnotsupp,
            false => Errno::Einval,
        };
        GateAnswer::refuse(
            GATE,
            "no-on-demand-paging",
            errno,
            "the device has no on-demand paging",
            "leave IBV_ACCESS_ON_DEMAND out; `ibv_devinfo -v` shows what the device has (odp_caps)",
        )
    })
}

/// `UVERBS_METHOD_REG_DMABUF_MR` takes fewer flags than `ibv_reg_mr()` does.
fn not_for_dma_bufs(request: &Request<'_>) -> Option<GateAnswer> {
    let flags = [Access::OnDemand, Access::ZeroBased];
    let flag = flags
        .into_iter()
        .find(|flag| request.kind == Kind::DmaBuf && request.asks_for(*flag) == Some(true))?;
    Some(
        GateAnswer::refuse(
            GATE,
            "flag-of-a-dma-buf",
            Errno::Einval,
            format!(
                "a dma-buf is not registered with the access flag {}",
                flag.name()
            ),
            "leave the flag out",
        )
        .by(
            By::Source,
            "uverbs_std_types_mr.c: UVERBS_METHOD_REG_DMABUF_MR [linux 7.2]",
        ),
    )
}
