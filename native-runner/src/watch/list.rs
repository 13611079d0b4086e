//! A kernel's scatter-gather list, put together from the parts in which it was copied.

use std::collections::BTreeMap;

use super::wire::{EntryLayout, ListHeader, Malformed, Piece};

/// The entries of a registration, as the kernel had them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct List {
    /// Addresses and lengths in bytes of the memory. The addresses are physical ones if `has_frames`, else they are off by one constant.
    pub memory: Vec<(u64, u64)>,
    /// Addresses and lengths in bytes as the device sees them.
    pub dma: Vec<(u64, u64)>,
    /// Whether `memory` has physical addresses.
    pub has_frames: bool,
    /// How many entries the kernel's list has that are missing here; 0: it is whole.
    pub missing: u64,
}

/// The parts of lists that wait for their registration, within bounds.
#[derive(Debug, Default)]
pub struct Pieces {
    waiting: BTreeMap<(u64, u64), Vec<Piece>>,
    bytes: usize,
}

/// So many bytes of parts may wait: the list of 64 GiB of scattered 4K pages. Longer ones are cut, and say so.
const MOST_BYTES: usize = 512 << 20;

impl Pieces {
    /// A part has come.
    pub fn add(&mut self, piece: Piece) {
        self.bytes += piece.bytes.len();
        let name = (piece.origin.thread, piece.start);
        self.waiting.entry(name).or_default().push(piece);
        while self.bytes > MOST_BYTES {
            // Registrations begin one after the other; the one that began first waits for nothing any more.
            let oldest = self.waiting.keys().copied().min_by_key(|(_, start)| *start);
            let Some(oldest) = oldest else { break };
            self.take(oldest.0, oldest.1);
        }
    }

    /// Those of the registration of `thread` that began at `start`.
    pub fn take(&mut self, thread: u64, start: u64) -> Vec<Piece> {
        let pieces = self.waiting.remove(&(thread, start)).unwrap_or_default();
        self.bytes -= pieces.iter().map(|piece| piece.bytes.len()).sum::<usize>();
        pieces
    }
}

/// Bits of `page_link` beside the page: it leads to another table; it is the last.
const CHAIN: u64 = 1;
const FLAGS: u64 = 3;

impl List {
    /// The list that `header` tells of, from its parts. `page` is the kernel's page in bytes.
    ///
    /// # Errors
    /// The entries do not hold their fields.
    pub fn of(
        header: &ListHeader,
        vmemmap_base: u64,
        page: u64,
        mut pieces: Vec<Piece>,
    ) -> Result<Self, Malformed> {
        header.layout.check()?;
        pieces.sort_by_key(|piece| piece.number);
        let size = header.layout.size as usize;
        // As many as came, whatever the header says.
        let came: usize = pieces.iter().map(|piece| piece.bytes.len() / size).sum();
        let entries = came.min(header.orig_nents as usize);
        let mut list = Self {
            memory: Vec::with_capacity(entries),
            dma: Vec::with_capacity(entries.min(header.nents as usize)),
            has_frames: vmemmap_base != 0 && header.page_struct != 0,
            ..Self::default()
        };
        'parts: for (expected, piece) in pieces.iter().enumerate() {
            // A part that was lost leaves a hole: what follows would be in the wrong place.
            if piece.number as usize != expected {
                break;
            }
            let entries = piece.bytes.chunks_exact(size).take(piece.entries as usize);
            for entry in entries {
                if list.memory.len() == header.orig_nents as usize {
                    break 'parts;
                }
                let entry = header.layout.read(entry)?;
                if entry.page_link & CHAIN != 0 {
                    continue;
                }
                let struct_page = entry.page_link & !FLAGS;
                let frame = match header.page_struct {
                    0 => 0,
                    size => struct_page.wrapping_sub(vmemmap_base) / u64::from(size),
                };
                let start = frame.wrapping_mul(page).wrapping_add(entry.offset);
                list.memory.push((start, entry.length));
                if list.dma.len() < header.nents as usize {
                    list.dma.push((entry.dma_address, entry.dma_length));
                }
            }
        }
        list.missing = u64::from(header.orig_nents).saturating_sub(list.memory.len() as u64);
        Ok(list)
    }

    /// Whether every entry is here.
    pub fn is_whole(&self) -> bool {
        self.missing == 0
    }
}

struct Entry {
    page_link: u64,
    offset: u64,
    length: u64,
    dma_address: u64,
    dma_length: u64,
}

impl EntryLayout {
    /// An error unless an entry holds all its fields.
    fn check(&self) -> Result<(), Malformed> {
        let fields = [
            (self.page_link, 8),
            (self.offset, 4),
            (self.length, 4),
            (self.dma_address, 8),
            (self.dma_length, 4),
        ];
        let holds =
            |&(at, length): &(u32, u32)| at.checked_add(length).is_some_and(|end| end <= self.size);
        match self.size > 0 && fields.iter().all(holds) {
            true => Ok(()),
            false => Err(Malformed::Entry),
        }
    }

