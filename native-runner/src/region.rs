//! What is registered of a buffer: the product that a check walks through.

use std::{fmt, ops::Range};

use serde::Serialize;
use umem_core::{address::VirtAddr, size::Bytes, table::Policy};

use crate::buffer::{self, Recipe};

/// A memory region to be: bytes of a buffer, and where the device is told that they begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Region {
    /// Where it begins in the buffer, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// Whether the device counts its addresses from the beginning of the first page instead of using the program's own
    /// (`ibv_reg_mr_iova`).
    pub zero_based: bool,
}

impl Region {
    /// The bytes `range` of a buffer, by the program's own addresses.
    pub const fn new(range: Range<u64>) -> Self {
        Self {
            offset: range.start,
            length: range.end - range.start,
            zero_based: false,
        }
    }

    /// The same bytes, zero-based.
    const fn zero_based(self) -> Self {
        Self {
            zero_based: true,
            ..self
        }
    }

    /// Where the bytes lie in the buffer.
    pub const fn range(self) -> Range<u64> {
        self.offset..self.offset + self.length
    }

    /// The address that the device uses for the first byte, in a buffer that begins at `start`. uverbs wants it to agree
    /// with the program's own modulo the page, so a zero-based region may begin inside page 0.
    pub fn device_address(self, start: VirtAddr, page: u64) -> u64 {
        let own = start.get() + self.offset;
        if self.zero_based { own % page } else { own }
    }
}

/// As a table shows it: "4092K at +4K", "4M at +0, zero-based".
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at +{}", Bytes(self.length), Bytes(self.offset))?;
        f.write_str(if self.zero_based { ", zero-based" } else { "" })
    }
}

/// The mail's region: all of a buffer of 4M but the first 4K.
const MAIL: Region = Region::new(4 << 10..buffer::LENGTH as u64);

/// A region that begins and ends inside pages.
const INSIDE_PAGES: Region = Region::new(0x800..buffer::LENGTH as u64 - 0x1234);

/// The regions of a buffer, each with the policies that it is cut by. With `full`, the whole product of starts, ends,
/// addresses and policies; else the mail's region by every policy or one, and what else a buffer is there to show.
pub fn of(recipe: &Recipe, full: bool) -> Vec<(Region, Vec<Policy>)> {
    let window = recipe.window().start;
    let all = Policy::ALL.to_vec();
    let regions = if full {
        product()
            .into_iter()
            .map(|region| (region, all.clone()))
            .collect()
    } else {
        // Memory as the kernel happens to lay it shows no policy anything that the others have not seen.
        let by_chance = ["memfd", "shared", "file"].contains(&recipe.name);
        let policies = if by_chance { vec![Policy::Mixed] } else { all };
        let mut regions = vec![(MAIL, policies)];
        match recipe.name {
            // Zero-based, VA and frames agree in fewer bits: 1023 entries, or 2.
            "huge-descending" => regions.push((MAIL.zero_based(), vec![Policy::Single])),
            "scattered" => regions.push((INSIDE_PAGES, vec![Policy::Mixed])),
            "transparent" => regions.push((INSIDE_PAGES.zero_based(), vec![Policy::Single])),
            _ => {}
        }
        regions
    };
    let shifted = regions.into_iter().map(|(region, policies)| {
        let offset = window + region.offset;
        (Region { offset, ..region }, policies)
    });
    shifted.collect()
}

/// Starts on a page, one page in, inside a page and on a larger page's boundary; ends with the buffer and inside a page;
/// the program's addresses, and zero-based.
fn product() -> Vec<Region> {
    let end = buffer::LENGTH as u64;
    let mut regions = Vec::new();
    for start in [0, 4 << 10, 0x800, 1 << 20] {
        for end in [end, end - 0x1234] {
            let region = Region::new(start..end);
            regions.extend([region, region.zero_based()]);
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::CATALOGUE;

    #[test]
    fn every_region_lies_in_the_window_of_its_buffer() {
        for recipe in CATALOGUE {
            for full in [false, true] {
                let regions = of(recipe, full);
                assert_eq!(regions.len() >= 16, full);
                for (region, policies) in regions {
                    let (window, range) = (recipe.window(), region.range());
                    assert!(
                        window.start <= range.start && range.end <= window.end,
                        "{region}"
                    );
                    assert!(!policies.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_zero_based_region_agrees_with_the_program_inside_the_page() {
        let start = VirtAddr::new(0x7f00_0000_0000);
        let region = Region::new(0x3800..0x5000);
        assert_eq!(region.device_address(start, 4096), 0x7f00_0000_3800);
        assert_eq!(region.zero_based().device_address(start, 4096), 0x800);
        assert_eq!(region.zero_based().to_string(), "6K at +14K, zero-based");
    }
}
