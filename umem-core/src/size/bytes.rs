//! How sizes are read and printed.

use core::{fmt, str::FromStr};

/// A number of bytes as people write it.
///
/// Read from `^\d+[KMGTP]?$` or `^0x[0-9a-f]+$` in any case, K to P being powers of
/// 1024; printed in the largest unit that is exact.
///
/// ```
/// use umem_core::size::Bytes;
/// assert_eq!("4092k".parse(), Ok(Bytes(4092 << 10)));
/// assert_eq!("0x1FF000".parse(), Ok(Bytes(0x1ff000)));
/// assert_eq!(Bytes((4 << 20) - 4096).to_string(), "4092K");
/// assert!("4 KB".parse::<Bytes>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

const UNITS: [(u8, u32); 5] = [(b'P', 50), (b'T', 40), (b'G', 30), (b'M', 20), (b'K', 10)];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let exact = UNITS
            .iter()
            .find(|(_, shift)| bytes != 0 && bytes.trailing_zeros() >= *shift);
        match exact {
            Some(&(unit, shift)) => write!(f, "{}{}", bytes >> shift, unit as char),
            None => write!(f, "{bytes}"),
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A size that people can check: just below a large unit it is printed as a difference, "(4G-4K)", as for segments that end at a limit.
///
/// ```
/// use umem_core::size::Near;
/// assert_eq!(Near((4 << 30) - 4096).to_string(), "(4G-4K)");
/// assert_eq!(Near((4 << 20) - 4096).to_string(), "4092K");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Near(pub u64);

impl Near {
    /// Smaller ones have digits few enough to be read.
    const LEAST: u64 = 1 << 30;
    /// The most that may lack.
    const LACKS: u64 = 1 << 20;
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let above = bytes.checked_next_multiple_of(Self::LEAST);
        match above.map(|above| (above, above - bytes)) {
            Some((above, lacks @ 1..=Self::LACKS)) if bytes >= Self::LEAST => {
                write!(f, "({}-{})", Bytes(above), Bytes(lacks))
            }
            _ => Bytes(bytes).fmt(f),
        }
    }
}

/// Why a text is not a size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SizeError {
    /// Not of the form `^\d+[KMGTP]?$` or `^0x[0-9a-f]+$`.
    #[error(
        "is not a valid size: write bytes (4096), a unit of K, M, G, T or P (4K, 2M), or hexadecimal (0x1000)"
    )]
    Form,
    /// 2^64 bytes or more.
    #[error("is a size of 2^64 bytes or more")]
    TooLarge,
}

impl FromStr for Bytes {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        if let Some(hex) = hex_digits(text) {
            return u64::from_str_radix(hex, 16)
                .map(Self)
                .map_err(|_| SizeError::TooLarge);
        }
        let unit = text.as_bytes().last().map(u8::to_ascii_uppercase);
        let shift = UNITS
            .iter()
            .find(|(letter, _)| Some(*letter) == unit)
            .map(|&(_, shift)| shift);
        let digits = if shift.is_some() {
            &text[..text.len() - 1]
        } else {
            text
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SizeError::Form);
        }
        let number: u64 = digits.parse().map_err(|_| SizeError::TooLarge)?;
        number
            .checked_mul(1 << shift.unwrap_or(0))
            .map(Self)
            .ok_or(SizeError::TooLarge)
    }
}

/// The digits of `0x…`, or `None` when `text` is not of that form.
pub(crate) fn hex_digits(text: &str) -> Option<&str> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_the_format_says() {
        let ok = |text: &str, bytes| assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        ok("0", 0);
        ok("4096", 4096);
        ok("4k", 4096);
        ok("1P", 1 << 50);
        ok("0XfF", 255);
        ok("18446744073709551615", u64::MAX);
        let bad = |text: &str, error| assert_eq!(text.parse::<Bytes>(), Err(error), "{text:?}");
        for text in [
            "", "K", "4KB", "4 K", "+4", "-4", "1_000", "0x", "0x_1", "0xg", "1.5M", "٤", "4K\n",
        ] {
            bad(text, SizeError::Form);
        }
        bad("18446744073709551616", SizeError::TooLarge);
        bad("16384P", SizeError::TooLarge);
        bad("0x10000000000000000", SizeError::TooLarge);
    }

    #[test]
    fn sizes_print_in_their_largest_exact_unit() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1 << 10, "1K"),
            ((1 << 20) + 1, "1048577"),
            (4092 << 10, "4092K"),
            (3 << 40, "3T"),
            (1 << 63, "8192P"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn sizes_just_below_a_unit_are_told_from_there() {
        for (bytes, text) in [
            (u64::from(u32::MAX), "(4G-1)"),
            ((2 << 40) - (1 << 20), "(2T-1M)"),
            ((4 << 30) - (2 << 20), "4094M"),
            ((1 << 30) - 4096, "1048572K"),
            (4 << 30, "4G"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(Near(bytes).to_string(), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::default())]

        #[test]
        fn printing_and_reading_agree(bytes: u64, shift in 0u32..60) {
            for value in [bytes, bytes << shift] {
                prop_assert_eq!(Bytes(value).to_string().parse(), Ok(Bytes(value)));
            }
        }
    }
}
