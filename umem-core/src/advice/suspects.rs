//! What would explain an errno that a program saw, where the scenario does not end with it.
//!
//! A description is never whole, and it may be wrong. Each thing that it may leave out is put into the scenario and planned; those remain
//! with which the region ends as the program saw.

use crate::{
    device::Access,
    gate::{Errno, Gate},
    memory::Kind,
    registration::Registration,
    scenario::{AreaSpec, Backing, ForkSupport, LayoutName, Memlock, Protection, Scenario},
    size::{Bytes, PageSize},
};
use alloc::{borrow::Cow, format, vec::Vec};

/// Something that the scenario does not say, and that would explain the errno.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suspect {
    /// What would have to be so, as a sentence without a full stop.
    pub what: Cow<'static, str>,
    /// How to find out whether it is.
    pub find: &'static str,
    /// The gate that then refuses.
    pub gate: Gate,
}

/// What a scenario may leave out, as data.
struct Omission {
    what: &'static str,
    find: &'static str,
    /// Puts it in; `None` where the scenario says otherwise.
    apply: fn(&mut Scenario) -> Option<()>,
}

const MAPS: &str =
    "compare the region with /proc/PID/maps, and with what the program maps or frees meanwhile";

static OMISSIONS: &[Omission] = &[
    Omission {
        what: "the limit on locked memory is 0",
        find: "`umem doctor --pid PID`, or `grep -i 'locked memory' /proc/PID/limits`",
        apply: |scenario| limited(scenario, 0),
    },
    Omission {
        what: "the limit on locked memory is below the region's length",
        find: "`umem doctor --pid PID`, or `grep -i 'locked memory' /proc/PID/limits`: the limit of the running program counts, not the shell's",
        apply: |scenario| limited(scenario, scenario.region.length.0.checked_sub(1)?),
    },
    Omission {
        what: "what the process registered before, on all devices together, leaves too little of its limit on locked memory",
        find: "`umem doctor --pid PID`, or `grep VmPin /proc/PID/status` beside `grep -i 'locked memory' /proc/PID/limits`",
        apply: |scenario| {
            let process = &mut scenario.process;
            let Some(Memlock::Bytes(limit)) = process.memlock else {
                return None;
            };
            let is_open = process.pinned.is_none() && process.privileged != Some(true);
            process.pinned = is_open.then_some(limit);
            process.pinned.map(drop)
        },
    },
    Omission {
        what: "the program asks for remote write or remote atomics without local write",
        find: "look at the call of ibv_reg_mr(), or at access= in the log",
        apply: |scenario| asks(scenario, Access::RemoteWrite, false),
    },
    Omission {
        what: "a part of it is mapped for reading alone, and the program asks for local write",
        find: "look for r-- in /proc/PID/maps. Libraries may ask for local write by themselves: see access= in their log",
        apply: |scenario| {
            asks(scenario, Access::LocalWrite, true)?;
            mapped(scenario, |area| area.protection = Protection::Read)
        },
    },
    Omission {
        what: "nothing is mapped at a part of it",
        find: MAPS,
        apply: |scenario| backed(scenario, Backing::Hole),
    },
    Omission {
        what: "its mapping goes on beyond the end of the file",
        find: "compare the file's length (stat -L /proc/PID/map_files/*) with the mapping's",
        apply: |scenario| backed(scenario, Backing::BeyondEnd),
    },
    Omission {
        what: "it is huge pages of which none is free",
        find: "`grep HugePages_ /proc/meminfo`; a control group may have a limit of its own (hugetlb.2MB.max)",
        apply: |scenario| backed(scenario, Backing::NoHugePage),
    },
    Omission {
        what: "it is a device's memory (a GPU's, a PCI BAR's), not the machine's",
        find: "ask the program where it was allocated; for NVIDIA `lsmod | grep nvidia_peermem`, without which only a dma-buf registers",
        apply: |scenario| backed(scenario, Backing::Pfnmap),
    },
    Omission {
        what: "it is a file on disk that is mapped MAP_SHARED for writing",
        find: "look for rw-s with a path in /proc/PID/maps",
        apply: |scenario| {
            asks(scenario, Access::LocalWrite, true)?;
            backed(scenario, Backing::File)?;
            scenario.memory.areas[0].shared = Some(true);
            Some(())
        },
    },
    Omission {
        what: "it is a file on a file system that is mounted with -o dax",
        find: "`findmnt -T FILE`",
        apply: |scenario| backed(scenario, Backing::Fsdax),
    },
    Omission {
        what: "it has guard pages",
        find: "the program or its allocator calls madvise(MADV_GUARD_INSTALL)",
        apply: |scenario| backed(scenario, Backing::Guard),
    },
    Omission {
        what: "pages of it are in ZONE_MOVABLE or CMA, and something else holds them, too",
        find: "`grep -A1 Movable /proc/zoneinfo`; the failure comes and goes",
        apply: |scenario| backed(scenario, Backing::Unmovable),
    },
    Omission {
        what: "the rdma control group allows the device no more objects",
        find: "rdma.current beside rdma.max in the process's control group",
        apply: |scenario| {
            let objects = &mut scenario.process.hca_objects;
            objects.is_none().then(|| *objects = Some(0))
        },
    },
    Omission {
        what: "fork support is on, and vm.max_map_count leaves no room for a mapping more",
        find: "`wc -l /proc/PID/maps` beside `sysctl vm.max_map_count`",
        apply: |scenario| {
            forks(scenario)?;
            // In the middle of a mapping, which marking then splits.
            mapped(scenario, |area| area.length = None)?;
            let page = scenario.kernel.page_size.0;
            let end = scenario
                .region
                .offset
                .0
                .checked_add(scenario.region.length.0)?;
            scenario.memory.areas[0].length = Some(Bytes(end.checked_add(page)?));
            let left = &mut scenario.process.mappings_left;
            left.is_none().then(|| *left = Some(0))
        },
    },
    Omission {
        what: "fork support is on, and nothing is mapped at a part of it",
        find: MAPS,
        apply: |scenario| {
            forks(scenario)?;
            backed(scenario, Backing::Hole)
        },
    },
    Omission {
        what: "its pages are the kernel's small ones, and lie apart",
        find: "AnonHugePages and KernelPageSize of the mapping in /proc/PID/smaps; or record it: `umem capture --pid PID`",
        apply: |scenario| {
            let memory = &mut scenario.memory;
            let is_open = memory.extents.is_none() && memory.areas.is_empty();
            let page = memory.page_size.replace(scenario.kernel.page_size);
            memory.layout = Some(LayoutName::Scattered);
            (is_open && page != memory.page_size).then_some(())
        },
    },
];

