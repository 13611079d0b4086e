//! Memory by kind of pages, for times.

use std::{io, os::fd::AsFd};

use rustix::fs::MemfdFlags;

use crate::{
    huge_file,
    mapping::{HugePages, Mapping, Reservation},
    process::{Process, overlapping},
};

/// The longest region, of small and of transparent huge pages.
const LONGEST: usize = 64 << 20;
/// The lengths that are tried of hugetlb pages, of which few may be free.
const OF_HUGETLB: [usize; 3] = [64 << 20, 32 << 20, 8 << 20];
const TWO_MIB: usize = 2 << 20;

/// A kind of pages.
#[derive(Debug)]
pub struct Kind {
    /// In words.
    pub title: &'static str,
    /// Whether they are larger than the kernel's page.
    pub is_huge: bool,
    make: fn() -> Result<Pages, String>,
}

/// Memory of one kind, every page of it there.
#[derive(Debug)]
pub struct Pages {
    /// The memory.
    pub memory: Mapping,
    /// The size of its pages in bytes.
    pub size: u64,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind {
        title: "small pages, most of them apart",
        is_huge: false,
        make: small,
    },
    Kind {
        title: "transparent huge pages of 2M",
        is_huge: true,
        make: transparent,
    },
    Kind {
        title: "hugetlb pages of 2M",
        is_huge: true,
        make: hugetlb,
    },
];

impl Kind {
    /// Makes memory of it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn make(&self) -> Result<Pages, String> {
        (self.make)()
    }
}

fn small() -> Result<Pages, String> {
    let page = rustix::param::page_size();
    let memory = Mapping::apart(LONGEST).map_err(|error| error.to_string())?;
    Ok(Pages {
        memory,
        size: page as u64,
    })
}

fn transparent() -> Result<Pages, String> {
    let memory = || {
        let memory = Mapping::anonymous(LONGEST, TWO_MIB)?;
        // EINVAL: the kernel was built without them, which is seen below.
        let _ = memory.advise(HugePages::Wanted);
        memory.populate()?;
        Ok::<_, io::Error>(memory)
    };
    let memory = memory().map_err(|error| error.to_string())?;
    let start = memory.start().get();
    let huge = huge_bytes(start, start + LONGEST as u64)?;
    match huge >= LONGEST as u64 {
        true => Ok(Pages {
            memory,
            size: TWO_MIB as u64,
        }),
        false => Err(format!(
            "the kernel gave {huge} of {LONGEST} bytes in them; see: cat /sys/kernel/mm/transparent_hugepage/enabled"
        )),
    }
}

/// How much of a range of ours is in transparent huge pages.
fn huge_bytes(start: u64, end: u64) -> Result<u64, String> {
    let areas = Process::open(std::process::id()).and_then(|own| own.areas_in_full());
    let areas = areas.map_err(|error| error.to_string())?;
    let (ours, _) = overlapping(&areas, &(start..end));
    Ok(ours.iter().map(|area| area.huge.unwrap_or(0)).sum())
}

fn hugetlb() -> Result<Pages, String> {
    let mut why = String::new();
    for length in OF_HUGETLB {
        let made = || {
            let file = huge_file::filled(MemfdFlags::HUGE_2MB, length)?;
            let mut memory = Reservation::new(length, TWO_MIB)?;
            memory.append_file(file.as_fd(), 0, length)?;
            let memory = memory.finish();
            memory.populate()?;
            Ok::<_, io::Error>(memory)
        };
        match made() {
            Ok(memory) => {
                return Ok(Pages {
                    memory,
                    size: TWO_MIB as u64,
                });
            }
            Err(error) => why = error.to_string(),
        }
    }
    Err(format!(
        "{} of them are not free ({why}); as root: echo 32 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
        OF_HUGETLB[2] / TWO_MIB
    ))
}
