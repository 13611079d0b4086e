//! The data level: do the bytes of every entry arrive?
//!
//! The source is full of one pattern, the sink of another. A device moves each entry's bytes, one
//! operation an entry, by RDMA WRITE and then once more by RDMA READ; after each the whole sink is
//! compared, and the whole source. The sink is registered with guards on both sides, so that a
//! byte too many spoils a guard instead of being refused.

use std::{io, ops::Range};

use umem_core::size::Bytes;

use crate::{
    buffer,
    mapping::Mapping,
    model::Table,
    nic::{Nic, Operation, Piece},
    pattern::{Expected, Mismatch, Pattern, flip_byte},
};

/// What the buffers are full of.
pub const SOURCE: Pattern = Pattern::new(0x736f_7572_6365);

/// What the sink is full of before anything arrives.
const UNTOUCHED: Pattern = Pattern::new(0x7369_6e6b);

/// How much of the sink lies before, and after, the place of the buffer.
const GUARD: u64 = 64 << 10;

/// How long the sink is, in bytes.
pub const SINK_LENGTH: usize = buffer::LENGTH + 2 * GUARD as usize;

/// Memory for a sink: a buffer's length with a guard on both sides.
pub fn sink_memory() -> io::Result<Mapping> {
    Mapping::anonymous(SINK_LENGTH, buffer::LENGTH)
}

/// Where bytes are moved to, registered from end to end.
#[derive(Debug)]
pub struct Sink<'m, N: Nic> {
    nic: &'m N,
    memory: &'m Mapping,
    region: N::Region<'m>,
}

impl<'m, N: Nic> Sink<'m, N> {
    /// Registers `memory`, of [`sink_memory`], with `nic`.
    pub fn new(nic: &'m N, memory: &'m Mapping) -> io::Result<Self> {
        memory.touch();
        let region = nic.register(memory, 0..memory.len() as u64)?;
        Ok(Self {
            nic,
            memory,
            region,
        })
    }

    /// The device.
    pub fn nic(&self) -> &'m N {
        self.nic
    }

    /// Moves the entries of `table` out of `memory`, registered as `source`, and compares. With
    /// `spoil`, one byte is changed in between, so the error must come.
    ///
    /// The error says in words what did not arrive, or where.
    pub fn check(
        &self,
        memory: &Mapping,
        source: &N::Region<'_>,
        table: &Table,
        region: Range<u64>,
        spoil: bool,
    ) -> Result<(), String> {
        let pieces = pieces(table, &region);
        for operation in [Operation::Write, Operation::Read] {
            UNTOUCHED.fill(self.memory.words());
            self.nic
                .transfer(operation, source, &self.region, &pieces)
                .map_err(|error| format!("{operation}: {error}"))?;
            if spoil {
                flip_byte(
                    self.memory.words(),
                    GUARD + region.start.midpoint(region.end),
                );
            }
            self.arrived(&region)
                .map_err(|wrong| format!("{operation}: {}", place(wrong, &region, &pieces)))?;
            untouched(memory).map_err(|wrong| {
                format!(
                    "{operation}: the source changed at +{:#x} ({} bytes in all)",
                    wrong.first, wrong.bytes
                )
            })?;
        }
        Ok(())
    }

    fn arrived(&self, region: &Range<u64>) -> Result<(), Mismatch> {
        let expected = Expected {
            inside: SOURCE,
            origin: GUARD,
            offset: GUARD + region.start,
            length: region.end - region.start,
            outside: UNTOUCHED,
        };
        expected.compare(self.memory.words()).map_or(Ok(()), Err)
    }
}

/// The source must read as it was filled.
fn untouched(memory: &Mapping) -> Result<(), Mismatch> {
    let expected = Expected {
        inside: SOURCE,
        origin: 0,
        offset: 0,
        length: memory.len() as u64,
        outside: UNTOUCHED,
    };
    expected.compare(memory.words()).map_or(Ok(()), Err)
}

/// The entries' bytes, as far as they are of the region, each to the same place in the sink.
fn pieces(table: &Table, region: &Range<u64>) -> Vec<Piece> {
    let cut = |offset: i128| offset.clamp(region.start.into(), region.end.into()) as u64;
    let pieces = table.entries().map(|entry| {
        let from = cut(entry.offset.into());
        let end = cut(i128::from(entry.offset) + i128::from(entry.size));
        Piece {
            from,
            to: GUARD + from,
            length: end - from,
        }
    });
    pieces.filter(|piece| piece.length > 0).collect()
}

/// Where a wrong byte of the sink lies, in the words of the region.
fn place(wrong: Mismatch, region: &Range<u64>, pieces: &[Piece]) -> String {
    let (start, end) = (GUARD + region.start, GUARD + region.end);
    let place = match wrong.first {
        at if at < start => format!("the guard {} bytes before the region", start - at),
        at if at >= end => format!("the guard {} bytes after the region", at - end + 1),
        at => {
            let entry = pieces
                .iter()
                .position(|piece| (piece.to..piece.to + piece.length).contains(&at));
            let byte = format!("byte +{:#x} of the region", at - start);
            match entry {
                Some(index) => format!(
                    "{byte}, in entry {index} of {}",
                    Bytes(pieces[index].length)
                ),
                None => format!("{byte}, in no entry"),
            }
        }
    };
    format!("{place}, is wrong ({} bytes in all)", wrong.bytes)
}
