//! Which bits of a word describe a frame.

/// Bit 63 of a pagemap word: the page is present. Documentation/admin-guide/mm/pagemap.rst [linux 7.2]
pub(super) const PRESENT: u64 = 1 << 63;
/// Bits 0–54 of a pagemap word: the number of the page's frame. 0 where the kernel hides it.
pub(super) const FRAME_NUMBER: u64 = (1 << 55) - 1;

/// Which bits of a word describe a frame: all, if words are frame numbers.
pub(super) const NUMBERS: u64 = u64::MAX;
/// The same for pagemap words.
pub(super) const PAGEMAP: u64 = PRESENT | FRAME_NUMBER;
