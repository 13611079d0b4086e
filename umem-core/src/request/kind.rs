//! What a driver takes besides pages of the process: dma-bufs, and memory that comes on demand.

use super::call::Request;
use crate::{
    device::{DmaBufs, OnDemand, Traits},
    gate::{Errno, Gate, GateAnswer},
    kernel::Since,
    memory::Kind,
};
use alloc::format;

/// Since when `ib_check_mr_access()` distinguishes a device without on-demand paging from wrong flags: after 6.1.192, which returned
/// `EINVAL`, and by 6.12.95.
const ON_DEMAND_EOPNOTSUPP: Since = Since::new(6, 2);

/// uverbs refuses ON_DEMAND, which is an access flag, of a device that cannot.
pub(super) fn on_demand(request: &Request<'_>) -> Option<GateAnswer> {
    if !request.is_on_demand() || request.device.on_demand != OnDemand::None {
        return None;
    }
    let errno = match request.has(ON_DEMAND_EOPNOTSUPP) {
        true => Errno::Eopnotsupp,
        false => Errno::Einval,
    };
    Some(not_taken(request, Gate::Uverbs, Kind::Odp, errno))
}

/// A driver without `reg_user_mr_dmabuf()`, before anything else of the call is looked at.
pub(super) fn dma_buf(request: &Request<'_>) -> Option<GateAnswer> {
    let driver = request.device.profile?;
    let refused = driver.traits(request.device.release).dma_buf == DmaBufs::Refused;
    (request.kind == Kind::DmaBuf && refused)
        .then(|| not_taken(request, Gate::Driver, Kind::DmaBuf, Errno::Eopnotsupp))
}

/// `reg_user_mr_dmabuf_by_data_direct()` [mlx5/mr.c, linux 6.12 to 7.2]: nothing but dma-bufs comes there, and a key of KSMs wants the NIC's
/// address on a page. On demand is refused by uverbs already.
pub(super) fn data_direct(request: &Request<'_>) -> Option<GateAnswer> {
    let driver = request.device.profile?;
    if !driver.traits(request.device.release).data_direct {
        return None;
    }
    if request.kind != Kind::DmaBuf {
        return Some(GateAnswer::refuse(
            Gate::Driver,
            "kind-not-taken",
            None,
            "Data Direct registers dma-bufs alone (MLX5DV_REG_DMABUF_ACCESS_DATA_DIRECT): no call takes pages of a process there",
            "plan pages of a process for mlx5",
        ));
    }
    let into = request.hca & request.page.mask();
    (into > 0).then(|| {
        GateAnswer::refuse(
            Gate::Driver,
            "unaligned-iova",
            Errno::Eopnotsupp,
            format!(
                "Data Direct wants the NIC's address of the first byte at a multiple of {}, and it is {into:#x} beyond one",
                request.page
            ),
            "begin the region on a page (the offset in the dma-buf and the NIC's address alike), or register it without Data Direct",
        )
    })
}

fn not_taken(request: &Request<'_>, gate: Gate, kind: Kind, errno: Errno) -> GateAnswer {
    let driver = request.device.profile;
    let name = driver.map_or("the device", |driver| driver.name);
    let taken = |traits: &Traits| match kind {
        Kind::Pages => true,
        Kind::DmaBuf => traits.dma_buf != DmaBufs::Refused,
        Kind::Odp => traits.on_demand != OnDemand::None,
    };
    let since = driver.and_then(|driver| {
        let mut changes = driver.changes.iter();
        changes.find(|change| taken(&driver.traits(Some(change.since.mainline()))))
    });
    let (what, instead) = match kind {
        Kind::Pages | Kind::DmaBuf => ("dma-bufs", "register pages of the process instead"),
        Kind::Odp => (
            "memory on demand",
            "register without IBV_ACCESS_ON_DEMAND (`ibv_devinfo -v` shows what a device has: odp_caps)",
        ),
    };
    let way_out = match since {
        Some(change) => format!(
            "it does since Linux {}; until then {instead}",
            change.since.mainline()
        ),
        None => format!("no release of it does; {instead}"),
    };
    GateAnswer::refuse(
        gate,
        "kind-not-taken",
        errno,
        format!("{name} takes no {what} here"),
        way_out,
    )
}
