//! `/proc/PID/smaps`: what the mappings are.

use super::error::ImportError;
use crate::scenario::{Backing, Protection};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// A mapping. Lengths are in bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Mapping {
    pub(super) start: u64,
    pub(super) end: u64,
    /// "rw-s".
    pub(super) rights: String,
    pub(super) path: String,
    /// What the processor maps it in: above the kernel's page it is hugetlbfs.
    pub(super) page: Option<u64>,
    pub(super) transparent: u64,
    flags: String,
}

/// Takes a line, if it belongs to smaps or maps.
pub(super) fn take(
    mappings: &mut Vec<Mapping>,
    number: usize,
    line: &str,
) -> Result<bool, ImportError> {
    if let Some(mapping) = heading(line) {
        if mapping.end <= mapping.start {
            return Err(ImportError::Line {
                line: number,
                text: format!(
                    "the mapping {:#x}-{:#x} ends before it begins",
                    mapping.start, mapping.end
                ),
            });
        }
        mappings.push(mapping);
        return Ok(true);
    }
    let (Some(mapping), Some((key, value))) = (mappings.last_mut(), line.split_once(':')) else {
        return Ok(false);
    };
    let kilobytes = || {
        let number = value
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()?;
        number.checked_mul(1024)
    };
    match key {
        "KernelPageSize" => mapping.page = kilobytes(),
        "AnonHugePages" | "ShmemPmdMapped" | "FilePmdMapped" => {
            mapping.transparent = mapping.transparent.saturating_add(kilobytes().unwrap_or(0));
        }
        "VmFlags" => mapping.flags = value.trim().to_owned(),
        _ if kilobytes().is_some() => {}
        "THPeligible" | "ProtectionKey" => {}
        _ => return Ok(false),
    }
    Ok(true)
}

/// "7f00a0000000-7f00e0000000 rw-s 00000000 00:0f 4711   /dev/hugepages/pool".
fn heading(line: &str) -> Option<Mapping> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text: &str| u64::from_str_radix(text, 16).ok();
    let mut words = rest.split_whitespace();
    let rights = words.next()?;
    let of_rights = |(index, letter): (usize, char)| match index {
        0 => letter == 'r' || letter == '-',
        1 => letter == 'w' || letter == '-',
        2 => letter == 'x' || letter == '-',
        _ => letter == 's' || letter == 'p',
    };
    if rights.len() != 4 || !rights.chars().enumerate().all(of_rights) {
        return None;
    }
    let mut path = words.skip(3).collect::<Vec<_>>().join(" ");
    path.truncate(path.floor_char_boundary(4096));
    Some(Mapping {
        start: address(start)?,
        end: address(end)?,
        rights: rights.to_owned(),
        path,
        ..Mapping::default()
    })
}

impl Mapping {
    pub(super) fn backing(&self, kernel_page: u64) -> Backing {
        let flag = |name| self.flags.split_whitespace().any(|flag| flag == name);
        let path = self.path.as_str();
        match path {
            _ if flag("pf") || flag("io") => Backing::Pfnmap,
            "[vdso]" => Backing::Vdso,
            _ if path.starts_with("[vvar") => Backing::Vvar,
            _ if flag("ht") || self.page.is_some_and(|page| page > kernel_page) => Backing::Hugetlb,
            _ if path.starts_with("/dev/dax") => Backing::Devdax,
            _ if path.starts_with("/memfd:secret") || path.starts_with("/secretmem") => {
                Backing::Secret
            }
            _ if path.starts_with("/dev/shm/")
                || path.starts_with("/memfd:")
                || path.starts_with("/SYSV")
                || path.starts_with("/dev/zero") =>
            {
                Backing::Shmem
            }
            _ if path.is_empty() || path.starts_with('[') => Backing::Anonymous,
            _ => Backing::File,
        }
    }

    pub(super) fn protection(&self) -> Protection {
        match self.rights.as_bytes() {
            [b'r', b'w', ..] => Protection::ReadWrite,
            [b'r', ..] => Protection::Read,
            [_, b'w', ..] => Protection::Write,
            _ => Protection::None,
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.rights.ends_with('s')
    }

    pub(super) fn length(&self) -> u64 {
        self.end - self.start
    }
}
