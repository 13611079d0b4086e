//! What the gates look at of this process, read where the kernel keeps it.

use std::{ffi::OsString, fs, io, path::Path};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CapabilitySet, capabilities, set_capabilities},
};
use umem_core::{
    device::Access,
    scenario::{ForkSupport, Memlock, ProcessSpec},
    size::Bytes,
};

/// The facts, as `umem plan` takes them.
pub(super) fn facts(access: &[Access], device: &str) -> io::Result<ProcessSpec> {
    let limit = getrlimit(Resource::Memlock).current;
    Ok(ProcessSpec {
        access: Some(access.to_vec()),
        memlock: Some(limit.map_or(Memlock::Unlimited, |bytes| Memlock::Bytes(Bytes(bytes)))),
        pinned: Some(Bytes(pinned()?)),
        privileged: Some(
            capabilities(None)?
                .effective
                .contains(CapabilitySet::IPC_LOCK),
        ),
        fork_support: Some(match std::env::var_os("RDMAV_FORK_SAFE") {
            None => ForkSupport::Off,
            // Linux copies pinned pages since 5.13, and is asked here.
            Some(_) => ForkSupport::Kernel,
        }),
        libibverbs: version()?,
        hugepages_safe: std::env::var_os("RDMAV_HUGEPAGES_SAFE").is_some(),
        hca_objects: objects_left(device),
        ..ProcessSpec::default()
    })
}

/// `VmPin` in /proc/self/status, in bytes.
fn pinned() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmPin:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map(|kib| kib << 10)
        .ok_or_else(|| io::Error::other("/proc/self/status has no VmPin"))
}

/// The version of rdma-core, by the name of the library's file: libibverbs.so.1.14.44.0 is of 44.0. The file that is loaded may be a copy
/// under its short name, beside it.
fn version() -> io::Result<Option<String>> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let loaded = maps.lines().find_map(|line| {
        let path = line.split_whitespace().last()?;
        path.contains("/libibverbs.so.").then(|| Path::new(path))
    });
    let Some(folder) = loaded.and_then(Path::parent) else {
        return Ok(None);
    };
    let names = fs::read_dir(folder)?.flatten().map(|file| file.file_name());
    let version = |name: OsString| {
        let numbers = name.to_str()?.strip_prefix("libibverbs.so.")?.to_owned();
        match numbers.split('.').collect::<Vec<_>>()[..] {
            [_, _, major, minor] => Some(format!("{major}.{minor}")),
            _ => None,
        }
    };
    Ok(names.filter_map(version).next())
}

/// How many objects the rdma control group of this process allows still; `None` without a limit.
fn objects_left(device: &str) -> Option<u64> {
    let folder = group()?;
    let number = |file: &str| {
        let text = fs::read_to_string(format!("{folder}/{file}")).ok()?;
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{device} ")))?;
        let (_, number) = line.split_once("hca_object=")?;
        number.split_whitespace().next()?.parse::<u64>().ok()
    };
    // "max" is no number: there is no limit then.
    let most = number("rdma.max")?;
    Some(most.saturating_sub(number("rdma.current").unwrap_or(0)))
}

/// The folder of this process's control group.
fn group() -> Option<String> {
    let path = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = path
        .lines()
        .find_map(|line| line.strip_prefix("0::"))?
        .to_owned();
    Some(format!("{}{path}", groups()?))
}

/// Where the control groups are.
fn groups() -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then(|| place.to_owned())
    })
}

/// Puts this process into a control group of its own that allows `most` objects of `device`.
pub(super) fn allow_objects(device: &str, most: u64) -> io::Result<()> {
    let groups = groups().ok_or_else(|| io::Error::other("no cgroup2 is mounted"))?;
    let folder = format!("{groups}/umem-{}", std::process::id());
    let told =
        |what: &'static str| move |error: io::Error| io::Error::other(format!("{what}: {error}"));
    fs::write(format!("{groups}/cgroup.subtree_control"), "+rdma")
        .map_err(told("the rdma controller cannot be used"))?;
    fs::create_dir(&folder).map_err(told("no control group can be made"))?;
    fs::write(
        format!("{folder}/rdma.max"),
        format!("{device} hca_object={most}"),
    )?;
    fs::write(
        format!("{folder}/cgroup.procs"),
        std::process::id().to_string(),
    )
}

/// Gives CAP_IPC_LOCK up, and takes this limit on locked memory.
pub(super) fn limit_locked_memory(bytes: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    setrlimit(Resource::Memlock, limit)?;
    let mut sets = capabilities(None)?;
    sets.effective.remove(CapabilitySet::IPC_LOCK);
    sets.permitted.remove(CapabilitySet::IPC_LOCK);
    Ok(set_capabilities(None, sets)?)
}
