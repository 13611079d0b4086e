//! Raw contexts of the device: the page size that is in use, as the device has it.

use std::io;

use super::attribute::{self, attributes};

/// A region's context in the device, byte by byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context(Vec<u8>);

/// What an mkey says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mkey {
    /// The address by which the NIC knows the first byte.
    pub start: u64,
    /// The page size in bytes; `None` of a physical region, which has no table.
    pub page_size: Option<u64>,
    /// The room in its table, in units of 16 bytes.
    pub octowords: u32,
}

/// The context in a message, if it has one.
pub(super) fn read(message: &[u8]) -> io::Result<Option<Context>> {
    for found in attributes(message) {
        if let (attribute::RAW, value) = found? {
            return Ok(Some(Context(value.to_vec())));
        }
    }
    Ok(None)
}

// `struct mlx5_ifc_mkc_bits` [include/linux/mlx5/mlx5_ifc.h, linux 7.2], in bytes.
const MKC: usize = 64;
const START: usize = 0x10;
const LENGTH: usize = 0x18;
const OCTOWORDS: usize = 0x34;
const LOG_PAGE_SIZE: usize = 0x3b;

impl Context {
    /// As mlx5's: a stream of segments of a resource dump, big endian, with the `mkc` of a region of `length` bytes and this remote key
    /// somewhere in it (restrack.c: `fill_res_raw()`).
    ///
    /// Where firmware puts it is not written anywhere, so it is looked for, and taken only if one place alone has the region's length and the low byte
    /// of its key. `None`: it is not there, or not alone.
    pub fn mkey(&self, length: u64, rkey: Option<u32>) -> Option<Mkey> {
        let at_words = (0..self.0.len()).step_by(4);
        let mut found = at_words.filter_map(|at| {
            let mkc: &[u8; MKC] = self.0.get(at..)?.first_chunk()?;
            let mkey = mkey(mkc, length)?;
            // mkey_7_0
            rkey.is_none_or(|rkey| rkey as u8 == mkc[7]).then_some(mkey)
        });
        found.next().filter(|_| found.next().is_none())
    }
}

fn mkey(mkc: &[u8; MKC], length: u64) -> Option<Mkey> {
    let wide = |at: usize| {
        mkc[at..]
            .first_chunk()
            .map(|bytes| u64::from_be_bytes(*bytes))
    };
    let long = |at: usize| {
        mkc[at..]
            .first_chunk()
            .map(|bytes| u32::from_be_bytes(*bytes))
    };
    if length == 0 || wide(LENGTH)? != length {
        return None;
    }
    // access_mode_1_0: PA 0, MTT 1, KLM 2, KSM 3.
    let physical = mkc[2] & 0b11 == 0;
    let shift = u32::from(mkc[LOG_PAGE_SIZE] & 0x3f);
    let page_size = (!physical).then(|| 1u64 << shift);
    if page_size.is_some_and(|size| size < 4096) {
        return None;
    }
    Some(Mkey {
        start: wide(START)?,
        page_size,
        octowords: long(OCTOWORDS)?,
    })
}
