//! Which lanes a picture has.

use super::{LaneName, Stage};
use core::{fmt, str::FromStr};

impl LaneName {
    /// The word that the element's attribute `lanes` knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Frames => "frames",
            Self::Scatter => "sg",
            Self::Dma => "dma",
            Self::Iommu => "iommu",
            Self::Entries => "entries",
        }
    }

    /// The lane that a stage fills.
    pub const fn of(stage: Stage) -> Self {
        match stage {
            Stage::Pin => Self::Frames,
            Stage::Gather => Self::Scatter,
            Stage::Map => Self::Dma,
            Stage::Cut => Self::Entries,
        }
    }
}

/// Some of the lanes, at least one. They keep their order.
///
/// ```
/// use umem_core::diagram::{LaneName, Lanes};
/// let lanes: Lanes = "entries dma".parse()?;
/// assert_eq!(lanes.iter().collect::<Vec<_>>(), [LaneName::Dma, LaneName::Entries]);
/// # Ok::<(), umem_core::diagram::LanesError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lanes(u8);

impl Lanes {
    /// All but the IOMMU's entries, which few pictures are about.
    pub const USUAL: Self = Self(0b10_1111);

    /// The lanes that `is_one` accepts; `None` if there is none.
    pub fn of(is_one: impl Fn(LaneName) -> bool) -> Option<Self> {
        let lanes = LaneName::ALL.into_iter().filter(|lane| is_one(*lane));
        let set = lanes.fold(0, |set, lane| set | 1 << lane as u8);
        (set != 0).then_some(Self(set))
    }

    /// With this lane, or without it where it is among them; `None` if it is the only one.
    pub fn toggled(self, lane: LaneName) -> Option<Self> {
        Self::of(|known| self.contains(known) != (known == lane))
    }

    /// Whether this lane is among them.
    pub const fn contains(self, lane: LaneName) -> bool {
        self.0 >> lane as u8 & 1 == 1
    }

    /// From above.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = LaneName> + Clone {
        LaneName::ALL
            .into_iter()
            .filter(move |lane| self.contains(*lane))
    }

    /// How many of them are above `lane`.
    pub(super) fn above(self, lane: LaneName) -> u32 {
        (self.0 & ((1 << lane as u8) - 1)).count_ones()
    }

    /// The first that is not above `lane`, or else the last.
    pub(super) fn from(self, lane: LaneName) -> LaneName {
        let mut below = self.iter().filter(|shown| *shown as u8 >= lane as u8);
        below.next().unwrap_or_else(|| self.last())
    }

    pub(super) fn last(self) -> LaneName {
        self.iter().next_back().unwrap_or(LaneName::Entries)
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self::USUAL
    }
}

/// A word that does not name a lane, or no word at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LanesError;

impl fmt::Display for LanesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a valid list of lanes: name one or more of ")?;
        let mut names = LaneName::ALL.map(LaneName::name).into_iter();
        names.try_for_each(|name| write!(f, "\"{name}\" "))?;
        f.write_str("with spaces between")
    }
}

impl core::error::Error for LanesError {}

impl FromStr for Lanes {
    type Err = LanesError;

    /// Reads names with spaces between them.
    fn from_str(text: &str) -> Result<Self, LanesError> {
        let mut lanes = Self(0);
        for word in text.split_ascii_whitespace() {
            let named = |lane: &LaneName| lane.name() == word;
            let lane = LaneName::ALL.into_iter().find(named).ok_or(LanesError)?;
            lanes.0 |= 1 << lane as u8;
        }
        match lanes.0 {
            0 => Err(LanesError),
            _ => Ok(lanes),
        }
    }
}
