//! Whether registrations can be watched here.

use std::path::Path;

use rustix::fs::{Access, access};

use super::{Finding, Part};
use crate::{
    missing::Missing,
    sysfs::text,
    watch::{has_programs, tracefs},
};

/// Capabilities by their numbers (`linux/capability.h`).
const SYS_ADMIN: u64 = 1 << 21;
const SYSLOG: u64 = 1 << 34;
const PERFMON: u64 = 1 << 38;
const BPF: u64 = 1 << 39;

/// Whether `umem watch` can do its work, and what it cannot tell.
pub fn watch(root: &Path, lockdown: Option<&str>) -> Finding {
    Finding::of("watch", watchable(root, lockdown)).part(Part::Watch)
}

fn watchable(root: &Path, lockdown: Option<&str>) -> Result<String, Missing> {
    if !has_programs() {
        return Err(Missing::watch(
            "BPF programs for this processor",
            "watch on an x86-64 machine, or use umem capture --pid, which works on every processor",
        ));
    }
    if lockdown == Some("confidentiality") {
        return Err(Missing::watch(
            "a kernel that lets programs read it (lockdown is confidentiality)",
            "boot with lockdown=integrity, which Secure Boot asks for and which lets umem watch",
        ));
    }
    if !root.join("sys/kernel/btf/vmlinux").exists() {
        return Err(Missing::watch(
            "the kernel's type information (/sys/kernel/btf/vmlinux)",
            "a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions have it",
        ));
    }
    let Some(folder) = tracefs(root) else {
        return Err(Missing::watch(
            "tracefs (not mounted, or closed to this user)",
            "run it with sudo; where it is not mounted: mount -t tracefs tracefs /sys/kernel/tracing",
        ));
    };
    let held = capabilities(root);
    let may_load = held & SYS_ADMIN != 0 || held & (BPF | PERFMON) == BPF | PERFMON;
    if !may_load {
        return Err(Missing::watch(
            "the right to load BPF programs (CAP_SYS_ADMIN, or CAP_BPF with CAP_PERFMON)",
            "run it with sudo",
        ));
    }
    if access(folder.join("kprobe_events"), Access::WRITE_OK).is_err() {
        return Err(Missing::watch(
            "the right to set probes (write access to tracefs' kprobe_events)",
            "run it with sudo, or give the group that runs it that file",
        ));
    }
    // Debian's kernels know 3: performance events are for CAP_SYS_ADMIN alone.
    let paranoid = text(root.join("proc/sys/kernel/perf_event_paranoid"));
    let paranoid: i64 = paranoid.and_then(|level| level.parse().ok()).unwrap_or(0);
    if held & SYS_ADMIN == 0 && paranoid > 2 {
        return Err(Missing::watch(
            "the right to set probes (kernel.perf_event_paranoid is 3)",
            "run it with sudo, or: sysctl kernel.perf_event_paranoid=2",
        ));
    }
    let loaded = |module: &str| root.join("sys/module").join(module).exists();
    let waits = match loaded("ib_uverbs") || loaded("ib_core") {
        true => "every registration can be watched",
        false => "every registration can be watched once the RDMA modules are loaded",
    };
    // Root without CAP_SYSLOG, or kernel.kptr_restrict=2: names without addresses.
    let hidden = held & SYSLOG == 0
        || text(root.join("proc/sys/kernel/kptr_restrict")).as_deref() == Some("2");
    Ok(match hidden {
        true => format!(
            "{waits}, but the kernel hides addresses (CAP_SYSLOG, kernel.kptr_restrict): without frame numbers and callers"
        ),
        false => waits.to_owned(),
    })
}

/// The effective capabilities of this process, a bit each.
fn capabilities(root: &Path) -> u64 {
    let status = text(root.join("proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    const BTF: (&str, &str) = ("sys/kernel/btf/vmlinux", "x");
    const TRACEFS: (&str, &str) = ("sys/kernel/tracing/kprobe_events", "");
    const ROOT: (&str, &str) = (
        "proc/self/status",
        "Name:\tumem\nCapEff:\t000001ffffffffff\n",
    );
    const MODULE: (&str, &str) = ("sys/module/ib_uverbs/refcnt", "1\n");

    fn found(files: &[(&str, &str)], lockdown: Option<&str>) -> Result<String, String> {
        let folder = Folder::new(files);
        watchable(folder.path(), lockdown).map_err(|missing| missing.to_string())
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn each_lack_is_told_from_the_others() {
        let all = [BTF, TRACEFS, ROOT, MODULE];
        let whole = Ok("every registration can be watched".to_owned());
        assert_eq!(found(&all, None), whole);
        // What Secure Boot brings.
        assert_eq!(found(&all, Some("integrity")), whole);
        let lacks = |files: &[(&str, &str)], lockdown, words: &str| {
            let error = found(files, lockdown).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        lacks(&all, Some("confidentiality"), "lockdown");
        lacks(&[TRACEFS, ROOT, MODULE], None, "CONFIG_DEBUG_INFO_BTF");
        lacks(&[BTF, ROOT, MODULE], None, "mount -t tracefs");
        lacks(&[BTF, TRACEFS, MODULE], None, "CAP_SYS_ADMIN");
        // CAP_BPF alone.
        let bpf = ("proc/self/status", "CapEff:\t0000008000000000\n");
        lacks(&[BTF, TRACEFS, bpf, MODULE], None, "CAP_PERFMON");
        // Both, on Debian.
        let both = ("proc/self/status", "CapEff:\t000000c000000000\n");
        let paranoid = ("proc/sys/kernel/perf_event_paranoid", "3\n");
        lacks(
            &[BTF, TRACEFS, both, MODULE, paranoid],
            None,
            "perf_event_paranoid=2",
        );
        assert!(found(&[BTF, TRACEFS, both, MODULE], None).is_ok());
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn what_would_be_missing_from_the_lines_is_said() {
        let later = found(&[BTF, TRACEFS, ROOT], None).unwrap();
        assert!(later.contains("once the RDMA modules"), "{later}");
        // CAP_SYS_ADMIN alone.
        let admin = ("proc/self/status", "CapEff:\t0000000000200000\n");
        let hidden = found(&[BTF, TRACEFS, admin, MODULE], None).unwrap();
        assert!(hidden.contains("without frame numbers"), "{hidden}");
        let restricted = ("proc/sys/kernel/kptr_restrict", "2\n");
        let hidden = found(&[BTF, TRACEFS, ROOT, MODULE, restricted], None).unwrap();
        assert!(hidden.contains("kptr_restrict"), "{hidden}");
    }
}
