//! Why there is no device to be used, and what to do about it.
//!
//! libibverbs says ENOSYS, ENOENT, or nothing at all, for half a dozen reasons; sysfs and the
//! device nodes tell them apart.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use crate::missing::Missing;

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
            return Missing::rdma_device(true);
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
        let refused = self.node(device).and_then(|node| {
            let opened = fs::File::options().read(true).write(true).open(&node);
            let errno = Errno::from_io_error(&opened.err()?)?;
            matches!(errno, Errno::ACCESS | Errno::PERM).then_some((node, errno))
        });
        match refused {
            Some((node, errno)) => Missing::device(
                format!("the right to open {}", node.display()),
                access(&node, errno),
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

    /// The class of that name.
    fn class(self, name: &str) -> PathBuf {
        Path::new(self.class).join(name)
    }
}

/// How to get access to a node that was refused with `errno`, without opening it to everyone.
fn access(node: &Path, errno: Errno) -> String {
    if errno == Errno::PERM {
        return "this process's container or control group does not allow the device: whoever starts it passes it in (podman, docker: \
                --device=/dev/infiniband)"
            .to_owned();
    }
    let sudo = "run it with sudo";
    let group = fs::metadata(node)
        .ok()
        .filter(|node| node.gid() != 0 && node.mode() & 0o060 == 0o060);
    match group {
        Some(_) => format!(
            "{sudo}; or, for good, join the group that may: sudo usermod -aG \"$(stat -c %G {})\" \"$USER\", then log in again",
            node.display()
        ),
        None => format!(
            "{sudo}; or, for good, give a group the right by a rule of udev, such as SUBSYSTEM==\"infiniband_verbs\", GROUP=\"rdma\", \
             MODE=\"0660\" in /etc/udev/rules.d/90-rdma.rules, and join it"
        ),
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
    use std::os::unix::fs::PermissionsExt;

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
        let interfaces = [("net/ens3/operstate", "up\n")];
        let missing = Folder::new("bare", &interfaces).machine().no_device();
        assert_eq!(missing.what, "an RDMA device");
        assert!(!missing.way_out.contains("ens3"), "{}", missing.way_out);

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
        assert!(nowhere.no_device().way_out.contains("type rxe"));
        assert!(
            nowhere
                .not_opened("rxe0", "broke")
                .what
                .contains("rxe0: broke")
        );
    }

    #[test]
    fn a_node_is_opened_to_a_group_never_to_everybody() {
        let folder = Folder::new("access", &[("uverbs0", "")]);
        let node = folder.0.join("uverbs0");
        let set = |mode| fs::set_permissions(&node, fs::Permissions::from_mode(mode)).unwrap();
        set(0o600);
        let by_rule = access(&node, Errno::ACCESS);
        assert!(
            by_rule.contains("udev") && by_rule.contains("0660"),
            "{by_rule}"
        );
        // Only root can give it away, to a group that may open it.
        if std::os::unix::fs::chown(&node, None, Some(1)).is_ok() {
            set(0o660);
            let by_group = access(&node, Errno::ACCESS);
            assert!(by_group.contains("usermod -aG"), "{by_group}");
        }
        let container = access(&node, Errno::PERM);
        assert!(container.contains("container"), "{container}");
        for advice in [by_rule, container] {
            assert!(
                !advice.contains("chmod") && !advice.contains("0666"),
                "{advice}"
            );
        }
    }
}
