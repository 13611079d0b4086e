//! What a guest has left in /out.
//!
//! The guest is root of its machine, and may be hostile: what it makes in /out, QEMU makes here, be it a link, a pipe, a
//! device or a program that runs as its owner. Regular files and folders are taken, as many and as large as is sensible,
//! and as files of ours; what else there is stays behind, and that is said.

use crate::place;
use anyhow::{Context, Result, ensure};
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// How much is taken.
#[derive(Clone, Copy)]
struct Bounds {
    bytes: u64,
    entries: usize,
    depth: usize,
}

/// A recording of 20,000 vectors takes 20 MB, a capture of ten million extents half a gigabyte.
const BOUNDS: Bounds = Bounds {
    bytes: 4 << 30,
    entries: 10_000,
    depth: 16,
};

/// Brings what lies in `from` to the folder `to`, each file whole or not at all. Only when the guest has ended: nobody
/// then changes a file after it was looked at. Tells what stays behind.
pub fn bring(from: &Path, to: &Path) -> Result<Vec<String>> {
    let mut taken = Taken {
        left: BOUNDS,
        behind: Vec::new(),
    };
    taken
        .folder(from, to, Path::new("/out"), BOUNDS.depth)
        .with_context(|| format!("cannot bring the guest's files to {}", to.display()))?;
    Ok(taken.behind)
}

/// The file at `path`, if it is one that can be read like any other.
pub fn regular(path: PathBuf) -> Result<PathBuf> {
    let about = fs::symlink_metadata(&path)
        .with_context(|| format!("the guest has left no {}", path.display()))?;
    ensure!(
        about.is_file(),
        "what the guest has left at {} is {}, no file",
        path.display(),
        kind(about.file_type())
    );
    ensure!(
        about.len() <= BOUNDS.bytes,
        "what the guest has left at {} is {} bytes long, and no more than {} are taken",
        path.display(),
        about.len(),
        BOUNDS.bytes
    );
    Ok(path)
}

struct Taken {
    /// How much more may be taken.
    left: Bounds,
    behind: Vec<String>,
}

impl Taken {
    /// `seen` is what the guest calls the folder.
    fn folder(&mut self, from: &Path, to: &Path, seen: &Path, depth: usize) -> Result<()> {
        ensure!(
            depth > 0,
            "the guest has nested {} folders and more: {seen:?}",
            BOUNDS.depth
        );
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let seen = seen.join(entry.file_name());
            self.left.entries = self.left.entries.checked_sub(1).with_context(|| {
                format!("the guest has left more than {} files", BOUNDS.entries)
            })?;
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            // Of the entry itself, not of what a link leads to.
            let found = entry.file_type()?;
            if found.is_dir() {
                self.folder(&source, &target, &seen, depth - 1)?;
            } else if found.is_file() {
                self.file(&source, &target)
                    .with_context(|| format!("{seen:?}"))?;
            } else {
                // As Debug has it: the name is the guest's.
                self.behind.push(format!("{seen:?} is {}", kind(found)));
            }
        }
        Ok(())
    }

    fn file(&mut self, source: &Path, target: &Path) -> Result<()> {
        // The two may be on different file systems. A copy made by us is ours, and has none of the guest's permissions.
        let draft = place::draft(target);
        let copied = self.copy(source, &draft);
        let named = copied.and_then(|()| Ok(fs::rename(&draft, target)?));
        if named.is_err() {
            let _ = fs::remove_file(&draft);
        }
        named
    }

    fn copy(&mut self, source: &Path, draft: &Path) -> Result<()> {
        let mut from = File::open(source)?.take(self.left.bytes + 1);
        let copied = io::copy(&mut from, &mut File::create_new(draft)?)?;
        self.left.bytes = self
            .left
            .bytes
            .checked_sub(copied)
            .with_context(|| format!("the guest has left more than {} bytes", BOUNDS.bytes))?;
        Ok(())
    }
}

