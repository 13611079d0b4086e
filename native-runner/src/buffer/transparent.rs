//! Anonymous memory that the kernel backs by two transparent huge pages, where it would lay them and elsewhere.

use std::path::Path;

use umem_core::size::Bytes;

use super::{LENGTH, TWO_MIB, Unavailable, is_one_page};
use crate::{
    frames::Frames,
    mapping::{HugePages, Mapping, Reservation},
    pagemap::kernel_page,
    sysfs::text,
};

const SYSFS: &str = "/sys/kernel/mm/transparent_hugepage";

/// The kernel gives a huge page when one is free at the moment of the fault; ask a few times.
const TRIES: usize = 4;

/// How many huge pages to look at for two that are no neighbours.
const MOST_TRIED: usize = 16;

/// Two transparent huge pages of 2M, at a multiple of 4M.
pub fn pair() -> Result<Mapping, Unavailable> {
    memory(LENGTH)
}

/// Two transparent huge pages of 2M, no neighbours, moved by `mremap` to a page above a multiple of 4M: virtual and physical
/// addresses agree in no bit above the page.
pub fn shifted() -> Result<Mapping, Unavailable> {
    let first = memory(TWO_MIB)?;
    let page = |memory: &Mapping| Ok::<_, Unavailable>(Frames::read(memory)?.runs()[0].start.get());
    let own = page(&first)?;
    // Neighbours are kept meanwhile, or the kernel would give them again.
    let mut neighbours = Vec::new();
    while neighbours.len() < MOST_TRIED {
        let second = memory(TWO_MIB)?;
        if page(&second)?.abs_diff(own) == TWO_MIB as u64 {
            neighbours.push(second);
            continue;
        }
        let mut buffer = Reservation::shifted(LENGTH, LENGTH, rustix::param::page_size())?;
        buffer.append_moved(first)?;
        buffer.append_moved(second)?;
        return Ok(buffer.finish());
    }
    Err(Unavailable::Refused(
        "every huge page is a neighbour of every other".to_owned(),
    ))
}

/// Memory of transparent huge pages, `len` bytes at a multiple of `len`.
fn memory(len: usize) -> Result<Mapping, Unavailable> {
    for _ in 0..TRIES {
        let mapping = Mapping::anonymous(len, len)?;
        // EINVAL: the kernel was built without them. What it says of itself tells more.
        let _ = mapping.advise(HugePages::Wanted);
        mapping.populate()?;
        let frames = Frames::read(&mapping)?;
        if (0..len)
            .step_by(TWO_MIB)
            .all(|offset| is_one_page(&frames, offset, TWO_MIB))
        {
            return Ok(mapping);
        }
    }
    Err(Unavailable::Refused(why(Path::new(SYSFS))))
}

/// Why the kernel gave smaller pages, as its settings in the folder `sysfs` tell.
///
/// The file `enabled` is about pages of a PMD: 32M with kernel pages of 16K. Since 6.8 each size has a file of its own, which may
/// inherit from that one [Documentation/admin-guide/mm/transhuge.rst].
fn why(sysfs: &Path) -> String {
    let size = "hugepages-2048kB/enabled";
    let read = |name| text(sysfs.join(name));
    let pmd = read("hpage_pmd_size").and_then(|size| size.parse().ok());
    let own = read(size).filter(|setting| !setting.contains("[inherit]"));
    let (file, setting) = match (own, read("enabled")) {
        (Some(setting), _) => (size, setting),
        (None, Some(setting)) => ("enabled", setting),
        (None, None) => {
            return format!(
                "this kernel has no transparent huge pages ({} is not there)",
                sysfs.display()
            );
        }
    };
    let file = sysfs.join(file);
    if pmd.is_some_and(|pmd| pmd != TWO_MIB as u64) && read(size).is_none() {
        let pmd = Bytes(pmd.unwrap_or_default());
        format!("this kernel's transparent huge pages are of {pmd}, not of 2M")
    } else if setting.contains("[never]") {
        format!(
            "transparent huge pages of 2M are off on this machine (echo madvise > {})",
            file.display()
        )
    } else {
        format!(
            "the kernel gave pages of {}, asked {TRIES} times: memory is too fragmented",
            kernel_page()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    const OWN: &str = "hugepages-2048kB/enabled";

    #[test]
    fn the_settings_tell_why_there_are_no_pages_of_2m() {
        let of = |files: &[(&str, &str)]| why(Folder::new(files).path());
        let (on, off) = ("always [madvise] never\n", "always madvise [never]\n");
        let inherit = "always [inherit] madvise never\n";
        let (small, large) = (
            ("hpage_pmd_size", "2097152\n"),
            ("hpage_pmd_size", "33554432\n"),
        );
        for (files, words) in [
            (&[][..], "has no transparent huge pages"),
            (&[("enabled", off), small], "off on this machine"),
            (&[("enabled", on), small], "too fragmented"),
            (&[("enabled", on), large], "are of 32M, not of 2M"),
            (
                &[("enabled", on), large, (OWN, off)],
                "hugepages-2048kB/enabled)",
            ),
            (&[("enabled", off), large, (OWN, on)], "too fragmented"),
            (
                &[("enabled", off), small, (OWN, inherit)],
                "off on this machine",
            ),
        ] {
            let said = of(files);
            assert!(said.contains(words), "{said}");
        }
    }
}
