//! A writer of the one archive format that the kernel unpacks at boot: cpio "newc"
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::BTreeSet;
use std::path::Path;

/// An archive in memory. Folders above a file are added by themselves.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    entries: u32,
}

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

impl Archive {
    /// An executable file; `path` is absolute, as the guest sees it.
    pub fn file(&mut self, path: impl AsRef<Path>, content: &[u8]) {
        if let Some(parent) = path.as_ref().parent() {
            self.folder(parent);
        }
        self.record(&name(path.as_ref()), PROGRAM, content);
    }

    /// An empty folder.
    pub fn folder(&mut self, path: impl AsRef<Path>) {
        let name = name(path.as_ref());
        if name.is_empty() || !self.folders.insert(name.clone()) {
            return;
        }
        if let Some(parent) = path.as_ref().parent() {
            self.folder(parent);
        }
        self.record(&name, FOLDER, &[]);
    }

    /// The archive with its end mark.
    pub fn finish(mut self) -> Vec<u8> {
        self.record("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn record(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let name_size = name.len() as u32 + 1;
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        let fields = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            content.len() as u32,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// The archive's name of an absolute path: without the leading slash.
fn name(path: &Path) -> String {
    path.to_str()
        .expect("the guest's paths are UTF-8")
        .trim_start_matches('/')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn every_record_is_aligned_and_parents_come_first() {
        let mut archive = Archive::default();
        archive.file("/a/b/one", b"12345");
        archive.file("/a/two", b"");
        let bytes = archive.finish();

        let mut names = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            assert_eq!(&bytes[at..at + 6], b"070701", "record at {at}");
            let field = |n: usize| {
                let text = std::str::from_utf8(&bytes[at + 6 + 8 * n..at + 14 + 8 * n]).unwrap();
                usize::from_str_radix(text, 16).unwrap()
            };
            let (size, name_size) = (field(6), field(11));
            names.push(
                String::from_utf8(bytes[at + 110..at + 110 + name_size - 1].to_vec()).unwrap(),
            );
            at = (at + 110 + name_size).next_multiple_of(4);
            if names.last().unwrap() == "a/b/one" {
                assert_eq!(&bytes[at..at + size], b"12345");
            }
            at = (at + size).next_multiple_of(4);
        }
        assert_eq!(names, ["a", "a/b", "a/b/one", "a/two", "TRAILER!!!"]);
    }
}
