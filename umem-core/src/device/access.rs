//! What a region may be used for.

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
