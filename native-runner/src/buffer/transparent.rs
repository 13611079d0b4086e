//! Anonymous memory that the kernel backs by two transparent huge pages.

use std::fs;

use super::{LENGTH, TWO_MIB, Unavailable, is_one_page};
use crate::{
    frames::Frames,
    mapping::{HugePages, Mapping},
};

const SYSFS: &str = "/sys/kernel/mm/transparent_hugepage";

/// The kernel gives a huge page when one is free at the moment of the fault; ask a few times.
const TRIES: usize = 4;

/// Two transparent huge pages, at a multiple of 4M.
pub fn pair() -> Result<Mapping, Unavailable> {
    for _ in 0..TRIES {
        let mapping = Mapping::anonymous(LENGTH, LENGTH)?;
        // EINVAL: the kernel was built without them. What it says of itself tells more.
        let _ = mapping.advise(HugePages::Wanted);
        mapping.touch();
        let frames = Frames::read(&mapping)?;
        if (0..LENGTH)
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
                format!("transparent huge pages are off: echo madvise > {SYSFS}/enabled")
            }
            Some(_) => {
                format!("the kernel gave 4K pages, asked {TRIES} times: memory is too fragmented")
            }
        },
    ))
}
