//! The numbers of `include/uapi/rdma/rdma_netlink.h` [linux 7.2], and attributes taken apart.

use std::io;

use netlink_packet_core::{NLA_HEADER_SIZE, NlasIterator};

use super::malformed;

/// `RDMA_NL_NLDEV`, in the upper bits of a message's type.
pub const CLIENT: u16 = 5 << 10;

/// What can be asked: `enum rdma_nldev_command`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Command {
    /// `RDMA_NLDEV_CMD_GET`: devices.
    Get = 1,
    /// `RDMA_NLDEV_CMD_RES_MR_GET`.
    Regions = 13,
    /// `RDMA_NLDEV_CMD_RES_MR_GET_RAW`.
    RawRegion = 21,
    /// `RDMA_NLDEV_CMD_FRMR_POOLS_GET`.
    Pools = 29,
}

// `enum rdma_nldev_attr`.
pub const DEV_INDEX: u16 = 1;
pub const DEV_NAME: u16 = 2;
pub const FW_VERSION: u16 = 5;
pub const PID: u16 = 28;
pub const KERNEL_NAME: u16 = 29;
pub const REGIONS: u16 = 40;
pub const REGION: u16 = 41;
pub const RKEY: u16 = 42;
pub const LENGTH: u16 = 45;
pub const REGION_NUMBER: u16 = 62;
pub const DRIVER: u16 = 52;
pub const DRIVER_STRING: u16 = 54;
pub const DRIVER_S32: u16 = 56;
pub const DRIVER_U32: u16 = 57;
pub const DRIVER_S64: u16 = 58;
pub const DRIVER_U64: u16 = 59;
pub const RAW: u16 = 85;
pub const POOLS: u16 = 105;
pub const POOL: u16 = 106;
pub const POOL_KEY: u16 = 107;
pub const POOL_KEY_VENDOR: u16 = 110;
pub const POOL_KEY_BLOCKS: u16 = 111;
pub const POOL_HANDLES: u16 = 112;
pub const POOL_MAX_IN_USE: u16 = 113;
pub const POOL_IN_USE: u16 = 114;

/// The attributes in `bytes`, each with its type (without flags) and its value. It ends after the first that is malformed.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = io::Result<(u16, &[u8])>> {
    NlasIterator::new(bytes).map(|found| {
        let found = found.map_err(malformed)?;
        let (kind, length) = (found.kind(), usize::from(found.length()));
        let value = found.into_inner().get(NLA_HEADER_SIZE..length);
        value
            .map(|value| (kind, value))
            .ok_or_else(|| malformed(format_args!("attribute {kind} is cut")))
    })
}

/// An integer of 1, 2, 4 or 8 bytes, in the machine's byte order.
pub fn number(value: &[u8]) -> io::Result<u64> {
    match *value {
        [a] => Ok(a.into()),
        [a, b] => Ok(u16::from_ne_bytes([a, b]).into()),
        [a, b, c, d] => Ok(u32::from_ne_bytes([a, b, c, d]).into()),
        _ => match value.try_into() {
            Ok(bytes) => Ok(u64::from_ne_bytes(bytes)),
            Err(_) => Err(malformed(format_args!(
                "an integer of {} bytes",
                value.len()
            ))),
        },
    }
}

/// The same, of 32 bits.
pub fn small(value: &[u8]) -> io::Result<u32> {
    let number = number(value)?;
    u32::try_from(number).map_err(|_| malformed(format_args!("{number} where 32 bits are meant")))
}

/// A text up to its first zero byte.
pub fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&value[..end.unwrap_or(value.len())]).into_owned()
}
