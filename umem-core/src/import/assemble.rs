//! What the text and the reader say, together.

use super::{
    device::driver,
    error::{ImportError, Missing},
    found::{Found, Given, Imported, Read},
    mapping::Mapping,
    member::{alike, flags, member},
};
use crate::{
    address::VirtAddr,
    device,
    scenario::{Asked, DeviceSpec, IommuSpec, KernelSpec, Memlock, ProcessSpec},
    set::{Member, Set},
    size::Bytes,
};
use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};

pub(super) fn assemble(mut read: Read, given: &Given) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let mut found = regions(&mut read, given)?;
    for found in &mut found {
        found.dma_buf |= given.dma_buf;
    }
    let errno = found.iter().find_map(|found| found.errno).or(read.errno);
    let named = found.iter().find_map(|found| found.device.as_deref());
    let device = device_of(named.or(read.device.as_deref()), given, &mut notes);
    let mut missing = Vec::new();
    let mut members = Vec::new();
    for found in &found {
        let member = member(found, &read.mappings, given, &mut missing, &mut notes);
        members.extend(member.transpose()?);
    }
    missing.extend(unsaid(device.is_none(), given));
    if !missing.is_empty() {
        return Err(ImportError::Missing(once(missing)));
    }
    let access = found.iter().rev().find_map(|found| found.access);
    let mut process = process(access, read.memlock, given, &mut notes);
    process.saw = errno;
    if let Some(status) = read.firmware {
        notes.push(format!(
            "The firmware refused the region's key (CREATE_MKEY: {status}). All gates before firmware were passed, the limit on locked memory among them: the device has no room for the key or its table. Release regions, or use larger pages."
        ));
    }
    if given.layout.is_none() {
        notes.push(
            "Where the frames lie is not in such a text: they are taken as scattered. `umem capture` records how they lie.".into(),
        );
    }
    notes.dedup();
    let device = DeviceSpec::Name(device.unwrap_or_default());
    Ok(Imported {
        asked: asked(members, device, process, given),
        errno,
        notes,
        decided: None,
    })
}

/// The registrations of the text, each once; or the one that the reader describes.
fn regions(read: &mut Read, given: &Given) -> Result<Vec<Found>, ImportError> {
    if read.found.is_empty() {
        if read.mappings.is_empty() && !read.mentioned && given.length.is_none() {
            return Err(ImportError::Nothing);
        }
        let whole = Found {
            dma_buf: read.dma_buf,
            ..whole(&read.mappings, given)?
        };
        return Ok(alloc::vec![whole]);
    }
    let mut found = core::mem::take(&mut read.found);
    found.dedup_by(|later, earlier| {
        later.address.is_some()
            && (later.address, later.length) == (earlier.address, earlier.length)
    });
    Ok(found)
}

/// Each missing thing once, though every region lacks it.
fn once(missing: Vec<Missing>) -> Vec<Missing> {
    let mut list: Vec<Missing> = Vec::new();
    for one in missing {
        if !list.contains(&one) {
            list.push(one);
        }
    }
    list
}

/// The process: `access` and `memlock` are what the log says.
fn process(
    access: Option<u64>,
    memlock: Option<u64>,
    given: &Given,
    notes: &mut Vec<String>,
) -> ProcessSpec {
    let logged = memlock.map(|bytes| Memlock::Bytes(Bytes(bytes)));
    if given.memlock.is_none() && logged.is_some() {
        notes.push("The limit on locked memory is the one that the log names.".into());
    }
    let memlock = given.memlock.or(logged);
    let limited = matches!(memlock, Some(Memlock::Bytes(_)));
    if limited && given.privileged.is_none() {
        notes.push(
            "The program is taken to lack CAP_IPC_LOCK, with which no limit on locked memory holds: root has it, but not in a user namespace of its own. If it \
             has, that is --privileged, or `privileged` in the scenario."
                .into(),
        );
    }
    ProcessSpec {
        privileged: given.privileged.or(limited.then_some(false)),
        access: access.map(|bits| flags(bits, notes)),
        memlock,
        fork_support: given.fork_support,
        ..ProcessSpec::default()
    }
}

