//! Control groups, of either version: what the tightest of a group and those around it allows.

use std::path::{Path, PathBuf};

use umem_core::size::Bytes;

use crate::sysfs::text;

/// A control group with those around it, as one controller has them.
#[derive(Debug)]
pub struct Group {
    /// Where the controller's groups lie.
    mount: PathBuf,
    /// The group's path below, from the root of what we see: its parts.
    parts: Vec<String>,
    /// Version 1, where the files have other names.
    is_old: bool,
}

/// The tightest limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limit {
    /// In bytes.
    pub bytes: u64,
    /// The group that sets it: "/system.slice". Fit to be printed.
    pub group: String,
    depth: usize,
}

/// What the first version has instead of no limit: the largest multiple of a page, less than 2^63.
const OLD_UNLIMITED: u64 = 1 << 62;

impl Group {
    /// The group of `controller` that a process is in, from its `/proc/PID/cgroup` (`listed`) and the machine's `/` (`root`).
    ///
    /// # Errors
    /// Nothing limits the process, or its group is not visible from here; in words.
    pub fn of(controller: &str, listed: &str, root: &Path) -> Result<Self, String> {
        // "4:memory:/a/b" is of the first version, "0::/a/b" of the second.
        let lines = listed.lines().filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            rest.split_once(':')
        });
        let old = lines
            .clone()
            .find(|(names, _)| names.split(',').any(|name| name == controller));
        let new = lines.clone().find(|(names, _)| names.is_empty());
        let folder = root.join("sys/fs/cgroup");
        let (mount, path, is_old) = match (old, new) {
            (Some((_, path)), _) => (folder.join(controller), path, true),
            (None, Some((_, path))) if folder.join("cgroup.controllers").exists() => {
                (folder, path, false)
            }
            (None, Some((_, path))) => (folder.join("unified"), path, false),
            (None, None) => return Err("no control group".to_owned()),
        };
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        // A group above the root of our own namespace of groups.
        if parts.iter().any(|part| part == "..") {
            return Err(
                "not visible: its control group lies outside of those that are shown here"
                    .to_owned(),
            );
        }
        Ok(Self {
            mount,
            parts,
            is_old,
        })
    }

    /// How much memory it may use; `None`: as much as there is.
    pub fn memory(&self) -> Option<Limit> {
        self.tightest(match self.is_old {
            true => "memory.limit_in_bytes",
            false => "memory.max",
        })
    }

    /// How much memory the group that sets `limit` uses.
    pub fn used(&self, limit: &Limit) -> Option<u64> {
        let file = match self.is_old {
            true => "memory.usage_in_bytes",
            false => "memory.current",
        };
        text(self.folder(limit.depth).join(file))?.parse().ok()
    }

    /// How many bytes of huge pages of `size` it may use; `None`: as many as there are.
    pub fn huge_pages(&self, size: u64) -> Option<Limit> {
        let limit = match self.is_old {
            true => "limit_in_bytes",
            false => "max",
        };
        // "2MB", "1GB".
        self.tightest(&format!("hugetlb.{}B.{limit}", Bytes(size)))
    }

    fn folder(&self, depth: usize) -> PathBuf {
        self.parts[..depth]
            .iter()
            .fold(self.mount.clone(), |folder, part| folder.join(part))
    }

    /// The lowest of what the group and those around it have in their `file`.
    fn tightest(&self, file: &str) -> Option<Limit> {
        let limits = (0..=self.parts.len()).filter_map(|depth| {
            let bytes = text(self.folder(depth).join(file))?.parse().ok()?;
            Some((bytes, depth))
        });
        let (bytes, depth) = limits
            .filter(|(bytes, _)| *bytes < OLD_UNLIMITED)
            .min_by_key(|(bytes, _)| *bytes)?;
        // Whoever made the group chose its name.
        let group = format!("/{}", self.parts[..depth].join("/"));
        Some(Limit {
            bytes,
            group: group.escape_debug().to_string(),
            depth,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    #[test]
    fn the_tightest_group_counts() {
        let folder = Folder::new(&[
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/a/memory.max", "1000\n"),
            ("sys/fs/cgroup/a/memory.current", "10\n"),
            ("sys/fs/cgroup/a/b/memory.max", "2000\n"),
            ("sys/fs/cgroup/a/b/c/memory.max", "max\n"),
        ]);
        let group = Group::of("memory", "0::/a/b/c\n", folder.path()).unwrap();
        let limit = group.memory().unwrap();
        assert_eq!((limit.bytes, limit.group.as_str()), (1000, "/a"));
        assert_eq!(group.used(&limit), Some(10));
        assert_eq!(group.huge_pages(2 << 20), None);
        let root = Group::of("memory", "0::/\n", folder.path()).unwrap();
        assert_eq!(root.memory(), None);
    }

    #[test]
    fn groups_of_the_first_version_are_read_where_they_are() {
        let folder = Folder::new(&[
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "4096\n"),
            (
                "sys/fs/cgroup/hugetlb/hugetlb.1GB.limit_in_bytes",
                "1073741824\n",
            ),
        ]);
        let listed = "5:cpu,memory:/x\n4:hugetlb:/\n0::/user\n";
        let memory = Group::of("memory", listed, folder.path()).unwrap();
        assert_eq!(memory.memory().map(|limit| limit.bytes), Some(4096));
        let huge = Group::of("hugetlb", listed, folder.path()).unwrap();
        assert_eq!(
            huge.huge_pages(1 << 30).map(|limit| limit.bytes),
            Some(1 << 30)
        );
        assert_eq!(huge.huge_pages(2 << 20), None);
    }

    #[test]
    fn what_cannot_be_seen_or_printed_is_neither() {
        let folder = Folder::new(&[
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/\x1b[31m/memory.max", "1000\n"),
        ]);
        let of = |listed| Group::of("memory", listed, folder.path());
        let limit = of("0::/\x1b[31m\n").unwrap().memory().unwrap();
        assert_eq!(limit.group, "/\\u{1b}[31m");
        assert!(of("0::/../../host\n").is_err());
        assert!(of("").is_err());
    }
}
