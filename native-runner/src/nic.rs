//! What a check asks of a device: pin memory, and move bytes from one pinned region to another.
//!
//! `verbs` does it with real devices. Tests do it with a `memcpy`, and with
//! devices that make mistakes, to prove that the check sees them.

use std::{fmt, io, ops::Range};

use serde::Serialize;

use crate::mapping::Mapping;

/// A device, ready to be used.
pub trait Nic {
    /// Memory that is registered with the device, for as long as the value lives.
    type Region<'m>
    where
        Self: 'm;

    /// What it is, in a few words: "rxe0, port 1, RoCE v2".
    fn describe(&self) -> String;

    /// Registers bytes of `memory`, which pins their pages.
    fn register<'m>(&'m self, memory: &'m Mapping, claim: Claim) -> io::Result<Self::Region<'m>>;

    /// The same region as somebody knows it who has its key wrong.
    fn with_wrong_key<'m>(&'m self, region: &Self::Region<'m>) -> Self::Region<'m>;

    /// Moves every piece from `source` to `sink`, one operation a piece, in order; returns when
    /// the device says that all are done.
    fn transfer(
        &self,
        operation: Operation,
        source: &Self::Region<'_>,
        sink: &Self::Region<'_>,
        pieces: &[Piece],
    ) -> Result<(), TransferError>;
}

/// What a device advertises: `struct ib_device_attr`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advertised {
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// The longest region in bytes.
    pub max_mr_size: u64,
    /// The most regions.
    pub max_mr: u64,
    /// The page sizes as the kernel has them, a bit each.
    pub page_size_cap: u64,
}

/// What is registered, and what it is registered for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The bytes, from the beginning of the mapping.
    pub range: Range<u64>,
    /// Where the device counts them from, if not from the program's own address: the address of the first of them.
    pub device_address: Option<u64>,
    /// What may be done to them.
    pub rights: Rights,
}

impl Claim {
    /// The bytes `range`, by the program's own addresses, for everything.
    pub fn all(range: Range<u64>) -> Self {
        Self {
            range,
            device_address: None,
            rights: Rights::All,
        }
    }
}

/// What may be done to a registered region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rights {
    /// Everything.
    All,
    /// All but being written to, be it from afar or by the device itself.
    NotWritten,
    /// All but being read from afar.
    NotRead,
}

/// Which end asks for the bytes to be moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// RDMA WRITE: the source pushes them.
    Write,
    /// RDMA READ: the sink pulls them.
    Read,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "RDMA WRITE",
            Self::Read => "RDMA READ",
        })
    }
}

/// Bytes to be moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Where they are, in bytes from the beginning of the source's mapping.
    pub from: u64,
    /// Where they go, in bytes from the beginning of the sink's mapping.
    pub to: u64,
    /// How many, never 0.
    pub length: u64,
}

/// Why bytes were not moved.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "rdma"),
    expect(dead_code, reason = "only a device can fail")
)]
pub enum TransferError {
    /// The device refused, or failed at, one piece.
    Piece {
        /// Which one, counted from 0.
        index: usize,
        /// Whose fault it was, where the device refused.
        refusal: Option<Refusal>,
        /// The device's word for it.
        reason: String,
    },
    /// The transfer never came to its end.
    Whole(String),
}

/// What a device refuses, by the status of the completion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The other end's region does not allow it (`IBV_WC_REM_ACCESS_ERR`).
    RemoteAccess,
    /// The asking end's own region does not allow it (`IBV_WC_LOC_PROT_ERR`).
    LocalProtection,
    /// The queue was taken down, and the request with it (`IBV_WC_WR_FLUSH_ERR`).
    Flushed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RemoteAccess => "remote access error",
            Self::LocalProtection => "local protection error",
            Self::Flushed => "flushed",
        })
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piece { index, reason, .. } => write!(f, "entry {index}: {reason}"),
            Self::Whole(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for TransferError {}

/// The device of a program without verbs: there is no such value.
#[cfg(not(feature = "rdma"))]
#[derive(Clone, Copy, Debug)]
pub enum Never {}

#[cfg(not(feature = "rdma"))]
impl Nic for Never {
    type Region<'m> = Self;

    fn describe(&self) -> String {
        match *self {}
    }

    fn register<'m>(&'m self, _: &'m Mapping, _: Claim) -> io::Result<Self> {
        match *self {}
    }

    fn with_wrong_key(&self, _: &Self) -> Self {
        match *self {}
    }

    fn transfer(&self, _: Operation, _: &Self, _: &Self, _: &[Piece]) -> Result<(), TransferError> {
        match *self {}
    }
}
