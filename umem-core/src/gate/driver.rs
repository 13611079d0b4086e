//! What drivers refuse before they pin anything.

use super::{Gate, GateAnswer, request::Request};
use crate::{
    device::{Access, DmaBufs, OnDemand, Refused},
    evidence::By,
    gate::Errno,
    memory::Kind,
    size::Bytes,
    table::memory::Layout,
};
use alloc::{borrow::ToOwned, format, string::String};

const GATE: Gate = Gate::Driver;

pub(super) fn check(request: &Request<'_>) -> GateAnswer {
    let device = request.device;
    let answer = missing(request)
        .or_else(|| no_dma_bufs(request))
        .or_else(|| access(request))
        .or_else(|| implicit(request))
        .or_else(|| too_long(request))
        .unwrap_or_else(|| passed(request));
    match device.profile {
        Some(profile) if profile.virt_dma => {
            answer.by(By::Lab, profile.traits(device.release).source)
        }
        Some(profile) => answer.by(By::Source, profile.traits(device.release).source),
        None => answer.by(By::Source, "the scenario's own device"),
    }
}

/// A kernel without the driver has no device to open.
fn missing(request: &Request<'_>) -> Option<GateAnswer> {
    let (driver, release) = (request.device.missing()?, request.release()?);
    let since = match driver.first {
        Some(first) => format!(": it came with Linux {}", first.first_after(release)),
        None => String::new(),
    };
    Some(GateAnswer::refuse(
        GATE,
        "not-in-this-kernel",
        None,
        format!("Linux {release} has no {}{since}", driver.name),
        "run a kernel that has the driver, or install the vendor's own (DOCA, OFED, ionic, efa)",
    ))
}

/// `ib_device_ops.reg_user_mr_dmabuf` is not set.
fn no_dma_bufs(request: &Request<'_>) -> Option<GateAnswer> {
    let driver = request
        .device
        .profile
        .filter(|_| request.kind == Kind::DmaBuf)?;
    let takes = |release| driver.traits(release).dma_buf != DmaBufs::Refused;
    if takes(request.device.release) {
        return None;
    }
    let mut releases = driver.changes.iter().map(|change| change.since.mainline());
    let way_out = match releases.find(|release| takes(Some(*release))) {
        Some(release) => format!("run Linux {release} or later, which has it"),
        None => {
            "no release has it: copy to memory of the process and register that, or use another NIC"
                .to_owned()
        }
    };
    Some(GateAnswer::refuse(
        GATE,
        "no-dma-bufs",
        Errno::Eopnotsupp,
        format!("{} takes no dma-bufs in this kernel", driver.name),
        way_out,
    ))
}

fn access(request: &Request<'_>) -> Option<GateAnswer> {
    let Refused { flags, errno } = request.device.refused_access;
    let asked = request.process.access.as_ref()?;
    let flag = flags.iter().find(|flag| asked.contains(flag))?;
    // The device pages on demand in huge pages.
    if *flag == Access::Hugetlb && request.is_on_demand() {
        return None;
    }
    let driver = request
        .device
        .profile
        .map_or("the driver", |driver| driver.name);
    Some(GateAnswer::refuse(
        GATE,
        "access-flag",
        errno,
        format!("{driver} does not take the access flag {}", flag.name()),
        "leave the flag out",
    ))
}

/// `ibv_reg_mr()` of all of the address space: on-demand paging without a range.
fn implicit(request: &Request<'_>) -> Option<GateAnswer> {
    let whole = request.is_on_demand() && request.start == 0 && request.length == u64::MAX;
    (whole && request.device.on_demand == OnDemand::Explicit).then(|| {
        GateAnswer::refuse(
            GATE,
            "no-implicit-on-demand-paging",
            Errno::Eopnotsupp,
            "the device pages on demand, but not all of the address space in one region",
            "register the ranges that are used, each as a region of its own",
        )
    })
}

fn too_long(request: &Request<'_>) -> Option<GateAnswer> {
    let limits = request.device.length_limits.iter();
    let limit = limits
        .filter(|limit| limit.block.is_none())
        .find(|limit| request.length > limit.most)?;
    Some(GateAnswer::refuse(
        GATE,
        "too-long",
        limit.errno,
        format!(
            "the device registers at most {} at once, and the region has {}",
            Bytes(limit.most),
            Bytes(request.length)
        ),
        format!(
            "split it: {} regions of at most {}",
            request.length.div_ceil(limit.most),
            Bytes(limit.most)
        ),
    ))
}

fn passed(request: &Request<'_>) -> GateAnswer {
    let device = request.device;
    let name = match (&device.name, device.profile) {
        (_, Some(profile)) => profile.name.to_owned(),
        (Some(name), None) => name.clone(),
        (None, None) => "the device".to_owned(),
    };
    let refused = device.refused_access.flags;
    if request.process.access.is_none() && !refused.is_empty() {
        let names: alloc::vec::Vec<&str> = refused.iter().map(|flag| flag.name()).collect();
        return GateAnswer::unknown(
            GATE,
            format!(
                "the length is within {name}'s limits; {name} refuses some access flags ({}), and it is not known which the program \
                 asks for",
                names.join(", ")
            ),
            "look at the call of ibv_reg_mr() and set process.access",
        );
    }
    let text = match device.layout {
        Layout::None => format!("{name} maps the region in an IOMMU domain of its own"),
        _ => format!("the length and the access flags are within {name}'s limits"),
    };
    GateAnswer::pass(GATE, text)
}
