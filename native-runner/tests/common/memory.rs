//! Memory of the test's own, to be captured by the command.

/// The kernel's page, in bytes.
pub const PAGE: usize = 4096;

/// Memory of ours: `pages` of them, all there but those of `holes`.
pub struct Memory {
    bytes: Vec<u8>,
    first: usize,
}

impl Memory {
    /// `pages` of them, all resident but those of `holes`.
    pub fn new(pages: usize, holes: &[usize]) -> Self {
        // Zeroed memory of this size comes from mmap, untouched.
        let mut bytes = vec![0u8; (pages + 1) * PAGE + (4 << 20)];
        let first = bytes.as_ptr().align_offset(PAGE);
        for page in (0..pages).filter(|page| !holes.contains(page)) {
            // Volatile, so that no compiler takes it for a write of what is there already.
            let byte = &raw mut bytes[first + page * PAGE];
            // SAFETY: a byte of our own vector.
            unsafe { byte.write_volatile(1) };
        }
        Self { bytes, first }
    }

    /// Its first address.
    pub fn start(&self) -> usize {
        self.bytes[self.first..].as_ptr().addr()
    }
}

/// The number of this process.
pub fn own_pid() -> String {
    std::process::id().to_string()
}
