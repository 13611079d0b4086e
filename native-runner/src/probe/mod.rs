//! The kernel module `umem_probe`, asked: what this very kernel makes of any layout.

mod abi;
mod dma_buf;
mod region;
mod stalled;
mod torture;

use std::{ffi::c_void, fs::File, io};

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};

use crate::missing::Missing;
use abi::{Coalesce, Frames, List, Map, Question};

pub use abi::{MAX_BLOCKS, Run};
pub use dma_buf::ExportedRegion;
pub use region::{Region, Target};
pub use stalled::{Stall, stalled};
pub use torture::KernelLog;

/// The module's device.
pub const PATH: &str = "/dev/umem-probe";

/// The probe, open.
#[derive(Debug)]
pub struct Probe {
    file: File,
}

/// What the DMA addresses of a device are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Domain {
    /// Physical addresses: there is no IOMMU before it.
    None,
    /// Physical addresses, though an IOMMU is there.
    Identity,
    /// An IOMMU translates them.
    Translated,
    /// POWER's table of TCEs translates them: the catalogue's name of such a table.
    Tables(&'static str),
    /// Physical addresses plus a constant: POWER's direct window.
    Window,
    /// Kernel virtual addresses: a software device.
    Cpu,
    /// Something else.
    Other,
}

impl Domain {
    /// Whether mapping is a rule of its own here, and no mere copy of the SG list.
    pub fn has_rules_of_its_own(self) -> bool {
        matches!(self, Self::Translated | Self::Tables(_) | Self::Window)
    }

    /// The catalogue's name of the IOMMU, where its rules are not those that most share.
    pub fn catalogue_name(self) -> Option<&'static str> {
        match self {
            Self::Tables(name) => Some(name),
            Self::Window => Some("power-direct"),
            _ => None,
        }
    }
}

/// A device, as the DMA layer sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceDma {
    /// What its addresses are.
    pub domain: Domain,
    /// Its longest segment, in bytes.
    pub max_segment: u32,
    /// The boundary that no segment crosses, less one.
    pub boundary: u64,
    /// The highest address that it reaches.
    pub mask: u64,
}

/// What is asked about the best page size.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// The DMA segments: whole pages, none of 4G or more.
    pub dma: &'a [Run],
    /// Where the region begins; modulo the page, in the first segment.
    pub address: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The address that the NIC uses.
    pub virt: u64,
    /// The bitmap of page sizes.
    pub sizes: u64,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Best {
    /// The best page size; 0 where none fits.
    pub size: u64,
    /// How many blocks the kernel counts.
    pub count: u64,
    /// The blocks that its iterator yields; `None` where there are more than asked for.
    pub blocks: Option<Vec<u64>>,
}

/// How frames came out of a mapping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapped {
    /// The SG list: physical address and bytes.
    pub sg: Vec<Run>,
    /// The DMA list, or the (negative) errno of `dma_map_sgtable()`.
    pub dma: Result<Vec<Run>, i32>,
}

impl Best {
    fn new(answer: &abi::Best, mut blocks: Vec<u64>) -> Self {
        let walked = answer.count <= blocks.len() as u64;
        blocks.truncate(answer.walked as usize);
        Self {
            size: answer.best,
            count: answer.count,
            blocks: walked.then_some(blocks),
        }
    }
}

