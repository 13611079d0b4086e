//! The data level: do the bytes of every entry arrive?
//!
//! The source is full of one pattern, the sink of another. A device moves each entry's bytes, one
//! operation an entry, by RDMA WRITE and then once more by RDMA READ; after each the whole sink is
//! compared, and the whole source. The sink is registered with guards on both sides, so that a
//! byte too many spoils a guard instead of being refused.

use std::{io, ops::Range, sync::atomic::AtomicU64};

use umem_core::size::Bytes;

use crate::{
    buffer::{self, Recipe},
    mapping::Mapping,
    model::Table,
    nic::{Claim, Nic, Operation, Piece},
    pattern::{Expected, Mismatch, Pattern, flip_byte},
    region::Region,
};

/// What the buffers' windows are full of.
const SOURCE: Pattern = Pattern::new(0x736f_7572_6365);

/// What the sink is full of before anything arrives.
const UNTOUCHED: Pattern = Pattern::new(0x7369_6e6b);

/// How much of the sink lies before, and after, the place of the buffer.
const GUARD: u64 = 64 << 10;

/// How long the sink is, in bytes.
pub const SINK_LENGTH: usize = buffer::LENGTH + 2 * GUARD as usize;

/// Memory for a sink: a buffer's window with a guard on both sides.
pub fn sink_memory() -> io::Result<Mapping> {
    Mapping::anonymous(SINK_LENGTH, buffer::LENGTH)
}

/// The part of a buffer that bytes are moved out of.
#[derive(Clone, Copy, Debug)]
pub struct Window<'m> {
    /// All of the buffer.
    pub memory: &'m Mapping,
    /// Where the window begins in it.
    start: u64,
}

impl<'m> Window<'m> {
    /// The window of `memory`, made by `recipe`; full of bytes that know their place.
    pub fn fill(memory: &'m Mapping, recipe: &Recipe) -> Self {
        let window = Self {
            memory,
            start: recipe.window().start,
        };
        SOURCE.fill(window.words());
        window
    }

    fn words(&self) -> &'m [AtomicU64] {
        &self.memory.words()[self.start as usize / 8..][..buffer::LENGTH / 8]
    }

    /// The window must read as it was filled.
    fn unchanged(&self) -> Result<(), String> {
        let expected = Expected {
            inside: SOURCE,
            origin: 0,
            offset: 0,
            length: buffer::LENGTH as u64,
            outside: UNTOUCHED,
        };
        match expected.compare(self.words()) {
            None => Ok(()),
            Some(wrong) => Err(format!(
                "the source changed at +{:#x} ({} bytes in all)",
                self.start + wrong.first,
                wrong.bytes
            )),
        }
    }

    /// Where the byte at `offset` of the buffer goes in the sink.
    fn place(&self, offset: u64) -> u64 {
        offset - self.start + GUARD
    }

    /// The entries' bytes, as far as they are of the region, each to the same place in the sink.
    fn pieces(&self, table: &Table, region: Region) -> Vec<Piece> {
        let Range { start, end } = region.range();
        let cut = |offset: i128| offset.clamp(start.into(), end.into()) as u64;
        let pieces = table.entries().map(|entry| {
            let from = cut(entry.offset.into());
            let end = cut(i128::from(entry.offset) + i128::from(entry.size));
            Piece {
                from,
                to: self.place(from),
                length: end - from,
            }
        });
        pieces.filter(|piece| piece.length > 0).collect()
    }
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
        let region = nic.register(memory, Claim::all(0..memory.len() as u64))?;
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

    /// Moves the entries of `table` out of `window`, of which `source` is registered as `region` says, and compares.
    /// With `spoil`, one byte is changed in between, so the error must come.
    ///
    /// The error says in words what did not arrive, or where.
    pub fn check(
        &self,
        window: Window<'_>,
        source: &N::Region<'_>,
        table: &Table,
        region: Region,
        spoil: bool,
    ) -> Result<(), String> {
        let pieces = window.pieces(table, region);
        for operation in [Operation::Write, Operation::Read] {
            UNTOUCHED.fill(self.memory.words());
            self.nic
                .transfer(operation, source, &self.region, &pieces)
                .map_err(|error| format!("{operation}: {error}"))?;
            if spoil {
                let middle = window.place(region.offset + region.length / 2);
                flip_byte(self.memory.words(), middle);
            }
            let place = window.place(region.offset);
            self.arrived(place, region.length)
                .map_err(|wrong| words(wrong, place..place + region.length, &pieces))
                .and_then(|()| window.unchanged())
                .map_err(|why| format!("{operation}: {why}"))?;
        }
        Ok(())
    }

    /// Whether the sink holds `length` bytes of the source at `place`, and nothing else new.
    fn arrived(&self, place: u64, length: u64) -> Result<(), Mismatch> {
        let expected = Expected {
            inside: SOURCE,
            origin: GUARD,
            offset: place,
            length,
            outside: UNTOUCHED,
        };
        expected.compare(self.memory.words()).map_or(Ok(()), Err)
    }
}

/// Where a wrong byte of the sink lies, in the words of the region, which lies at `place` there.
fn words(wrong: Mismatch, place: Range<u64>, pieces: &[Piece]) -> String {
    let words = match wrong.first {
        at if at < place.start => format!("the guard {} bytes before the region", place.start - at),
        at if at >= place.end => format!("the guard {} bytes after the region", at - place.end + 1),
        at => {
            let entry = pieces
                .iter()
                .position(|piece| (piece.to..piece.to + piece.length).contains(&at));
            let byte = format!("byte +{:#x} of the region", at - place.start);
            match entry {
                Some(index) => format!(
                    "{byte}, in entry {index} of {}",
                    Bytes(pieces[index].length)
                ),
                None => format!("{byte}, in no entry"),
            }
        }
    };
    format!("{words}, is wrong ({} bytes in all)", wrong.bytes)
}
