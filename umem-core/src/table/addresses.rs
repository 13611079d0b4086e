//! Entries → the words of a device's table: the address of each block, as drivers write them into
//! their page lists (`mlx5_ib_populate_pas()`, `irdma_copy_user_pgaddrs()`) [linux 7.2].
//!
//! A kernel calls its iterator for every block. Here the entries come in runs with equidistant addresses, so the rest of
//! the work is a loop that only writes.

use super::EntryRun;

/// Writes the device addresses of the entries of `runs`, in order, as words into `buffer`; calls `full` with it whenever it is full,
/// and at the end with the rest. Returns the number of words. Writes all entries, and nothing if the buffer is empty.
///
/// The buffer may be the whole table, or a piece that goes to the device again and again (`mlx5r_umr_update_mr_pas()`).
///
/// ```
/// use umem_core::{address::DmaAddr, table::{EntryRun, addresses}};
/// let run = EntryRun { offset: 0, address: DmaAddr::new(0x1000), size: 0x1000, count: 3 };
/// let mut pieces = Vec::new();
/// let words = addresses::write([run].into_iter(), &mut [0; 2], |piece| pieces.push(piece.to_vec()));
/// assert_eq!((words, pieces), (3, vec![vec![0x1000, 0x2000], vec![0x3000]]));
/// ```
#[inline]
pub fn write(
    runs: impl Iterator<Item = EntryRun>,
    buffer: &mut [u64],
    mut full: impl FnMut(&[u64]),
) -> u64 {
    if buffer.is_empty() {
        return 0;
    }
    let (mut written, mut filled) = (0u64, 0usize);
    let mut full = |piece: &[u64]| {
        written += piece.len() as u64;
        full(piece);
    };
    runs.for_each(|run| {
        let (address, size) = (run.address.get(), run.size);
        let room = &mut buffer[filled..];
        filled = match usize::try_from(run.count) {
            Ok(count) if count <= room.len() => {
                filled + equidistant(address, size, &mut room[..count])
            }
            _ => across(address, size, run.count, buffer, filled, &mut full),
        };
    });
    if filled > 0 {
        full(&buffer[..filled]);
    }
    written
}

/// [`write()`] for a device that can fail: the first error of `full` ends the writing and is returned.
///
/// If `full` never fails, [`write()`] is faster for lists of many short runs.
///
/// # Errors
/// What `full` returned.
///
/// ```
/// use umem_core::{address::DmaAddr, table::{EntryRun, addresses}};
/// let run = EntryRun { offset: 0, address: DmaAddr::new(0x1000), size: 0x1000, count: 1 << 40 };
/// let mut room = 4;
/// let result = addresses::try_write([run], &mut [0; 2], |piece| {
///     room = usize::checked_sub(room, piece.len()).ok_or("the device's table is full")?;
///     Ok(())
/// });
/// assert_eq!((result, room), (Err("the device's table is full"), 0));
/// ```
pub fn try_write<E>(
    runs: impl IntoIterator<Item = EntryRun>,
    buffer: &mut [u64],
    mut full: impl FnMut(&[u64]) -> Result<(), E>,
) -> Result<u64, E> {
    if buffer.is_empty() {
        return Ok(0);
    }
    let (mut written, mut filled) = (0u64, 0usize);
    for run in runs {
        let (mut address, mut count) = (run.address.get(), run.count);
        while count > 0 {
            let room = &mut buffer[filled..];
            let now = room.len().min(usize::try_from(count).unwrap_or(usize::MAX));
            filled += equidistant(address, run.size, &mut room[..now]);
            address = address.wrapping_add(run.size.wrapping_mul(now as u64));
            count -= now as u64;
            if filled == buffer.len() {
                full(buffer)?;
                written += filled as u64;
                filled = 0;
            }
        }
    }
    if filled > 0 {
        full(&buffer[..filled])?;
        written += filled as u64;
    }
    Ok(written)
}

/// Writes `address`, and into each further word the one before it plus `step`. Returns how many words there were.
#[inline]
fn equidistant(mut address: u64, step: u64, words: &mut [u64]) -> usize {
    for word in &mut *words {
        *word = address;
        address = address.wrapping_add(step);
    }
    words.len()
}

/// Writes `count` words, more than `buffer` has room for after `filled` words. Returns how many are filled afterwards.
#[inline(never)]
fn across(
    mut address: u64,
    step: u64,
    mut count: u64,
    buffer: &mut [u64],
    mut filled: usize,
    full: &mut impl FnMut(&[u64]),
) -> usize {
    while count > 0 {
        if filled == buffer.len() {
            full(buffer);
            filled = 0;
        }
        let room = &mut buffer[filled..];
        let now = room.len().min(usize::try_from(count).unwrap_or(usize::MAX));
        filled += equidistant(address, step, &mut room[..now]);
        address = address.wrapping_add(step.wrapping_mul(now as u64));
        count -= now as u64;
    }
    filled
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
            prop_assert_eq!(write(runs.iter().copied(), &mut [], |_| panic!("there is nothing in it")), 0);
            let expected: Vec<u64> = runs.iter().flat_map(|run| run.entries()).map(|entry| entry.address.get()).collect();
            let (mut table, mut buffer) = (Vec::new(), alloc::vec![0; piece]);
            let mut lengths = Vec::new();
            let words = write(runs.into_iter(), &mut buffer, |words| {
                table.extend_from_slice(words);
                lengths.push(words.len());
            });
            prop_assert_eq!(words as usize, table.len());
            // All pieces are full but the last, which is not empty.
            if let Some((last, others)) = lengths.split_last() {
                prop_assert!((1..=piece).contains(last));
                prop_assert!(others.iter().all(|length| *length == piece));
            }
            prop_assert_eq!(table, expected);
        }

        #[test]
        fn the_first_error_ends_the_writing(runs in prop::collection::vec((0u64..1 << 40, 0u32..64, 1u64..40), 0..8), piece in 1usize..50, pieces in 0usize..12) {
            let runs: Vec<_> = runs
                .into_iter()
                .map(|(address, log2, count)| EntryRun { offset: 0, address: DmaAddr::new(address), size: 1 << log2, count })
                .collect();
            let mut whole = Vec::new();
            let words = write(runs.iter().copied(), &mut alloc::vec![0; piece], |words| whole.push(words.to_vec()));
            let mut table = Vec::new();
            let result = try_write(runs, &mut alloc::vec![0; piece], |words| {
                if table.len() == pieces {
                    return Err("no room");
                }
                table.push(words.to_vec());
                Ok(())
            });
            prop_assert_eq!(result, if whole.len() > pieces { Err("no room") } else { Ok(words) });
            whole.truncate(pieces);
            prop_assert_eq!(table, whole);
        }
    }
}
