//! What a region may be used for.

use crate::gate::Errno;

/// Access flags that a driver refuses, and what it returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The flags.
    pub flags: &'static [Access],
    /// What the program sees.
    pub errno: Errno,
}

impl Refused {
    /// None.
    pub const NONE: Self = Self {
        flags: &[],
        errno: Errno::Einval,
    };
}

/// Whether a device pages on demand (`IBV_ACCESS_ON_DEMAND`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OnDemand {
    /// It does not.
    None,
    /// Ranges.
    Explicit,
    /// Ranges, and all of the address space as one region.
    Implicit,
}

/// A right that a program asks for when it registers a region: the flags of `ibv_reg_mr()`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Access {
    /// `IBV_ACCESS_LOCAL_WRITE`.
    LocalWrite,
    /// `IBV_ACCESS_REMOTE_WRITE`.
    RemoteWrite,
    /// `IBV_ACCESS_REMOTE_READ`.
    RemoteRead,
    /// `IBV_ACCESS_REMOTE_ATOMIC`.
    RemoteAtomic,
    /// `IBV_ACCESS_MW_BIND`.
    MwBind,
    /// `IBV_ACCESS_ZERO_BASED`.
    ZeroBased,
    /// `IBV_ACCESS_ON_DEMAND`.
    OnDemand,
    /// `IBV_ACCESS_HUGETLB`.
    Hugetlb,
    /// `IBV_ACCESS_FLUSH_GLOBAL`.
    FlushGlobal,
    /// `IBV_ACCESS_FLUSH_PERSISTENT`.
    FlushPersistent,
    /// `IBV_ACCESS_RELAXED_ORDERING`.
    RelaxedOrdering,
}

impl Access {
    /// Whether memory must be writable for it: `ib_access_writable()`.
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Self::LocalWrite | Self::RemoteWrite | Self::RemoteAtomic | Self::MwBind
        )
    }

    /// Its name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalWrite => "local-write",
            Self::RemoteWrite => "remote-write",
            Self::RemoteRead => "remote-read",
            Self::RemoteAtomic => "remote-atomic",
            Self::MwBind => "mw-bind",
            Self::ZeroBased => "zero-based",
            Self::OnDemand => "on-demand",
            Self::Hugetlb => "hugetlb",
            Self::FlushGlobal => "flush-global",
            Self::FlushPersistent => "flush-persistent",
            Self::RelaxedOrdering => "relaxed-ordering",
        }
    }
}
