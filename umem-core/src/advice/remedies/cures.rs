//! The rules that refuse by name, and what puts each right.

use super::{Remedy, names};
use crate::{
    device::Access,
    memory::Kind,
    registration::Registration,
    scenario::{Backing, ForkSupport, Memlock, Protection, Scenario},
    size::Bytes,
};
use alloc::{format, vec::Vec};

/// What puts a rule right, as data.
struct Cure {
    /// The rules' codes.
    codes: &'static [&'static str],
    change: &'static str,
    cost: &'static str,
    /// Changes the scenario; `None` where there is nothing to change.
    apply: fn(&mut Scenario) -> Option<()>,
}

const FORK: &[&str] = &["huge-page-cut", "too-many-mappings"];

static CURES: &[Cure] = &[
    Cure {
        codes: &["huge-page-cut"],
        change: "set RDMAV_HUGEPAGES_SAFE=1 in the program's environment",
        cost: "libibverbs then reads /proc/self/smaps at each registration: 5.4 ms where it was 0.1 ms, says rdma-core PR 767",
        apply: |scenario| {
            scenario.process.hugepages_safe = true;
            Some(())
        },
    },
    Cure {
        codes: &["too-many-mappings"],
        change: "raise vm.max_map_count (sysctl vm.max_map_count=1048576)",
        cost: "kernel memory for each mapping",
        apply: |scenario| {
            scenario.process.mappings_left = None;
            Some(())
        },
    },
    Cure {
        codes: FORK,
        change: "turn libibverbs' fork support off (no ibv_fork_init(), no RDMAV_FORK_SAFE, no IBV_FORK_SAFE)",
        cost: "on Linux before 5.13 a child that is forked may take the registered pages away",
        apply: |scenario| {
            scenario.process.fork_support = Some(ForkSupport::Off);
            Some(())
        },
    },
    Cure {
        codes: &["hole"],
        change: "map all of the region before registering it, or register only what is mapped",
        cost: "the memory that is mapped",
        apply: |scenario| back(scenario, Backing::Hole, Backing::Anonymous),
    },
    Cure {
        codes: &["rdma-cgroup"],
        change: "raise hca_object in rdma.max of the rdma control group",
        cost: "other groups get less of the device's objects",
        apply: |scenario| {
            scenario.process.hca_objects = None;
            Some(())
        },
    },
    Cure {
        codes: &["iova-offset"],
        change: "give the NIC the program's own address (ibv_reg_mr() instead of ibv_reg_mr_iova())",
        cost: "the remote side uses the program's addresses",
        apply: |scenario| {
            scenario.region.hca_address = None;
            Some(())
        },
    },
    Cure {
        codes: &["remote-without-local"],
        change: "add IBV_ACCESS_LOCAL_WRITE",
        cost: "the NIC may write, so the memory must be writable",
        apply: |scenario| {
            scenario.process.access.as_mut()?.push(Access::LocalWrite);
            Some(())
        },
    },
    Cure {
        codes: &["memlock-zero", "over-memlock"],
        change: "raise the limit on locked memory where the program is started (memlock in /etc/security/limits.conf, \
                 LimitMEMLOCK=infinity in its systemd unit, in Kubernetes in containerd's, --ulimit memlock=-1 for a container)",
        cost: "the program may then lock all of the machine's memory",
        apply: |scenario| {
            scenario.process.memlock = Some(Memlock::Unlimited);
            Some(())
        },
    },
    Cure {
        codes: &["memlock-zero", "over-memlock"],
        change: "give the program CAP_IPC_LOCK (in a pod: capabilities.add: [IPC_LOCK])",
        cost: "no limit on locked memory holds for it any more. In Kubernetes IPC_LOCK reaches only containers that run as root: CapEff in \
               /proc/PID/status has bit 14 then",
        apply: |scenario| {
            scenario.process.privileged = Some(true);
            Some(())
        },
    },
    Cure {
        codes: &["memory-cgroup"],
        change: "raise memory.max of the memory control group",
        cost: "other groups get less memory",
        apply: |scenario| {
            scenario.process.memory_left = None;
            Some(())
        },
    },
    Cure {
        codes: &["read-only", "read-only-shared"],
        change: "map it with PROT_WRITE",
        cost: "the program may write there as well",
        apply: |scenario| protect(scenario, &[Protection::Read]),
    },
    Cure {
        codes: &["inaccessible"],
        change: "give it rights by mprotect() before registering",
        cost: "the program may read and write there as well",
        apply: |scenario| protect(scenario, &[Protection::None]),
    },
    Cure {
        codes: &["read-only-shared", "shared-file"],
        change: "map the file MAP_PRIVATE",
        cost: "what the NIC writes does not reach the file",
        apply: |scenario| {
            let shared = scenario
                .memory
                .areas
                .iter_mut()
                .filter(|area| area.shared != Some(false));
            shared.for_each(|area| area.shared = Some(false));
            Some(())
        },
    },
    Cure {
        codes: &["shared-file"],
        change: "put the file on tmpfs or hugetlbfs",
        cost: "it is in memory only",
        apply: |scenario| back(scenario, Backing::File, Backing::Shmem),
    },
    Cure {
        codes: &["fsdax"],
        change: "use device DAX (/dev/dax, ndctl create-namespace --mode=devdax) instead of the file",
        cost: "there is no file system on it",
        apply: |scenario| back(scenario, Backing::Fsdax, Backing::Devdax),
    },
    Cure {
        codes: &["fsdax", "shared-file"],
        change: "register it with IBV_ACCESS_ON_DEMAND",
        cost: "an entry for each page of the kernel, and faults when the NIC touches them",
        apply: |scenario| {
            let access = scenario
                .process
                .access
                .get_or_insert_with(|| alloc::vec![Access::LocalWrite]);
            access.push(Access::OnDemand);
            Some(())
        },
    },
    Cure {
        codes: &["no-pages"],
        change: "register it as a dma-buf: its driver exports a file descriptor (CUDA: cuMemGetHandleForAddressRange(); HIP: \
                 hsa_amd_portable_export_dmabuf()), and ibv_reg_dmabuf_mr() takes it",
        cost: "the program must know that the memory is a device's. NVIDIA's open kernel modules export it; with the others nvidia-peermem \
               registers what cuMemAlloc() gave",
        apply: |scenario| {
            scenario.memory.areas.clear();
            scenario.memory.kind = Kind::DmaBuf;
            Some(())
        },
    },
    Cure {
        codes: &["secret"],
        change: "register a buffer of ordinary memory, and copy",
        cost: "a copy",
        apply: |scenario| back(scenario, Backing::Secret, Backing::Anonymous),
    },
    Cure {
        codes: &["beyond-end"],
        change: "make the file longer (ftruncate()) before registering, or register less",
        cost: "the file's length",
        apply: |scenario| back(scenario, Backing::BeyondEnd, Backing::Shmem),
    },
    Cure {
        codes: &["no-huge-page"],
        change: "reserve more huge pages (vm.nr_hugepages) before mapping",
        cost: "nothing else can use that memory",
        apply: |scenario| back(scenario, Backing::NoHugePage, Backing::Hugetlb),
    },
    Cure {
        codes: &["guard"],
        change: "register only the usable part, without its guard pages",
        cost: "regions must not reach across guard pages",
        apply: |scenario| back(scenario, Backing::Guard, Backing::Anonymous),
    },
    Cure {
        codes: &["special-mapping"],
        change: "register memory of the program's own",
        cost: "a copy",
        apply: |scenario| back(scenario, Backing::Vvar, Backing::Anonymous),
    },
    Cure {
        codes: &["cannot-migrate"],
        change: "end the other use first (a pipe by vmsplice(), direct I/O), or boot without movablecore= and online_movable",
        cost: "without ZONE_MOVABLE memory cannot be unplugged",
        apply: |scenario| back(scenario, Backing::Unmovable, Backing::Anonymous),
    },
    Cure {
        codes: &["kind-not-taken"],
        change: "register without IBV_ACCESS_ON_DEMAND",
        cost: "every page is pinned, and counts against the limit on locked memory",
        apply: |scenario| {
            if scenario.kind() != Kind::Odp {
                return None;
            }
            scenario.memory.kind = Kind::Pages;
            let access = scenario.process.access.iter_mut();
            access.for_each(|access| access.retain(|flag| *flag != Access::OnDemand));
            Some(())
        },
    },
];

