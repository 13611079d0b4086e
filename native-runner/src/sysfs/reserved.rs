//! The addresses that an IOMMU group's mappings stay clear of: `iommu_group/reserved_regions`.

use serde::Serialize;

/// A range that no mapping gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reserved {
    /// The first address.
    pub first: String,
    /// The last address.
    pub last: String,
    /// What it is for: "msi", "direct", "direct-relaxable", "reserved".
    pub kind: String,
}

/// The lines of the file: `iommu_group_show_resv_regions()` [linux 7.2]. What is not such a line is left out.
pub(super) fn of(text: &str) -> Vec<Reserved> {
    text.lines().filter_map(one).collect()
}

fn one(line: &str) -> Option<Reserved> {
    let mut words = line.split_ascii_whitespace();
    let mut address = || {
        let digits = words.next()?.strip_prefix("0x")?;
        let address = u64::from_str_radix(digits, 16).ok()?;
        Some(format!("{address:#x}"))
    };
    let (first, last) = (address()?, address()?);
    Some(Reserved {
        first,
        last,
        kind: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_range() {
        let text = "0x00000000fee00000 0x00000000feefffff msi\nnonsense\n0x0 0xzz msi\n0x000000ff00000000 0x000000ffffffffff reserved\n";
        let found = of(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            (
                found[0].first.as_str(),
                found[0].last.as_str(),
                found[0].kind.as_str()
            ),
            ("0xfee00000", "0xfeefffff", "msi")
        );
        assert_eq!(found[1].kind, "reserved");
    }
}
