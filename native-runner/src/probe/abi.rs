//! `probe/umem_probe.h`, word for word: see there for what each field means.

use rustix::ioctl::{Opcode, opcode};

/// `UMEM_PROBE_ABI`.
pub const ABI: u32 = 4;
/// `UMEM_PROBE_MAX_BLOCKS`.
pub const MAX_BLOCKS: usize = 1 << 18;
/// `UMEM_PROBE_OVER_4G`.
pub const OVER_4G: u32 = 1 << 0;

/// A segment (address, bytes), or a run of frames (number of the first, how many).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// Where it begins.
    pub start: u64,
    /// How long it is.
    pub length: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct List {
    pub runs: u64,
    pub count: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Info {
    pub abi: u32,
    pub page_size: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Device {
    pub device: Name,
    pub domain: u32,
    pub max_segment: u32,
    pub boundary: u64,
    pub dma_mask: u64,
    pub domain_sizes: u64,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            device: [0; 64],
            domain: 0,
            max_segment: 0,
            boundary: 0,
            dma_mask: 0,
            domain_sizes: 0,
        }
    }
}

/// A device's name, ended by a 0; empty for the PCI device.
pub type Name = [u8; 64];

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Best {
    pub dma: List,
    pub address: u64,
    pub length: u64,
    pub virt: u64,
    pub sizes: u64,
    pub blocks: u64,
    pub room: u64,
    pub best: u64,
    pub count: u64,
    pub walked: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames {
    pub frames: List,
    pub max_segment: u32,
    pub flags: u32,
    pub boundary: u64,
    pub sg: List,
    pub dma: List,
    pub map_error: i32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Pin {
    pub device: Name,
    pub address: u64,
    pub length: u64,
    pub boundary: u64,
    pub max_segment: u32,
    pub flags: u32,
    pub sg_count: u64,
    pub dma_count: u64,
}

impl Default for Pin {
    fn default() -> Self {
        Self {
            device: [0; 64],
            address: 0,
            length: 0,
            boundary: 0,
            max_segment: 0,
            flags: 0,
            sg_count: 0,
            dma_count: 0,
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Lists {
    pub sg: List,
    pub dma: List,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Dma {
    pub address: u64,
    pub length: u64,
    pub buffer: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct DmaBuf {
    pub fd: i32,
    pub max_segment: u32,
    pub boundary: u64,
    pub offset: u64,
    pub length: u64,
    pub entries: List,
    pub best: Best,
}

/// What is asked by one ioctl.
///
/// # Safety
/// `OPCODE` reads and writes exactly one value of this type, beside the buffers that its fields point to.
pub unsafe trait Question {
    const OPCODE: Opcode;
}

/// A question by its type: the same structure may be asked about in two ways.
#[repr(transparent)]
#[derive(Debug)]
pub struct Coalesce(pub Frames);
#[repr(transparent)]
#[derive(Debug)]
pub struct Map(pub Frames);
#[repr(transparent)]
#[derive(Debug)]
pub struct RegionBest(pub Best);
#[derive(Debug)]
pub struct Unpin;

const GROUP: u8 = b'u';

// SAFETY: as umem_probe.h has it; the test below holds the two side by side.
unsafe impl Question for Info {
    const OPCODE: Opcode = opcode::read::<Self>(GROUP, 0xe0);
}
// SAFETY: as above.
unsafe impl Question for Best {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe1);
}
// SAFETY: as above.
unsafe impl Question for Coalesce {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe2);
}
// SAFETY: as above.
unsafe impl Question for Map {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe3);
}
// SAFETY: as above.
unsafe impl Question for Pin {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe4);
}
// SAFETY: as above; it has no argument.
unsafe impl Question for Unpin {
    const OPCODE: Opcode = opcode::none(GROUP, 0xe5);
}
// SAFETY: as above.
unsafe impl Question for Lists {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe6);
}
// SAFETY: as above.
unsafe impl Question for RegionBest {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe7);
}
// SAFETY: as above.
unsafe impl Question for Dma {
    const OPCODE: Opcode = opcode::write::<Self>(GROUP, 0xe8);
}
// SAFETY: as above.
unsafe impl Question for Device {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xe9);
}

