//! Memory of this process, pinned by the probe as a driver would pin it.

use std::{fmt, io, marker::PhantomData, ops::Range};

use super::{
    Best, FIRST_ROOM, Probe, Run,
    abi::{self, Dma, Lists, Name, Pin, RegionBest, Unpin},
    returned,
};
use crate::mapping::Mapping;

/// For whom memory is pinned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// The RDMA device of that name.
    Rdma(String),
    /// The probe's PCI device.
    Pci {
        /// Its longest segment, in bytes.
        max_segment: u32,
        /// The boundary that no segment of its crosses, less one.
        boundary: u64,
    },
}

impl Target {
    /// The limits of a device that sets none but those of 32-bit fields, and PCI's.
    pub const NO_LIMITS: (u32, u64) = (u32::MAX, u32::MAX as u64);

    /// The probe's PCI device, without limits.
    pub const PCI: Self = Self::Pci {
        max_segment: Self::NO_LIMITS.0,
        boundary: Self::NO_LIMITS.1,
    };

    /// Its name, as the probe takes it.
    pub(super) fn name(&self) -> io::Result<Name> {
        let mut name: Name = [0; 64];
        if let Self::Rdma(own) = self {
            // An empty name, or a 0 within, would mean another device.
            let fits = !own.is_empty() && own.len() < name.len() && !own.contains('\0');
            let room = fits.then(|| &mut name[..own.len()]);
            room.ok_or(io::ErrorKind::InvalidInput)?
                .copy_from_slice(own.as_bytes());
        }
        Ok(name)
    }

    /// The longest segment in bytes, and the boundary that none crosses, less one.
    pub fn limits(&self) -> (u32, u64) {
        match *self {
            Self::Rdma(_) => Self::NO_LIMITS,
            Self::Pci {
                max_segment,
                boundary,
            } => (max_segment, boundary),
        }
    }
}

/// As people know it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rdma(name) => name,
            Self::Pci { .. } => "PCI device",
        })
    }
}

/// A pinned region. A probe holds one at a time.
#[derive(Debug)]
pub struct Region<'a> {
    probe: &'a Probe,
    memory: PhantomData<&'a Mapping>,
}

impl Probe {
    /// `ib_umem_get()` for the bytes `range` of `memory`.
    pub fn pin<'a>(
        &'a self,
        memory: &'a Mapping,
        range: Range<u64>,
        target: &Target,
    ) -> io::Result<Region<'a>> {
        assert!(range.start < range.end && range.end <= memory.len() as u64);
        let mut question = Pin {
            device: target.name()?,
            address: memory.start().get() + range.start,
            length: range.end - range.start,
            ..Pin::default()
        };
        if let Target::Pci {
            max_segment,
            boundary,
        } = target
        {
            question.max_segment = *max_segment;
            question.boundary = *boundary;
        }
        // SAFETY: pinning changes no byte, and `Region` keeps the memory borrowed until it is unpinned.
        unsafe { self.ask(&mut question) }?;
        Ok(Region {
            probe: self,
            memory: PhantomData,
        })
    }
}

impl Region<'_> {
    /// The SG list (physical address and bytes) and the DMA list.
    pub fn lists(&self) -> io::Result<(Vec<Run>, Vec<Run>)> {
        let mut room = FIRST_ROOM;
        loop {
            let (mut sg, mut dma) = (vec![Run::default(); room], vec![Run::default(); room]);
            let mut question = Lists {
                sg: returned(&mut sg),
                dma: returned(&mut dma),
            };
            // SAFETY: `sg` and `dma` live until the call returns, and are as long as is said.
            unsafe { self.probe.ask(&mut question) }?;
            let needed = question.sg.count.max(question.dma.count) as usize;
            if needed <= room {
                sg.truncate(question.sg.count as usize);
                dma.truncate(question.dma.count as usize);
                return Ok((sg, dma));
            }
            room = needed;
        }
    }

    /// `ib_umem_find_best_pgsz()`, and the blocks unless there are more than `most`.
    pub fn best(&self, virt: u64, sizes: u64, most: usize) -> io::Result<Best> {
        let mut blocks = vec![0u64; most];
        let mut question = RegionBest(abi::Best {
            virt,
            sizes,
            blocks: blocks.as_mut_ptr() as u64,
            room: blocks.len() as u64,
            ..abi::Best::default()
        });
        // SAFETY: `blocks` lives until the call returns, and is as long as is said.
        unsafe { self.probe.ask(&mut question) }?;
        Ok(Best::new(&question.0, blocks))
    }

    /// What the PCI device reads at a DMA address of the region.
    pub fn read(&self, address: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0u8; length];
        let mut question = Dma {
            address,
            length: length as u64,
            buffer: bytes.as_mut_ptr() as u64,
        };
        // SAFETY: `bytes` lives until the call returns, and is as long as is said.
        unsafe { self.probe.ask(&mut question) }?;
        Ok(bytes)
    }
}

impl Drop for Region<'_> {
    fn drop(&mut self) {
        // SAFETY: there are no buffers. It fails only where the PCI device took its regions with it.
        let _ = unsafe { self.probe.ask(&mut Unpin) };
    }
}
