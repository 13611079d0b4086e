//! The records of the BPF programs (`bpf/umem_watch.h`), taken apart.
//!
//! They come from our own programs, but the memory that those copied was the kernel's, and a version of the programs need not be ours:
//! no length is believed.

use std::fmt;

pub use super::record::{
    Best, Blocks, End, EntryLayout, Get, Kind, ListHeader, Origin, Piece, Record, Release,
};

/// How many return addresses a registration has.
const STACK_DEPTH: usize = 12;
const NAME_LENGTH: usize = 64;
const COMM_LENGTH: usize = 16;

/// A record that is not one of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// It ends too early.
    Short,
    /// Its own length says something else.
    Length,
    /// No kind has this number.
    Kind(u32),
    /// An entry does not hold its fields.
    Entry,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("a record ends too early"),
            Self::Length => f.write_str("a record is not as long as it says"),
            Self::Kind(kind) => write!(f, "a record is of the unknown kind {kind}"),
            Self::Entry => f.write_str("a list's entries do not hold their fields"),
        }
    }
}

impl std::error::Error for Malformed {}

impl Record {
    /// Reads one.
    ///
    /// # Errors
    /// It is not as `bpf/umem_watch.h` has it.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(bytes);
        let (kind, size) = (fields.u32()?, fields.u32()?);
        let origin = Origin {
            thread: fields.u64()?,
            time: fields.u64()?,
        };
        // A ring's record may be longer than what is in it, never shorter.
        let whole = bytes.get(..size as usize).ok_or(Malformed::Length)?;
        let mut fields = Fields(whole.get(24..).ok_or(Malformed::Length)?);
        let record = match kind {
            1 => Self::Get(Box::new(get(origin, &mut fields)?)),
            2 => return piece(origin, fields).map(Self::Piece),
            3 => Self::Best(Best {
                origin,
                umem: fields.u64()?,
                sizes: fields.u64()?,
                virt: fields.u64()?,
                best: fields.u64()?,
            }),
            4 => {
                let (sgl, _nents, size) = (fields.u64()?, fields.u64()?, fields.u64()?);
                Self::Blocks(Blocks { origin, sgl, size })
            }
            5 => Self::End(End {
                origin,
                start: fields.u64()?,
                result: fields.u64()?.cast_signed(),
            }),
            6 => Self::Release(Release {
                origin,
                umem: fields.u64()?,
            }),
            kind => return Err(Malformed::Kind(kind)),
        };
        match fields.0.is_empty() {
            true => Ok(record),
            false => Err(Malformed::Length),
        }
    }
}

fn get(origin: Origin, fields: &mut Fields<'_>) -> Result<Get, Malformed> {
    let (start, umem) = (fields.u64()?, fields.u64()?);
    let (address, length, access) = (fields.u64()?, fields.u64()?, fields.u64()?);
    let _device = fields.u64()?;
    let (max_segment, boundary_mask, dma_mask) = (fields.u64()?, fields.u64()?, fields.u64()?);
    let (domain_pages, sgl) = (fields.u64()?, fields.u64()?);
    let _table = fields.u64()?;
    let (vmemmap_base, pinned, memlock) = (fields.u64()?, fields.u64()?, fields.u64()?);
    let capabilities = fields.u64()?;
    let mut stack = Vec::with_capacity(STACK_DEPTH);
    for _ in 0..STACK_DEPTH {
        match fields.u64()? {
            0 => {}
            address => stack.push(address),
        }
    }
    let kind = match fields.u32()? {
        0 => Kind::Pages,
        1 => Kind::OnDemand,
        2 => Kind::DmaBuf,
        kind => return Err(Malformed::Kind(kind)),
    };
    let (flags, domain_type) = (fields.u32()?, fields.u32()?);
    let (nents, orig_nents) = (fields.u32()?, fields.u32()?);
    let (pieces, pieces_lost) = (fields.u32()?, fields.u32()?);
    let page_struct = fields.u32()?;
    let layout = EntryLayout {
        size: fields.u32()?,
        page_link: fields.u32()?,
        offset: fields.u32()?,
        length: fields.u32()?,
        dma_address: fields.u32()?,
        dma_length: fields.u32()?,
    };
    let (_depth, _unused) = (fields.u32()?, fields.u32()?);
    let list = ListHeader {
        nents,
        orig_nents,
        pieces,
        pieces_lost,
        page_struct,
        layout,
    };
    Ok(Get {
        origin,
        start,
        umem,
        address,
        length,
        access: access as u32,
        max_segment,
        boundary_mask,
        dma_mask,
        domain_pages,
        sgl,
        vmemmap_base,
        pinned,
        memlock,
        capabilities,
        stack,
        kind,
        has_dma_device: flags & 1 != 0,
        domain_type: (flags & 2 != 0).then_some(domain_type),
        reached_mapping: flags & 4 != 0,
        list: (flags & 8 != 0).then_some(list),
        name: text(fields.bytes(NAME_LENGTH)?),
        comm: text(fields.bytes(COMM_LENGTH)?),
    })
}

