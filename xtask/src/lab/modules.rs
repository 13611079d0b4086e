//! Which kernel modules the guest loads, in which order.

use super::kernel::Kernel;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;

/// What the guest loads, each with what it depends on before it.
///
/// Devices behind virtio-iommu wait for its driver, so that comes first. `crc32_generic` stands in no dependency list, yet up to Linux 6.13 `rdma link add` fails without it.
/// `ib_uverbs`, which gives programs their way to the device, is no dependency of rxe from Linux 7.2 on.
const WANTED: &[&str] = &[
    "virtio_iommu",
    "virtio_pci",
    "virtio_console",
    "9pnet_virtio",
    "9p",
    "dummy",
    "crc32_generic",
    "ib_uverbs",
    "udmabuf",
    "rdma_rxe",
];

/// Modules that some kernels have no need of.
const MAY_LACK: &[&str] = &["crc32_generic", "udmabuf", "virtio_iommu"];

/// The files of the wanted modules below `kernel.modules()`, in the order in which they must be loaded.
pub fn load_order(kernel: &Kernel) -> Result<Vec<String>> {
    let list = |name: &str| {
        let path = kernel.modules().join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    order(WANTED, &list("modules.dep")?, &list("modules.builtin")?)
}

fn order(wanted: &[&str], dep: &str, builtin: &str) -> Result<Vec<String>> {
    let by_name: BTreeMap<String, (&str, Vec<&str>)> = dep
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(file, needs)| (name(file), (file, needs.split_whitespace().collect())))
        .collect();
    let mut files: Vec<&str> = Vec::new();
    for &module in wanted {
        let Some((file, needs)) = by_name.get(&name(module)) else {
            if builtin.lines().any(|file| name(file) == name(module)) || MAY_LACK.contains(&module)
            {
                continue;
            }
            bail!("this kernel has no module {module}");
        };
        // modules.dep names a module's needs from the nearest to the farthest: load them from the far end.
        for file in needs.iter().rev().chain([file]) {
            if !files.contains(file) {
                files.push(file);
            }
        }
    }
    Ok(files.into_iter().map(String::from).collect())
}

/// A module's name, from its file or as people write it: the kernel takes `-` and `_` for the same.
fn name(file: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    base.split(".ko").next().unwrap_or(base).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::order;

    const DEP: &str = "kernel/rxe.ko.xz: kernel/uverbs.ko.xz kernel/ib-core.ko.xz\nkernel/uverbs.ko.xz: kernel/ib-core.ko.xz\n\
                       kernel/ib-core.ko.xz:\nkernel/dummy.ko.xz:\n";

    #[test]
    fn needs_come_before_what_needs_them_and_once() {
        assert_eq!(
            order(&["ib_core", "rxe", "dummy"], DEP, "").unwrap(),
            [
                "kernel/ib-core.ko.xz",
                "kernel/uverbs.ko.xz",
                "kernel/rxe.ko.xz",
                "kernel/dummy.ko.xz"
            ]
        );
    }

    #[test]
    fn built_in_modules_are_left_out_and_missing_ones_named() {
        assert_eq!(
            order(&["9p", "crc32_generic"], DEP, "kernel/fs/9p/9p.ko\n").unwrap(),
            [""; 0]
        );
        assert!(
            order(&["vfio"], DEP, "")
                .unwrap_err()
                .to_string()
                .contains("vfio")
        );
    }
}
