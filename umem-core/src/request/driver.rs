//! What drivers refuse before they pin anything.

use super::{call::Request, kind};
use crate::{
    device::{Access, OnDemand, RefusedAccess},
    evidence::By,
    gate::{Errno, Gate, GateAnswer},
    size::Bytes,
    table::memory::Layout,
};
use alloc::{borrow::ToOwned, format, string::String};

const GATE: Gate = Gate::Driver;

pub(super) fn refusal(request: &Request<'_>) -> Option<GateAnswer> {
    let refused = missing(request)
        .or_else(|| kind::dma_buf(request))
        .or_else(|| kind::data_direct(request))
        .or_else(|| access(request))
        .or_else(|| implicit(request))
        .or_else(|| too_long(request));
    Some(by_its_source(request, refused?))
}

pub(super) fn otherwise(request: &Request<'_>) -> GateAnswer {
    by_its_source(request, passed(request))
}

/// The answer with its evidence: rxe was tried, the other drivers were read.
fn by_its_source(request: &Request<'_>, answer: GateAnswer) -> GateAnswer {
    let device = request.device;
    match device.profile {
        Some(profile) if profile.name == "rxe" => {
            answer.by(By::Lab, "rxe on Linux 6.1.192, 6.12.95 and 7.3.4")
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

fn access(request: &Request<'_>) -> Option<GateAnswer> {
    let asked = request.process.access.as_ref()?;
    let mut all = request.device.refused_access.iter();
    let RefusedAccess { flag, errno } = all.find(|refused| asked.contains(&refused.flag))?;
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
        *errno,
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
    let refused = device.refused_access;
    if request.process.access.is_none() && !refused.is_empty() {
        let names: alloc::vec::Vec<&str> =
            refused.iter().map(|refused| refused.flag.name()).collect();
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