fn piece(origin: Origin, mut fields: Fields<'_>) -> Result<Piece, Malformed> {
    Ok(Piece {
        origin,
        start: fields.u64()?,
        number: fields.u32()?,
        entries: fields.u32()?,
        bytes: fields.0.to_vec(),
    })
}

/// A string of C, as far as it is one.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

/// The fields of a record that are not read yet.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| Malformed::Short)
    }

    /// The next number.
    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_ne_bytes)
    }

    /// The next number.
    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_ne_bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record of this kind, as the programs send it.
    pub fn record(kind: u32, thread: u64, time: u64, body: &[u8]) -> Vec<u8> {
        let size = (24 + body.len()) as u32;
        let mut bytes = [kind.to_ne_bytes(), size.to_ne_bytes()].concat();
        bytes.extend(thread.to_ne_bytes());
        bytes.extend(time.to_ne_bytes());
        bytes.extend(body);
        bytes
    }

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    /// `struct get` after its origin is so long.
    const GET: usize = 16 * 8 + STACK_DEPTH * 8 + 16 * 4 + NAME_LENGTH + COMM_LENGTH;

    #[test]
    fn records_are_read_as_the_header_has_them() {
        let best = record(3, 7 << 32 | 8, 9, &words(&[1, 0x1000, 2, 4096]));
        let origin = Origin {
            thread: 7 << 32 | 8,
            time: 9,
        };
        assert_eq!(
            Record::read(&best),
            Ok(Record::Best(Best {
                origin,
                umem: 1,
                sizes: 0x1000,
                virt: 2,
                best: 4096
            }))
        );
        let mut body = vec![0; GET];
        body[8..16].copy_from_slice(&(-12i64).to_ne_bytes());
        let comm = GET - COMM_LENGTH;
        body[comm..comm + 4].copy_from_slice(b"vllm");
        let Ok(Record::Get(get)) = Record::read(&record(1, 7 << 32, 9, &body)) else {
            panic!("it is one");
        };
        assert_eq!((get.errno(), get.pid()), (Some(12), 7));
        assert_eq!((get.comm.as_str(), get.list), ("vllm", None));
    }

    #[test]
    fn what_is_not_a_record_is_refused() {
        let release = record(6, 1, 2, &words(&[3]));
        assert!(Record::read(&release).is_ok());
        assert_eq!(
            Record::read(&release[..release.len() - 1]),
            Err(Malformed::Length)
        );
        assert_eq!(Record::read(&release[..20]), Err(Malformed::Short));
        assert_eq!(Record::read(&[]), Err(Malformed::Short));
        assert_eq!(
            Record::read(&record(99, 1, 2, &[])),
            Err(Malformed::Kind(99))
        );
        assert_eq!(
            Record::read(&record(6, 1, 2, &words(&[3, 4]))),
            Err(Malformed::Length)
        );
        let mut liar = release.clone();
        liar[4..8].copy_from_slice(&8u32.to_ne_bytes());
        assert_eq!(Record::read(&liar), Err(Malformed::Length));
        liar[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(Record::read(&liar), Err(Malformed::Length));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(kind in 0u32..8, body in proptest::collection::vec(any::<u8>(), 0..700), cut in 0usize..700) {
            let bytes = record(kind, 1, 2, &body);
            let _ = Record::read(&bytes);
            let _ = Record::read(&bytes[..cut.min(bytes.len())]);
            let _ = Record::read(&body);
        }
    }
}
