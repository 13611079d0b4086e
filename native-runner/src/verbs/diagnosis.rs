//! Why there is no device to be used, and what to do about it.
//!
//! libibverbs says ENOSYS, ENOENT, or nothing at all, for half a dozen reasons; sysfs and the
//! device nodes tell them apart.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{missing::Missing, sysfs};

/// Where the kernel shows its devices.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// `/sys/class`.
    pub class: &'a str,
    /// `/dev`.
    pub dev: &'a str,
}

/// The machine that this runs on.
pub const THIS: Machine<'_> = Machine {
    class: "/sys/class",
    dev: "/dev",
};

impl Machine<'_> {
    /// What is missing when libibverbs lists no device.
    pub fn no_device(self) -> Missing {
        let Some(device) = names(&self.class("infiniband")).into_iter().next() else {
            let soft_roce = format!(
                "modprobe rdma_rxe && rdma link add rxe0 type rxe netdev {}  (soft-RoCE; or in a VM: cargo xtask lab check)",
                sysfs::network_interface(&self.class("net"))
            );
            return Missing::device("an RDMA device", soft_roce);
        };
        match self.node(&device) {
            None => Missing::device(
                format!("access to {device} for programs (ib_uverbs)"),
                "modprobe ib_uverbs",
            ),
            Some(node) if !node.exists() => Missing::device(
                node.display().to_string(),
                "udevadm trigger --action=add --subsystem-match=infiniband_verbs",
            ),
            Some(_) => Missing::device(
                format!("libibverbs with the driver of {device}"),
                "apt install libibverbs1 ibverbs-providers",
            ),
        }
    }

    /// What is missing when `device` cannot be opened, `error` being what libibverbs says of it. It
    /// says ENOENT, too, of a node that it may not open.
    pub fn not_opened(self, device: &str, error: &str) -> Missing {
        let node = self.node(device);
        let refused = |node: &PathBuf| {
            let opened = fs::File::options().read(true).write(true).open(node);
            opened.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        };
        match node.filter(refused) {
            Some(node) => Missing::device(
                format!("the right to open {}", node.display()),
                format!("sudo chmod a+rw {}", node.display()),
            ),
            None => Missing::device(
                format!("a working RDMA device ({device}: {error})"),
                format!("ibv_devinfo -d {device}; dmesg | tail"),
            ),
        }
    }

    /// The node by which programs reach `device`; `None` if there is none by sysfs.
    fn node(self, device: &str) -> Option<PathBuf> {
        let verbs = self.class("infiniband_verbs");
        let is_ours = |name: &String| {
            fs::read_to_string(verbs.join(name).join("ibdev"))
                .is_ok_and(|owner| owner.trim() == device)
        };
        let name = names(&verbs).into_iter().find(is_ours)?;
        Some(Path::new(self.dev).join("infiniband").join(name))
    }

    /// An interface that soft-RoCE could use: one that is up, else any but the loopback.
    fn class(self, name: &str) -> PathBuf {
        Path::new(self.class).join(name)
    }
}

/// The names in a folder, sorted; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine in a folder, gone when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let path = std::env::temp_dir().join(format!("umem-{name}-{}", std::process::id()));
            for (file, text) in files {
                let file = path.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Self(path)
        }

        fn machine(&self) -> Machine<'_> {
            let folder = self.0.to_str().unwrap();
            Machine {
                class: folder,
                dev: folder,
            }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn each_reason_has_its_own_way_out() {
        let interfaces = [
            ("net/lo/operstate", "unknown"),
            ("net/dummy0/operstate", "down"),
            ("net/ens3/operstate", "up\n"),
        ];
        let missing = Folder::new("bare", &interfaces).machine().no_device();
        assert_eq!(missing.what, "an RDMA device");
        assert!(
            missing.way_out.contains("netdev ens3 "),
            "{}",
            missing.way_out
        );

        let rxe = ("infiniband/rxe0/node_type", "1: CA\n");
        let missing = Folder::new("closed", &[rxe]).machine().no_device();
        assert_eq!(missing.way_out, "modprobe ib_uverbs");

        // `dev` and `class` are one folder here; nodes lie in dev/infiniband.
        let verbs = ("infiniband_verbs/uverbs3/ibdev", "rxe0\n");
        let missing = Folder::new("nodeless", &[rxe, verbs]).machine().no_device();
        assert!(
            missing.what.ends_with("/infiniband/uverbs3"),
            "{}",
            missing.what
        );

        let missing = Folder::new("driverless", &[rxe, verbs, ("infiniband/uverbs3", "")])
            .machine()
            .no_device();
        assert_eq!(missing.what, "libibverbs with the driver of rxe0");
    }

    #[test]
    fn a_machine_without_anything_still_gets_an_answer() {
        let nowhere = Machine {
            class: "/nowhere",
            dev: "/nowhere",
        };
        assert!(nowhere.no_device().way_out.contains("netdev eth0 "));
        assert!(
            nowhere
                .not_opened("rxe0", "broke")
                .what
                .contains("rxe0: broke")
        );
    }
}
