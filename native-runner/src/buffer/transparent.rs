//! Anonymous memory that the kernel backs by two transparent huge pages, where it would lay them and elsewhere.

use std::fs;

use super::{LENGTH, TWO_MIB, Unavailable, is_one_page};
use crate::{
    frames::Frames,
    mapping::{HugePages, Mapping, Reservation},
};

const SYSFS: &str = "/sys/kernel/mm/transparent_hugepage";

/// The kernel gives a huge page when one is free at the moment of the fault; ask a few times.
const TRIES: usize = 4;

/// How many huge pages to look at for two that are no neighbours.
const MOST_TRIED: usize = 16;

/// Two transparent huge pages, at a multiple of 4M.
pub fn pair() -> Result<Mapping, Unavailable> {
    memory(LENGTH)
}

/// Two transparent huge pages, no neighbours, moved by `mremap` to 4K above a multiple of 4M: virtual and physical
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
    let setting = fs::read_to_string(format!("{SYSFS}/enabled")).ok();
    Err(Unavailable::Refused(
        match setting.as_deref().map(str::trim) {
            None => format!("this kernel has no transparent huge pages ({SYSFS} is not there)"),
            Some(setting) if setting.contains("[never]") => {
                format!(
                    "transparent huge pages are off on this machine ({SYSFS}/enabled; see: umem doctor)"
                )
            }
            Some(_) => {
                format!("the kernel gave 4K pages, asked {TRIES} times: memory is too fragmented")
            }
        },
    ))
}