/// What puts the rule `code` right, the easiest first.
pub(crate) fn cures(of: &Registration, code: &str) -> Vec<Remedy> {
    let matching = CURES.iter().filter(|cure| cure.codes.contains(&code));
    let mut list: Vec<Remedy> = matching
        .filter_map(|cure| Remedy::new(of, cure.change, cure.cost, cure.apply))
        .collect();
    match code {
        "huge-page-cut" => list.extend(whole_pages(of)),
        "read-only" | "read-only-shared" | "shared-file" | "captured-refusal" => {
            list.extend(without_writing(of));
        }
        "unknown-flag" | "access-flag" | "too-many-entries" => list.extend(without_a_flag(of)),
        _ => {}
    }
    list
}

/// The areas that are backed by `from` are backed by `to`.
fn back(scenario: &mut Scenario, from: Backing, to: Backing) -> Option<()> {
    let areas = scenario.memory.areas.iter_mut();
    areas
        .filter(|area| area.backing == from)
        .for_each(|area| area.backing = to);
    Some(())
}

/// Areas of these rights are mapped for reading and writing.
fn protect(scenario: &mut Scenario, from: &[Protection]) -> Option<()> {
    let areas = scenario.memory.areas.iter_mut();
    areas
        .filter(|area| from.contains(&area.protection))
        .for_each(|area| area.protection = Protection::ReadWrite);
    Some(())
}

