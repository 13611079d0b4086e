//! Memory: how much may be pinned, which pages can be had, and whether they can be found.

use std::path::Path;

use rustix::{
    process::{Resource, getrlimit},
    thread::{CapabilitySet, capabilities},
};
use umem_core::size::Bytes;

use super::{Finding, Part};
use crate::{
    buffer,
    frames::{Frames, FramesError},
    mapping::Mapping,
    missing::Missing,
    sysfs::text,
};

/// What a check pins, in bytes: a buffer, and a sink with room around it.
const PINNED: u64 = 3 * buffer::LENGTH as u64;

/// How much memory may be pinned.
pub fn memlock() -> Finding {
    let limit = getrlimit(Resource::Memlock).current;
    // ib_umem_get() asks for this capability where the limit is passed [linux 7.2].
    let free =
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    Finding::of("memlock", room(limit, free))
}

fn room(limit: Option<u64>, free: bool) -> Result<String, Missing> {
    match limit {
        None => Ok("unlimited".to_owned()),
        Some(limit) if free => Ok(format!("{}, which CAP_IPC_LOCK may pass", Bytes(limit))),
        Some(limit) if limit >= PINNED => Ok(format!(
            "{}, of which a check pins {}",
            Bytes(limit),
            Bytes(PINNED)
        )),
        Some(limit) => Err(Missing::memlock(limit, PINNED)),
    }
}

/// Whether this process is shown frame numbers.
pub fn frames() -> Finding {
    let page = rustix::param::page_size();
    let found = Mapping::anonymous(page, page)
        .map_err(FramesError::Unreadable)
        .and_then(|page| {
            page.touch();
            Frames::read(&page)
        });
    let found = match found {
        Ok(_) => Ok("/proc/PID/pagemap shows them".to_owned()),
        Err(FramesError::Hidden) => Err(Missing::frame_permission()),
        Err(error) => Err(Missing::pagemap(error)),
    };
    Finding::of("frame numbers", found).part(Part::Frames)
}

/// The huge pages that buffers are made of, and how many of them a check needs.
const HUGE: &[(u64, u64)] = &[(2 << 20, 2), (1 << 30, 1)];

/// Whether there are free ones.
pub fn huge_pages(root: &Path) -> Vec<Finding> {
    let finding = |&(size, wanted): &(u64, u64)| {
        let folder = root.join(format!(
            "sys/kernel/mm/hugepages/hugepages-{}kB",
            size >> 10
        ));
        let read = |file| text(folder.join(file)).and_then(|number| number.parse::<u64>().ok());
        let name = format!("huge pages of {}", Bytes(size));
        let (Some(free), Some(total)) = (read("free_hugepages"), read("nr_hugepages")) else {
            return Finding::lacking(name, Missing::huge_page_size(size));
        };
        let free = free.saturating_sub(read("resv_hugepages").unwrap_or(0));
        let found = match free >= wanted {
            true => Ok(format!("{free} free of {total}")),
            false => Err(Missing::huge_pages(
                size,
                free,
                wanted,
                total + wanted - free,
            )),
        };
        Finding::of(name, found)
    };
    HUGE.iter().map(finding).collect()
}

/// Whether programs get transparent huge pages, at least where they ask.
pub fn transparent(root: &Path) -> Finding {
    let modes = text(root.join("sys/kernel/mm/transparent_hugepage/enabled"));
    let found = match modes.as_deref() {
        None => Err(Missing::transparent_huge_pages(
            "a kernel with CONFIG_TRANSPARENT_HUGEPAGE=y",
        )),
        Some(modes) if modes.contains("[never]") => Err(Missing::transparent_huge_pages(
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        )),
        Some(modes) if modes.contains("[always]") => Ok("always".to_owned()),
        Some(_) => Ok("where a program asks for them (madvise)".to_owned()),
    };
    Finding::of("transparent huge pages", found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::State, sysfs::Folder};

    #[test]
    fn a_low_limit_is_no_lack_for_who_may_pass_it() {
        assert!(room(Some(65536), false).is_err());
        assert!(room(Some(65536), true).is_ok());
        assert!(room(Some(PINNED), false).is_ok());
        assert!(room(None, false).is_ok());
    }

    #[test]
    fn huge_pages_are_counted_without_the_reserved() {
        let two = "sys/kernel/mm/hugepages/hugepages-2048kB";
        let files = [
            ("free_hugepages", "3\n"),
            ("resv_hugepages", "2\n"),
            ("nr_hugepages", "10\n"),
        ];
        let paths: Vec<String> = files
            .iter()
            .map(|(file, _)| format!("{two}/{file}"))
            .collect();
        let files: Vec<(&str, &str)> = paths
            .iter()
            .zip(files)
            .map(|(path, (_, text))| (path.as_str(), text))
            .collect();
        let findings = huge_pages(Folder::new(&files).path());
        match &findings[0].state {
            State::Lacking(missing) => {
                assert!(missing.what.contains("1 free, 2 needed"), "{missing}");
                assert!(missing.way_out.starts_with("echo 11 > "), "{missing}");
            }
            other => panic!("{other:?}"),
        }
        assert!(!findings[1].is_ok(), "this kernel has none of 1G");
    }

    #[test]
    fn transparent_pages_may_be_off() {
        let of = |mode: &str| {
            let file = ("sys/kernel/mm/transparent_hugepage/enabled", mode);
            transparent(Folder::new(&[file]).path())
        };
        assert!(of("always [madvise] never\n").is_ok() && of("[always] madvise never\n").is_ok());
        assert!(!of("always madvise [never]\n").is_ok());
        assert!(!transparent(Folder::new(&[]).path()).is_ok());
    }
}
