//! Pools of regions that wait to be used again (`frmr_pools.c`, since 7.1).

use std::io;

use serde::Serialize;

use super::attribute::{self, attributes, number};

/// Regions of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Pool {
    /// The entries that each has room for.
    pub blocks: u64,
    /// What else the driver tells them by; of mlx5 1 means entries of 16 bytes (KSM).
    pub vendor_key: u64,
    /// How many wait.
    pub waiting: u64,
    /// How many are in use.
    pub in_use: u64,
    /// The most that were in use at once.
    pub most_in_use: u64,
}

/// Adds the pools of a message.
pub(super) fn read(message: &[u8], pools: &mut Vec<Pool>) -> io::Result<()> {
    for found in attributes(message) {
        let (attribute::POOLS, table) = found? else {
            continue;
        };
        for entry in attributes(table) {
            if let (attribute::POOL, entry) = entry? {
                pools.push(one(entry)?);
            }
        }
    }
    Ok(())
}

fn one(entry: &[u8]) -> io::Result<Pool> {
    let mut pool = Pool::default();
    for found in attributes(entry) {
        let (kind, value) = found?;
        match kind {
            attribute::POOL_HANDLES => pool.waiting = number(value)?,
            attribute::POOL_IN_USE => pool.in_use = number(value)?,
            attribute::POOL_MAX_IN_USE => pool.most_in_use = number(value)?,
            attribute::POOL_KEY => {
                for found in attributes(value) {
                    match found? {
                        (attribute::POOL_KEY_BLOCKS, value) => pool.blocks = number(value)?,
                        (attribute::POOL_KEY_VENDOR, value) => pool.vendor_key = number(value)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(pool)
}
