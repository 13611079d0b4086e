//! What was found as a device of scenarios: what `umem plan --device FILE` takes.

use umem_core::{scenario::DeviceObject, size::Bytes};

use super::{Found, Inspection, Limits, Searched};

/// The device, and what of it is inferred rather than told or found.
pub fn device_file(inspection: &Inspection) -> (DeviceObject, Vec<String>) {
    let mut notes = Vec::new();
    let mut device = DeviceObject {
        name: Some(inspection.driver.unwrap_or(&inspection.device).to_owned()),
        ..DeviceObject::default()
    };
    if let Some(limits) = &inspection.limits {
        take_limits(&mut device, limits);
    }
    if let Some(found) = &inspection.found {
        take_found(&mut device, found, &mut notes);
    }
    if inspection.driver.is_none() && device.page_sizes.is_none() {
        notes.push("the catalogue lacks its driver, and its page sizes are not known: the file assumes 4K alone".to_owned());
        device.page_sizes = Some(vec![Bytes(4096)]);
    }
    (device, notes)
}

fn take_limits(device: &mut DeviceObject, limits: &Limits) {
    if limits.page_sizes_are_used && !limits.page_sizes.is_empty() {
        device.page_sizes = Some(limits.page_sizes.iter().copied().map(Bytes).collect());
    }
    if limits.max_mr_size_is_enforced {
        device.max_length = limits.max_mr_size.map(Bytes);
    }
}

/// A limit that is as many bytes with larger pages is a limit of bytes; one that is more is a limit of entries.
fn take_found(device: &mut DeviceObject, found: &Found, notes: &mut Vec<String>) {
    let Some((small, larger)) = found.by_page_size.split_first() else {
        return;
    };
    let huge = larger.last();
    let entries = |bytes: u64| bytes / small.page_size;
    if small.too_long.is_some() && small.largest > 0 {
        match huge.map(|huge| is_of_bytes(small.largest, huge.largest, huge)) {
            Some(true) => device.max_length = Some(Bytes(small.largest)),
            Some(false) => device.max_entries = Some(entries(small.largest)),
            None => {
                device.max_entries = Some(entries(small.largest));
                notes.push("max_entries is inferred: with small pages alone, a limit of bytes looks the same".to_owned());
            }
        }
    }
    if small.too_much.is_some() && small.budget > 0 {
        match huge.map(|huge| is_of_bytes(small.budget, huge.budget, huge)) {
            Some(true) => notes.push(format!(
                "all regions together take {} at most, whatever their pages: a device file has no word for that",
                Bytes(small.budget)
            )),
            Some(false) => device.max_total_entries = Some(entries(small.budget)),
            None => {
                device.max_total_entries = Some(entries(small.budget));
                notes.push("max_total_entries is inferred: with small pages alone, a limit of bytes looks the same".to_owned());
            }
        }
    }
}

/// Whether the same bytes are the limit with the pages of `huge`, up to one of them.
fn is_of_bytes(small: u64, with_huge: u64, huge: &Searched) -> bool {
    with_huge <= small && small - with_huge < huge.page_size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Refused, Translation};

    fn refused(bytes: u64) -> Option<Refused> {
        Some(Refused {
            bytes,
            errno: 12,
            text: "Cannot allocate memory".to_owned(),
        })
    }

    fn searched(page_size: u64, largest: u64, budget: u64, most: u64) -> Searched {
        Searched {
            page_size,
            largest,
            too_long: refused(largest + page_size).filter(|_| largest < most),
            budget,
            too_much: refused(budget + page_size).filter(|_| budget < most),
        }
    }

    fn file(
        by_page_size: Vec<Searched>,
        driver: Option<&'static str>,
    ) -> (DeviceObject, Vec<String>) {
        let iommu = Translation {
            mode: "off".to_owned(),
            name: Some("off"),
            reserved: Vec::new(),
            table: None,
        };
        let found = Found {
            most: 64 << 30,
            by_page_size,
            skipped: Vec::new(),
        };
        device_file(&Inspection {
            device: "x0".to_owned(),
            driver,
            hardware_driver: None,
            firmware: None,
            kernel: "6.12".to_owned(),
            limits: None,
            regions: None,
            processes: Vec::new(),
            pools: Vec::new(),
            iommu,
            found: Some(found),
            not_told: Vec::new(),
        })
    }

    /// Report 1: 2^19 entries a region and 2^20 a device, which 2M pages never reach here.
    #[test]
    fn entries_are_told_from_bytes_by_larger_pages() {
        let most = 64 << 30;
        let small = searched(4096, 2 << 30, 4 << 30, most);
        let (device, notes) = file(
            vec![small.clone(), searched(2 << 20, most, most, most)],
            Some("ionic"),
        );
        assert_eq!(
            (device.max_entries, device.max_total_entries),
            (Some(1 << 19), Some(1 << 20))
        );
        assert!(device.max_length.is_none() && notes.is_empty(), "{notes:?}");
        let (device, notes) = file(vec![small.clone()], Some("ionic"));
        assert_eq!(device.max_entries, Some(1 << 19));
        assert_eq!(notes.len(), 2);
        let huge = searched(2 << 20, 2 << 30, 4 << 30, most);
        let (device, notes) = file(vec![small, huge], Some("ionic"));
        assert_eq!(
            (device.max_length, device.max_entries),
            (Some(Bytes(2 << 30)), None)
        );
        assert!(notes[0].contains("4G at most"), "{notes:?}");
    }

    #[test]
    fn no_limit_found_is_no_limit_written() {
        let most = 1 << 30;
        let (device, notes) = file(vec![searched(4096, most, most, most)], Some("rxe"));
        assert_eq!(device.name.as_deref(), Some("rxe"));
        assert!(device.max_entries.is_none() && device.max_length.is_none() && notes.is_empty());
        let (device, notes) = file(Vec::new(), None);
        assert_eq!(device.page_sizes, Some(vec![Bytes(4096)]));
        assert_eq!(notes.len(), 1);
    }
}
