//! What a machine lacks, what that prevents, and the command that provides it.

use std::fmt;

use serde::Serialize;
use umem_core::size::Bytes;

/// Something that this machine does not have and that a command needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missing {
    /// The thing: "an RDMA device".
    pub what: String,
    /// What cannot be done without it.
    pub prevents: String,
    /// The command, or commands, that provide it.
    pub way_out: String,
}

/// A software device that touches no port of the machine: it has an interface of its own, with an address that is reserved for
/// documentation and used by no network (RFC 5737).
const SOFT_ROCE: &str = "soft-RoCE on an interface of its own: modprobe rdma_rxe && ip link add umem0 type dummy && \
                         ip addr add 192.0.2.1/32 dev umem0 && ip link set umem0 up && rdma link add rxe_umem0 type rxe netdev umem0 \
                         (to undo: ip link delete umem0)";

impl Missing {
    fn new(
        what: impl Into<String>,
        prevents: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            prevents: prevents.into(),
            way_out: way_out.into(),
        }
    }

    /// The program was built without verbs.
    #[cfg_attr(
        all(feature = "rdma", not(test)),
        expect(dead_code, reason = "they are there")
    )]
    pub fn verbs() -> Self {
        Self::new(
            "RDMA verbs in this program",
            "memory can be neither registered nor moved by a device",
            "apt install cmake libclang-dev && cargo build -p native-runner --features rdma (then see: umem doctor); or, in a VM \
             that has everything: cargo xtask lab check",
        )
    }

    /// No usable RDMA device; `what` says more.
    pub fn device(what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self::new(
            what,
            "memory can be neither registered nor moved by a device",
            way_out,
        )
    }

    /// Frame numbers are hidden from this user.
    pub fn frame_permission() -> Self {
        Self::new(
            "the right to read frame numbers (CAP_SYS_ADMIN)",
            "where memory lies cannot be known, so nothing can be computed from it",
            "run it with sudo",
        )
    }

    /// The memory of process `pid` is not ours to look at.
    pub fn process_permission(pid: u32) -> Self {
        Self::new(
            format!("the right to look at process {pid} (CAP_SYS_PTRACE)"),
            "neither its mappings nor where they lie can be known",
            "run it with sudo",
        )
    }

    /// The namespaces of process `pid` are not ours to look at.
    pub fn namespaces(pid: u32) -> Self {
        Self::new(
            format!("the right to look at process {pid} (CAP_SYS_PTRACE)"),
            "whether it sees the devices that are named here cannot be known",
            "run it with sudo",
        )
    }

    /// The limit on locked memory is below what a check pins.
    pub fn memlock(limit: u64, needed: u64) -> Self {
        Self::new(
            format!(
                "room for pinned memory (limit {}, needed {})",
                Bytes(limit),
                Bytes(needed)
            ),
            "the device cannot register that much",
            "for a shell: ulimit -l unlimited, as root or after raising memlock in /etc/security/limits.conf; for a service: LimitMEMLOCK=infinity; \
             for a process that runs: prlimit --pid PID --memlock=BYTES, as root",
        )
    }

    /// The limit on locked memory of process `pid`, which has `pinned` so much, leaves little.
    pub fn memlock_of(pid: u32, limit: u64, pinned: u64) -> Self {
        Self::new(
            format!(
                "room for pinned memory in process {pid} (limit {}, {} of it pinned)",
                Bytes(limit),
                Bytes(pinned)
            ),
            "what it registers beyond that is refused: ENOMEM, or with a limit of 0 EPERM",
            format!(
                "prlimit --pid {pid} --memlock=BYTES, as root, for as long as it runs; for good, in a service: LimitMEMLOCK="
            ),
        )
    }

    /// The control group `group` allows so much of `what`, less than is needed.
    pub fn group_limit(what: &str, limit: u64, needed: u64, group: &str) -> Self {
        Self::new(
            format!(
                "room for {what} in the control group {group} (limit {}, needed {})",
                Bytes(limit),
                Bytes(needed)
            ),
            "buffers cannot be made, or the kernel kills whoever makes them",
            "run it in another control group, such as: systemd-run --scope; or ask whoever set the limit",
        )
    }

    /// A file of /proc tells nothing.
    pub fn proc_file(file: &str) -> Self {
        Self::new(
            format!("{file}, which tells nothing here"),
            "limits cannot be known",
            "mount -t proc proc /proc, or a sandbox that shows it",
        )
    }

    /// The pagemap tells nothing, for a reason other than rights.
    pub fn pagemap(error: impl fmt::Display) -> Self {
        Self::new(
            format!("a pagemap that can be read ({error})"),
            "where memory lies cannot be known, so nothing can be computed from it",
            "a kernel with CONFIG_PROC_PAGE_MONITOR=y",
        )
    }

    /// There is no RDMA device; there could be one of `soft_roce`, if the kernel has that.
    pub fn rdma_device(soft_roce: bool) -> Self {
        let way_out = match soft_roce {
            true => format!("{SOFT_ROCE}; or in a VM: cargo xtask lab check"),
            false => {
                "a kernel with RDMA, and a device; or in a VM: cargo xtask lab check".to_owned()
            }
        };
        Self::device("an RDMA device", way_out)
    }

    /// No port of `device` can be used; `what` says why.
    #[cfg_attr(
        not(feature = "rdma"),
        expect(dead_code, reason = "there are no devices")
    )]
    pub fn port(what: impl Into<String>, device: &str) -> Self {
        Self::device(
            what,
            format!(
                "to see why (this changes nothing): rdma link; ibv_devinfo -d {device}. To use another device instead: --device, or {SOFT_ROCE}"
            ),
        )
    }

    /// The port `place` is in `state`, not active.
    pub fn active_port(
        place: &str,
        state: &str,
        link_layer: &str,
        interface: Option<&str>,
    ) -> Self {
        let look = match (interface, link_layer) {
            (Some(interface), _) => format!("ip link show {interface}"),
            (None, "InfiniBand") => {
                "ibstat (Down: no cable; Initializing: no subnet manager in its network. A second subnet manager \
                 disturbs the first: ask whoever runs the network)"
                    .to_owned()
            }
            (None, _) => "rdma link".to_owned(),
        };
        Self::new(
            format!("an active port: {place} ({state})"),
            "its device can register memory, but move no data through that port",
            format!(
                "leave it alone if it is meant to be down. To see why (this changes nothing): {look}. To check without it: {SOFT_ROCE}"
            ),
        )
    }

    /// A kernel module that this kernel has is not loaded.
    pub fn module(module: &str, prevents: &str) -> Self {
        Self::new(
            format!("the kernel module {module}"),
            prevents,
            format!("modprobe {module}"),
        )
    }

    /// This kernel has no such module.
    pub fn infiniband(module: &str, prevents: &str) -> Self {
        Self::new(
            format!("a kernel with {module} (CONFIG_INFINIBAND and CONFIG_INFINIBAND_USER_ACCESS)"),
            prevents,
            "a distribution's own kernel has it, in some as a package of its own (linux-modules-extra); or in a VM: cargo xtask lab check",
        )
    }

    /// Registrations cannot be watched.
    pub fn watch(what: &str, way_out: &str) -> Self {
        Self::new(
            what,
            "registrations cannot be watched as they happen (umem watch)",
            way_out,
        )
    }

    /// No type information of the kernel.
    pub fn btf() -> Self {
        Self::new(
            "the kernel's type information (/sys/kernel/btf/vmlinux)",
            "BPF programs cannot read what the kernel built for a device (struct ib_umem)",
            "a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions have it",
        )
    }

    /// The kernel takes signed modules only, and ours is not loaded.
    pub fn signed_probe() -> Self {
        let probe = Self::probe();
        Self::new(
            format!("{}, and this kernel takes signed modules only", probe.what),
            probe.prevents,
            "cargo xtask lab vectors, which asks a kernel in a VM; or, on a test machine: sign umem_probe.ko with a key of your own (mokutil --import, kmodsign), or switch Secure Boot off. Frames and data are checked without it",
        )
    }

    /// The kernel has no transparent huge pages, or they are switched off.
    pub fn transparent_huge_pages(way_out: &str) -> Self {
        Self::new(
            "transparent huge pages",
            "buffers of them cannot be made",
            way_out,
        )
    }

    /// Huge pages of `size` bytes are unknown to this kernel or processor.
    pub fn huge_page_size(size: u64) -> Self {
        Self::new(
            format!("huge pages of {}", Bytes(size)),
            "buffers of huge pages of that size cannot be made",
            format!(
                "a processor and kernel that have them; those of 1G: hugepagesz={} on the kernel's command line, and pdpe1gb among the \
                 processor's flags",
                Bytes(size)
            ),
        )
    }

    /// No IOMMU is in use.
    pub fn any_iommu() -> Self {
        Self::new(
            "an IOMMU in use",
            "what one makes of a region cannot be seen on this machine",
            "in a VM: cargo xtask lab check --iommu intel; or, on a test machine: intel_iommu=on on the kernel's command line (AMD's is on where the \
             firmware has it on)",
        )
    }

    /// These IOMMUs are there, and Linux has put no device behind any.
    pub fn grouped_devices(units: &[String]) -> Self {
        Self::new(
            format!("a device behind the IOMMU ({})", units.join(", ")),
            "devices work on physical addresses, unless they cannot reach memory at all",
            "dmesg | grep -i iommu tells why; one reason is an IOMMU whose smallest page is larger than the kernel's, which Linux refuses \
             (virtio-iommu: its granule)",
        )
    }

    /// The kernel module that asks the kernel is not loaded.
    pub fn probe() -> Self {
        Self::new(
            "the kernel module umem_probe (/dev/umem-probe)",
            "this kernel cannot be asked what it makes of a layout",
            "cargo xtask lab vectors, which asks a kernel in a VM; or, on a test machine: make -C native-runner/probe && \
             modprobe ib_uverbs && insmod native-runner/probe/umem_probe.ko",
        )
    }

    /// The kernel module's device cannot be opened.
    pub fn probe_permission(error: &std::io::Error) -> Self {
        Self::new(
            format!("the right to open /dev/umem-probe (CAP_SYS_RAWIO): {error}"),
            "this kernel cannot be asked what it makes of a layout",
            "run it with sudo",
        )
    }

    /// The kernel module's ABI is not this program's.
    pub fn probe_version() -> Self {
        Self::new(
            "a kernel module umem_probe that is as old as this program",
            "this kernel cannot be asked what it makes of a layout",
            "build and load it again: rmmod umem_probe && make -C native-runner/probe && insmod native-runner/probe/umem_probe.ko",
        )
    }

    /// There is no IOMMU that translates for the probe's device.
    pub fn iommu() -> Self {
        Self::new(
            "a PCI device of the probe's behind an IOMMU that translates, or in a window of POWER's",
            "this kernel cannot be asked what it maps where",
            "cargo xtask lab vectors; or leave the kind out: --kinds best,sg",
        )
    }

    /// There is nothing to make dma-bufs of, or for.
    pub fn udmabuf() -> Self {
        Self::new(
            "/dev/udmabuf and a PCI device of the probe's",
            "this kernel cannot be asked about dma-bufs",
            "modprobe udmabuf (CONFIG_UDMABUF); or leave the kind out: --kinds best,sg",
        )
    }

    /// Fewer free huge pages of `size` bytes than buffers need; the machine `had` so many, free or not.
    pub fn huge_pages(size: u64, free: u64, wanted: u64, had: u64) -> Self {
        let file = format!(
            "/sys/kernel/mm/hugepages/hugepages-{}kB/nr_hugepages",
            size >> 10
        );
        let total = had + wanted.saturating_sub(free);
        Self::new(
            format!(
                "huge pages of {} ({free} free, {wanted} needed)",
                Bytes(size)
            ),
            "buffers of huge pages cannot be made",
            format!(
                "echo {total} > {file}, as root: {} more, taken from all other programs (to undo: echo {} > {file})",
                Bytes((total - had) * size),
                had
            ),
        )
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "missing: {}: {}.\n  way out: {}",
            self.what, self.prevents, self.way_out
        )
    }
}
