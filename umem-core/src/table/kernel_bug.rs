use crate::{
    iommu::MapError,
    kernel::{CHANGES, Certainty, Change, Kernel},
    size::PageSize,
};
use alloc::string::String;
use core::fmt;

/// What an old kernel gets wrong: a table like this translates addresses falsely.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KernelBug {
    /// It computes `rounddown_pow_of_two(0)`, which C leaves undefined.
    Undefined {
        /// The kernel's name.
        kernel: String,
    },
    /// Its block iterator never reaches the end of a segment.
    Hangs {
        /// The kernel's name.
        kernel: String,
    },
    /// It chose a page size that does not fit.
    WrongSize {
        /// The kernel's name.
        kernel: String,
        /// The size it chose.
        size: PageSize,
    },
    /// The page size fits, but the kernel lists other blocks than it must.
    WrongBlocks {
        /// The kernel's name.
        kernel: String,
        /// The size of the blocks.
        size: PageSize,
    },
    /// After a mapping that failed, a part of it stays in the IOMMU.
    LeftBehind {
        /// The kernel's name.
        kernel: String,
        /// Whether the kernel is known to have the bug.
        known: bool,
        /// The commit that fixes it.
        fix: &'static Change,
    },
}

/// "Catch scatterlist length overflows".
const PAD: &str = "1c8f6308e557";

impl KernelBug {
    /// What `kernel` gets wrong after a mapping that failed with `error`.
    pub(crate) fn after(kernel: &Kernel, error: MapError) -> Option<Self> {
        let fix = CHANGES.iter().find(|change| change.commit == PAD)?;
        let left = matches!(error, MapError::PadOverflow { .. }) && !kernel.rules.pad_checked;
        left.then(|| Self::LeftBehind {
            kernel: kernel.name.clone(),
            known: kernel.certainty != Certainty::Vendor
                && !kernel
                    .release
                    .is_some_and(|release| fix.since.is_unknown_in(release)),
            fix,
        })
    }
}

impl fmt::Display for KernelBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined { kernel } => write!(
                f,
                "Linux {kernel} computes rounddown_pow_of_two(0) here, which C leaves undefined"
            ),
            Self::Hangs { kernel } => write!(
                f,
                "Linux {kernel} hangs here: its block iterator's 32-bit position never reaches the end of a segment"
            ),
            Self::WrongSize { kernel, size } => write!(
                f,
                "Linux {kernel} chose {size}, and pages of {size} translate some of the region's addresses falsely"
            ),
            Self::WrongBlocks { kernel, size } => write!(
                f,
                "Linux {kernel} walks the {size} blocks of this list wrongly: its table has other addresses, or another number of them, than it must"
            ),
            Self::LeftBehind { kernel, known, fix } => write!(
                f,
                "{}Linux {kernel} leaves the part that it mapped before in the IOMMU, though it gives its addresses back; mended in {} by {} \
                 \"{}\"",
                if *known { "" } else { "not known is whether " },
                fix.since,
                fix.commit,
                fix.title
            ),
        }
    }
}