/// A scenario of the only member, or a set of all.
fn asked(
    mut members: Vec<Member>,
    device: DeviceSpec,
    process: ProcessSpec,
    given: &Given,
) -> Asked {
    let mut kernel = KernelSpec {
        page_size: Bytes(given.kernel_page()),
        ..KernelSpec::default()
    };
    if let Some(release) = &given.release {
        kernel.set_release(release);
    }
    let iommu = match given.iommu.as_deref() {
        None | Some(IommuSpec::OFF) => IommuSpec::default(),
        Some(name) => IommuSpec::Name(name.to_owned()),
    };
    let set = |registrations| Set {
        version: 1,
        name: None,
        kernel,
        iommu,
        device,
        process,
        registrations,
    };
    match members.pop() {
        Some(only) if members.is_empty() => {
            let set = set(Vec::new());
            Asked::Scenario(Box::new(set.scenario(&only)))
        }
        last => {
            members.extend(last);
            Asked::Set(Box::new(set(alike(members))))
        }
    }
}

/// The region of a text that names none: the reader's, or a mapping.
fn whole(mappings: &[Mapping], given: &Given) -> Result<Found, ImportError> {
    let start = given.va.map(VirtAddr::get);
    let length = given.length.map(|Bytes(length)| length);
    let found = |address, length| Found {
        address,
        length,
        ..Found::default()
    };
    if length.is_some() {
        return Ok(found(start, length));
    }
    let mapping = match start {
        Some(start) => mappings
            .iter()
            .find(|mapping| mapping.start <= start && start < mapping.end),
        None if mappings.len() == 1 => mappings.first(),
        None => None,
    };
    match mapping {
        Some(mapping) => {
            let start = start.unwrap_or(mapping.start);
            Ok(found(Some(start), Some(mapping.end - start)))
        }
        None if mappings.is_empty() => Ok(found(start, None)),
        None => Err(ImportError::WhichMapping(which(mappings))),
    }
}

fn which(mappings: &[Mapping]) -> String {
    let mut longest: Vec<&Mapping> = mappings.iter().collect();
    longest.sort_by_key(|mapping| core::cmp::Reverse(mapping.length()));
    let mut text = format!(
        "the text has {} mappings, and does not say which is registered: add --va ADDRESS; the longest are",
        mappings.len()
    );
    for mapping in longest.into_iter().take(5) {
        text += &format!(
            "\n  --va {:#x}  {} {} {}",
            mapping.start,
            Bytes(mapping.length()),
            mapping.rights,
            mapping.path
        );
    }
    text
}

/// Whether a kernel of that name may have other pages than 4K.
fn may_have_large_pages(release: &str) -> bool {
    let words = ["aarch64", "arm64", "64k", "16k", "ppc64"];
    words
        .iter()
        .any(|word| release.to_ascii_lowercase().contains(word))
}

/// What a scenario needs besides its regions.
fn unsaid(device: bool, given: &Given) -> Vec<Missing> {
    let needed = [
        (
            device,
            Missing {
                what: "the device's driver",
                option: "--device NAME",
                find: "`rdma link` names the device (mlx5_0 is of mlx5), `umem list devices` the drivers",
            },
        ),
        (
            given.release.is_none(),
            Missing {
                what: "the kernel",
                option: "--release NAME",
                find: "`uname -r` on that machine",
            },
        ),
        (
            given.kernel_page.is_none()
                && given.release.as_deref().is_some_and(may_have_large_pages),
            Missing {
                what: "the pages of that kernel",
                option: "--kernel-page SIZE",
                find: "`getconf PAGESIZE` on that machine",
            },
        ),
        (
            given.iommu.is_none(),
            Missing {
                what: "the IOMMU",
                option: "--iommu NAME",
                find: "off where /sys/class/iommu is empty, or iommu=pt is in /proc/cmdline; else vt-d, amd-v1, … of `umem list iommus`",
            },
        ),
    ];
    needed
        .into_iter()
        .filter_map(|(missing, what)| missing.then_some(what))
        .collect()
}

fn device_of(named: Option<&str>, given: &Given, notes: &mut Vec<String>) -> Option<String> {
    if let Some(device) = &given.device {
        // People know "mlx5_0".
        let known = device::find(device).is_some();
        return Some(match driver(device) {
            Some(driver) if !known => driver.to_owned(),
            _ => device.clone(),
        });
    }
    let named = named?;
    let driver = driver(named)?;
    notes.push(format!(
        "The device is taken to be of {driver}: the text names {named}."
    ));
    Some(driver.to_owned())
}
