//! Random dma-bufs: parts of a file in memory, exported by the kernel's udmabuf.

use std::{fs::File, io, os::fd::OwnedFd};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create};

use super::{frames, layout};
use crate::random::Random;
use crate::{
    pagemap::kernel_page,
    probe::ExportedRegion,
    udmabuf::{self, Part},
};

/// The largest buffer: udmabuf's own limit is 64M up to Linux 6.12.
const LARGEST: u64 = 32 << 20;
/// The shortest boundary that is asked for. POWER's kernels hang over an entry that is longer, and the probe refuses to risk it.
const LEAST_BOUNDARY: u64 = if cfg!(target_arch = "powerpc64") {
    u32::MAX as u64
} else {
    0xfff
};
/// The most parts of a buffer.
const MOST_PARTS: u64 = 12;

/// Files in memory that buffers are made of: one of the kernel's pages, and one of huge pages where the machine has some to spare.
#[derive(Debug)]
pub struct Files(Vec<OwnedFd>);

impl Files {
    /// Takes the memory.
    pub fn take() -> io::Result<Self> {
        let plain = file(MemfdFlags::ALLOW_SEALING)?;
        let huge = file(MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB);
        Ok(Self(
            [Some(plain), huge.ok()].into_iter().flatten().collect(),
        ))
    }
}

fn file(flags: MemfdFlags) -> io::Result<OwnedFd> {
    let file = memfd_create("umem-dma-buf", flags)?;
    File::from(file.try_clone()?).set_len(LARGEST)?;
    fallocate(&file, FallocateFlags::empty(), 0, LARGEST)?;
    fcntl_add_seals(&file, SealFlags::SHRINK)?;
    Ok(file)
}

/// A buffer, and a region of it.
#[derive(Debug)]
pub struct RandomBuffer {
    /// The dma-buf.
    pub buffer: OwnedFd,
    /// What is asked about it.
    pub region: ExportedRegion,
}

impl RandomBuffer {
    /// The next one.
    pub fn new(random: &mut Random, files: &Files) -> io::Result<Self> {
        let page = kernel_page().bytes();
        let file = &files.0[random.below(files.0.len() as u64) as usize];
        let mut parts = Vec::new();
        let mut size = 0;
        for _ in 0..random.between(1, MOST_PARTS) {
            let length = random.magnitude(12, 23, page).next_multiple_of(page);
            if size + length > LARGEST {
                break;
            }
            let place = random.below(LARGEST - length + 1);
            // Where a huge page begins, or a page of the kernel.
            let offset = if random.percent(50) {
                place >> 21 << 21
            } else {
                place & !(page - 1)
            };
            parts.push(Part {
                file,
                offset,
                length,
            });
            size += length;
        }
        let offset = if random.percent(30) {
            0
        } else {
            random.below(size)
        };
        let offset = match random.below(3) {
            0 => offset,
            1 => offset & !(page - 1),
            _ => offset >> 21 << 21,
        };
        let length = match random.below(3) {
            0 => size - offset,
            _ => 1 + random.below(size - offset),
        };
        Ok(Self {
            buffer: udmabuf::export(&parts)?,
            region: ExportedRegion {
                offset,
                length,
                virt: match random.below(3) {
                    0 => offset,
                    1 => offset % page,
                    _ => (random.next() >> 17) / page * page + offset % page,
                },
                sizes: layout::sizes(random),
                max_segment: frames::max_segment(random, size, kernel_page()),
                boundary: frames::boundary(random, kernel_page()).max(LEAST_BOUNDARY),
            },
        })
    }
}
