//! Memory: which pages can be had, and whether they can be found.

use std::path::Path;

use umem_core::size::Bytes;

use super::{Finding, Part};
use crate::{
    buffer,
    frames::{Frames, FramesError},
    mapping::Mapping,
    missing::Missing,
    sysfs::text,
};

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
            false => Err(Missing::huge_pages(size, free, wanted, total)),
        };
        Finding::of(name, found)
    };
    buffer::HUGE_PAGES.iter().map(finding).collect()
}

/// Whether programs get transparent huge pages, at least where they ask.
pub fn transparent(root: &Path) -> Finding {
    let modes = text(root.join("sys/kernel/mm/transparent_hugepage/enabled"));
    let found = match modes.as_deref() {
        None => Err(Missing::transparent_huge_pages(
            "a kernel with CONFIG_TRANSPARENT_HUGEPAGE=y",
        )),
        Some(modes) if modes.contains("[never]") => Err(Missing::transparent_huge_pages(
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, as root: it affects every program on this machine that asks for them (to undo: \
             echo never > the same file)",
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
                assert!(missing.what.contains("1 free, 8 needed"), "{missing}");
                assert!(missing.way_out.starts_with("echo 17 > "), "{missing}");
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
