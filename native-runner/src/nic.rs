//! What a check asks of a device: pin memory, and move bytes from one pinned region to another.
//!
//! `verbs` does it with real devices. Tests do it with a `memcpy`, and with
//! devices that make mistakes, to prove that the check sees them.

use std::{fmt, io, ops::Range};

use crate::mapping::Mapping;

/// A device, ready to be used.
pub trait Nic {
    /// Memory that is registered with the device, for as long as the value lives.
    type Region<'m>
    where
        Self: 'm;

    /// What it is, in a few words: "rxe0, port 1, RoCE v2".
    fn describe(&self) -> String;

    /// Registers the bytes `range` of `memory`, which pins their pages.
    fn register<'m>(
        &'m self,
        memory: &'m Mapping,
        range: Range<u64>,
    ) -> io::Result<Self::Region<'m>>;

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
        /// The device's word for it.
        reason: String,
    },
    /// The transfer never came to its end.
    Whole(String),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piece { index, reason } => write!(f, "entry {index}: {reason}"),
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

    fn register<'m>(&'m self, _: &'m Mapping, _: Range<u64>) -> io::Result<Self> {
        match *self {}
    }

    fn transfer(&self, _: Operation, _: &Self, _: &Self, _: &[Piece]) -> Result<(), TransferError> {
        match *self {}
    }
}
