//! A made-up pagemap, for tests.

use std::{
    io,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use super::Pagemap;

/// The page of the machine that is made up, in bytes.
pub const PAGE: u64 = 4096;

/// The words of a pagemap that ends after them, and how often it was read.
pub struct Fake {
    /// What the first reading finds, what the second one, and so on; the last for good.
    turns: Vec<Vec<u64>>,
    reads: AtomicUsize,
}

impl Fake {
    /// How often it was read.
    pub fn reads(&self) -> usize {
        self.reads.load(Relaxed)
    }
}

impl FileExt for Fake {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let turn = self.reads.fetch_add(1, Relaxed).min(self.turns.len() - 1);
        let words = self.turns[turn].iter();
        let bytes: Vec<u8> = words.flat_map(|word| word.to_ne_bytes()).collect();
        let bytes = &bytes[(offset as usize).min(bytes.len())..];
        let len = bytes.len().min(buf.len());
        buf[..len].copy_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        unreachable!("a pagemap is read")
    }
}

/// A pagemap whose page `n` has the word `words[n]`.
pub fn fake(words: &[u64]) -> Pagemap<Fake> {
    fake_in_turns(&[words])
}

/// A pagemap that changes with every reading.
pub fn fake_in_turns(turns: &[&[u64]]) -> Pagemap<Fake> {
    Pagemap {
        source: Fake {
            turns: turns.iter().map(|words| words.to_vec()).collect(),
            reads: AtomicUsize::new(0),
        },
        page: PAGE,
    }
}