/// Sizes of huge pages, of kernels with pages of 4K, 16K and 64K.
const HUGE: [u64; 5] = [2 << 20, 16 << 20, 32 << 20, 512 << 20, 1 << 30];

/// Flags that a device or a kernel may not take.
const FLAGS: [Access; 8] = [
    Access::RemoteAtomic,
    Access::MwBind,
    Access::ZeroBased,
    Access::OnDemand,
    Access::Hugetlb,
    Access::FlushGlobal,
    Access::FlushPersistent,
    Access::RemoteWrite,
];

/// What would explain that a program saw `errno`; empty if the region ends with it, or nothing would.
pub fn suspects(of: &Registration, errno: Errno) -> Vec<Suspect> {
    if of.question().kind() != Kind::Pages || errno_of(of) == Some(errno) {
        return Vec::new();
    }
    let ends = |apply: &dyn Fn(&mut Scenario) -> Option<()>| {
        let mut scenario = of.scenario().clone();
        apply(&mut scenario)?;
        let changed = Registration::new(&scenario).ok()?;
        let refusal = changed.gates().pop().filter(|answer| answer.refuses())?;
        (errno_of(&changed) == Some(errno)).then_some(refusal.gate)
    };
    let mut list: Vec<Suspect> = Vec::new();
    let said = |what: Cow<'static, str>, find| move |gate| Suspect { what, find, gate };
    let cut = HUGE.iter().find_map(|size| {
        let size = PageSize::new(*size)?;
        Some((size, ends(&|scenario| cuts(scenario, size))?))
    });
    list.extend(cut.map(|(size, gate)| {
        let what = format!(
            "fork support is on, and the region lies in huge pages of {size} or more, which it cuts"
        );
        said(
            what.into(),
            "KernelPageSize of the mapping in /proc/PID/smaps (512M on arm64 kernels of 64K pages); RDMAV_FORK_SAFE, IBV_FORK_SAFE in \
             /proc/PID/environ, or ibv_fork_init() in the program; RDMAV_HUGEPAGES_SAFE=1 then makes it register",
        )(gate)
    }));
    for omission in OMISSIONS {
        list.extend(ends(&omission.apply).map(said(omission.what.into(), omission.find)));
    }
    let flags = FLAGS.iter().filter_map(|flag| {
        let gate = ends(&|scenario| asks(scenario, *flag, true))?;
        Some((flag.name(), gate))
    });
    let flags: Vec<_> = flags.collect();
    if let Some((_, gate)) = flags.first() {
        let names: Vec<_> = flags.iter().map(|(name, _)| *name).collect();
        let what = format!(
            "the program asks for an access flag that is not taken here: {}",
            names.join(", ")
        );
        list.push(said(
            what.into(),
            "look at the call of ibv_reg_mr(), or at access= in the log",
        )(*gate));
    }
    list
}

