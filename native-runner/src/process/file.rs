//! What kind of file a mapping is of, as far as pinning cares.

use std::os::fd::AsFd;

use rustix::fs::{FileType, FsWord, fstat, fstatfs};

/// The kind of a mapped file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MappedFile {
    /// Of tmpfs (memfd and shared anonymous memory among them) or hugetlbfs: its pages are memory.
    InMemory,
    /// Of `memfd_secret()`.
    Secret,
    /// A device; `pinnable` if its mapping has pages.
    Device {
        /// Neither `VM_PFNMAP` nor `VM_IO`.
        pinnable: bool,
    },
    /// Of any other file system: its pages are a cache.
    OnDisk,
}

/// magic.h [linux 7.2].
const TMPFS_MAGIC: FsWord = 0x0102_1994;
const HUGETLBFS_MAGIC: FsWord = 0x9584_58f6;
const SECRETMEM_MAGIC: FsWord = 0x5345_434d;

impl MappedFile {
    /// Of `file`, opened with `O_PATH`; `has_no_pages` tells of a device's mapping whether it is memory without pages.
    pub(super) fn of(file: impl AsFd, has_no_pages: impl FnOnce() -> bool) -> Option<Self> {
        // Devices first: their nodes are files of a tmpfs.
        let kind = FileType::from_raw_mode(fstat(&file).ok()?.st_mode);
        if kind != FileType::RegularFile {
            return Some(Self::Device {
                pinnable: !has_no_pages(),
            });
        }
        Some(match fstatfs(&file).ok()?.f_type {
            TMPFS_MAGIC | HUGETLBFS_MAGIC => Self::InMemory,
            SECRETMEM_MAGIC => Self::Secret,
            _ => Self::OnDisk,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn kinds_of_files_are_told_apart() {
        let of = |file: File, no_pages: bool| MappedFile::of(file, || no_pages);
        let memory = rustix::fs::memfd_create("kind", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        assert_eq!(of(memory.into(), false), Some(MappedFile::InMemory));
        let program = File::open("/proc/self/exe").unwrap();
        assert_eq!(of(program, true), Some(MappedFile::OnDisk));
        let device = || File::open("/dev/null").unwrap();
        for no_pages in [false, true] {
            let expected = MappedFile::Device {
                pinnable: !no_pages,
            };
            assert_eq!(of(device(), no_pages), Some(expected));
        }
    }
}
