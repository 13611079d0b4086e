//! VT-d's own table of a domain, as debugfs shows it, held against the rules of the IOMMU lane.

use std::{collections::BTreeMap, io::BufRead};

use serde::Serialize;
use umem_core::{
    address::{DmaAddr, PhysAddr},
    iommu::{IoPages, Mapping, Translation},
    scatter::SgEntry,
    size::PageSizes,
};

/// What a table has, and what the rules say of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct TableCheck {
    /// How many bytes are mapped.
    pub bytes: u64,
    /// Stretches that are contiguous in both address spaces.
    pub runs: u64,
    /// Pages by size in bytes.
    pub by_size: BTreeMap<u64, u64>,
    /// Stretches whose pages are just those of the rules.
    pub equal: u64,
    /// Stretches of more pages than the rules give one mapping: several mappings side by side, or a difference.
    pub finer: u64,
    /// Pages that the rules do not allow: larger than their addresses' alignment, or fewer than one mapping takes.
    pub differs: Vec<String>,
}

/// A page of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Leaf {
    iova: u64,
    frame: u64,
    size: u64,
}

/// More differences than anybody reads.
const MOST_DIFFERENCES: usize = 10;
/// Longer than any line of the file.
const LONGEST_LINE: u64 = 4096;

/// Reads the file and holds each stretch against `translation` with pages of these `sizes`.
///
/// # Errors
/// What cannot be read, or is no such file.
pub fn check(
    mut file: impl BufRead,
    translation: Translation,
    sizes: PageSizes,
) -> Result<TableCheck, String> {
    let translation = Translation {
        page_sizes: sizes,
        ..translation
    };
    let mut check = TableCheck::default();
    let mut run: Option<Run> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut file, LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(|error| error.to_string())? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        if !text.starts_with("0x") {
            continue;
        }
        let leaf =
            leaf(&text).ok_or_else(|| format!("a line that is no page: {}", text.trim_end()))?;
        if !leaf.iova.is_multiple_of(leaf.size) || !leaf.frame.is_multiple_of(leaf.size) {
            check.differ(format!("{leaf:x?} is not aligned to its size"));
            continue;
        }
        match &mut run {
            Some(run) if run.goes_on_with(leaf) => run.add(leaf),
            _ => {
                check.end(run.take(), &translation);
                run = Some(Run::of(leaf));
            }
        }
    }
    check.end(run, &translation);
    Ok(check)
}

/// "0x00000000ffffe |\t0x0\t0x…\t0x…[\t0x…[\t0x…]]": a page of 1G has three levels, one of 2M four, one of 4K five (debugfs.c: `dump_page_info()`
/// [linux 7.2]).
fn leaf(line: &str) -> Option<Leaf> {
    let (number, levels) = line.split_once('|')?;
    let hex = |word: &str| u64::from_str_radix(word.trim().strip_prefix("0x")?, 16).ok();
    let levels: Vec<u64> = levels
        .split_ascii_whitespace()
        .map(hex)
        .collect::<Option<_>>()?;
    let size: u64 = match levels.len() {
        3 => 1 << 30,
        4 => 2 << 20,
        5 => 4096,
        _ => return None,
    };
    // Bits 12 to 51 are the address; those below the size are flags of a large page.
    let frame = levels.last()? & 0x000f_ffff_ffff_f000 & !((size - 1) & !0xfff);
    Some(Leaf {
        iova: hex(number)?.checked_mul(4096)?,
        frame,
        size,
    })
}

/// Pages that follow each other in both address spaces.
#[derive(Debug)]
struct Run {
    iova: u64,
    frame: u64,
    length: u64,
    by_size: BTreeMap<u64, u64>,
}

impl Run {
    fn of(leaf: Leaf) -> Self {
        Self {
            iova: leaf.iova,
            frame: leaf.frame,
            length: leaf.size,
            by_size: BTreeMap::from([(leaf.size, 1)]),
        }
    }

    fn goes_on_with(&self, leaf: Leaf) -> bool {
        self.iova.checked_add(self.length) == Some(leaf.iova)
            && self.frame.checked_add(self.length) == Some(leaf.frame)
            && self.length.checked_add(leaf.size).is_some()
    }

    fn add(&mut self, leaf: Leaf) {
        self.length += leaf.size;
        *self.by_size.entry(leaf.size).or_default() += 1;
    }

