//! Files that are written whole or not at all.
//!
//! The bytes go into a file without a name, in the folder of the one that is wanted. Once all of them are on the disk it gets
//! the name, and replaces whatever had it: a link is replaced, never followed, so nobody who may write to the
//! folder can lead root to another file. A process that is killed before that leaves nothing behind.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use atomic_write_file::{AtomicWriteFile, unix::OpenOptionsExt as _};

use crate::interrupt::Interrupt;

/// Who may read a new file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Whom the umask allows.
    Everybody,
    /// Its owner.
    Owner,
}

/// Writes `contents` to `path`, for everybody to read.
pub fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let mut file = WholeFile::create(path, Readers::Everybody)?;
    file.write_all(contents)
        .map_err(|error| unwritable(path, &error))?;
    file.finish()
}

/// A file on its way.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    stage: Stage,
    /// Where the file system has no files without a name, Ctrl-C must not leave half a file behind.
    _interrupt: Interrupt,
}

#[derive(Debug)]
enum Stage {
    /// To be named at the end.
    Hidden(AtomicWriteFile),
    /// A device or a pipe, which cannot be replaced: it takes the bytes as they come.
    Stream(File),
}

impl WholeFile {
    /// Begins the file `path`. Nothing is seen of it until [`finish`](Self::finish). A file of ours that is there already
    /// keeps its mode; any other is replaced by a new one for `readers`.
    ///
    /// # Errors
    /// A path that cannot be written: it is a wrong argument, not an inability of this machine.
    pub fn create(path: &Path, readers: Readers) -> anyhow::Result<Self> {
        let stage = Stage::begin(path, readers).map_err(|error| unwritable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            stage,
            _interrupt: Interrupt::watch(),
        })
    }

    /// Puts the file on the disk and gives it its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let finished = match self.stage {
            Stage::Hidden(file) => file.commit(),
            Stage::Stream(_) => Ok(()),
        };
        finished.map_err(|error| unwritable(&self.path, &error))
    }
}

impl Stage {
    fn begin(path: &Path, readers: Readers) -> io::Result<Self> {
        let found = fs::symlink_metadata(path).ok();
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if streams(path) {
            return File::options().write(true).open(path).map(Self::Stream);
        }
        let ours = rustix::process::geteuid().as_raw();
        let keeps_mode = found.is_some_and(|found| found.is_file() && found.uid() == ours);
        AtomicWriteFile::options()
            .mode(match readers {
                Readers::Everybody => 0o666,
                Readers::Owner => 0o600,
            })
            .preserve_mode(keeps_mode)
            .preserve_owner(false)
            .open(path)
            .map(Self::Hidden)
    }
}

/// Whether `path` leads to a device or a pipe. `/dev/stdout` and the like are links to them.
fn streams(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| {
        let kind = found.file_type();
        kind.is_fifo() || kind.is_char_device() || kind.is_block_device() || kind.is_socket()
    })
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Interrupt::check()?;
        match &mut self.stage {
            Stage::Hidden(file) => file.write(bytes),
            Stage::Stream(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{} cannot be written: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::Permissions,
        io::Read,
        os::{
            fd::AsRawFd,
            unix::fs::{PermissionsExt, symlink},
        },
    };

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    fn private(path: &Path, contents: &[u8]) {
        let mut file = WholeFile::create(path, Readers::Owner).unwrap();
        file.write_all(contents).unwrap();
        file.finish().unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn nothing_is_seen_of_a_file_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.json");
        let mut file = WholeFile::create(&path, Readers::Owner).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);
        write(&path, b"whole").unwrap();
        write(&path, b"anew").unwrap();
        assert_eq!(names(folder.path()), ["capture.json"]);
        assert_eq!(fs::read(&path).unwrap(), b"anew");
    }

    #[test]
    fn captures_are_their_owners_alone_and_files_of_ours_keep_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (capture, picture) = (folder.path().join("capture"), folder.path().join("picture"));
        private(&capture, b"1");
        assert_eq!(mode(&capture), 0o600);
        write(&picture, b"1").unwrap();
        fs::set_permissions(&capture, Permissions::from_mode(0o640)).unwrap();
        private(&capture, b"2");
        assert_eq!(mode(&capture), 0o640);
        // Somebody else's file, open to all, must not make ours so. Only root can make one.
        fs::set_permissions(&capture, Permissions::from_mode(0o666)).unwrap();
        if std::os::unix::fs::chown(&capture, Some(65534), None).is_ok() {
            private(&capture, b"3");
            assert_eq!(mode(&capture), 0o600);
        }
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("shadow"), folder.path().join("link"));
        fs::write(&file, b"secret").unwrap();
        symlink(&file, &link).unwrap();
        private(&link, b"capture");
        assert_eq!(fs::read(&file).unwrap(), b"secret");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(mode(&link), 0o600);
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nothing"), &dangling).unwrap();
        private(&dangling, b"capture");
        assert!(!folder.path().join("nothing").exists());
    }

    #[test]
    fn devices_and_pipes_are_written_to() {
        let (mut reader, writer) = io::pipe().unwrap();
        let pipe = format!("/proc/self/fd/{}", writer.as_raw_fd());
        write(Path::new(&pipe), b"through").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), b"a folder").unwrap_err();
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
