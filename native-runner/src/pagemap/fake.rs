//! A made-up pagemap, for tests.

use std::{cell::Cell, io, os::unix::fs::FileExt};

use super::Pagemap;

/// The page of the machine that is made up, in bytes.
pub const PAGE: u64 = 4096;

/// The words of a pagemap that ends after them, and how often it was read.
pub struct Fake {
    words: Vec<u64>,
    /// How often.
    pub reads: Cell<usize>,
}

impl FileExt for Fake {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        let words = self.words.iter();
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
    Pagemap {
        source: Fake {
            words: words.to_vec(),
            reads: Cell::new(0),
        },
        page: PAGE,
    }
}
