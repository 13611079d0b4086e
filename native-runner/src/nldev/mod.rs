//! What the kernel says of RDMA devices and their live regions by netlink (`NETLINK_RDMA`, nldev.c).
//!
//! Any user may ask. Keys and raw contexts take `CAP_NET_ADMIN`. The kernel's answers are taken apart as if they were hostile.
//!
//! | module | what it does |
//! |---|---|
//! | [`socket`] | a question, and every message of its answer |
//! | [`attribute`] | the numbers of rdma_netlink.h, and attributes taken apart |
//! | [`region`] | a live region, with what its driver adds |
//! | [`context`] | raw contexts of the device: the page size that is in use |
//! | [`pool`] | pools of regions that wait to be used again |

mod attribute;
mod context;
mod pool;
mod region;
mod socket;
#[cfg(test)]
mod tests;

use std::io;

pub use context::Context;
pub use pool::Pool;
pub use region::{Owner, Region, Told};

use attribute::{Command, attributes, number, text};
use socket::{Question, Socket};

/// A device of this network namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The number by which questions name it.
    pub index: u32,
    /// "mlx5_0".
    pub name: String,
    /// Its firmware's version, if the driver tells.
    pub firmware: Option<String>,
}

/// The kernel, asked by netlink.
#[derive(Debug)]
pub struct Nldev(Socket);

impl Nldev {
    /// Opens a socket.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT`: the kernel has no RDMA, or ib_core is not loaded.
    pub fn open() -> io::Result<Self> {
        Socket::open().map(Self)
    }

    /// The devices of this network namespace.
    pub fn devices(&mut self) -> io::Result<Vec<Device>> {
        let mut devices = Vec::new();
        let answer = self.0.ask(&Question::all(Command::Get, None))?;
        for message in answer {
            devices.extend(device(&message)?);
        }
        Ok(devices)
    }

    /// The live regions of the device `index`.
    pub fn regions(&mut self, index: u32) -> io::Result<Vec<Region>> {
        let mut regions = Vec::new();
        for message in self.0.ask(&Question::all(Command::Regions, Some(index)))? {
            region::read(&message, &mut regions)?;
        }
        Ok(regions)
    }

    /// The raw context of the region `number` of the device `index`.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_ADMIN`; `EINVAL`, `EOPNOTSUPP` of a driver or firmware that tells none.
    pub fn context(&mut self, index: u32, number: u32) -> io::Result<Context> {
        let question = Question::one(Command::RawRegion, index, number);
        let mut context = None;
        for message in self.0.ask(&question)? {
            context = context.or(context::read(&message)?);
        }
        context.ok_or_else(|| malformed("an answer without a raw context"))
    }

    /// The pools of the device `index`. Kernels before 7.1 have none: `EOPNOTSUPP`, or `EINVAL`.
    pub fn pools(&mut self, index: u32) -> io::Result<Vec<Pool>> {
        let mut pools = Vec::new();
        for message in self.0.ask(&Question::all(Command::Pools, Some(index)))? {
            pool::read(&message, &mut pools)?;
        }
        Ok(pools)
    }
}

/// The device that a message tells of.
fn device(message: &[u8]) -> io::Result<Option<Device>> {
    let (mut index, mut name, mut firmware) = (None, None, None);
    for found in attributes(message) {
        let (kind, value) = found?;
        match kind {
            attribute::DEV_INDEX => index = Some(number(value)?),
            attribute::DEV_NAME => name = Some(text(value)),
            attribute::FW_VERSION => firmware = Some(text(value)).filter(|text| !text.is_empty()),
            _ => {}
        }
    }
    let index = index.map(u32::try_from).transpose();
    let index = index.map_err(|_| malformed("a device's number of more than 32 bits"))?;
    Ok(index.zip(name).map(|(index, name)| Device {
        index,
        name,
        firmware,
    }))
}

/// An answer that no kernel gives.
fn malformed(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("rdma netlink: {what}"))
}