// SAFETY: as above.
unsafe impl Question for DmaBuf {
    const OPCODE: Opcode = opcode::read_write::<Self>(GROUP, 0xea);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt::Write as _, io::Write as _, process::Command};

    /// Lines of C that compile only where the header has the field at the same place with the same size.
    macro_rules! fields {
        ($c:ident = $rust:ty { $($field:ident),* }) => {{
            let sizes = [$({
                let value = <$rust>::default();
                (stringify!($field), std::mem::offset_of!($rust, $field), size_of_val(&value.$field))
            }),*];
            let mut lines = format!("_Static_assert(sizeof(struct {0}) == {1}, \"{0}\");\n", stringify!($c), size_of::<$rust>());
            for (field, offset, size) in sizes {
                writeln!(
                    lines,
                    "_Static_assert(offsetof(struct {0}, {field}) == {offset} && sizeof(((struct {0} *)0)->{field}) == {size}, \"{field}\");",
                    stringify!($c),
                )
                .unwrap();
            }
            lines
        }};
    }

    #[test]
    fn the_c_header_says_the_same() {
        let mut program = String::from(
            "#include <stddef.h>\n#include <sys/ioctl.h>\n#include \"umem_probe.h\"\n",
        );
        program += &fields!(umem_probe_run = Run { start, length });
        program += &fields!(umem_probe_list = List { runs, count });
        program += &fields!(umem_probe_info = Info { abi, page_size });
        program += &fields!(
            umem_probe_device = Device {
                device,
                domain,
                max_segment,
                boundary,
                dma_mask,
                domain_sizes
            }
        );
        program += &fields!(
            umem_probe_best = Best {
                dma,
                address,
                length,
                virt,
                sizes,
                blocks,
                room,
                best,
                count,
                walked
            }
        );
        program += &fields!(
            umem_probe_frames = Frames {
                frames,
                max_segment,
                flags,
                boundary,
                sg,
                dma,
                map_error,
                reserved
            }
        );
        program += &fields!(
            umem_probe_pin = Pin {
                device,
                address,
                length,
                boundary,
                max_segment,
                flags,
                sg_count,
                dma_count
            }
        );
        program += &fields!(umem_probe_lists = Lists { sg, dma });
        program += &fields!(
            umem_probe_dma = Dma {
                address,
                length,
                buffer
            }
        );
        program += &fields!(
            umem_probe_dmabuf = DmaBuf {
                fd,
                max_segment,
                boundary,
                offset,
                length,
                entries,
                best
            }
        );
        for (name, value) in [
            ("ABI", u64::from(ABI)),
            ("MAX_BLOCKS", MAX_BLOCKS as u64),
            ("OVER_4G", OVER_4G.into()),
            ("INFO", Info::OPCODE.into()),
            ("BEST", Best::OPCODE.into()),
            ("COALESCE", Coalesce::OPCODE.into()),
            ("MAP", Map::OPCODE.into()),
            ("PIN", Pin::OPCODE.into()),
            ("UNPIN", Unpin::OPCODE.into()),
            ("LISTS", Lists::OPCODE.into()),
            ("REGION_BEST", RegionBest::OPCODE.into()),
            ("DMA", Dma::OPCODE.into()),
            ("DEVICE", Device::OPCODE.into()),
            ("DMABUF", DmaBuf::OPCODE.into()),
        ] {
            writeln!(
                program,
                "_Static_assert(UMEM_PROBE_{name} == {value}ull, \"{name}\");"
            )
            .unwrap();
        }
        let mut compiler = Command::new("cc")
            .args(["-fsyntax-only", "-x", "c", "-I"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/probe"))
            .arg("-")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("cc, which links every Rust program");
        compiler
            .stdin
            .take()
            .unwrap()
            .write_all(program.as_bytes())
            .unwrap();
        assert!(compiler.wait().unwrap().success());
    }
}