    fn read(&self, entry: &[u8]) -> Result<Entry, Malformed> {
        let long = |at: u32| {
            let bytes = entry.get(at as usize..)?.first_chunk()?;
            Some(u64::from_ne_bytes(*bytes))
        };
        let short = |at: u32| {
            let bytes = entry.get(at as usize..)?.first_chunk()?;
            Some(u64::from(u32::from_ne_bytes(*bytes)))
        };
        let fields = || {
            Some(Entry {
                page_link: long(self.page_link)?,
                offset: short(self.offset)?,
                length: short(self.length)?,
                dma_address: long(self.dma_address)?,
                dma_length: short(self.dma_length)?,
            })
        };
        fields().ok_or(Malformed::Entry)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Origin;
    use super::*;
    use proptest::prelude::*;

    /// x86-64's, with `CONFIG_NEED_SG_DMA_LENGTH`.
    const LAYOUT: EntryLayout = EntryLayout {
        size: 32,
        page_link: 0,
        offset: 8,
        length: 12,
        dma_address: 16,
        dma_length: 24,
    };
    const BASE: u64 = 0xffff_ea00_0000_0000;

    fn header(nents: u32, orig_nents: u32, pieces: u32) -> ListHeader {
        ListHeader {
            nents,
            orig_nents,
            pieces,
            pieces_lost: 0,
            page_struct: 64,
            layout: LAYOUT,
        }
    }

    fn entry(page_link: u64, length: u32, dma: u64, dma_length: u32) -> Vec<u8> {
        let mut bytes = page_link.to_ne_bytes().to_vec();
        bytes.extend(0u32.to_ne_bytes());
        bytes.extend(length.to_ne_bytes());
        bytes.extend(dma.to_ne_bytes());
        bytes.extend(dma_length.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes
    }

    fn piece(number: u32, entries: &[Vec<u8>]) -> Piece {
        Piece {
            origin: Origin { thread: 1, time: 2 },
            start: 3,
            number,
            entries: entries.len() as u32,
            bytes: entries.concat(),
        }
    }

    #[test]
    fn links_between_tables_are_no_entries() {
        let frame = |number: u64| BASE + number * 64;
        let first = [
            entry(frame(5), 4096, 0xf000, 8192),
            entry(0x1000 | CHAIN, 0, 0, 0),
        ];
        let second = [entry(frame(9) | 2, 8192, 0, 0)];
        // Parts may come in any order.
        let pieces = vec![piece(1, &second), piece(0, &first)];
        let list = List::of(&header(1, 2, 2), BASE, 4096, pieces).unwrap();
        assert_eq!(list.memory, [(5 << 12, 4096), (9 << 12, 8192)]);
        assert_eq!(list.dma, [(0xf000, 8192)]);
        assert!(list.is_whole() && list.has_frames);
    }

    #[test]
    fn a_lost_part_cuts_the_list_and_is_counted() {
        let one = |number| piece(number, &[entry(BASE, 4096, 0, 4096)]);
        let list = List::of(&header(3, 3, 3), BASE, 4096, vec![one(0), one(2)]).unwrap();
        assert_eq!((list.memory.len(), list.missing), (1, 2));
    }

    #[test]
    fn a_layout_that_does_not_fit_is_refused() {
        for layout in [
            EntryLayout { size: 0, ..LAYOUT },
            EntryLayout {
                dma_address: 28,
                ..LAYOUT
            },
            EntryLayout {
                offset: u32::MAX,
                ..LAYOUT
            },
        ] {
            let header = ListHeader {
                layout,
                ..header(1, 1, 1)
            };
            assert_eq!(
                List::of(&header, BASE, 4096, Vec::new()),
                Err(Malformed::Entry)
            );
        }
    }

    #[test]
    fn parts_that_wait_take_bounded_memory() {
        let mut pieces = Pieces::default();
        let big = |start| Piece {
            start,
            bytes: vec![0; MOST_BYTES / 2],
            ..piece(0, &[])
        };
        for start in 1..=3 {
            pieces.add(big(start));
        }
        assert!(pieces.take(1, 1).is_empty() && !pieces.take(1, 3).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), sizes: [u32; 6], small in 0u32..40, nents: u32, orig: u32, entries: u32
        ) {
            let [size, page_link, offset, length, dma_address, dma_length] = sizes.map(|size| size % (small + 1));
            let layout = EntryLayout { size: size + small, page_link, offset, length, dma_address, dma_length };
            let header = ListHeader { layout, ..header(nents, orig, 1) };
            let piece = Piece { entries, bytes, ..piece(0, &[]) };
            if let Ok(list) = List::of(&header, BASE, 4096, vec![piece]) {
                prop_assert!(list.memory.len() <= orig as usize && list.dma.len() <= nents as usize);
            }
        }
    }
}
