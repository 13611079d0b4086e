//! What holds for one process, this or another: its limit on pinned memory, its control groups, its namespaces.

use std::{
    fmt, fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
};
use umem_core::size::Bytes;

use super::{Finding, group::Group};
use crate::{buffer, missing::Missing, sysfs::text};

/// What a check pins, in bytes: a buffer, and a sink with room around it.
const PINNED: u64 = 3 * buffer::LENGTH as u64;

/// A process that is looked at.
#[derive(Debug)]
pub struct Subject {
    /// Its number, unless it is this very process.
    pid: Option<u32>,
    /// Its folder in /proc.
    folder: PathBuf,
    /// Holds the folder: should the process end and its number be given to another, nothing is there any more.
    _held: Option<OwnedFd>,
}

/// There is no such process.
#[derive(Debug)]
pub struct NoProcess {
    pid: u32,
    why: io::Error,
}

impl fmt::Display for NoProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, why } = self;
        match Errno::from_io_error(why) {
            Some(Errno::NOENT) => write!(f, "--pid {pid}: there is no such process"),
            _ => write!(f, "--pid {pid}: /proc/{pid} cannot be opened: {why}"),
        }
    }
}

impl std::error::Error for NoProcess {}

impl Subject {
    /// This process.
    pub fn own() -> Self {
        Self {
            pid: None,
            folder: PathBuf::from("/proc/self"),
            _held: None,
        }
    }

