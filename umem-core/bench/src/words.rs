//! The two kinds of words that tell where frames are.

/// A pagemap word's flag.
pub const PRESENT: u64 = 1 << 63;

/// What words tell of frames.
#[derive(Clone, Copy)]
#[cfg_attr(target_family = "wasm", allow(dead_code))] // The peers' words.
pub struct Words {
    pub name: &'static str,
    /// The bits that tell of a frame, and what they are at least where there is one.
    pub mask: u64,
    pub least: u64,
}

pub const NUMBERS: Words = Words {
    name: "frame numbers",
    mask: u64::MAX,
    least: 0,
};
pub const PAGEMAP: Words = Words {
    name: "pagemap words",
    mask: PRESENT | ((1 << 55) - 1),
    least: PRESENT + 1,
};
