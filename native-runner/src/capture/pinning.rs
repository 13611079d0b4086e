//! What `pin_user_pages_fast(FOLL_LONGTERM | FOLL_WRITE)` refuses, mapping by mapping: a registration for local writes.

use umem_core::capture::RefusedPages;

use crate::process::{Area, MappedFile};

/// The release of Linux since which a writable shared mapping of a file cannot be pinned for long
/// (`writable_file_mapping_allowed()`).
const NO_SHARED_FILES: (u32, u32) = (6, 5);

/// Why the pages of a mapping cannot be registered; `None` where nothing speaks against it.
///
/// `release` is what `uname -r` prints: what cannot be read as a version counts as new.
pub fn refusal(area: &Area, file: Option<MappedFile>, release: &str) -> Option<&'static str> {
    let rights = area.rights;
    if !rights.write {
        return Some(
            "it is not mapped writable (PROT_WRITE), so only a registration without local writes can pin it",
        );
    }
    match file {
        Some(MappedFile::Secret) => Some("memfd_secret() memory is never pinned"),
        Some(MappedFile::Device { pinnable: false }) => {
            Some("it is a device's memory without pages (VM_PFNMAP or VM_IO)")
        }
        Some(MappedFile::OnDisk) if rights.shared && version(release) >= NO_SHARED_FILES => Some(
            "since Linux 6.5 writable MAP_SHARED mappings of files cannot be pinned for long, except tmpfs and hugetlbfs",
        ),
        _ => None,
    }
}

/// The pages of `refused` areas, together: how many bytes each has in what is captured, and why.
pub fn together<'a>(
    refused: impl Iterator<Item = (u64, &'a Area, &'static str)>,
    page: u64,
    scrubbed: bool,
) -> Option<RefusedPages> {
    let mut found: Option<RefusedPages> = None;
    for (bytes, area, why) in refused {
        let refused = found.get_or_insert_with(|| RefusedPages {
            pages: 0,
            errno: "EFAULT".into(),
            text: match area.name.as_str() {
                name if !scrubbed && !name.is_empty() => format!("of {name}, {why}"),
                _ => why.into(),
            },
        });
        refused.pages += bytes / page;
    }
    found
}

fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor),
        _ => (u32::MAX, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(rights: &str, file: Option<MappedFile>, release: &str) -> Option<&'static str> {
        let line = format!("1000-2000 {rights} 0 0:0 0 /x\n");
        refusal(&Area::parse(&line)[0], file, release)
    }

    /// The rows of gate-facts' table, for LOCAL_WRITE.
    #[test]
    fn what_the_kernels_refused_is_refused() {
        let (disk, memory) = (Some(MappedFile::OnDisk), Some(MappedFile::InMemory));
        for (rights, file, old, new) in [
            ("rw-p", None, false, false),
            ("rw-p", disk, false, false),
            ("rw-s", disk, false, true),
            ("rw-s", memory, false, false),
            ("r--p", None, true, true),
            ("r--p", disk, true, true),
            ("r--s", memory, true, true),
            ("-w-p", None, false, false),
            ("---p", None, true, true),
            ("rw-s", Some(MappedFile::Secret), true, true),
            (
                "rw-s",
                Some(MappedFile::Device { pinnable: false }),
                true,
                true,
            ),
            (
                "rw-s",
                Some(MappedFile::Device { pinnable: true }),
                false,
                false,
            ),
        ] {
            let refused = |release| why(rights, file, release).is_some();
            assert_eq!(refused("6.1.0-50-amd64"), old, "{rights} {file:?}");
            assert_eq!(refused("6.12.95"), new, "{rights} {file:?}");
            assert_eq!(refused("7.3.4"), new, "{rights} {file:?}");
        }
        assert_eq!(version("6.5.0-rc1"), (6, 5));
        assert_eq!(version("6.4"), (6, 4));
        assert!(version("next") > NO_SHARED_FILES);
    }
}