/// The errno that the region ends with.
fn errno_of(of: &Registration) -> Option<Errno> {
    of.table().err()?.errno()
}

/// The process may lock so many bytes.
fn limited(scenario: &mut Scenario, bytes: u64) -> Option<()> {
    let process = &mut scenario.process;
    let is_open = process.memlock.is_none() && process.privileged != Some(true);
    process.memlock = Some(Memlock::Bytes(Bytes(bytes)));
    process.privileged = Some(false);
    is_open.then_some(())
}

/// The program asks for this, and for local write or not.
fn asks(scenario: &mut Scenario, flag: Access, local_write: bool) -> Option<()> {
    if let Some(access) = &scenario.process.access {
        // It is said what it asks for.
        let is_said = access.contains(&flag) && access.contains(&Access::LocalWrite) == local_write;
        return is_said.then_some(());
    }
    let local = local_write.then_some(Access::LocalWrite);
    let mut access: Vec<_> = local.into_iter().collect();
    if !access.contains(&flag) {
        access.push(flag);
    }
    scenario.process.access = Some(access);
    Some(())
}

/// Libibverbs marks what is registered.
fn forks(scenario: &mut Scenario) -> Option<()> {
    let is_open = matches!(
        scenario.process.fork_support,
        None | Some(ForkSupport::Libibverbs)
    );
    scenario.process.fork_support = Some(ForkSupport::Libibverbs);
    is_open.then_some(())
}

/// All of the region is one mapping, and lies as `change` says.
fn mapped(scenario: &mut Scenario, change: fn(&mut AreaSpec)) -> Option<()> {
    let areas = &mut scenario.memory.areas;
    if areas.is_empty() {
        areas.push(AreaSpec::default());
    }
    areas.iter_mut().for_each(change);
    Some(())
}

/// Something else backs the region, where it is not said what does.
fn backed(scenario: &mut Scenario, backing: Backing) -> Option<()> {
    if !scenario.memory.areas.is_empty() {
        return None;
    }
    scenario.memory.areas.push(AreaSpec {
        backing,
        ..AreaSpec::default()
    });
    Some(())
}

/// The region lies in huge pages of this size, whatever they were taken for, and libibverbs marks it.
fn cuts(scenario: &mut Scenario, size: PageSize) -> Option<()> {
    forks(scenario)?;
    let memory = &mut scenario.memory;
    let is_huge = memory
        .areas
        .iter()
        .all(|area| area.backing == Backing::Hugetlb);
    if memory.extents.is_some() || !is_huge {
        return None;
    }
    let region = &mut scenario.region;
    let before = region.va.offset_in(size);
    region.va = region.va.wrapping_sub(before);
    region.offset = Bytes(region.offset.0.checked_add(before)?);
    let end = region.offset.0.checked_add(region.length.0)?;
    memory.page_size = Some(Bytes(size.bytes()));
    memory.layout = Some(LayoutName::Scattered);
    memory.areas = alloc::vec![AreaSpec {
        backing: Backing::Hugetlb,
        length: Some(Bytes(end.checked_next_multiple_of(size.bytes())?)),
        page_size: Some(Bytes(size.bytes())),
        ..AreaSpec::default()
    }];
    Some(())
}
