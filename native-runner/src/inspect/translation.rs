//! The IOMMU between a device and the memory.

use std::{fs::File, io::BufReader, path::Path};

use serde::Serialize;
use umem_core::{iommu, size::PageSizes};

use super::vtd::{self, TableCheck};
use crate::sysfs::{Iommu, Reserved};

/// How device addresses come about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Translation {
    /// As the kernel calls it: "DMA-FQ", "identity", "off", …
    pub mode: String,
    /// What scenarios call it; `None`: `not_told` says why.
    pub name: Option<&'static str>,
    /// Addresses that no mapping gets.
    pub reserved: Vec<Reserved>,
    /// VT-d's own table, held against the rules of the IOMMU lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableCheck>,
}

/// Of a device's IOMMU, on the machine whose `/` is `root`.
pub fn of(root: &Path, device: &Iommu, not_told: &mut Vec<String>) -> Translation {
    let name = match device.scenario_name() {
        Ok(name) => Some(name),
        Err(why) => {
            not_told.push(format!("IOMMU: {why}"));
            None
        }
    };
    let is_vtd = name.is_some_and(|name| name.starts_with("vt-d"));
    let table = match is_vtd.then(|| table(root, device, name.unwrap_or_default())) {
        Some(Ok(table)) => Some(table),
        Some(Err(why)) => {
            not_told.push(format!("the IOMMU's own table: {why}"));
            None
        }
        None => None,
    };
    Translation {
        mode: device.mode().to_owned(),
        name,
        reserved: device.reserved().to_vec(),
        table,
    }
}

/// The table of a device's domain, by VT-d's debugfs: a file for each device since Linux 6.6 (debugfs.c: `intel_iommu_debugfs_create_dev()`).
fn table(root: &Path, device: &Iommu, name: &str) -> Result<TableCheck, String> {
    let folder = root.join("sys/kernel/debug/iommu/intel");
    if !folder.exists() {
        return Err("needs CONFIG_INTEL_IOMMU_DEBUGFS=y, which distributions leave out, root, and: mount -t debugfs debugfs /sys/kernel/debug".to_owned());
    }
    let function = device.function().unwrap_or_default();
    let file = folder.join(function).join("domain_translation_struct");
    let opened = File::open(&file);
    let opened = opened.map_err(|error| {
        format!(
            "{}: {error}; Linux before 6.6 has no file for each device",
            file.display()
        )
    })?;
    let profile = iommu::find(name).ok_or_else(|| format!("{name} is not in the catalogue"))?;
    let sizes = page_sizes(name, device.capabilities(), profile.page_sizes);
    vtd::check(BufReader::new(opened), profile.translation(), sizes)
}

/// The page sizes of this very unit: 2M and 1G in bits 34 and 35 of its capability register (SLLPS), of the first stage 2M always and 1G in bit 56
/// (FL1GP).
fn page_sizes(name: &str, capabilities: Option<u64>, all: PageSizes) -> PageSizes {
    let Some(register) = capabilities else {
        return all;
    };
    let bit = |bit: u32| register >> bit & 1;
    let has = match name {
        "vt-d-first-stage" => 1 << 12 | 1 << 21 | bit(56) << 30,
        _ => 1 << 12 | bit(34) << 21 | bit(35) << 30,
    };
    PageSizes::from_bits(all.bits() & has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::{self, Folder};

    const DEVICE: &str = "sys/class/infiniband/mlx5_0/device";

    fn machine(more: &[(&str, &str)]) -> (Translation, Vec<String>) {
        let at = |file: &str| format!("{DEVICE}/{file}");
        let mut files = vec![
            (at("iommu_group/type"), "DMA-FQ\n"),
            (
                at("iommu_group/reserved_regions"),
                "0x00000000fee00000 0x00000000feefffff msi\n",
            ),
            (at("iommu"), "-> x/dmar0"),
            (at("driver"), "-> x/mlx5_core"),
        ];
        files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), *text)));
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let folder = Folder::new(&files);
        let devices = sysfs::devices(folder.path());
        let mut not_told = Vec::new();
        let translation = of(folder.path(), &devices[0].iommu, &mut not_told);
        (translation, not_told)
    }

    #[test]
    fn mode_and_reserved_ranges_are_told_and_what_debugfs_lacks() {
        let (translation, not_told) = machine(&[]);
        assert_eq!(
            (translation.mode.as_str(), translation.name),
            ("DMA-FQ", Some("vt-d"))
        );
        assert_eq!(translation.reserved[0].kind, "msi");
        assert!(
            not_told[0].contains("CONFIG_INTEL_IOMMU_DEBUGFS"),
            "{not_told:?}"
        );
        // An older kernel: one file for all.
        let (_, not_told) = machine(&[(
            "sys/kernel/debug/iommu/intel/domain_translation_struct",
            "x",
        )]);
        assert!(not_told[0].contains("before 6.6"), "{not_told:?}");
    }

    #[test]
    fn its_own_table_is_read_where_debugfs_has_it() {
        let table = "Device 0000:00:03.0 @0x105000000\nIOVA_PFN          \tPML5E\n\
            0x00000000ffffe |\t0x0000000000000000\t0x0000000000001003\t0x0000000000002003\t0x0000000000003003\t0x0000000012345003\n";
        let file = "sys/kernel/debug/iommu/intel/device/domain_translation_struct";
        let (translation, not_told) = machine(&[(file, table)]);
        let table = translation.table.unwrap_or_else(|| panic!("{not_told:?}"));
        assert_eq!((table.runs, table.bytes), (1, 4096));
    }

    #[test]
    fn the_units_own_sizes_come_from_its_register() {
        let all = PageSizes::of_log2(&[12, 21, 30]);
        let bits = |name, register| page_sizes(name, register, all).bits();
        assert_eq!(bits("vt-d", None), all.bits());
        assert_eq!(bits("vt-d", Some(1 << 34)), 1 << 12 | 1 << 21);
        assert_eq!(bits("vt-d-first-stage", Some(1 << 35)), 1 << 12 | 1 << 21);
    }
}
