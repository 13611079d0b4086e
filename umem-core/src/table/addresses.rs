//! Entries → the words of a device's table: the address of each block, as drivers write them into
//! their page lists (`mlx5_ib_populate_pas()`, `irdma_copy_user_pgaddrs()`) [linux 7.2].
//!
//! A kernel asks its iterator for block after block. Here the entries come in runs, and the addresses within a
//! run are equidistant, so what is left of the work is a loop that does nothing but write.

use super::EntryRun;

/// Writes the device addresses of entries, in order, into a table of 64-bit words.
///
/// The table may be filled at once or piece by piece, through a buffer of any length.
///
/// ```
/// use umem_core::{address::DmaAddr, table::{EntryRun, addresses::Addresses}};
/// let run = EntryRun { offset: 0, address: DmaAddr::new(0x1000), size: 0x1000, count: 3 };
/// let mut addresses = Addresses::new([run].into_iter());
/// let mut piece = [0; 2];
/// assert_eq!((addresses.fill(&mut piece), piece), (2, [0x1000, 0x2000]));
/// assert_eq!((addresses.fill(&mut piece), piece[0]), (1, 0x3000));
/// assert_eq!(addresses.fill(&mut piece), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Addresses<I> {
    runs: I,
    /// What did not fit into the last piece.
    rest: Option<EntryRun>,
}

impl<I: Iterator<Item = EntryRun>> Addresses<I> {
    /// The addresses of the entries of `runs`.
    pub fn new(runs: I) -> Self {
        Self { runs, rest: None }
    }

    /// Fills `table` from its start, and returns how many words it wrote: fewer than `table` has only once there are no more.
    #[inline]
    pub fn fill(&mut self, table: &mut [u64]) -> usize {
        let mut filled = 0;
        if let Some(rest) = self.rest.take() {
            filled = self.write(rest, table);
        }
        while filled < table.len() {
            let Some(run) = self.runs.next() else { break };
            filled += self.write(run, &mut table[filled..]);
        }
        filled
    }

    /// Writes as much of `run` as `room` holds, and keeps the rest.
    #[inline]
    fn write(&mut self, run: EntryRun, room: &mut [u64]) -> usize {
        let count = room
            .len()
            .min(usize::try_from(run.count).unwrap_or(usize::MAX));
        let mut address = run.address.get();
        for word in &mut room[..count] {
            *word = address;
            address = address.wrapping_add(run.size);
        }
        if run.count > count as u64 {
            self.rest = Some(run.after(count as u64));
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::DmaAddr;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_pieces_hold_the_entries_one_by_one(runs in prop::collection::vec((0u64..1 << 40, 0u32..64, 1u64..40), 0..8), piece in 1usize..50) {
            let runs: Vec<_> = runs
                .into_iter()
                .map(|(address, log2, count)| EntryRun { offset: 0, address: DmaAddr::new(address), size: 1 << log2, count })
                .collect();
            let expected: Vec<u64> = runs.iter().flat_map(|run| run.entries()).map(|entry| entry.address.get()).collect();
            let mut addresses = Addresses::new(runs.iter().copied());
            let mut table = Vec::new();
            loop {
                let mut words = alloc::vec![0; piece];
                let filled = addresses.fill(&mut words);
                table.extend_from_slice(&words[..filled]);
                if filled < piece {
                    break;
                }
            }
            prop_assert_eq!(table, expected);
        }
    }
}