    /// The process `pid`.
    pub fn other(pid: u32) -> Result<Self, NoProcess> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let held =
            open(format!("/proc/{pid}"), flags, Mode::empty()).map_err(|errno| NoProcess {
                pid,
                why: errno.into(),
            })?;
        Ok(Self {
            pid: Some(pid),
            folder: PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd())),
            _held: Some(held),
        })
    }

    /// Everything there is to report about it; the machine has its `/` at `root`.
    pub fn findings(&self, root: &Path) -> Vec<Finding> {
        let mut findings = vec![self.memlock()];
        findings.extend(self.groups(root));
        findings.extend(self.namespaces());
        findings
    }

    /// How much memory it may pin.
    fn memlock(&self) -> Finding {
        let status = text(self.folder.join("status")).unwrap_or_default();
        let limits = text(self.folder.join("limits")).unwrap_or_default();
        let found = match memlock_limit(&limits) {
            None => Err(self.unreadable()),
            Some(limit) => self.room(limit, pinned(&status), self.may_pass(&status)),
        };
        Finding::of("memlock", found)
    }

    fn room(
        &self,
        limit: Option<u64>,
        pinned: u64,
        may_pass: Option<bool>,
    ) -> Result<String, Missing> {
        let Some(limit) = limit else {
            return Ok("unlimited".to_owned());
        };
        let so_far = match pinned {
            0 => String::new(),
            pinned => format!(", {} of it pinned already", Bytes(pinned)),
        };
        let left = limit.saturating_sub(pinned);
        match (may_pass, left >= PINNED, self.pid) {
            (Some(true), ..) => Ok(format!(
                "{}, which CAP_IPC_LOCK may pass{so_far}",
                Bytes(limit)
            )),
            (None, false, _) => Ok(format!(
                "{}{so_far}; it has CAP_IPC_LOCK, which counts unless it is in a user namespace of its own: root can see that",
                Bytes(limit)
            )),
            (_, true, None) => Ok(format!(
                "{}{so_far}; a check pins {}",
                Bytes(limit),
                Bytes(PINNED)
            )),
            (_, true, Some(_)) => Ok(format!(
                "{}{so_far}; what it registers beyond that is refused (ENOMEM)",
                Bytes(limit)
            )),
            (_, false, None) => Err(Missing::memlock(left, PINNED)),
            (_, false, Some(pid)) => Err(Missing::memlock_of(pid, limit, pinned)),
        }
    }

    /// Whether ib_umem_get() lets it pass the limit: it asks for the capability in the first user namespace, so root of a
    /// container with a namespace of its own has none that counts.
    ///
    /// `None`: it has one, and its namespace is not shown to us.
    fn may_pass(&self, status: &str) -> Option<bool> {
        /// `CAP_IPC_LOCK`.
        const IPC_LOCK: u32 = 14;
        /// `PROC_USER_INIT_INO`, which never changes.
        const FIRST: &str = "user:[4026531837]";
        let effective = field(status, "CapEff:").and_then(|set| u64::from_str_radix(set, 16).ok());
        let has_it = effective.is_some_and(|set| set >> IPC_LOCK & 1 == 1);
        match has_it {
            true => Some(self.namespace("user")? == FIRST),
            false => Some(false),
        }
    }

    /// What its control groups allow, where they limit anything.
    fn groups(&self, root: &Path) -> Vec<Finding> {
        let listed = text(self.folder.join("cgroup")).unwrap_or_default();
        let mut findings = vec![match Group::of("memory", &listed, root) {
            Err(why) => Finding::ok("memory cgroup", why),
            Ok(group) => Finding::of("memory cgroup", self.memory(&group)),
        }];
        for (size, needed) in buffer::HUGE_PAGES {
            let Ok(group) = Group::of("hugetlb", &listed, root) else {
                continue;
            };
            if let Some(limit) = group.huge_pages(size) {
                let name = format!("hugetlb cgroup, {}", Bytes(size));
                let found = match self.pid.is_some() || limit.bytes >= size * needed {
                    true => Ok(format!("up to {}, by {}", Bytes(limit.bytes), limit.group)),
                    false => Err(Missing::group_limit(
                        "huge pages",
                        limit.bytes,
                        size * needed,
                        &limit.group,
                    )),
                };
                findings.push(Finding::of(name, found));
            }
        }
        findings
    }

    fn memory(&self, group: &Group) -> Result<String, Missing> {
        let Some(limit) = group.memory() else {
            return Ok("no limit".to_owned());
        };
        if limit.bytes < PINNED {
            return Err(Missing::group_limit(
                "memory",
                limit.bytes,
                PINNED,
                &limit.group,
            ));
        }
        let used = match group.used(&limit) {
            Some(used) => format!(", {} of it used", Bytes(used)),
            None => String::new(),
        };
        Ok(format!(
            "{}{used}, by {}: pinned memory counts, and a process that needs more is killed, without an errno",
            Bytes(limit.bytes),
            limit.group
        ))
    }

    /// Which namespaces another process has of its own.
    fn namespaces(&self) -> Option<Finding> {
        let pid = self.pid?;
        let here = Self::own();
        let mut own = Vec::new();
        for kind in ["user", "net", "mnt", "pid"] {
            match (self.namespace(kind), here.namespace(kind)) {
                (Some(its), Some(ours)) if its == ours => {}
                (Some(_), Some(_)) => own.push(kind),
                _ => {
                    let missing = Missing::namespaces(pid);
                    return Some(Finding::lacking("namespaces", missing));
                }
            }
        }
        let words = match own.as_slice() {
            [] => "those of this program".to_owned(),
            own if own.contains(&"net") => format!(
                "of its own: {}. The RDMA devices and ports named here are those of this program's network, which it may not see",
                own.join(", ")
            ),
            own => format!("of its own: {}", own.join(", ")),
        };
        Some(Finding::ok("namespaces", words))
    }

    /// `net:[4026531840]`; `None` where we may not look.
    fn namespace(&self, kind: &str) -> Option<String> {
        let link = fs::read_link(self.folder.join("ns").join(kind)).ok()?;
        Some(link.to_string_lossy().into_owned())
    }

    fn unreadable(&self) -> Missing {
        match self.pid {
            Some(pid) => Missing::process_permission(pid),
            None => Missing::proc_file("/proc/self/limits"),
        }
    }
}

/// The soft limit: bytes, or `None` for "unlimited"; the outer `None` where the file does not say.
///
/// `Max locked memory         8388608              8388608              bytes`
fn memlock_limit(limits: &str) -> Option<Option<u64>> {
    let soft = field(limits, "Max locked memory")?;
    match soft {
        "unlimited" => Some(None),
        bytes => bytes.parse().ok().map(Some),
    }
}

/// How many bytes are pinned: `VmPin:       16 kB`.
fn pinned(status: &str) -> u64 {
    let kilobytes = field(status, "VmPin:").and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1 << 10)
}