    /// What one mapping of it would take.
    fn expected(&self, translation: &Translation) -> BTreeMap<u64, u64> {
        let entry = SgEntry {
            offset: 0,
            start: PhysAddr::new(self.frame),
            length: self.length,
        };
        let mapping = Mapping::new(DmaAddr::new(self.iova), self.length);
        let mut by_size = BTreeMap::new();
        for run in IoPages::new(std::iter::once(entry), *translation, mapping) {
            *by_size.entry(run.size).or_default() += run.count;
        }
        by_size
    }
}

impl TableCheck {
    fn differ(&mut self, what: String) {
        if self.differs.len() < MOST_DIFFERENCES {
            self.differs.push(what);
        }
    }

    fn end(&mut self, run: Option<Run>, translation: &Translation) {
        let Some(run) = run else { return };
        self.runs += 1;
        self.bytes = self.bytes.saturating_add(run.length);
        for (size, count) in &run.by_size {
            *self.by_size.entry(*size).or_default() += count;
        }
        let expected = run.expected(translation);
        let count = |by_size: &BTreeMap<u64, u64>| by_size.values().sum::<u64>();
        if run.by_size == expected {
            self.equal += 1;
        } else if count(&run.by_size) > count(&expected) {
            self.finer += 1;
        } else {
            self.differ(format!(
                "{:#x} + {:#x} has pages {:?}, and the rules give {expected:?}",
                run.iova, run.length, run.by_size
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use umem_core::iommu;

    const SIZES: PageSizes = PageSizes::of_log2(&[12, 21, 30]);

    fn checked(text: &str) -> Result<TableCheck, String> {
        let profile = iommu::find("vt-d").unwrap();
        check(text.as_bytes(), profile.translation(), SIZES)
    }

    /// As `dump_page_info()` prints it.
    fn line(iova: u64, frame: u64, size: u64) -> String {
        let above = match size {
            4096 => "\t0x0000000000002003\t0x0000000000003003",
            0x20_0000 => "\t0x0000000000002003",
            _ => "",
        };
        let superpage = if size > 4096 { 0x83 } else { 3 };
        format!(
            "0x{:013x} |\t0x0000000000000000\t0x0000000000001003{above}\t0x{:016x}\n",
            iova >> 12,
            frame | superpage
        )
    }

    #[test]
    fn a_stretch_of_each_size_is_equal_to_the_rules() {
        let mut text =
            String::from("Device 0000:00:02.0 @0x1000\nIOVA_PFN\tPML5E\tPML4E\tPDPE\tPDE\tPTE\n");
        // 4K, then 2M, as one mapping of 2M + 4K whose addresses agree.
        text += &line(0xbf9f_f000, 0x11ff_f000, 4096);
        text += &line(0xbfa0_0000, 0x1200_0000, 2 << 20);
        text += &line(0x1_0000_0000, 0x8000_0000, 1 << 30);
        let found = checked(&text).unwrap();
        assert_eq!(
            (found.runs, found.equal, found.finer),
            (2, 2, 0),
            "{found:?}"
        );
        assert_eq!(found.bytes, 4096 + (2 << 20) + (1 << 30));
        assert_eq!(
            found.by_size,
            BTreeMap::from([(4096, 1), (2 << 20, 1), (1 << 30, 1)])
        );
        assert!(found.differs.is_empty());
    }

    #[test]
    fn what_the_rules_do_not_give_is_told_from_what_may_be_two_mappings() {
        // 512 small pages where one of 2M would do: perhaps 512 mappings.
        let small: String = (0..512)
            .map(|i| line(0x20_0000 + (i << 12), 0x40_0000 + (i << 12), 4096))
            .collect();
        let found = checked(&small).unwrap();
        assert_eq!((found.runs, found.finer, found.differs.len()), (1, 1, 0));
        // A page of 2M where addresses do not agree.
        let wrong = checked(&line(0x20_1000, 0x40_0000, 2 << 20)).unwrap();
        assert_eq!(wrong.differs.len(), 1, "{wrong:?}");
        let torn = checked("0x0000000000200 |\t0x0\t0x0\n").unwrap_err();
        assert!(torn.contains("no page"), "{torn}");
    }

    proptest! {
        #[test]
        fn hostile_text_is_an_answer_or_an_error(text in "(0x[0-9a-f]{1,17} ?\\|(\t0x[0-9a-f]{1,17}){0,6}\n|.{0,40}\n){0,20}") {
            if let Ok(found) = checked(&text) {
                prop_assert!(found.equal + found.finer <= found.runs);
            }
        }
    }
}
