//! Live regions by netlink, and the processes that own them.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use crate::{
    nldev::{Nldev, Owner, Region, Told},
    process::Process,
};

/// A live region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LiveRegion {
    /// Its number in the kernel.
    pub number: u32,
    /// In bytes.
    pub length: u64,
    /// Whose it is.
    pub owner: Owner,
    /// The owner's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comm: Option<String>,
    /// The page size of its table, where anybody tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<PageSize>,
    /// Where the NIC's addresses of it begin, where anybody tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// What its driver tells besides.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, String>,
}

/// A page size of a region, and who says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PageSize {
    /// In bytes.
    pub bytes: u64,
    /// The attribute, or the field of the raw context.
    pub source: String,
}

/// What a process has pinned, with all its devices together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Pins {
    /// The process.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Its regions with this device.
    pub regions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// `VmPin` in bytes; `None`: it has ended, or is not ours to look at.
    pub pinned: Option<u64>,
}

/// All regions of a device.
#[derive(Debug)]
pub struct Live {
    /// In the order of their numbers.
    pub regions: Vec<LiveRegion>,
    /// Their owners.
    pub processes: Vec<Pins>,
    /// What could not be known.
    pub not_told: Vec<String>,
}

/// Raw contexts are asked for of so many regions at most: each is a command to the firmware.
const MOST_CONTEXTS: usize = 1024;

/// The regions of the device `index`, which `driver` drives.
pub fn live(kernel: &mut Nldev, index: u32, driver: Option<&str>) -> io::Result<Live> {
    let regions = kernel.regions(index)?;
    let mut names = Names::default();
    let mut not_told = Vec::new();
    let mut of_mlx5 = (driver == Some("mlx5")).then_some(MOST_CONTEXTS);
    let mut live = Vec::with_capacity(regions.len());
    for region in &regions {
        let mut one = LiveRegion::new(region, &mut names);
        if let Some(left) = &mut of_mlx5
            && one.page_size.is_none()
        {
            match context(kernel, index, region, &mut one) {
                Ok(()) => *left -= 1,
                Err(why) => {
                    not_told.push(format!("page sizes of live regions: {why}"));
                    of_mlx5 = None;
                }
            }
            if of_mlx5 == Some(0) {
                not_told.push(format!(
                    "page sizes of live regions: only the first {MOST_CONTEXTS} were asked for"
                ));
                of_mlx5 = None;
            }
        }
        live.push(one);
    }
    if live.iter().any(|region| region.page_size.is_none()) && driver != Some("mlx5") {
        not_told.push(silence(driver));
    }
    Ok(Live {
        processes: names.pins(&live),
        regions: live,
        not_told,
    })
}

/// Why there is no page size.
fn silence(driver: Option<&str>) -> String {
    let why = match driver {
        Some("rxe" | "siw" | "hfi1") => {
            "its driver finds pages in software, without a table of other sizes".to_owned()
        }
        Some("bnxt_re") => "bnxt_re tells since Linux 6.13".to_owned(),
        Some(driver) => format!(
            "{driver} does not tell; umem watch sees which is chosen when a region is registered"
        ),
        None => {
            "its driver does not tell; umem watch sees which is chosen when a region is registered"
                .to_owned()
        }
    };
    format!("page sizes of live regions: {why}")
}

/// What the raw context of mlx5 says.
fn context(
    kernel: &mut Nldev,
    index: u32,
    region: &Region,
    one: &mut LiveRegion,
) -> Result<(), String> {
    let context = kernel.context(index, region.number);
    let context = context.map_err(|error| match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "raw mkeys take CAP_NET_ADMIN: run it with sudo".to_owned()
        }
        Some(libc::EOPNOTSUPP | libc::EINVAL) => format!(
            "this firmware or kernel dumps no mkey ({error}); umem watch sees which is chosen"
        ),
        _ => format!("the raw mkey cannot be read: {error}"),
    })?;
    let Some(mkey) = context.mkey(region.length, region.rkey) else {
        one.told
            .insert("mkey".to_owned(), "not recognised".to_owned());
        return Ok(());
    };
    one.start = Some(format!("{:#x}", mkey.start));
    one.page_size = mkey.page_size.map(|bytes| PageSize {
        bytes,
        source: "log_page_size of the raw mkey".to_owned(),
    });
    one.told
        .insert("octowords".to_owned(), mkey.octowords.to_string());
    Ok(())
}

impl LiveRegion {
    fn new(region: &Region, names: &mut Names) -> Self {
        let Told { numbers, texts } = &region.told;
        let numbers = numbers.iter().map(|(name, number)| {
            // Addresses and keys are hexadecimal in rdma's output, too.
            let value = match name.as_str() {
                "va" | "pbl_addr" | "idx" | "key" => format!("{number:#x}"),
                _ => number.to_string(),
            };
            (name.clone(), value)
        });
        let texts = texts
            .iter()
            .map(|(name, text)| (name.clone(), text.clone()));
        Self {
            number: region.number,
            length: region.length,
            comm: match &region.owner {
                Owner::Process(pid) => names.of(*pid),
                Owner::Kernel(name) => Some(name.clone()),
                Owner::Elsewhere => None,
            },
            owner: region.owner.clone(),
            page_size: region.told.page_size().map(|(bytes, source)| PageSize {
                bytes,
                source: source.to_owned(),
            }),
            start: region.told.numbers.get("va").map(|va| format!("{va:#x}")),
            told: numbers.chain(texts).collect(),
        }
    }
}

/// Processes, each looked at once.
#[derive(Debug, Default)]
struct Names(BTreeMap<u32, Option<Process>>);

impl Names {
    fn of(&mut self, pid: u32) -> Option<String> {
        let process = self.0.entry(pid).or_insert_with(|| Process::open(pid).ok());
        process
            .as_ref()
            .map(Process::name)
            .filter(|name| !name.is_empty())
    }

    fn pins(&self, regions: &[LiveRegion]) -> Vec<Pins> {
        let of = |(pid, process): (&u32, &Option<Process>)| {
            let own = regions
                .iter()
                .filter(|region| region.owner == Owner::Process(*pid));
            let lengths = own.map(|region| region.length);
            let (regions, bytes) = lengths.fold((0, 0u64), |(count, bytes), length| {
                (count + 1, bytes.saturating_add(length))
            });
            Pins {
                pid: *pid,
                comm: process.as_ref().map(Process::name).unwrap_or_default(),
                regions,
                bytes,
                pinned: process.as_ref().and_then(Process::pinned),
            }
        };
        self.0.iter().map(of).collect()
    }
}