impl Probe {
    /// Opens it.
    ///
    /// # Errors
    /// What is missing: the module, the right to use it, or a module that speaks as this program does.
    pub fn open() -> Result<Self, Missing> {
        let file =
            File::options()
                .read(true)
                .write(true)
                .open(PATH)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => Missing::probe(),
                    _ => Missing::probe_permission(&error),
                })?;
        let probe = Self { file };
        match probe.info() {
            Ok(info)
                if info.abi == abi::ABI
                    && info.page_size as usize == rustix::param::page_size() =>
            {
                Ok(probe)
            }
            _ => Err(Missing::probe_version()),
        }
    }

    fn info(&self) -> io::Result<abi::Info> {
        let mut info = abi::Info::default();
        // SAFETY: there are no buffers.
        unsafe { self.ask(&mut info) }?;
        Ok(info)
    }

    /// What the DMA layer makes of an RDMA device, or of the probe's PCI device.
    ///
    /// # Errors
    /// ENODEV: there is no such device.
    pub fn device(&self, target: &Target) -> io::Result<DeviceDma> {
        let mut question = abi::Device {
            device: target.name()?,
            ..abi::Device::default()
        };
        // SAFETY: there are no buffers.
        unsafe { self.ask(&mut question) }?;
        Ok(DeviceDma {
            domain: match question.domain {
                0 => Domain::None,
                1 => Domain::Identity,
                2 | 3 => Domain::Translated,
                5 => Domain::Cpu,
                // The size of a page of the table, and that of the window.
                6 => match question.domain_sizes {
                    0x4000_1000 => Domain::Tables("power"),
                    0x8000_1000 => Domain::Tables("power-4k"),
                    0x8001_0000 => Domain::Tables("power-64k"),
                    _ => Domain::Other,
                },
                7 => Domain::Window,
                _ => Domain::Other,
            },
            max_segment: question.max_segment,
            boundary: question.boundary,
            mask: question.dma_mask,
        })
    }

    /// What the PCI device's addresses are; `None`: there is no such device.
    pub fn pci_domain(&self) -> Option<Domain> {
        self.device(&Target::PCI).ok().map(|device| device.domain)
    }

    /// `ib_umem_find_best_pgsz()`, and the blocks unless there are more than `most` (of [`MAX_BLOCKS`] at most).
    pub fn best(&self, layout: &Layout<'_>, most: usize) -> io::Result<Best> {
        let mut blocks = vec![0u64; most];
        let mut question = abi::Best {
            dma: sent(layout.dma),
            address: layout.address,
            length: layout.length,
            virt: layout.virt,
            sizes: layout.sizes,
            blocks: blocks.as_mut_ptr() as u64,
            room: blocks.len() as u64,
            ..abi::Best::default()
        };
        // SAFETY: `dma` and `blocks` live until the call returns, and are as long as is said.
        unsafe { self.ask(&mut question) }?;
        Ok(Best::new(&question, blocks))
    }

    /// `sg_alloc_append_table_from_pages()`: the SG list that becomes of frames, with segments of `max_segment` at most.
    pub fn coalesce(&self, frames: &[Run], max_segment: u32) -> io::Result<Vec<Run>> {
        let mut room = FIRST_ROOM;
        loop {
            let mut sg = vec![Run::default(); room];
            let mut question = Coalesce(Frames {
                frames: sent(frames),
                max_segment,
                sg: returned(&mut sg),
                ..Frames::default()
            });
            // SAFETY: `frames` and `sg` live until the call returns, and are as long as is said.
            unsafe { self.ask(&mut question) }?;
            let count = question.0.sg.count as usize;
            if count <= room {
                sg.truncate(count);
                return Ok(sg);
            }
            room = count;
        }
    }

    /// The same, then `dma_map_sgtable()` for the PCI device, whose segments cross no multiple of `boundary` + 1.
    pub fn map(&self, frames: &[Run], max_segment: u32, boundary: u64) -> io::Result<Mapped> {
        self.map_with(frames, max_segment, boundary, 0)
    }

    /// The same for 4G or more: on a machine that you can afford to reboot, for where it fails Linux may leave a part
    /// mapped.
    pub fn map_over_4g(
        &self,
        frames: &[Run],
        max_segment: u32,
        boundary: u64,
    ) -> io::Result<Mapped> {
        self.map_with(frames, max_segment, boundary, abi::OVER_4G)
    }

    fn map_with(
        &self,
        frames: &[Run],
        max_segment: u32,
        boundary: u64,
        flags: u32,
    ) -> io::Result<Mapped> {
        let mut room = FIRST_ROOM;
        loop {
            let (mut sg, mut dma) = (vec![Run::default(); room], vec![Run::default(); room]);
            let mut question = Map(Frames {
                frames: sent(frames),
                max_segment,
                flags,
                boundary,
                sg: returned(&mut sg),
                dma: returned(&mut dma),
                ..Frames::default()
            });
            // SAFETY: `frames`, `sg` and `dma` live until the call returns, and are as long as is said.
            unsafe { self.ask(&mut question) }?;
            let answer = question.0;
            // There are never more DMA segments than SG entries.
            let needed = answer.sg.count.max(answer.dma.count) as usize;
            if needed <= room {
                sg.truncate(answer.sg.count as usize);
                dma.truncate(answer.dma.count as usize);
                let dma = match answer.map_error {
                    0 => Ok(dma),
                    errno => Err(errno),
                };
                return Ok(Mapped { sg, dma });
            }
            room = needed;
        }
    }

    /// # Safety
    /// The buffers that the question points to must be as it says, and writable where they are answers.
    unsafe fn ask<Q: Question>(&self, question: &mut Q) -> io::Result<()> {
        // SAFETY: the opcode fits the type (see `Question`), and the caller vouches for the buffers.
        Ok(unsafe { ioctl(&self.file, Asked(question)) }?)
    }
}

/// Room for this many entries is offered at first.
const FIRST_ROOM: usize = 256;

fn sent(runs: &[Run]) -> List {
    List {
        runs: runs.as_ptr() as u64,
        count: runs.len() as u64,
    }
}

fn returned(runs: &mut [Run]) -> List {
    List {
        runs: runs.as_mut_ptr() as u64,
        count: runs.len() as u64,
    }
}

/// A question on its way.
struct Asked<'a, Q>(&'a mut Q);

// SAFETY: the opcode is the type's own, and the pointer is to a value of that type.
unsafe impl<Q: Question> Ioctl for Asked<'_, Q> {
    type Output = ();
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        Q::OPCODE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.0).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}
