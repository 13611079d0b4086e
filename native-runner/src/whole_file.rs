//! Files that are written whole or not at all.
//!
//! The bytes go into a file without a name, in the folder of the one that is wanted; once all of them are there it
//! gets a name, and replaces what had that name before. Whoever is killed before that leaves nothing behind.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
use tempfile::{Builder, NamedTempFile};

/// As any new file is: the umask takes its share.
const MODE: u32 = 0o666;

/// Writes `contents` to `path`.
pub fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(contents)
        .map_err(|error| unwritable(path, &error))?;
    file.finish()
}

/// A file on its way.
#[derive(Debug)]
pub struct WholeFile {
    /// As it was asked for.
    path: PathBuf,
    /// Where it will be: where links at `path` lead.
    target: PathBuf,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Without a name.
    Nameless(File),
    /// With one of its own, where the file system has no files without.
    Named(NamedTempFile),
    /// A device or a pipe, which cannot be replaced: it takes the bytes as they come.
    Stream(File),
}

impl WholeFile {
    /// Begins the file `path`. There is nothing to be seen of it until [`finish`](Self::finish).
    ///
    /// # Errors
    /// A path that cannot be written: it is a wrong argument, not an inability of this machine.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let stage = Stage::begin(&target).map_err(|error| unwritable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            target,
            stage,
        })
    }

    /// Gives the file its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let persisted = match self.stage {
            Stage::Nameless(file) => name(&file, &self.target),
            Stage::Named(file) => file
                .persist(&self.target)
                .map(|_| ())
                .map_err(|error| error.error),
            Stage::Stream(_) => Ok(()),
        };
        persisted.map_err(|error| unwritable(&self.path, &error))
    }
}

impl Stage {
    fn begin(target: &Path) -> io::Result<Self> {
        match fs::metadata(target) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => {
                return File::options().write(true).open(target).map(Self::Stream);
            }
            _ => {}
        }
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match open(folder(target), flags, Mode::from_raw_mode(MODE)) {
            Ok(file) => Ok(Self::Nameless(file.into())),
            // Not every file system can (EOPNOTSUPP; EISDIR or ENOENT where it never heard of it).
            Err(_) => Builder::new()
                .permissions(Permissions::from_mode(MODE))
                .tempfile_in(folder(target))
                .map(Self::Named),
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stage {
            Stage::Nameless(file) | Stage::Stream(file) => file.write(bytes),
            Stage::Named(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names the nameless `file`. A link cannot replace a file, but a renaming can.
fn name(file: &File, target: &Path) -> io::Result<()> {
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = |name: &Path| linkat(CWD, &source, CWD, name, AtFlags::SYMLINK_FOLLOW);
    let named = Builder::new().make_in(folder(target), |name| Ok(link(name)?))?;
    named
        .into_temp_path()
        .persist(target)
        .map_err(|error| error.error)
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{} cannot be written: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    #[test]
    fn nothing_is_seen_of_a_file_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.json");
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        if let Stage::Nameless(_) = file.stage {
            assert_eq!(names(folder.path()), [""; 0]);
        }
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);
        write(&path, b"whole").unwrap();
        write(&path, b"anew").unwrap();
        assert_eq!(names(folder.path()), ["capture.json"]);
        assert_eq!(fs::read(&path).unwrap(), b"anew");
    }

    #[test]
    fn both_ways_lead_to_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named");
        let named = Builder::new()
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(folder.path());
        let mut file = WholeFile {
            path: path.clone(),
            target: path.clone(),
            stage: Stage::Named(named.unwrap()),
        };
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        let other = folder.path().join("nameless");
        write(&other, b"whole").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&other));
        assert_eq!(fs::read(&path).unwrap(), fs::read(&other).unwrap());
    }

    #[test]
    fn devices_are_written_to_and_links_followed() {
        let (mut reader, writer) = io::pipe().unwrap();
        let pipe = format!("/proc/self/fd/{}", writer.as_raw_fd());
        write(Path::new(&pipe), b"through").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        let error = write(folder.path(), b"a folder").unwrap_err();
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