/// The region begins and ends where huge pages do.
fn whole_pages(of: &Registration) -> Option<Remedy> {
    let mr = of.question().mr();
    let areas = of.question().areas().iter();
    let huge = areas.filter(|area| matches!(area.backing, Backing::Hugetlb | Backing::Devdax));
    let size = huge.map(|area| area.page_size).max()?;
    let before = mr.address.offset_in(size);
    let end = mr.address.checked_add(mr.length)?;
    let after = end.align_up(size)? - end;
    let offset = mr.offset.checked_sub(before)?;
    Remedy::new(
        of,
        format!("start and end the region at multiples of {size}"),
        format!(
            "{} more are registered, and must be mapped",
            Bytes(before + after)
        ),
        |scenario| {
            scenario.region.offset = Bytes(offset);
            scenario.region.length = Bytes(mr.length.checked_add(before + after)?);
            let hca = scenario.region.hca_address;
            scenario.region.hca_address = hca.map(|hca| hca.wrapping_sub(before));
            Some(())
        },
    )
}

/// The NIC only reads.
fn without_writing(of: &Registration) -> Option<Remedy> {
    let access = of.scenario().process.access.as_ref()?;
    let writing = access.iter().filter(|access| access.writes());
    Remedy::new(
        of,
        format!(
            "register it for reading alone (without {})",
            names(writing.map(|access| access.name()))
        ),
        "the NIC cannot write there",
        |scenario| {
            scenario
                .process
                .access
                .as_mut()?
                .retain(|access| !access.writes());
            Some(())
        },
    )
}

/// Each access flag, left out.
fn without_a_flag(of: &Registration) -> Vec<Remedy> {
    let access = of.scenario().process.access.iter().flatten();
    let without = access.filter_map(|flag| {
        Remedy::new(
            of,
            format!("register it without {}", flag.name()),
            "what the flag allows",
            |scenario| {
                scenario
                    .process
                    .access
                    .as_mut()?
                    .retain(|other| other != flag);
                Some(())
            },
        )
    });
    without.collect()
}
