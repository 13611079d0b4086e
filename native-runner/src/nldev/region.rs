//! A live region, with what its driver adds.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use super::attribute::{self, attributes, number, small, text};

/// Whose a region is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// A process of this PID namespace.
    Process(u32),
    /// A part of the kernel, by name.
    Kernel(String),
    /// Neither was told: a process of another PID namespace.
    Elsewhere,
}

/// A live region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// By which it is asked for again.
    pub number: u32,
    /// In bytes.
    pub length: u64,
    /// Whose it is.
    pub owner: Owner,
    /// Its remote key, which only `CAP_NET_ADMIN` sees.
    pub rkey: Option<u32>,
    /// What its driver tells besides.
    pub told: Told,
}

/// What a driver tells of a region: names and numbers of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// By name.
    pub numbers: BTreeMap<String, u64>,
    /// By name.
    pub texts: BTreeMap<String, String>,
}

impl Told {
    /// The page size of the region's table in bytes, and the attribute that says so.
    ///
    /// hns: `buf_pg_shift` (hns_roce_restrack.c); bnxt_re since 6.13: `page_size` (main.c: `bnxt_re_fill_res_mr_entry()`); cxgb4: `ps`,
    /// log2 less 12 (restrack.c, qp.c: `build_tpte_memreg()`) [linux 7.2].
    pub fn page_size(&self) -> Option<(u64, &'static str)> {
        let number = |name: &'static str| self.numbers.get(name).copied();
        let power = |shift: u64| 1u64.checked_shl(u32::try_from(shift).ok()?);
        let found = if let Some(shift) = number("buf_pg_shift") {
            (power(shift)?, "buf_pg_shift")
        } else if let Some(size) = number("page_size") {
            (size, "page_size")
        } else if self.numbers.contains_key("pbl_addr") {
            (power(number("ps")?.checked_add(12)?)?, "ps")
        } else {
            return None;
        };
        Some(found).filter(|(size, _)| size.is_power_of_two() && *size >= 4096)
    }
}

/// Adds the regions of a message.
pub(super) fn read(message: &[u8], regions: &mut Vec<Region>) -> io::Result<()> {
    for found in attributes(message) {
        let (attribute::REGIONS, table) = found? else {
            continue;
        };
        for entry in attributes(table) {
            if let (attribute::REGION, entry) = entry? {
                regions.extend(one(entry)?);
            }
        }
    }
    Ok(())
}

fn one(entry: &[u8]) -> io::Result<Option<Region>> {
    let (mut identity, mut length) = (None, None);
    let mut owner = Owner::Elsewhere;
    let (mut rkey, mut told) = (None, Told::default());
    for found in attributes(entry) {
        let (kind, value) = found?;
        match kind {
            attribute::REGION_NUMBER => identity = Some(small(value)?),
            attribute::LENGTH => length = Some(number(value)?),
            attribute::PID => owner = Owner::Process(small(value)?),
            attribute::KERNEL_NAME => owner = Owner::Kernel(text(value)),
            attribute::RKEY => rkey = Some(small(value)?),
            attribute::DRIVER => told = driver(value)?,
            _ => {}
        }
    }
    Ok(identity.zip(length).map(|(number, length)| Region {
        number,
        length,
        owner,
        rkey,
        told,
    }))
}

/// A name, perhaps how to print it, and its value; then the next: `rdma_nl_put_driver_u32()` and its like.
fn driver(table: &[u8]) -> io::Result<Told> {
    let mut told = Told::default();
    let mut name: Option<String> = None;
    for found in attributes(table) {
        let (kind, value) = found?;
        match (kind, name.take()) {
            (attribute::DRIVER_STRING, None) => name = Some(text(value)),
            (attribute::DRIVER_STRING, Some(name)) => {
                told.texts.insert(name, text(value));
            }
            (
                attribute::DRIVER_U32
                | attribute::DRIVER_U64
                | attribute::DRIVER_S32
                | attribute::DRIVER_S64,
                Some(name),
            ) => {
                told.numbers.insert(name, number(value)?);
            }
            (_, before) => name = before,
        }
    }
    Ok(told)
}
