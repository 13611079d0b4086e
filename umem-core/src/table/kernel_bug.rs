use crate::size::PageSize;
use core::fmt;

/// What an old kernel gets wrong: a table like this translates addresses falsely.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KernelBug {
    /// It computes `rounddown_pow_of_two(0)`, which C leaves undefined.
    Undefined {
        /// The kernel's rules.
        rules: &'static str,
    },
    /// Its block iterator never reaches the end of a segment.
    Hangs {
        /// The kernel's rules.
        rules: &'static str,
    },
    /// It chose a page size that does not fit.
    WrongSize {
        /// The kernel's rules.
        rules: &'static str,
        /// The size it chose.
        size: PageSize,
    },
    /// The page size fits, but the kernel lists other blocks than it must.
    WrongBlocks {
        /// The kernel's rules.
        rules: &'static str,
        /// The size of the blocks.
        size: PageSize,
    },
}

impl fmt::Display for KernelBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined { rules } => write!(
                f,
                "Linux {rules} computes rounddown_pow_of_two(0) here, which C leaves undefined"
            ),
            Self::Hangs { rules } => write!(
                f,
                "Linux {rules} hangs here: its block iterator's 32-bit position never reaches the end of a segment"
            ),
            Self::WrongSize { rules, size } => write!(
                f,
                "Linux {rules} chose {size}, and pages of {size} translate some of the region's addresses falsely"
            ),
            Self::WrongBlocks { rules, size } => write!(
                f,
                "Linux {rules} walks the {size} blocks of this list wrongly: its table has other addresses, or another number of them, than it must"
            ),
        }
    }
}
