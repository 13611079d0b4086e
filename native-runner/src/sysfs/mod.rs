//! What `/sys` shows of RDMA devices: their drivers, ports and IOMMUs. It takes no rights and no library.

mod device;
mod iommu;
mod reserved;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use device::{Port, RdmaDevice, devices};
pub use iommu::Iommu;
pub use reserved::Reserved;
#[cfg(test)]
pub use tests::Folder;

/// The text of a file without its last line end; `None` where there is no such file, or nothing in it.
pub fn text(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// What is in a folder, sorted; nothing where there is no folder.
pub fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

/// The last part of a path, in words.
pub fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The device at `folder`, and, if that is an auxiliary device, what it is on.
fn hardware_below(folder: &Path) -> impl Iterator<Item = &Path> {
    let mut next = Some(folder);
    std::iter::from_fn(move || {
        let folder = next?;
        let auxiliary = target(&folder.join("subsystem")).is_some_and(|bus| bus == "auxiliary");
        next = folder.parent().filter(|_| auxiliary);
        Some(folder)
    })
}

/// The name of what a link leads to.
fn target(link: &Path) -> Option<String> {
    fs::read_link(link).ok().map(|target| name(&target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A machine in a folder: pairs of path and text, or path and `-> target`. It goes when it is dropped.
    #[derive(Debug)]
    pub struct Folder(tempfile::TempDir);

    impl Folder {
        pub fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                match text.strip_prefix("-> ") {
                    Some(target) => symlink(target, path).unwrap(),
                    None => fs::write(path, text).unwrap(),
                }
            }
            Self(folder)
        }

        pub fn path(&self) -> &Path {
            self.0.path()
        }
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        let folder = Folder::new(&[("a", "yes\n"), ("b", "\n"), ("link", "-> /x/driver")]);
        assert_eq!(text(folder.path().join("a")).as_deref(), Some("yes"));
        assert_eq!(text(folder.path().join("b")), None);
        assert_eq!(text(folder.path().join("c")), None);
        assert!(entries(folder.path().join("c")).is_empty());
        assert_eq!(
            target(&folder.path().join("link")).as_deref(),
            Some("driver")
        );
    }
}