/// What it is, for people.
fn kind(found: FileType) -> &'static str {
    match found {
        link if link.is_symlink() => "a link",
        pipe if pipe.is_fifo() => "a pipe",
        socket if socket.is_socket() => "a socket",
        folder if folder.is_dir() => "a folder",
        file if file.is_file() => "a file",
        _ => "a device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    /// A folder of a test's own, gone after it.
    struct Root(PathBuf);

    impl Root {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("umem-{name}-{}", std::process::id()));
            fs::create_dir_all(path.join("from")).unwrap();
            Self(path)
        }

        fn from(&self, name: &str) -> PathBuf {
            self.0.join("from").join(name)
        }

        fn to(&self, name: &str) -> PathBuf {
            self.0.join("to").join(name)
        }

        fn bring(&self) -> Result<Vec<String>> {
            bring(&self.from(""), &self.to(""))
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn files_and_folders_come_home_over_older_ones() {
        let root = Root::new("home");
        fs::create_dir_all(root.from("a")).unwrap();
        fs::write(root.from("a/one"), "new").unwrap();
        fs::create_dir_all(root.to("a")).unwrap();
        fs::write(root.to("a/one"), "old and longer").unwrap();
        fs::write(root.to("a/other"), "kept").unwrap();
        assert_eq!(root.bring().unwrap(), [""; 0]);
        let read = |name: &str| fs::read_to_string(root.to(name)).unwrap();
        assert_eq!(
            (read("a/one").as_str(), read("a/other").as_str()),
            ("new", "kept")
        );
        assert_eq!(fs::read_dir(root.to("a")).unwrap().count(), 2);
    }

    #[test]
    fn links_pipes_and_sockets_stay_behind_and_nothing_waits_for_them() {
        let root = Root::new("behind");
        let secret = root.0.join("secret");
        fs::write(&secret, "of the host").unwrap();
        fs::create_dir(root.0.join("folder")).unwrap();
        symlink(&secret, root.from("link")).unwrap();
        symlink(root.0.join("folder"), root.from("linked\x1b[2J")).unwrap();
        let made = Command::new("mkfifo")
            .arg(root.from("pipe"))
            .status()
            .unwrap();
        assert!(made.success());
        let _socket = UnixListener::bind(root.from("socket")).unwrap();
        fs::write(root.from("file"), "taken").unwrap();
        // A target that is a link is replaced, not written through.
        fs::create_dir(root.to("")).unwrap();
        symlink(&secret, root.to("file")).unwrap();
        let mut behind = root.bring().unwrap();
        behind.sort();
        assert_eq!(
            behind,
            [
                "\"/out/link\" is a link",
                "\"/out/linked\\u{1b}[2J\" is a link",
                "\"/out/pipe\" is a pipe",
                "\"/out/socket\" is a socket"
            ]
        );
        let names: Vec<_> = fs::read_dir(root.to("")).unwrap().flatten().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(fs::read_to_string(root.to("file")).unwrap(), "taken");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "of the host");
        for (name, words) in [
            ("link", "is a link"),
            ("pipe", "is a pipe"),
            ("none", "has left no"),
        ] {
            let error = regular(root.from(name)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(regular(root.from("file")).unwrap(), root.from("file"));
    }

    #[test]
    fn permissions_of_the_guest_are_not_ours() {
        let root = Root::new("permissions");
        fs::write(root.from("program"), "").unwrap();
        fs::set_permissions(root.from("program"), fs::Permissions::from_mode(0o6777)).unwrap();
        root.bring().unwrap();
        let mode = fs::metadata(root.to("program"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o6133, 0, "{mode:o}");
    }

    #[test]
    fn too_much_is_an_error_and_leaves_no_half_file() {
        let root = Root::new("much");
        // Sparse: it takes no room.
        let file = File::create(root.from("large")).unwrap();
        file.set_len(8 << 30).unwrap();
        let mut taken = Taken {
            left: Bounds {
                bytes: 1 << 20,
                ..BOUNDS
            },
            behind: Vec::new(),
        };
        fs::create_dir(root.to("")).unwrap();
        let error = taken
            .file(&root.from("large"), &root.to("large"))
            .unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
        assert_eq!(fs::read_dir(root.to("")).unwrap().count(), 0);
        assert!(regular(root.from("large")).is_err());
        fs::remove_file(root.from("large")).unwrap();
        let mut deep = root.from("");
        (0..BOUNDS.depth).for_each(|_| deep.push("d"));
        fs::create_dir_all(deep).unwrap();
        let error = format!("{:#}", root.bring().unwrap_err());
        assert!(error.contains("nested 16 folders"), "{error}");
        fs::remove_dir_all(root.from("d")).unwrap();
        for number in 0..=BOUNDS.entries {
            File::create(root.from(&number.to_string())).unwrap();
        }
        let error = format!("{:#}", root.bring().unwrap_err());
        assert!(error.contains("more than 10000 files"), "{error}");
    }
}
