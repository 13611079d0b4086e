//! A dma-buf of another driver, mapped by the probe as a driver would map it.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

use super::{
    Best, FIRST_ROOM, Probe, Run,
    abi::{self, DmaBuf},
    returned,
};

/// A region of a dma-buf, and for what kind of device.
#[derive(Clone, Copy, Debug)]
pub struct ExportedRegion {
    /// Where it begins in the buffer.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The address that the NIC uses; it agrees with `offset` modulo the page.
    pub virt: u64,
    /// The bitmap of page sizes.
    pub sizes: u64,
    /// The device's longest segment in bytes.
    pub max_segment: u32,
    /// The boundary that no segment crosses, less one.
    pub boundary: u64,
}

/// What the kernel made of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The exporter's entries, of the whole buffer: physical address and bytes.
    pub entries: Vec<Run>,
    /// The DMA segments of the region.
    pub dma: Vec<Run>,
    /// The best page size and its blocks.
    pub best: Best,
}

impl Probe {
    /// `ib_umem_dmabuf_get_pinned()` for the PCI device, `ib_umem_find_best_pgsz()`, and the blocks unless there are more than `most`.
    pub fn cut_dma_buf(
        &self,
        buffer: BorrowedFd<'_>,
        region: &ExportedRegion,
        most: usize,
    ) -> io::Result<Cut> {
        let mut room = FIRST_ROOM;
        let mut blocks = vec![0u64; most];
        loop {
            let (mut entries, mut dma) = (vec![Run::default(); room], vec![Run::default(); room]);
            let mut question = DmaBuf {
                fd: buffer.as_raw_fd(),
                max_segment: region.max_segment,
                boundary: region.boundary,
                offset: region.offset,
                length: region.length,
                entries: returned(&mut entries),
                best: abi::Best {
                    dma: returned(&mut dma),
                    virt: region.virt,
                    sizes: region.sizes,
                    blocks: blocks.as_mut_ptr() as u64,
                    room: blocks.len() as u64,
                    ..abi::Best::default()
                },
            };
            // SAFETY: `entries`, `dma` and `blocks` live until the call returns, and are as long as is said.
            unsafe { self.ask(&mut question) }?;
            let (listed, mapped) = (question.entries.count, question.best.dma.count);
            let needed = listed.max(mapped) as usize;
            if needed <= room {
                entries.truncate(listed as usize);
                dma.truncate(mapped as usize);
                let best = Best::new(&question.best, blocks);
                return Ok(Cut { entries, dma, best });
            }
            room = needed;
        }
    }
}