/// The first word after `name`, at the beginning of a line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::State, sysfs::Folder};

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 1048576              files
Max locked memory         65536                8388608              bytes
";
    const FIRST: &str = "-> user:[4026531837]";

    fn process(files: &[(&str, &str)]) -> (Folder, Subject) {
        let folder = Folder::new(files);
        let subject = Subject {
            pid: Some(7),
            folder: folder.path().join("proc"),
            _held: None,
        };
        (folder, subject)
    }

    fn memlock(capabilities: &str, namespace: &str, limits: &str) -> Finding {
        let status = format!("Name:\tx\nVmPin:\t      16 kB\nCapEff:\t{capabilities}\n");
        let (_folder, subject) = process(&[
            ("proc/limits", limits),
            ("proc/status", &status),
            ("proc/ns/user", namespace),
        ]);
        subject.memlock()
    }

    #[test]
    fn the_limit_is_that_of_the_process() {
        let none = "0000000000000000";
        match memlock(none, FIRST, LIMITS).state {
            State::Lacking(missing) => {
                assert!(
                    missing.what.contains("limit 64K, 16K of it pinned"),
                    "{missing}"
                );
                assert!(missing.way_out.contains("prlimit --pid 7"), "{missing}");
            }
            other => panic!("{other:?}"),
        }
        let unlimited = LIMITS.replace("65536  ", "unlimited");
        assert!(memlock(none, FIRST, &unlimited).is_ok());
        let large = LIMITS.replace("65536   ", "99999999");
        assert!(memlock(none, FIRST, &large).is_ok());
        assert!(!memlock(none, FIRST, "").is_ok());
    }

    /// Measured: root in a user namespace of its own is refused as one without the capability is.
    #[test]
    fn a_capability_counts_in_the_first_namespace_alone() {
        let lock = "0000000000004000";
        assert!(memlock(lock, FIRST, LIMITS).is_ok());
        assert!(!memlock(lock, "-> user:[4026532301]", LIMITS).is_ok());
        assert!(!memlock("ffffffffffffbfff", FIRST, LIMITS).is_ok());
        let hidden = memlock(lock, "not a link", LIMITS);
        assert!(format!("{hidden:?}").contains("unless"), "{hidden:?}");
    }

    #[test]
    fn its_control_group_limits_it() {
        let (folder, subject) = process(&[
            ("proc/cgroup", "0::/jobs/one\n"),
            ("sys/fs/cgroup/cgroup.controllers", "memory hugetlb\n"),
            ("sys/fs/cgroup/jobs/memory.max", "67108864\n"),
            ("sys/fs/cgroup/jobs/memory.current", "4096\n"),
            ("sys/fs/cgroup/jobs/one/memory.max", "max\n"),
            ("sys/fs/cgroup/jobs/one/hugetlb.2MB.max", "2097152\n"),
        ]);
        let findings = subject.groups(folder.path());
        let words = format!("{findings:?}");
        assert!(words.contains("64M, 4K of it used, by /jobs:"), "{words}");
        assert!(words.contains("up to 2M, by /jobs/one"), "{words}");
        assert_eq!(
            findings.len(),
            2,
            "nothing is said of 1G, which has no limit"
        );
    }

    #[test]
    fn a_group_that_holds_no_check_lacks_room() {
        let (folder, subject) = process(&[
            ("proc/cgroup", "0::/small\n"),
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/small/memory.max", "1048576\n"),
        ]);
        assert!(!subject.groups(folder.path())[0].is_ok());
    }

    #[test]
    fn another_process_is_found_and_one_that_is_not_there_is_named() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let subject = Subject::other(child.id()).unwrap();
        let findings = subject.findings(Path::new("/"));
        let names: Vec<_> = findings
            .iter()
            .map(|finding| finding.name.as_str())
            .collect();
        assert!(
            names.contains(&"memlock") && names.contains(&"namespaces"),
            "{names:?}"
        );
        assert_eq!(
            text(subject.folder.join("comm")).as_deref(),
            Some("sleep"),
            "it is the child that is looked at"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!subject.memlock().is_ok(), "it has ended");
        // Beyond the largest process number that Linux has.
        let error = Subject::other(4_194_305).unwrap_err().to_string();
        assert_eq!(error, "--pid 4194305: there is no such process");
    }
}
