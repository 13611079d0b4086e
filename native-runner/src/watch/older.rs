//! Regions that are older than the watch, by rdma netlink.

use std::io::{self, Write};

use serde::Serialize;
use umem_core::size::Bytes;

use crate::{
    inspect::{Live, live},
    nldev::{Nldev, Owner},
    screen::one_line,
    sysfs::RdmaDevice,
};

/// A region that lived when the watch began. Of one that was registered at that moment, both this and its registration may be told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Older {
    /// "older".
    kind: &'static str,
    /// The device.
    pub device: String,
    /// The process; `None`: the kernel's own, or of another PID namespace.
    pub pid: Option<u32>,
    /// The process's name, or the kernel's part.
    comm: Option<String>,
    /// In bytes.
    length: u64,
    /// The page size of its table, if driver or firmware tells.
    page_size: Option<u64>,
}

/// Tables for people show no more of them.
const MOST_ROWS: usize = 20;

/// The live regions of these devices, the longest first, and what could not be known.
pub fn older(devices: &[RdmaDevice]) -> (Vec<Older>, Vec<String>) {
    let mut told = Vec::new();
    let mut not_told = Vec::new();
    if let Err(error) = ask(devices, &mut told, &mut not_told) {
        not_told.push(format!("regions that are older than the watch: {error}"));
    }
    told.sort_by_key(|older| std::cmp::Reverse(older.length));
    not_told.dedup();
    (told, not_told)
}

fn ask(
    devices: &[RdmaDevice],
    told: &mut Vec<Older>,
    not_told: &mut Vec<String>,
) -> io::Result<()> {
    let mut kernel = Nldev::open()?;
    for device in kernel.devices()? {
        let known = devices.iter().find(|known| known.name == device.name);
        let live = live(
            &mut kernel,
            device.index,
            known.and_then(|known| known.driver),
        )?;
        add(&device.name, live, told, not_told);
    }
    Ok(())
}

/// The regions of one device. That it does not tell page sizes is no news where nothing lives.
fn add(device: &str, live: Live, told: &mut Vec<Older>, not_told: &mut Vec<String>) {
    if !live.regions.is_empty() {
        let of_device = |why| format!("{device}: {why}");
        not_told.extend(live.not_told.into_iter().map(of_device));
    }
    told.extend(live.regions.into_iter().map(|region| Older {
        kind: "older",
        device: device.to_owned(),
        pid: match region.owner {
            Owner::Process(pid) => Some(pid),
            Owner::Kernel(_) | Owner::Elsewhere => None,
        },
        comm: region.comm,
        length: region.length,
        page_size: region.page_size.map(|size| size.bytes),
    }));
}

/// For people.
pub fn table(out: &mut dyn Write, older: &[Older]) -> io::Result<()> {
    let bytes = older
        .iter()
        .fold(0u64, |sum, older| sum.saturating_add(older.length));
    match older {
        [_] => writeln!(out, "1 region is older than the watch")?,
        _ => writeln!(
            out,
            "{} regions are older than the watch, {} together",
            older.len(),
            Bytes(bytes)
        )?,
    }
    for older in older.iter().take(MOST_ROWS) {
        let who = older.comm.as_deref().unwrap_or("somebody");
        let pid = older
            .pid
            .map_or_else(String::new, |pid| format!(" ({pid})"));
        let pages = older
            .page_size
            .map_or_else(String::new, |size| format!(" in pages of {}", Bytes(size)));
        writeln!(
            out,
            "  {:>9}{pages}  {}{pid} on {}",
            Bytes(older.length).to_string(),
            one_line(who),
            one_line(&older.device)
        )?;
    }
    if older.len() > MOST_ROWS {
        writeln!(
            out,
            "  and {} shorter ones: umem inspect",
            older.len() - MOST_ROWS
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::LiveRegion;
    use std::collections::BTreeMap;

    #[test]
    fn what_a_device_does_not_tell_is_news_only_of_its_own_regions() {
        let region = LiveRegion {
            number: 1,
            length: 4096,
            owner: Owner::Process(7),
            comm: None,
            page_size: None,
            start: None,
            told: BTreeMap::new(),
        };
        let live = |regions| Live {
            regions,
            processes: Vec::new(),
            not_told: vec!["no page sizes".to_owned()],
        };
        let (mut told, mut not_told) = (Vec::new(), Vec::new());
        add("busy", live(vec![region]), &mut told, &mut not_told);
        add("idle", live(Vec::new()), &mut told, &mut not_told);
        assert_eq!(
            (told.len(), not_told),
            (1, vec!["busy: no page sizes".to_owned()])
        );
        let mut out = Vec::new();
        table(&mut out, &told).unwrap();
        assert!(out.starts_with(b"1 region is older than the watch\n"));
    }

    #[test]
    fn people_see_the_longest_and_how_many_there_are() {
        let one = |length| Older {
            kind: "older",
            device: "rxe0".to_owned(),
            pid: Some(7),
            comm: Some("a\x1b[2J".to_owned()),
            length,
            page_size: (length > 4096).then_some(4096),
        };
        let mut out = Vec::new();
        let all: Vec<_> = (1..=25).rev().map(|n| one(n << 12)).collect();
        table(&mut out, &all).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("25 regions are older than the watch, 1300K together\n"),
            "{text}"
        );
        assert!(
            text.contains("100K in pages of 4K  a\\u001b[2J (7) on rxe0"),
            "{text}"
        );
        assert!(
            text.ends_with("  and 5 shorter ones: umem inspect\n"),
            "{text}"
        );
        let json = serde_json::to_value(one(4096)).unwrap();
        assert_eq!(
            (json["kind"].as_str(), json["pid"].as_u64()),
            (Some("older"), Some(7))
        );
    }
}
